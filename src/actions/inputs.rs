//! The inputs of the action, as `action.yml` hands them on in `NOENTRY_INPUT_…`.
//!
//! Read and judged as text here; whether a file or folder is there is for the caller to find out. An
//! empty input is one that was not given. How the program itself gets to the runner (`version`,
//! `binary-path`, `from-source`, `mirror`) is over by now: the scripts beside `action.yml` read those.

use std::fmt;
use std::path::Path;

/// What is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The input's name in `with:`.
    pub input: &'static str,
    /// What is wrong, and what to write.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "input `{}`: {}", self.input, self.message)
    }
}

/// The places of the reports, from the workspace. Each has one, whatever is wrong with the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reports {
    /// `report`: the JSON.
    pub json: String,
    /// `junit`.
    pub junit: String,
    /// `summary`.
    pub summary: String,
}

/// Everything that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// `working-directory`: what relative paths are relative to; empty for the workspace.
    pub folder: String,
    /// `config`, from the workspace; none where it is to be looked for.
    pub config: Option<String>,
    /// The places of the reports.
    pub reports: Reports,
    /// What is asked for, or everything that is wrong with the inputs.
    pub asked: Result<Inputs, Vec<Mistake>>,
}

/// What a round is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// To watch what is deployed.
    Watch,
    /// To try what somebody proposes.
    Proposal,
}

impl Occasion {
    /// By the event and, where somebody chose a branch, by whether it is the default one. Another
    /// branch's configuration may lack a target: its incident would be told to be an orphan.
    fn of(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let event = lookup("GITHUB_EVENT_NAME").unwrap_or_default();
        match event.as_str() {
            // These two run on the default branch alone.
            "schedule" | "repository_dispatch" => Self::Watch,
            "workflow_dispatch" | "push" => {
                let main = lookup("NOENTRY_DEFAULT_BRANCH").filter(|name| !name.is_empty());
                let here = lookup("GITHUB_REF").unwrap_or_default();
                match main {
                    Some(main) if here.strip_prefix("refs/heads/") != Some(&main) => Self::Proposal,
                    Some(_) | None => Self::Watch,
                }
            }
            // Pull requests, the merge queue, and whatever GitHub may invent.
            _ => Self::Proposal,
        }
    }
}

/// What a workflow asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// `target`.
    pub targets: Vec<String>,
    /// `merge`: reports, or folders of them, from the workspace, to put together instead of looking.
    pub merge: Vec<String>,
    /// `incidents`, as `--incidents` takes it.
    pub incidents: String,
    /// `fail-on`: whether an inconclusive round fails the step.
    pub fails_inconclusive: bool,
    /// `args`.
    pub args: Vec<String>,
}

impl Reports {
    /// Where they are written if the workflow names no other place in this folder.
    #[must_use]
    pub fn usual(folder: &str) -> Self {
        let usual = |name| place(folder, &format!("noentry-reports/{name}"));
        Self {
            json: usual("report.json"),
            junit: usual("junit.xml"),
            summary: usual("summary.md"),
        }
    }
}

/// Reads the inputs with `lookup`.
pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Given {
    let mut reader = Reader {
        lookup: &lookup,
        mistakes: Vec::new(),
    };
    let folder = reader.line("working-directory", "NOENTRY_INPUT_WORKING_DIRECTORY");
    let usual = Reports::usual(&folder);
    let mut report = |input, variable, usual| match reader.report(input, variable) {
        Some(path) => place(&folder, &path),
        None => usual,
    };
    let reports = Reports {
        json: report("report", "NOENTRY_INPUT_REPORT", usual.json),
        junit: report("junit", "NOENTRY_INPUT_JUNIT", usual.junit),
        summary: report("summary", "NOENTRY_INPUT_SUMMARY", usual.summary),
    };
    let config = reader.line("config", "NOENTRY_INPUT_CONFIG");
    let occasion = Occasion::of(&lookup);
    let inputs = Inputs {
        targets: reader.lines("NOENTRY_INPUT_TARGET"),
        merge: reader.merge(&folder),
        incidents: reader.incidents(occasion, &folder),
        fails_inconclusive: reader.fails_inconclusive(),
        args: reader.args(),
    };
    let mistakes = reader.mistakes;
    Given {
        config: (!config.is_empty()).then(|| place(&folder, &config)),
        folder,
        reports,
        asked: if mistakes.is_empty() {
            Ok(inputs)
        } else {
            Err(mistakes)
        },
    }
}

/// A path from the workspace, with a slash on every system: it is shown, and kept in reports.
#[must_use]
pub fn place(folder: &str, path: &str) -> String {
    if matches!(folder, "" | "." | "./") || Path::new(path).is_absolute() {
        path.to_owned()
    } else {
        format!("{}/{path}", folder.trim_end_matches('/'))
    }
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn mistake(&mut self, input: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.mistakes.push(Mistake { input, message });
    }

    /// A value of one line; a block scalar's line break at the end is not part of it.
    fn line(&mut self, input: &'static str, variable: &str) -> String {
        let text = (self.lookup)(variable).unwrap_or_default();
        let text = text.trim();
        if text.contains(['\n', '\r', '\0']) {
            self.mistake(input, "one line is expected");
            return String::new();
        }
        text.to_owned()
    }

    /// Every line that is not blank, without the blanks around it.
    fn lines(&self, variable: &str) -> Vec<String> {
        let text = (self.lookup)(variable).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    }

    /// The place of a report, where one is given and can be one.
    fn report(&mut self, input: &'static str, variable: &str) -> Option<String> {
        let path = self.line(input, variable);
        if path == "-" || path.ends_with(['/', '\\']) {
            self.mistake(input, "name a file, such as reports/noentry.xml");
            return None;
        }
        (!path.is_empty()).then_some(path)
    }

    /// Where the trail is kept. `auto` is issues where a round watches what is deployed, and nowhere
    /// where somebody proposes a change: what a pull request's configuration says is not the estate.
    fn incidents(&mut self, occasion: Occasion, folder: &str) -> String {
        let typed = self.line("incidents", "NOENTRY_INPUT_INCIDENTS");
        match typed.split_once(':') {
            None if matches!(typed.as_str(), "" | "auto") => match occasion {
                Occasion::Watch => "github",
                Occasion::Proposal => "off",
            }
            .to_owned(),
            None if matches!(typed.as_str(), "github" | "off") => typed,
            Some(("folder", path)) if !path.trim().is_empty() => {
                format!("folder:{}", place(folder, path.trim()))
            }
            Some(_) | None => {
                let got = quoted(&typed);
                self.mistake(
                    "incidents",
                    format!("{got} is none of auto, github, folder:PATH, off"),
                );
                "off".to_owned()
            }
        }
    }

    /// The reports to merge. What says where to look has no place beside them.
    fn merge(&mut self, folder: &str) -> Vec<String> {
        let merge = self.lines("NOENTRY_INPUT_MERGE");
        for (input, variable) in [
            ("config", "NOENTRY_INPUT_CONFIG"),
            ("target", "NOENTRY_INPUT_TARGET"),
        ] {
            if !merge.is_empty() && !self.lines(variable).is_empty() {
                self.mistake(input, "nothing is looked at where `merge` is given");
            }
        }
        if merge.iter().any(|path| path == "-") {
            self.mistake("merge", "name files or folders");
        }
        merge.iter().map(|path| place(folder, path)).collect()
    }

    /// Which verdicts fail the step. An exposure always does: a step that stays green then is what this
    /// program is there to prevent.
    fn fails_inconclusive(&mut self) -> bool {
        let typed = (self.lookup)("NOENTRY_INPUT_FAIL_ON").unwrap_or_default();
        let split = |c: char| c == ',' || c.is_whitespace();
        let words: Vec<&str> = typed.split(split).filter(|w| !w.is_empty()).collect();
        if let Some(word) = words
            .iter()
            .find(|word| !matches!(**word, "exposed" | "inconclusive"))
        {
            let got = quoted(word);
            self.mistake(
                "fail-on",
                format!("{got} is neither exposed nor inconclusive"),
            );
        } else if !words.is_empty() && !words.contains(&"exposed") {
            self.mistake(
                "fail-on",
                "an exposure always fails the step: write exposed, or exposed and inconclusive",
            );
        }
        words.is_empty() || words.contains(&"inconclusive")
    }

    fn args(&mut self) -> Vec<String> {
        let args = self.lines("NOENTRY_INPUT_ARGS");
        // `--var A=1` on one line would be an option with a blank in its name.
        let two = args.iter().find_map(|arg| {
            let (option, value) = arg.split_once(char::is_whitespace)?;
            let named = option.starts_with('-') && !option.contains('=');
            named.then(|| (option.to_owned(), value.trim().to_owned()))
        });
        if let Some((option, value)) = two {
            let got = quoted(&format!("{option} {value}"));
            self.mistake(
                "args",
                format!("{got} is two arguments: write one a line, or {option}=VALUE"),
            );
        }
        args
    }
}

/// What was typed, short enough for a message.
fn quoted(text: &str) -> String {
    format!("{:?}", crate::domain::escape::clip(text, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs as pairs of a name without its prefix and a value.
    fn typed(pairs: &[(&str, &str)]) -> Given {
        read(|name| {
            let name = name.strip_prefix("NOENTRY_INPUT_").unwrap_or(name);
            let pair = pairs.iter().find(|(known, _)| *known == name);
            pair.map(|(_, value)| (*value).to_owned())
        })
    }

    fn wrong(pairs: &[(&str, &str)]) -> String {
        let mistakes = typed(pairs).asked.unwrap_err();
        let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        lines.join("\n")
    }

    #[test]
    fn nothing_given_is_the_default() {
        let given = typed(&[]);
        assert_eq!(given.reports, Reports::usual(""));
        assert_eq!(given.reports.json, "noentry-reports/report.json");
        assert_eq!(given.config, None);
        let inputs = given.asked.unwrap();
        assert_eq!(inputs.incidents, "off");
        assert!(inputs.fails_inconclusive);
        assert!(inputs.targets.is_empty() && inputs.args.is_empty());
    }

    #[test]
    fn paths_are_those_of_the_working_directory() {
        let given = typed(&[
            ("WORKING_DIRECTORY", "ops/"),
            ("CONFIG", "doors.yml\n"),
            ("JUNIT", "/tmp/j.xml"),
            ("SUMMARY", "s.md"),
            ("INCIDENTS", "folder:trail"),
        ]);
        let reports = given.reports;
        assert_eq!(given.config.as_deref(), Some("ops/doors.yml"));
        let inputs = given.asked.unwrap();
        assert_eq!(inputs.incidents, "folder:ops/trail");
        let merge = [("WORKING_DIRECTORY", "ops"), ("MERGE", "a.json\n\n /b \n")];
        assert_eq!(typed(&merge).asked.unwrap().merge, ["ops/a.json", "/b"]);
        assert_eq!(reports.json, "ops/noentry-reports/report.json");
        assert_eq!(reports.junit, "/tmp/j.xml");
        assert_eq!(reports.summary, "ops/s.md");
    }

    #[test]
    fn auto_files_issues_only_where_what_is_deployed_is_watched() {
        for (event, place) in [
            ("schedule", "github"),
            ("workflow_dispatch", "github"),
            ("repository_dispatch", "github"),
            ("push", "github"),
            ("pull_request", "off"),
            ("pull_request_target", "off"),
            ("merge_group", "off"),
            ("issue_comment", "off"),
            ("", "off"),
        ] {
            for typed_in in ["", "auto", " auto\n"] {
                let pairs = [("GITHUB_EVENT_NAME", event), ("INCIDENTS", typed_in)];
                assert_eq!(typed(&pairs).asked.unwrap().incidents, place, "{event}");
            }
            let off = [("GITHUB_EVENT_NAME", event), ("INCIDENTS", "off")];
            assert_eq!(typed(&off).asked.unwrap().incidents, "off", "{event}");
        }
    }

    #[test]
    fn a_branch_that_is_not_the_default_one_proposes() {
        for (event, here, main, place) in [
            ("push", "refs/heads/main", "main", "github"),
            ("push", "refs/heads/feature", "main", "off"),
            ("push", "refs/heads/x/main", "main", "off"),
            ("push", "refs/tags/main", "main", "off"),
            ("push", "refs/heads/feature", "", "github"),
            ("workflow_dispatch", "refs/heads/trunk", "trunk", "github"),
            ("workflow_dispatch", "refs/heads/main", "trunk", "off"),
            ("schedule", "refs/heads/main", "trunk", "github"),
        ] {
            let pairs = [
                ("GITHUB_EVENT_NAME", event),
                ("GITHUB_REF", here),
                ("NOENTRY_DEFAULT_BRANCH", main),
            ];
            let asked = typed(&pairs).asked.unwrap();
            assert_eq!(asked.incidents, place, "{event} {here} {main}");
        }
    }

    #[test]
    fn lists_have_one_entry_a_line() {
        let pairs = [
            ("TARGET", "Admin console\n\n  - db \r\n"),
            ("ARGS", "--verbose\n--var=A=1 2\n--timeout\n900ms\n"),
        ];
        let inputs = typed(&pairs).asked.unwrap();
        assert_eq!(inputs.targets, ["Admin console", "- db"]);
        assert_eq!(
            inputs.args,
            ["--verbose", "--var=A=1 2", "--timeout", "900ms"]
        );
    }

    #[test]
    fn exposed_always_fails() {
        for (words, inconclusive) in [
            ("exposed", false),
            ("exposed, inconclusive", true),
            ("inconclusive exposed", true),
            ("exposed\ninconclusive\n", true),
            ("", true),
        ] {
            let inputs = typed(&[("FAIL_ON", words)]).asked.unwrap();
            assert_eq!(inputs.fails_inconclusive, inconclusive, "{words}");
        }
        assert!(wrong(&[("FAIL_ON", "inconclusive")]).contains("always fails"));
        assert_eq!(
            wrong(&[("FAIL_ON", "never")]),
            "input `fail-on`: \"never\" is neither exposed nor inconclusive"
        );
    }

    #[test]
    fn every_mistake_names_its_input_and_the_reports_keep_a_place() {
        for (variable, value, input) in [
            ("CONFIG", "a\nb", "config"),
            ("WORKING_DIRECTORY", "a\nb", "working-directory"),
            ("INCIDENTS", "gitlab", "incidents"),
            ("INCIDENTS", "folder:", "incidents"),
            ("REPORT", "-", "report"),
            ("JUNIT", "out/", "junit"),
            ("SUMMARY", "a\nb", "summary"),
            ("FAIL_ON", "blocked", "fail-on"),
            ("ARGS", "--var A=1", "args"),
            ("MERGE", "-", "merge"),
        ] {
            let said = wrong(&[(variable, value)]);
            assert!(said.starts_with(&format!("input `{input}`: ")), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            let reports = typed(&[(variable, value)]).reports;
            assert!(reports.json.ends_with("noentry-reports/report.json"));
            assert!(reports.junit.ends_with("noentry-reports/junit.xml"));
            assert!(reports.summary.ends_with("noentry-reports/summary.md"));
        }
        let both = wrong(&[("MERGE", "rounds"), ("CONFIG", "c.yml")]);
        assert!(
            both.starts_with("input `config`: nothing is looked at"),
            "{both}"
        );
        let several = wrong(&[("INCIDENTS", "x"), ("FAIL_ON", "y")]);
        assert_eq!(several.lines().count(), 2, "{several}");
    }
}
