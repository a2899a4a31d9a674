//! Results as files.

use std::path::PathBuf;

use super::*;
use crate::diff::{FileOptions, Files, diff_files};

fn reports(a: &str, b: &str, key: &str) -> (tempfile::TempDir, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    std::fs::write(path("a.csv"), a).unwrap();
    std::fs::write(path("b.csv"), b).unwrap();
    let options =
        FileOptions { key: vec![key.to_owned()], tenant: Some("t".to_owned()), ..FileOptions::default() };
    let files = Files::open(&path("a.csv"), &path("b.csv"), options).unwrap();
    let mut reports = Reports::default();
    reports.push(CsvReport::create(&path("d.csv"), false).unwrap());
    reports.push(CsvReport::create(&path("d.safe.csv"), true).unwrap());
    reports.push(JsonReport::create(&path("d.json")).unwrap());
    reports.push(PageReport::create(&path("d.html"), "A < B", "now & here").unwrap());
    let summary = diff_files(&files, &mut reports).unwrap();
    assert!(!path("d.csv").exists() && path("d.csv.part").exists());
    reports.finish().unwrap();
    (folder, summary)
}

const A: &str = "k,t,v\na,x,1\nb,x,\"=1+2\"\nc,y,\"</script><b>\"\nd,y,e\u{301}\n";
const B: &str = "k,t,v\na,x,1\nb,x,-12\nd,y,\u{e9}\ne,y,\"l1\nl2\"\ne,y,3\n";

#[test]
fn the_csv_has_a_line_for_each_difference() {
    let (folder, summary) = reports(A, B, "k");
    let text = std::fs::read_to_string(folder.path().join("d.csv")).unwrap();
    let lines = [
        "entity,tenant,difference,key,column,a,b,only",
        "a,x,changed,b,v,=1+2,-12,",
        "a,y,missing,c,,\"c,y,</script><b>\",,",
        "a,y,changed,d,v,e\u{301},\u{e9},unicode form",
        "a,y,extra,e,,,\"e,y,\"\"l1\nl2\"\"\",",
        "a,y,extra,e,,,\"e,y,3\",",
        "a,,doubled,e,,0,2,",
    ];
    assert_eq!(text, lines.join("\n") + "\n");
    assert_eq!((summary.doubled_b, summary.form_only), (1, 1));
    let safe = std::fs::read_to_string(folder.path().join("d.safe.csv")).unwrap();
    assert_eq!(safe, text.replace(",=1+2,", ",'=1+2,"));
}

#[test]
fn no_cell_is_taken_for_a_formula() {
    for (cell, safe) in [
        ("=cmd|x", "'=cmd|x"),
        ("+1x", "'+1x"),
        ("@a", "'@a"),
        ("-1.5", "-1.5"),
        ("-x", "'-x"),
        ("-inf", "'-inf"),
        ("\tx", "'\tx"),
        ("", ""),
        ("a=b", "a=b"),
    ] {
        assert_eq!(safe_cell(cell), safe);
    }
}

#[test]
fn the_json_is_one_document() {
    let (folder, _) = reports(A, B, "k");
    let text = std::fs::read_to_string(folder.path().join("d.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let table = &json["tables"][0];
    assert_eq!(table["columns"], serde_json::json!(["k", "t", "v"]));
    assert_eq!(table["differences"].as_array().unwrap().len(), 5);
    assert_eq!(
        table["differences"][2],
        serde_json::json!({
            "difference": "changed", "key": ["d"], "tenant": "y",
            "cells": [{ "column": "v", "a": "e\u{301}", "b": "\u{e9}", "only": "unicode form" }],
        })
    );
    assert_eq!(table["doubled"], serde_json::json!([{ "key": ["e"], "a": 0, "b": 2 }]));
    assert_eq!(table["summary"]["changed_columns"], serde_json::json!({ "v": 2 }));
}

#[test]
fn the_page_holds_its_data_and_nothing_leads_out_of_it() {
    let (folder, _) = reports(A, B, "k");
    let page = std::fs::read_to_string(folder.path().join("d.html")).unwrap();
    assert!(page.contains("<h1>A &lt; B</h1>") && page.contains("<p>now &amp; here</p>"));
    assert_eq!(page.matches("</script>").count(), 2, "data ended its element");
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data[0]["rows"].as_array().unwrap().len(), 5);
    assert_eq!(data[0]["rows"][1][0][2], "</script><b>");
    assert_eq!(data[0]["end"]["left_out"], 0);
    for outside in ["http://", "https://", "//cdn", "src=", "href=", "@import", "url(", "fetch(", "innerHTML"]
    {
        assert!(!page.contains(outside), "the page has `{outside}`");
    }
}

#[test]
fn a_result_that_is_not_finished_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    drop(JsonReport::create(&folder.path().join("d.json")).unwrap());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
