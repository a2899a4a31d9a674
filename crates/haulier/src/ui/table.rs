//! Tables that read well without colour and paste well into a ticket.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::out::printable;

/// A table with numbers to the right.
pub(crate) fn table<R: IntoIterator<Item = String>>(
    head: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(head.iter().copied());
    let mut numeric = vec![true; head.len()];
    for row in rows {
        let row: Vec<String> =
            row.into_iter().map(|cell| printable(&cell).replace(['\n', '\t'], " ")).collect();
        for (numeric, cell) in numeric.iter_mut().zip(&row) {
            *numeric &= cell.is_empty()
                || cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '%' | '-'));
        }
        table.add_row(row);
    }
    for (index, numeric) in numeric.into_iter().enumerate() {
        if let Some(column) = table.column_mut(index)
            && numeric
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let text = table(
            &["entity", "landed"],
            [vec!["account".to_owned(), "5".to_owned()], vec!["x".to_owned(), "1,200".to_owned()]],
        );
        assert_eq!(text, " entity   landed\n account       5\n x         1,200");
    }
}
