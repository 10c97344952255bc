//! Comments: found again by who wrote them and by a hidden last line, so that none is written twice.

use super::super::state::{self, State};
use super::super::{Change, said};
use super::GitHub;
use super::tracker::PAGE;
use super::wire::{Comment, Issue, is_by};
use super::words::Fault;

/// How often a comment is sent.
const TRIES: u32 = 2;

/// What tells a comment from all others of its issue: the state from which it follows. Whoever says
/// something from the same state, in a second try or in another run, says it in the same place.
pub(super) fn key(before: &State) -> String {
    state::digest(&format!(
        "{} {} {}",
        before.fingerprint,
        before.number,
        before.last_round.unix_timestamp_nanos()
    ))
}

impl GitHub {
    /// Says what there is to say, and goes on where GitHub takes no comment: it takes 2,500 on an
    /// issue, of whomever, and what must not be said must not keep an incident from being opened or
    /// closed. The timeline has it all the same.
    pub(super) async fn tell(
        &mut self,
        issue: &Issue,
        change: &Change,
        before: &State,
    ) -> Result<(), Fault> {
        match self.say(issue, change, before).await {
            Err(
                fault @ Fault::Refused {
                    status: 403 | 422, ..
                },
            ) => {
                let doing = "comment on the issue, whose timeline has what was to be said";
                let aside = self.tracker.problem_at(issue.number, &fault, doing);
                self.asides.push(aside);
                Ok(())
            }
            told => told,
        }
    }

    /// Says it, once.
    async fn say(&self, issue: &Issue, change: &Change, before: &State) -> Result<(), Fault> {
        let key = key(before);
        let Some(text) = said::comment(change, &key) else {
            return Ok(());
        };
        // Nobody but those with write access may comment then, and not every token has it.
        if issue.locked {
            return Ok(());
        }
        let mut tries = 0;
        loop {
            let place = self.said(issue, change, &key).await?;
            let sent = match place {
                Some(comment) if comment.body.as_deref().unwrap_or_default().trim_end() == text => {
                    return Ok(());
                }
                Some(comment) => self.tracker.reword(comment.id, &text).await,
                None => self.tracker.comment(issue.number, &text).await,
            };
            tries += 1;
            match sent {
                // It may be there: that is looked for first.
                Err(fault) if fault.is_unclear() && tries < TRIES => {
                    if !self.tracker.api.pause(tries).await {
                        return Err(fault);
                    }
                }
                other => return other,
            }
        }
    }

    /// Our comment with this key, if it is among the last ones.
    async fn said(
        &self,
        issue: &Issue,
        change: &Change,
        key: &str,
    ) -> Result<Option<Comment>, Fault> {
        let size = u64::try_from(PAGE).unwrap_or(u64::MAX);
        let last = issue.comments.div_ceil(size).max(1);
        // People may have said a lot since.
        for page in last.saturating_sub(1).max(1)..=last.saturating_add(1) {
            let comments = self.tracker.comments(issue.number, page).await?;
            let full = comments.len() >= PAGE;
            let ours = comments.into_iter().find(|comment| {
                is_by(comment.user.as_ref(), &self.who.login)
                    && said::read(comment.body.as_deref().unwrap_or_default())
                        == Some((change.state.fingerprint.short(), key))
            });
            if ours.is_some() || !full {
                return Ok(ours);
            }
        }
        Ok(None)
    }
}
