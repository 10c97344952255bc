//! Who we are: only issues and comments of that login are ours.
//!
//! `GET /user` does not tell an installation's token whose it is (it answers 403), and GraphQL may not
//! be there. Within Actions it is `github-actions[bot]` as a rule, but may be another App's; a guess is
//! dropped as soon as there is a sign against it, because under a wrong name every round would open its
//! issues anew.

use super::super::Problem;
use super::settings::Settings;
use super::tracker::Tracker;
use super::wire::{Issue, User};
use crate::domain::escape::visible;

/// Who we are.
pub(super) struct Who {
    /// The login.
    pub(super) login: String,
    /// Whether it is a guess that nothing has borne out yet.
    guessed: bool,
}

/// Finds out.
pub(super) async fn find(tracker: &Tracker, settings: &Settings) -> Result<Who, Problem> {
    if let Some(login) = &settings.author {
        return named(tracker, login).await;
    }
    let known = |user: User| Who {
        login: user.login,
        guessed: false,
    };
    let is_somebody = |user: &User| !user.login.is_empty();
    match tracker.user().await {
        Ok(user) if is_somebody(&user) => return Ok(known(user)),
        Err(fault) if !fault.is(403) => {
            return Err(tracker.problem(&fault, "find out whose token it is"));
        }
        Ok(_) | Err(_) => {}
    }
    if let Ok(user) = tracker.viewer().await
        && is_somebody(&user)
    {
        return Ok(known(user));
    }
    match &settings.guess {
        Some(login) => Ok(Who {
            login: login.clone(),
            guessed: true,
        }),
        None => Err(tracker.at_repository(
            "cannot find out whose token it is, and so which issues are ours: write the login into \
             the configuration, as in incidents: author: \"my-app[bot]\""
                .to_owned(),
        )),
    }
}

/// Takes the login that the configuration names, unless GitHub knows better: under a wrong name every
/// round would open its issues anew.
async fn named(tracker: &Tracker, login: &str) -> Result<Who, Problem> {
    let asked = match tracker.user().await {
        Ok(user) => Some(user),
        Err(_) => tracker.viewer().await.ok(),
    };
    let other = asked.map(|user| user.login);
    let other = other.filter(|other| !other.is_empty() && !other.eq_ignore_ascii_case(login));
    match other {
        Some(other) => Err(tracker.at_repository(format!(
            "the token is that of {0}, and incidents: author says {1}, whose issues are not ours: \
             write incidents: author: \"{0}\", or leave it out",
            visible(&other),
            visible(login)
        ))),
        None => Ok(Who {
            login: login.to_owned(),
            guessed: false,
        }),
    }
}

impl Who {
    /// Whether what stands in an issue is of any interest: it is ours, or a sign that a guess is wrong.
    pub(super) fn may_be(&self, issue: &Issue) -> bool {
        issue.is_by(&self.login) || (self.guessed && is_bot(issue))
    }

    /// Whether the login is known, and not only likely.
    pub(super) const fn is_sure(&self) -> bool {
        !self.guessed
    }

    /// Looks for signs that a guess is wrong: sections of ours in the issues of another bot, and none
    /// in those of the one that we take ourselves for. People cannot bring this about: they are no bots.
    pub(super) fn look_around(
        &mut self,
        tracker: &Tracker,
        issues: &[Issue],
    ) -> Result<(), Problem> {
        if !self.guessed {
            return Ok(());
        }
        let ours = |issue: &&Issue| super::paper(issue.text()).is_some();
        // Whose it is comes first: to read what a stranger wrote takes time.
        let mut by_us = issues.iter().filter(|issue| issue.is_by(&self.login));
        if by_us.any(|issue| ours(&issue)) {
            self.guessed = false;
            return Ok(());
        }
        let mut bots = issues.iter().filter(|issue| is_bot(issue)).filter(ours);
        let bot = bots.find_map(|issue| Some((issue.number, issue.user.as_ref()?.login.clone())));
        match bot {
            None => Ok(()),
            Some((number, login)) => Err(tracker.at(number, wrong(&login, &self.login))),
        }
    }

    /// Takes the login of an issue that was just opened with our token: that is who we are.
    pub(super) fn learn(&mut self, tracker: &Tracker, issue: &Issue) -> Option<Problem> {
        if issue.is_by(&self.login) {
            self.guessed = false;
            return None;
        }
        let login = issue.user.as_ref().map(|user| user.login.clone());
        let login = login.unwrap_or_default();
        let problem = tracker.at(issue.number, wrong(&login, &self.login));
        if !login.is_empty() {
            self.login = login;
            self.guessed = false;
        }
        Some(problem)
    }
}

fn is_bot(issue: &Issue) -> bool {
    let user = issue.user.as_ref();
    user.is_some_and(|user| user.kind.as_deref() == Some("Bot"))
}

fn wrong(login: &str, taken: &str) -> String {
    let (login, taken) = (visible(login), visible(taken));
    format!(
        "the trail's issues are written by {login}, and noentry took itself for {taken}: it does not \
         find its own issues that way and would open them anew; write incidents: author: \"{login}\" \
         into the configuration"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_is_not_read_to_find_out_who_we_are() {
        let issue = |login: &str, kind: &str| -> Issue {
            let user = serde_json::json!({ "login": login, "type": kind });
            serde_json::from_value(serde_json::json!({ "number": 1, "user": user })).unwrap()
        };
        let who = |guessed| Who {
            login: "github-actions[bot]".to_owned(),
            guessed,
        };
        for guessed in [false, true] {
            assert!(who(guessed).may_be(&issue("GitHub-Actions[bot]", "Bot")));
            assert!(!who(guessed).may_be(&issue("mallory", "User")));
            // A sign that the guess is wrong.
            assert_eq!(who(guessed).may_be(&issue("other[bot]", "Bot")), guessed);
        }
    }
}
