//! A message is read as a parcel that says the same when it is written again, or refused without its content.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports, reason = "only reading and writing are tried here")]
#[path = "../../crates/haulier-queue/src/wire/mod.rs"]
mod wire;

fuzz_target!(|bytes: &[u8]| {
    match wire::decode(bytes) {
        Ok(parcel) => {
            let again = wire::encode(&parcel).expect("what was read can be written");
            assert_eq!(wire::decode(&again).expect("what was written can be read"), parcel);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
