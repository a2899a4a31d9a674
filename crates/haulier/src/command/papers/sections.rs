//! A paper as sections, each a text and a table, in Markdown or as one page.

use std::fmt::Write as _;

use serde::Serialize;

/// One section.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Section {
    pub(super) title: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lines: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) head: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rows: Vec<Vec<String>>,
    /// A picture, as SVG, for the page.
    #[serde(skip)]
    pub(super) picture: Option<String>,
}

impl Section {
    pub(super) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    pub(super) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    pub(super) fn lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.extend(lines);
        self
    }

    /// A table; where it has no row, `without` stands in its place.
    pub(super) fn table(
        mut self,
        head: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
        without: &str,
    ) -> Self {
        self.rows = rows.into_iter().collect();
        if self.rows.is_empty() {
            return self.line(without);
        }
        self.head = head.iter().map(|cell| (*cell).to_owned()).collect();
        self
    }
}

/// All of it as Markdown.
pub(super) fn markdown(title: &str, sections: &[Section]) -> String {
    let mut text = format!("# {}\n", plain(title));
    for section in sections {
        let _infallible = write!(text, "\n## {}\n\n", plain(&section.title));
        for line in &section.lines {
            let _infallible = writeln!(text, "{line}\n");
        }
        if section.head.is_empty() {
            continue;
        }
        let row = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| plain(cell).replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        text.push_str(&row(&section.head));
        let _infallible = writeln!(text, "|{}", "---|".repeat(section.head.len()));
        section.rows.iter().for_each(|cells| text.push_str(&row(cells)));
    }
    text.trim_end().to_owned()
}

fn plain(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_its_cells_whatever_is_in_them() {
        let section = Section::new("Tenants").line("Two of them.").table(
            &["tenant", "why"],
            [vec!["a|b".to_owned(), "two\nlines".to_owned()]],
            "none",
        );
        let text =
            markdown("Report", &[section, Section::new("Notices").table(&["a"], [], "nobody was told")]);
        assert_eq!(
            text,
            "# Report\n\n## Tenants\n\nTwo of them.\n\n| tenant | why |\n|---|---|\n| a\\|b | two lines |\n\n## Notices\n\nnobody was told"
        );
    }
}
