//! Round trips, strangers and damage.

use haulier_core::{Digest, EntityName, Record, RunId, SourceKey, TenantKey};
use proptest::prelude::*;

use super::*;

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "\\PC*".prop_map(serde_json::Value::from),
        ".*".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::hash_map(".*", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What goes to the ledger, which may be one that takes no NUL.
const NO_NUL: &str = "[^\0\n]*";

fn record() -> impl Strategy<Value = Record> {
    (
        NO_NUL,
        prop::option::of(NO_NUL),
        any::<i64>(),
        any::<[u8; 16]>(),
        prop::collection::hash_map(".*", json(), 0..4),
        prop::collection::vec(".*", 0..3),
        prop::collection::vec(prop::option::of(NO_NUL), 0..3),
    )
        .prop_map(|(key, tenant, generation, hash, body, vars, refs)| Record {
            key: SourceKey::from_canonical(&key),
            tenant: tenant.map(TenantKey::new),
            generation,
            hash: Digest(hash),
            body: serde_json::Value::Object(body.into_iter().collect()).to_string(),
            vars,
            refs: refs.into_iter().map(|key| key.map(|key| SourceKey::from_canonical(&key))).collect(),
        })
}

fn parcel() -> impl Strategy<Value = Parcel> {
    (NO_NUL, "[a-z][a-z0-9_]{0,9}", any::<u64>(), prop::collection::vec(record(), 1..5)).prop_map(
        |(run, entity, epoch, records)| Parcel {
            run: RunId::new(run),
            entity: EntityName::new(&entity).unwrap(),
            epoch,
            records,
        },
    )
}

proptest! {
    #[test]
    fn a_parcel_survives_the_wire(parcel in parcel()) {
        let bytes = encode(&parcel).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), parcel);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn a_damaged_parcel_is_read_without_a_panic(parcel in parcel(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = encode(&parcel).unwrap();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
            prop_assert!(decode(&bytes).is_err());
        } else {
            bytes[at] = byte;
            drop(decode(&bytes));
        }
    }

    #[test]
    fn a_parcel_over_the_limit_goes_out_in_parts(parcel in parcel(), limit in 200_usize..3000) {
        match pack(std::slice::from_ref(&parcel), limit) {
            Ok(messages) => {
                prop_assert!(messages.iter().all(|message| message.body.len() <= limit));
                let records: Vec<Record> = messages.iter().flat_map(|m| decode(&m.body).unwrap().records).collect();
                prop_assert_eq!(records, parcel.records);
            }
            Err(QueueError::TooLarge { bytes, limit: told }) => {
                prop_assert_eq!(told, limit);
                let largest = parcel.records.iter().map(|record| {
                    encode(&Parcel { records: vec![record.clone()], ..parcel.clone() }).unwrap().len()
                }).max().unwrap();
                prop_assert!(bytes > limit && largest > limit);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

fn plain(body: &str) -> Parcel {
    Parcel {
        run: RunId::new("r-1"),
        entity: EntityName::new("account").unwrap(),
        epoch: 3,
        records: vec![Record {
            key: SourceKey::from_parts(&["1"]),
            tenant: Some(TenantKey::new("1")),
            generation: 7,
            hash: Digest([0xab; 16]),
            body: body.to_owned(),
            vars: vec!["a\nb".to_owned()],
            refs: vec![None, Some(SourceKey::from_parts(&["2", "x"]))],
        }],
    }
}

#[test]
fn the_format_is_the_documented_one() {
    let text = String::from_utf8(encode(&plain(r#"{"n":1.50,"e":1e3}"#)).unwrap()).unwrap();
    insta::assert_snapshot!(text, @r#"{"haulier":1,"run":"r-1","entity":"account","epoch":3,"records":[{"key":"1","tenant":"1","gen":7,"hash":"abababababababababababababababab","body":{"n":1.50,"e":1e3},"vars":["a\u000ab"],"refs":[null,"2|x"]}]}"#);
}

#[test]
fn another_version_is_named_even_when_its_shape_is_unknown() {
    assert_eq!(decode(br#"{"haulier":2,"parts":[]}"#), Err(DecodeError::Version { found: 2 }));
    let same_shape =
        String::from_utf8(encode(&plain("{}")).unwrap()).unwrap().replace("\"haulier\":1", "\"haulier\":9");
    assert_eq!(decode(same_shape.as_bytes()), Err(DecodeError::Version { found: 9 }));
}

#[test]
fn what_is_no_parcel_is_told_apart_without_quoting_it() {
    let content = |text: &str| matches!(decode(text.as_bytes()), Err(DecodeError::Content { .. }));
    assert!(content(r#"{"hello":"secret"}"#));
    assert!(content(r#"{"haulier":1,"run":"secret"}"#));
    assert!(content(r#"{"haulier":1,"run":"r","entity":"account","epoch":1,"records":[]}"#));
    assert!(content(r#"["secret"]"#));
    let good = String::from_utf8(encode(&plain("{}")).unwrap()).unwrap();
    assert!(content(&good.replace("\"body\":{}", "\"body\":[]")));
    assert!(content(&good.replace("abab", "zzzz")));
    assert!(content(&good.replace("account", "Not A Name")));
    assert!(content(&good.replace("\"gen\":7", "\"gen\":\"secret\"")));
    assert!(content(&good.replace("\"gen\":7", "\"gen\":7,\"more\":1")));
    for text in ["\"run\":\"r-1", "\"key\":\"1", "\"tenant\":\"1", "\"2|x"] {
        assert!(content(&good.replace(text, &format!("{text}\\u0000"))), "{text}");
    }
    assert_eq!(decode(b"secret"), Err(DecodeError::Malformed { at: 1, bytes: 6 }));
    assert!(matches!(decode(b"\xff\xfe"), Err(DecodeError::Malformed { .. })));
    for text in [r#"{"haulier":1,"run":7777}"#, "{\"haulier\":1,\"run\":\"secret", r#"{"haulier":"secret"}"#]
    {
        let words = decode(text.as_bytes()).unwrap_err().to_string();
        assert!(!words.contains("secret") && !words.contains("7777"), "{words}");
    }
}

#[test]
fn a_body_that_is_no_object_is_refused_before_it_travels() {
    for body in ["", "[1]", "{", "{} {}", "nul"] {
        assert_eq!(encode(&plain(body)), Err(EncodeError { key: SourceKey::from_parts(&["1"]) }), "{body}");
    }
}

#[test]
fn the_message_id_follows_the_content() {
    let id = |parcel: &Parcel| pack(std::slice::from_ref(parcel), DEFAULT_MAX_BYTES).unwrap()[0].id;
    let parcel = plain("{}");
    assert_eq!(id(&parcel), id(&Parcel { epoch: 99, ..parcel.clone() }));
    let mut newer = parcel.clone();
    newer.records[0].generation += 1;
    assert_ne!(id(&parcel), id(&newer));
    assert_ne!(id(&parcel), id(&Parcel { run: RunId::new("r-2"), ..parcel.clone() }));
}

#[test]
fn a_parcel_without_records_is_not_sent() {
    let empty = Parcel { records: Vec::new(), ..plain("{}") };
    assert_eq!(pack(&[empty], DEFAULT_MAX_BYTES), Ok(Vec::new()));
}
