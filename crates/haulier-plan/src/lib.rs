//! From text to a checked plan and site, or every mistake with its line.
