//! Compressed sparse rows.
