//! The adapter against scripted systems on loopback.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod create;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod session;
#[cfg(test)]
mod tls;

haulier_testkit::target_contract!(bench::plain);
