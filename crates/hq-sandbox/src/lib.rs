//! A small, honest target system to migrate into.
