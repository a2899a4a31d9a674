//! Runs that walk stages: from preflight to the final smoke, and killed on the way.

mod drill;
mod killed;
mod ready;
mod resumed;
mod scene;
mod told;
mod walk;
