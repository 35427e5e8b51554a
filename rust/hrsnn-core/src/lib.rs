//! Event-driven simulator of heterogeneous recurrent spiking neural networks.
//!
//! Knows nothing of Python, files of data sets, or labels. Read [`network`] for what a
//! network is, [`engine`] for how a sample runs through it.

pub mod aedat;
pub mod camera;
pub mod competition;
pub mod connectivity;
pub mod csr;
pub mod current;
pub mod distribution;
pub mod drive;
pub mod engine;
pub mod error;
pub mod excitability;
pub mod injection;
pub mod network;
pub mod neuron;
pub mod plastic;
pub mod pool;
pub mod projection;
pub mod queue;
pub mod random;
pub mod real;
pub mod record;
pub mod sample;
pub mod shard;
pub mod snapshot;
pub mod stdp;
pub mod targets;
pub mod time;
pub mod tracking;

pub use error::{Error, Result};
