//! Walks the source, throttles, publishes.
