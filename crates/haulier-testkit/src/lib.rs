//! Contract suites, memory adapters, scripted faults and test services.

pub mod contract;
pub mod fake_target;
pub mod mail;
pub mod proxy;
pub mod tls;
