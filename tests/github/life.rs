//! A life of one incident.
