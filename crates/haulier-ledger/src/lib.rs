//! Keeps everything that must outlive a crash.
