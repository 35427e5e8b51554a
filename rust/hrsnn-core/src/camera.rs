//! An event camera: frames of light in, events out.
