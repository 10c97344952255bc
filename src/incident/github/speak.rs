//! Comments: found again by who wrote them and by a hidden last line, so that none is written twice.

use super::super::state::{self, State};
use super::super::{Change, said};
use super::GitHub;
use super::tracker::PAGE;
use super::wire::{Comment, Issue, is_by};
use super::words::Fault;

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
    /// Says what there is to say, once.
    pub(super) async fn say(
        &self,
        issue: &Issue,
        change: &Change,
        before: &State,
    ) -> Result<(), Fault> {
        let key = key(before);
        let Some(text) = said::comment(change, &key) else {
            return Ok(());
        };
        // Nobody but those with write access may comment then, and not every token has it.
        if issue.locked {
            return Ok(());
        }
        let mut count = issue.comments;
        for again in 0..2 {
            match self.said(issue.number, count, change, &key).await? {
                Some(comment) if comment.body.as_deref().unwrap_or_default().trim_end() == text => {
                    return Ok(());
                }
                Some(comment) => match self.tracker.reword(comment.id, &text).await {
                    // The same words in the same place: once more does no harm.
                    Err(fault) if fault.is_unclear() && again == 0 => {}
                    other => return other,
                },
                None => match self.tracker.comment(issue.number, &text).await {
                    Err(fault) if fault.is_unclear() && again == 0 => count += 1,
                    other => return other,
                },
            }
            if !self.tracker.api.pause(0).await {
                return Err(Fault::OutOfTime);
            }
        }
        Err(Fault::OutOfTime)
    }

    /// Our comment with this key, if it is among the last ones.
    async fn said(
        &self,
        number: u64,
        count: u64,
        change: &Change,
        key: &str,
    ) -> Result<Option<Comment>, Fault> {
        let size = u64::try_from(PAGE).unwrap_or(u64::MAX);
        let last = count.div_ceil(size).max(1);
        // People may have said a lot since.
        for page in last.saturating_sub(1).max(1)..=last.saturating_add(1) {
            let comments = self.tracker.comments(number, page).await?;
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
