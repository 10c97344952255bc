//! Reports: one file a format, each a pure function of a finished round.
//!
//! `phrase` keeps our own words and other people's apart, `saw` and `headline` put a finding into
//! words, `facts` collects the evidence; the formats only lay those out. Nothing here reads a file, a
//! clock or the environment.

pub mod annotations;
pub mod console;
mod facts;
mod headline;
pub mod hint;
pub mod json;
pub mod junit;
pub mod outputs;
mod phrase;
mod saw;
pub mod summary;

pub use phrase::count;
