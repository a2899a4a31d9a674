//! The controller over a log in memory and hands that are told what to answer; killed wherever a log can lose a writer.

mod backs;
mod change_window;
mod gates;
mod kills;
mod scene;
mod walks;
mod waves;
