//! Pulls the plug: processes, connections and the queue die midway, and everything lands once all the same.

mod clock;
mod cuts;
mod kills;
mod late_writes;
mod lost_queue;
mod phases;
mod points;
pub(crate) mod scene;
mod servers;
mod silence;
