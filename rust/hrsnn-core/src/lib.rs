//! Event-driven simulator of heterogeneous recurrent spiking neural networks.
//!
//! Knows nothing of Python, files of data sets, or labels. Read [`network`] for what a
//! network is, [`engine`] for how a sample runs through it.

#![forbid(unsafe_code)]

pub mod camera;
pub mod connectivity;
pub mod csr;
pub mod distribution;
pub mod error;
pub mod random;

pub use error::{Error, Result};
