//! Bindings of distributions and connection generators.
