//! Reports: one file a format, each a pure function of a finished round.
//!
//! `phrase` keeps our own words and other people's apart. `saw`, `name` and `headline` put a finding into
//! words, `facts` collects the evidence (`evidence`, `promise`, `notes`, `waiver`), `vantage`, `coverage` and `merged` say
//! where the round looked from, what it could not see, and what is missing; the formats only lay those out. Nothing here reads a file, a
//! clock or the environment.

pub mod annotations;
mod claims;
pub mod console;
mod coverage;
mod door;
mod evidence;
mod facts;
pub mod failed;
mod headline;
pub mod hint;
pub mod incidents;
pub mod json;
pub mod junit;
mod merged;
mod name;
mod notes;
pub mod outputs;
mod phrase;
mod promise;
mod saw;
mod stop;
pub mod summary;
pub mod trail;
mod vantage;
mod waiver;
mod withheld;

pub use phrase::count;
