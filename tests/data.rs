//! Real shapes of data: one plan over three engines gives one result; no text is too nasty to arrive unaltered.

mod music;
mod strings;
