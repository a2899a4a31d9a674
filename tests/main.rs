//! The one end-to-end test binary: the real `haulier`, real servers, real HTTP.

mod matrix;
mod order;
mod support;
mod tidy;
