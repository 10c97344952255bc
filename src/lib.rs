//! noentry goes round your doors from the outside and proves that they are locked.

pub mod actions;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod exit;
pub mod probe;
pub mod report;
pub mod round;
