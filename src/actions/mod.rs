//! GitHub Actions' own environment and files. How text becomes harmless in workflow commands stands
//! in [`escape`](crate::domain::escape), which the reports use as well.

mod env;
mod files;
pub mod inputs;
mod links;
mod visibility;

pub use env::Env;
pub use files::{Error, append_output, append_summary, summary_room};
pub use links::links;
pub use visibility::{Visibility, told_by};
