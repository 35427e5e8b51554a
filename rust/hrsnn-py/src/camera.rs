//! Bindings of the event camera and of event filters.
