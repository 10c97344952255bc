//! The incident trail: the lifecycle row by row, and over any sequence of rounds and faults; the folder
//! from end to end, and a year of it.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

#[path = "incidents/bounds.rs"]
mod bounds;
#[path = "incidents/folder.rs"]
mod folder;
#[path = "incidents/lifecycle.rs"]
mod lifecycle;
#[path = "incidents/people.rs"]
mod people;
#[path = "incidents/persons.rs"]
mod persons;
#[path = "incidents/sequences.rs"]
mod sequences;
#[path = "incidents/shares.rs"]
mod shares;
#[path = "incidents/support.rs"]
mod support;
#[path = "incidents/tracker.rs"]
mod tracker;
#[path = "incidents/words.rs"]
mod words;
#[path = "incidents/year.rs"]
mod year;
