//! Generators of graphs.
