//! The issue that remembers: found, made and written.

use serde_json::{Value, json};

use super::super::{Known, Memory, Problem};
use super::GitHub;
use super::labels;
use super::memory::{self, Broken};
use super::update;
use super::wire::Issue;
use crate::domain::escape::{clip, visible};

/// What cannot be done.
const DOING: &str = "keep what is to be remembered";
/// How many characters of the configuration's path are in the title.
const PATH: usize = 150;

/// An issue that remembers.
pub(super) struct Kept {
    number: u64,
    open: bool,
    memory: Memory,
}

impl GitHub {
    /// Reads what one issue remembers. Of several about one configuration the first counts.
    pub(super) fn sort_memory(&mut self, issue: &Issue, known: &mut Known) {
        match memory::read(issue.text()) {
            Ok((config, memory)) => {
                if self.memory.contains_key(&config) {
                    return;
                }
                known.memory.insert(config.clone(), memory.clone());
                let (number, open) = (issue.number, issue.is_open());
                let kept = Kept {
                    number,
                    open,
                    memory,
                };
                self.memory.insert(config, kept);
            }
            Err(Broken::Missing) => {}
            Err(Broken::Unreadable(what)) => {
                let what = format!(
                    "left alone: {what}; inconclusive rounds in a row are counted anew: take off the \
                     label {} or delete the issue",
                    labels::OURS
                );
                known.problems.push(self.tracker.at(issue.number, what));
            }
        }
    }

    /// Writes what is to be remembered, where that is something new.
    pub(super) async fn keep_memory(
        &mut self,
        config: &str,
        memory: &Memory,
    ) -> Result<(), Problem> {
        let kept = self.memory.get(config);
        if !memory::differ(kept.map(|kept| &kept.memory), memory) {
            return Ok(());
        }
        let (body, left_out) = memory::write(config, memory).map_err(|error| {
            self.tracker
                .at_repository(format!("cannot {DOING}: {error}"))
        })?;
        if left_out > 0 {
            self.asides.push(self.tracker.at_repository(format!(
                "{left_out} targets that cannot be judged are not remembered, because GitHub takes \
                 no longer text: whether that lasts is counted only for the others"
            )));
        }
        let (number, open) = match kept {
            Some(kept) => (kept.number, kept.open),
            None => (self.new_memory(config, &body).await?, true),
        };
        let mut fields = if open {
            update::closing("completed")
        } else {
            serde_json::Map::new()
        };
        fields.insert("body".to_owned(), Value::from(body));
        update::patch(&self.tracker, number, fields)
            .await
            .map_err(|f| self.tracker.problem_at(number, &f, DOING))?;
        let memory = memory.clone();
        let open = false;
        let kept = Kept {
            number,
            open,
            memory,
        };
        self.memory.insert(config.to_owned(), kept);
        Ok(())
    }

    async fn new_memory(&mut self, config: &str, body: &str) -> Result<u64, Problem> {
        let wanted = [labels::OURS.to_owned(), labels::MEMORY.to_owned()];
        let there = labels::ensure(&self.tracker, &mut self.labels, &wanted, &mut self.asides);
        let there = there.await?;
        if there.len() < wanted.len() {
            return Err(self
                .tracker
                .at_repository(format!("cannot {DOING}: a label is missing")));
        }
        let title = format!("noentry: memory of {}", clip(&visible(config), PATH));
        let new = json!({ "title": title, "body": body, "labels": there });
        let opened = match self.tracker.open(&new).await {
            Err(fault) if fault.is_unclear() && self.tracker.api.pause(1).await => {
                let newest = self.tracker.newest().await;
                let newest = newest.map_err(|f| self.tracker.problem(&f, DOING))?;
                let ours = newest.into_iter().find(|issue| {
                    issue.is_by(&self.who.login)
                        && memory::read(issue.text()).is_ok_and(|(of, _)| of == config)
                });
                // Once in a life: whatever is the matter, the next round tries again.
                ours.ok_or(fault)
            }
            other => other,
        };
        let issue = opened.map_err(|f| self.tracker.problem(&f, DOING))?;
        if !issue.has_label(labels::OURS) || !issue.has_label(labels::MEMORY) {
            let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let added = self.tracker.add_labels(issue.number, &names).await;
            added.map_err(|f| self.tracker.problem_at(issue.number, &f, DOING))?;
        }
        Ok(issue.number)
    }
}
