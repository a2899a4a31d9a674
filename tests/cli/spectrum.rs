//! Cells of every kind as other writers put them down: each file is read as the same table as one of plain rows, and one
//! changed cell of it is one difference.

use std::path::Path;

use serde_json::{Map, Value};

use crate::support::process::Haulier;
use crate::support::shared;

/// A name, a file, and its header and rows as they are meant.
type Case = (&'static str, &'static str, &'static [&'static [&'static str]]);

/// Ours, which are always tried.
const CASES: [Case; 12] = [
    ("a comma in a cell", "name,town\nBo,\"Oslo, N\"\n", &[&["name", "town"], &["Bo", "Oslo, N"]]),
    ("empty cells", "a,b,c\n1,\"\",\"\"\n,,3\n", &[&["a", "b", "c"], &["1", "", ""], &["", "", "3"]]),
    ("empty cells, CRLF", "a,b\r\n1,\"\"\r\n2,\r\n", &[&["a", "b"], &["1", ""], &["2", ""]]),
    ("quotes", "a,b\n1,\"say \"\"ho\"\"\"\n2,x\n", &[&["a", "b"], &["1", "say \"ho\""], &["2", "x"]]),
    ("only quotes", "a,b\n1,\"\"\"\"\n2,\"\"\"\"\"\"\n", &[&["a", "b"], &["1", "\""], &["2", "\"\""]]),
    ("JSON", "k,v\n1,\"{\"\"a\"\": [1, 2]}\"\n", &[&["k", "v"], &["1", "{\"a\": [1, 2]}"]]),
    ("line breaks", "a,b\n1,\"x\ny\n\"\n2,z\n", &[&["a", "b"], &["1", "x\ny\n"], &["2", "z"]]),
    ("line breaks, CRLF", "a,b\r\n1,\"x\r\ny\"\r\n2,z\r\n", &[&["a", "b"], &["1", "x\r\ny"], &["2", "z"]]),
    (
        "quotes and line breaks",
        "a,b\n1,\"ha \n\"\"ho\"\" \nhi\"\n",
        &[&["a", "b"], &["1", "ha \n\"ho\" \nhi"]],
    ),
    ("plain", "a,b,c\n1,2,3\n", &[&["a", "b", "c"], &["1", "2", "3"]]),
    ("no line feed at the end", "a,b\n1,2", &[&["a", "b"], &["1", "2"]]),
    (
        "beyond ASCII",
        "a,b\n1,\u{2f49}\u{1f980}\n2,Zo\u{eb}\n",
        &[&["a", "b"], &["1", "\u{2f49}\u{1f980}"], &["2", "Zo\u{eb}"]],
    ),
];

/// The same table by another writer, with every cell in quotes and the columns turned round.
fn written(rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .delimiter(b';')
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().rev()).unwrap();
    }
    writer.into_inner().unwrap()
}

async fn is_read(folder: &Path, name: &str, file: &[u8], rows: &[Vec<String>]) {
    std::fs::write(folder.join("a.csv"), file).unwrap();
    std::fs::write(folder.join("b.csv"), written(rows)).unwrap();
    let args = ["diff", "a.csv", "b.csv", "--delimiter-b", ";", "--json", "--no-progress"];
    let json = Haulier::new(folder, &args).run().await.expect(0).json();
    assert_eq!(json["equal"], rows.len() - 1, "{name}: {json:#}");
    let mut changed = rows.to_vec();
    changed.last_mut().unwrap().last_mut().unwrap().push('!');
    std::fs::write(folder.join("b.csv"), written(&changed)).unwrap();
    let json = Haulier::new(folder, &args).run().await.expect(1).json();
    assert_eq!((&json["missing"], &json["extra"]), (&1.into(), &1.into()), "{name}: {json:#}");
}

#[tokio::test]
async fn every_kind_of_cell_is_read_as_it_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    for (name, file, rows) in CASES {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        is_read(folder.path(), name, file.as_bytes(), &rows).await;
    }
}

#[tokio::test]
async fn all_of_csv_spectrum_is_read_as_it_is_meant_where_it_is_at_hand() {
    let folder = tempfile::tempdir().unwrap();
    let Some(files) = shared::files("csv-spectrum/csvs") else { return };
    assert_eq!(files.len(), 12);
    for (name, file) in files {
        let meant = shared::file(&format!("csv-spectrum/json/{}", name.replace(".csv", ".json"))).unwrap();
        if name == "location_coordinates.csv" {
            has_bare_quotes(folder.path(), &file, &meant).await;
            continue;
        }
        let meant: Vec<Map<String, Value>> = serde_json::from_slice(&meant).unwrap();
        let header: Vec<String> = meant[0].keys().cloned().collect();
        let row = |row: &Map<String, Value>| {
            header.iter().map(|name| row[name].as_str().unwrap().to_owned()).collect()
        };
        let rows: Vec<Vec<String>> = std::iter::once(header.clone()).chain(meant.iter().map(row)).collect();
        is_read(folder.path(), &name, &file, &rows).await;
    }
}

/// A file that breaks the rules: quotes within cells that do not begin with one. Its expected reading has another number in the first
/// column than the file.
async fn has_bare_quotes(folder: &Path, file: &[u8], meant: &[u8]) {
    let meant: Map<String, Value> = serde_json::from_slice(meant).unwrap();
    let cell = |text: &Value| text.as_str().unwrap().to_owned();
    let rows: Vec<Vec<String>> = vec![meant.keys().cloned().collect(), meant.values().map(cell).collect()];
    std::fs::write(folder.join("a.csv"), file).unwrap();
    std::fs::write(folder.join("b.csv"), written(&rows)).unwrap();
    let args = ["diff", "a.csv", "b.csv", "--delimiter-b", ";", "--json", "--no-progress"];
    let strict = Haulier::new(folder, &args).run().await.expect(2);
    assert!(
        strict.stderr.contains("a.csv:2: a quote within a cell that does not begin with one"),
        "{}",
        strict.stderr
    );
    let lenient = [&args[..], &["--bare-quotes", "--key", "Location Coordinates"]].concat();
    let json = Haulier::new(folder, &lenient).run().await.expect(1).json();
    assert_eq!(json["changed_columns"], serde_json::json!({ "Contact Phone Number": 1 }), "{json:#}");
}
