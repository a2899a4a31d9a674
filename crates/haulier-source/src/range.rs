//! Cuts a key space of integers into even ranges.

use haulier_core::port::KeyRange;
use haulier_core::{SourceKey, Value};

/// An integer as such, or as the text of one that may be beyond 64 bits.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Number(text) => text.parse().ok(),
        Value::Null
        | Value::Bool(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Timestamp(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Json(_)
        | Value::List(_)
        | Value::ZeroDate(_)
        | Value::Unreadable(_) => None,
    }
}

/// Cuts `low..=high` into even ranges, the first and the last of them open.
pub(crate) fn cut(low: i64, high: i64, want: usize) -> Vec<KeyRange> {
    let (low, span) = (i128::from(low), i128::from(high) - i128::from(low));
    let want = i128::try_from(want).unwrap_or(1);
    let mut seams: Vec<i128> = (1..want).map(|part| low + span * part / want).collect();
    seams.dedup();
    seams.retain(|seam| *seam < low + span);
    let mut after = None;
    let mut ranges = Vec::new();
    for seam in seams {
        let upto = Some(SourceKey::from_canonical(&seam.to_string()));
        ranges.push(KeyRange { after, upto: upto.clone() });
        after = upto;
    }
    ranges.push(KeyRange { after, upto: None });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_cut_has_no_gap_and_survives_the_extremes() {
        for (low, high, want) in [(0, 10, 3), (5, 5, 4), (i64::MIN, i64::MAX, 7), (1, 2, 9), (-3, 3, 2)] {
            let ranges = cut(low, high, want);
            assert!(ranges.len() <= want);
            assert_eq!((&ranges[0].after, &ranges[ranges.len() - 1].upto), (&None, &None));
            assert!(ranges.windows(2).all(|pair| pair[0].upto == pair[1].after && pair[0].upto.is_some()));
        }
        assert_eq!(cut(1, 100, 4).len(), 4);
    }
}
