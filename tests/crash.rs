//! Pulls the plug: processes, connections and the queue die midway, and everything lands once all the same.

mod kills;
mod points;
mod scene;
