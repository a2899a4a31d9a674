//! The external sort against the standard library's, with memory that forces spilling.

use proptest::prelude::*;

use super::*;

fn sorted(lines: &[Vec<u8>], memory: usize, threads: usize) -> Vec<Vec<u8>> {
    let mut sorter = Sorter::new(SortOptions { memory, threads, ..SortOptions::default() });
    for line in lines {
        sorter.push(line).unwrap();
    }
    assert_eq!(sorter.lines(), lines.len() as u64);
    let mut sorted = sorter.finish().unwrap();
    let mut out = Vec::new();
    while let Some(line) = sorted.next_line().unwrap() {
        out.push(line.to_vec());
    }
    assert!(sorted.next_line().unwrap().is_none());
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn the_order_is_that_of_the_bytes(
        seeds in prop::collection::vec(("[a-c]{0,12}|\\PC{0,3}|[\\x00-\\x02]{0,10}", 1_usize..40), 0..400),
        threads in 1_usize..4,
    ) {
        // Long and many enough for several runs, with equal beginnings, prefixes of each other, and duplicates.
        let lines: Vec<Vec<u8>> = seeds.iter().enumerate().flat_map(|(n, (text, times))| {
            (0..*times).map(move |time| [text.repeat(time % 9).as_bytes(), &n.to_le_bytes()[..time % 3]].concat())
        }).collect();
        let mut expected = lines.clone();
        expected.sort();
        prop_assert_eq!(sorted(&lines, 1, threads), expected);
    }
}

#[test]
fn many_spills_are_merged_in_steps() {
    // Some 27 MB in runs of 64 KiB: more than are merged at once.
    let lines: Vec<Vec<u8>> = (0..120_000_u32)
        .map(|n| format!("{:010}-{}", n.wrapping_mul(2_654_435_761), "x".repeat(200)).into_bytes())
        .collect();
    let mut expected = lines.clone();
    expected.sort();
    assert!(sorted(&lines, 1, 2) == expected);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let options = SortOptions { memory: 1, spill: "/nonexistent/spill".into(), ..SortOptions::default() };
    let mut sorter = Sorter::new(options);
    let line = [b'x'; 1000];
    let error = (0..2000).find_map(|_| sorter.push(&line).err()).or_else(|| sorter.finish().err());
    let error = error.unwrap();
    assert_eq!(error.to_string(), "cannot spill to /nonexistent/spill");
}

#[test]
fn a_sort_stops_when_told() {
    let options = SortOptions::default();
    options.meter.stop();
    let mut sorter = Sorter::new(options);
    let stopped = (0..5000).find_map(|_| sorter.push(b"x").err());
    assert!(matches!(stopped, Some(SortError::Stopped(_))));
}
