//! Contract suites, memory adapters, scripted faults and test services.

pub mod contract;
