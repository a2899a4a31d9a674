//! Speaks the target's HTTP API as the plan describes it.
