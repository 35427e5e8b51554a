//! Distributions of parameters.
