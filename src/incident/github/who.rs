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
        return Ok(Who {
            login: login.clone(),
            guessed: false,
        });
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

impl Who {
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
        if issues
            .iter()
            .filter(ours)
            .any(|issue| issue.is_by(&self.login))
        {
            self.guessed = false;
            return Ok(());
        }
        let bot = issues.iter().filter(ours).find_map(|issue| {
            let user = issue.user.as_ref()?;
            (user.kind.as_deref() == Some("Bot")).then(|| (issue.number, user.login.clone()))
        });
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

fn wrong(login: &str, taken: &str) -> String {
    let (login, taken) = (visible(login), visible(taken));
    format!(
        "the trail's issues are written by {login}, and noentry took itself for {taken}: it does not \
         find its own issues that way and would open them anew; write incidents: author: \"{login}\" \
         into the configuration"
    )
}
