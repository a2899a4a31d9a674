//! The adapter against scripted systems on loopback.

#[cfg(test)]
mod bench;
mod bulk;
mod faults;
mod paging;
mod programs;
mod proof;
mod replies;
mod session;
mod tls;

haulier_testkit::target_contract!(bench::plain);
