//! `action.yml` and what is written about it: every input and output is described, in both places, and
//! no expression gets into a script.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_yaml::Value;

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn action() -> Value {
    serde_yaml::from_str(&file("action.yml")).unwrap()
}

fn named(of: &Value) -> BTreeMap<String, Value> {
    serde_yaml::from_value(of.clone()).unwrap()
}

/// The rows of the tables in a section of docs/action.md: what stands in the first column, and the rest.
fn rows(heading: &str) -> BTreeMap<String, String> {
    let text = file("docs/action.md");
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let (first, rest) = line[2..].split_once(" | ").unwrap();
        for name in first.split(", ") {
            rows.insert(name.trim_matches('`').to_owned(), rest.to_owned());
        }
    }
    rows
}

#[test]
fn every_input_and_output_is_documented_and_nothing_else() {
    let action = action();
    let inputs = named(&action["inputs"]);
    let documented = rows("Inputs");
    assert!(inputs.keys().eq(documented.keys()), "{documented:?}");
    for (name, input) in &inputs {
        assert!(input["description"].as_str().unwrap().len() > 20, "{name}");
        assert_eq!(input["required"], Value::Bool(false), "{name}");
        let default = input["default"].as_str().unwrap();
        // What has no plain word for a default is explained in words.
        if !matches!(default, "" | ".") && !default.starts_with("${{") {
            let row = &documented[name];
            assert!(row.starts_with(&format!("`{default}` |")), "{name}: {row}");
        }
    }
    let outputs = named(&action["outputs"]);
    let documented = rows("Outputs");
    assert!(outputs.keys().eq(documented.keys()), "{documented:?}");
}

#[test]
fn every_input_goes_through_the_environment_of_both_steps_and_into_no_script() {
    let action = action();
    let inputs = named(&action["inputs"]);
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    assert_eq!(steps.len(), 2);
    for step in steps {
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{") && !run.contains("eval"), "{run}");
        let env = named(&step["env"]);
        // The inputs, and the branch on which what is deployed is watched.
        assert_eq!(env.len(), inputs.len() + 1, "{env:?}");
        assert_eq!(
            env["NOENTRY_DEFAULT_BRANCH"],
            "${{ github.event.repository.default_branch }}"
        );
        for name in inputs.keys() {
            let variable = match name.as_str() {
                "token" => "NOENTRY_GITHUB_TOKEN".to_owned(),
                name => format!("NOENTRY_INPUT_{}", name.to_uppercase().replace('-', "_")),
            };
            let value = env[&variable].as_str().unwrap();
            assert_eq!(value, format!("${{{{ inputs.{name} }}}}"), "{variable}");
        }
    }
}

#[test]
fn every_output_comes_from_the_step_that_ran() {
    let outputs = named(&action()["outputs"]);
    for (name, output) in &outputs {
        let value = output["value"].as_str().unwrap();
        let own = match name.as_str() {
            "report" => "json-path",
            "junit" => "junit-path",
            "summary" => "summary-path",
            name => name,
        };
        let wanted = format!("steps.unix.outputs.{own} || steps.windows.outputs.{own}");
        assert!(value.contains(&wanted), "{name}: {value}");
    }
}
