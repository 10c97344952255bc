//! Where a person reads more about a run: its own page, and the configuration as it was in it.
//!
//! The variables are the runner's, but the links end up in Markdown, so each piece must look like what
//! it is meant to be. A link that cannot be put together is left out.

use std::fmt::Write as _;
use std::path::{Component, Path};

use super::Env;
use crate::domain::link::is_link;
use crate::domain::trail::Links;

/// The links of a run that reads this configuration file. The file is linked only where it lies in the
/// repository's own folder; that it was committed is not known.
#[must_use]
pub fn links(env: &Env, config: &str) -> Links {
    let Some(page) = page(env) else {
        return Links::default();
    };
    Links {
        run: run(env, &page).filter(|link| is_link(link)),
        config: file(env, &page, config).filter(|link| is_link(link)),
    }
}

/// The repository's page: `https://github.com/owner/name`.
fn page(env: &Env) -> Option<String> {
    let server = env.server_url.as_deref()?.trim_end_matches('/');
    if !is_link(server) || server.contains('?') {
        return None;
    }
    let (owner, name) = env.repository.as_deref()?.split_once('/')?;
    let word = |text: &str| {
        let fit = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !text.is_empty() && text != "." && text != ".." && text.chars().all(fit)
    };
    (word(owner) && word(name)).then(|| format!("{server}/{owner}/{name}"))
}

fn run(env: &Env, page: &str) -> Option<String> {
    let id = env.run_id.as_deref().filter(|id| is_number(id))?;
    let again = env.run_attempt.as_deref();
    let again = again.filter(|attempt| is_number(attempt) && *attempt != "1");
    Some(match again {
        Some(attempt) => format!("{page}/actions/runs/{id}/attempts/{attempt}"),
        None => format!("{page}/actions/runs/{id}"),
    })
}

fn is_number(text: &str) -> bool {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits && text.len() <= 20 && !text.starts_with('0') && !text.is_empty()
}

fn file(env: &Env, page: &str, config: &str) -> Option<String> {
    let sha = env.sha.as_deref()?;
    if !matches!(sha.len(), 40 | 64) || !sha.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    // Both as they are on the disk: the working directory may be a folder in the workspace, and either
    // may have been reached through a link.
    let workspace = env.workspace.as_deref()?.canonicalize().ok()?;
    let config = Path::new(config).canonicalize().ok()?;
    let path = percent_encoded(config.strip_prefix(&workspace).ok()?)?;
    Some(format!("{page}/blob/{sha}/{path}"))
}

/// The path with `/` between its parts, and every byte but RFC 3986's unreserved ones (section 2.3)
/// encoded; `None` for what is not a path of plain names in UTF-8.
fn percent_encoded(path: &Path) -> Option<String> {
    let mut out = String::new();
    for part in path.components() {
        let Component::Normal(name) = part else {
            return None;
        };
        if !out.is_empty() {
            out.push('/');
        }
        for byte in name.to_str()?.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // Writing to a String cannot go wrong.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn env(workspace: &Path) -> Env {
        let text = |text: &str| Some(text.to_owned());
        Env {
            on_actions: true,
            repository: text("org/re.po-1"),
            server_url: text("https://ghes.example:8443/"),
            sha: text(SHA),
            run_id: text("1234567890"),
            run_attempt: text("1"),
            workspace: Some(workspace.to_owned()),
            ..Env::default()
        }
    }

    fn written(folder: &Path, name: &str) -> String {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "version: 1\n").unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_run_and_its_configuration_are_linked() {
        let folder = tempfile::tempdir().unwrap();
        let config = written(folder.path(), "a b/(c)#?%é.yml");
        let mut env = env(folder.path());
        let page = "https://ghes.example:8443/org/re.po-1";
        let told = links(&env, &config);
        assert_eq!(told.run.unwrap(), format!("{page}/actions/runs/1234567890"));
        assert_eq!(
            told.config.unwrap(),
            format!("{page}/blob/{SHA}/a%20b/%28c%29%23%3F%25%C3%A9.yml")
        );
        env.run_attempt = Some("3".to_owned());
        assert_eq!(
            links(&env, &config).run.unwrap(),
            format!("{page}/actions/runs/1234567890/attempts/3")
        );
    }

    #[test]
    fn a_piece_that_is_not_what_it_should_be_makes_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let config = written(folder.path(), "noentry.yml");
        let good = env(folder.path());
        let text = |text: &str| Some(text.to_owned());
        let mut without_any = Vec::new();
        for repository in [
            "org", "org/", "/repo", "a/b/c", "../x", "x/..", "o/r)", "o r/x", "o/é",
        ] {
            let repository = text(repository);
            without_any.push(Env {
                repository,
                ..good.clone()
            });
        }
        for server in [
            "github.com",
            "javascript:x",
            "https://",
            "https://a:b@c",
            "https://x?y",
            "https://x#y",
        ] {
            let server_url = text(server);
            without_any.push(Env {
                server_url,
                ..good.clone()
            });
        }
        for env in without_any {
            assert_eq!(links(&env, &config), Links::default(), "{env:?}");
        }
        for run_id in ["", "0", "12a", "1/..", "-1", "123456789012345678901"] {
            let env = Env {
                run_id: text(run_id),
                ..good.clone()
            };
            let told = links(&env, &config);
            assert!(told.run.is_none() && told.config.is_some(), "{run_id}");
        }
        for attempt in ["", "0", "x", "2)"] {
            let env = Env {
                run_attempt: text(attempt),
                ..good.clone()
            };
            let run = links(&env, &config).run.unwrap();
            assert!(run.ends_with("/runs/1234567890"), "{run}");
        }
        for sha in ["", "main", &SHA[1..], &"g".repeat(40)] {
            let env = Env {
                sha: text(sha),
                ..good.clone()
            };
            let told = links(&env, &config);
            assert!(told.run.is_some() && told.config.is_none(), "{sha}");
        }
    }

    #[test]
    fn only_a_file_in_the_workspace_is_linked() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("checkout");
        let inside = written(folder.path(), "checkout/sub/noentry.yml");
        let outside = written(folder.path(), "checkout-2/noentry.yml");
        let env = env(&workspace);
        let config = |path: &str| links(&env, path).config;
        assert!(config(&inside).unwrap().ends_with("/sub/noentry.yml"));
        let way_round = format!("{}/../checkout/sub/noentry.yml", workspace.display());
        assert_eq!(config(&way_round), config(&inside));
        assert_eq!(config(&outside), None);
        let way_out = format!("{}/../checkout-2/noentry.yml", workspace.display());
        assert_eq!(config(&way_out), None);
        assert_eq!(config("/no/such/file.yml"), None);
        #[cfg(unix)]
        {
            let link = workspace.join("link.yml");
            std::os::unix::fs::symlink(&outside, &link).unwrap();
            assert_eq!(config(link.to_str().unwrap()), None);
        }
    }
}
