//! Real shapes of data: one plan over three engines gives one result; no text is too nasty to arrive unaltered.

pub(crate) mod music;
pub(crate) mod strings;
