//! A paper as one HTML page that needs nothing else: no script, no other address; pictures are SVG within it.

use std::fmt::Write as _;

use super::sections::Section;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1b1b;background:#fff}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #ccc}\
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}\
svg{width:100%;height:auto;background:#fafafa;border:1px solid #ddd}svg text{font:11px system-ui,sans-serif;fill:#444}\
@media(prefers-color-scheme:dark){body{background:#161616;color:#e6e6e6}svg{background:#1e1e1e}svg text{fill:#bbb}th,td{border-color:#333}}";

/// The whole page.
pub(super) fn html(title: &str, sections: &[Section]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; \
         style-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n",
        title = escaped(title)
    );
    for section in sections {
        let _infallible = writeln!(page, "<section>\n<h2>{}</h2>", escaped(&section.title));
        for line in &section.lines {
            let _infallible = writeln!(page, "<p>{}</p>", escaped(line));
        }
        if let Some(picture) = &section.picture {
            let _infallible = writeln!(page, "{picture}");
        }
        if !section.head.is_empty() {
            let cells = |tag: &str, cells: &[String]| {
                cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect::<String>()
            };
            let _infallible = writeln!(page, "<table>\n<tr>{}</tr>", cells("th", &section.head));
            for row in &section.rows {
                let _infallible = writeln!(page, "<tr>{}</tr>", cells("td", row));
            }
            page.push_str("</table>\n");
        }
        page.push_str("</section>\n");
    }
    page.push_str("</body>\n</html>");
    page
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 220.0;

/// A plot over time: bars of one figure, and a line of another that holds until it changes. Times are parts of the whole, 0 to 1.
pub(super) fn plot(bars: &[(f64, f64, f64)], line: &[(f64, f64)], labels: (&str, &str)) -> String {
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max).max(1e-9);
    let (top, high) = (most(&mut bars.iter().map(|bar| bar.2)), most(&mut line.iter().map(|point| point.1)));
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\">", HEIGHT + 24.0);
    for (from, to, value) in bars {
        let height = HEIGHT * 0.95 * value / top;
        let _infallible = write!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#4a90c2\"/>",
            from * WIDTH,
            HEIGHT - height,
            ((to - from) * WIDTH).max(1.0),
        );
    }
    let mut path = String::new();
    let mut last = None;
    for (at, value) in line {
        let (x, y) = (at * WIDTH, HEIGHT - HEIGHT * 0.9 * value / high);
        let _infallible = match last {
            None => write!(path, "M{x:.1} {y:.1}"),
            Some(_) => write!(path, "H{x:.1}V{y:.1}"),
        };
        last = Some(y);
    }
    if last.is_some() {
        let _infallible = write!(path, "H{WIDTH}");
        let _infallible =
            write!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"#c2571a\" stroke-width=\"2\"/>");
    }
    let _infallible = write!(
        svg,
        "<text x=\"4\" y=\"{0:.0}\">{1}: at most {top:.1}</text><text x=\"500\" y=\"{0:.0}\">{2}: at most {high:.1}</text></svg>",
        HEIGHT + 16.0,
        escaped(labels.0),
        escaped(labels.1),
    );
    svg
}

/// Planned and actual length of each step, one above the other.
pub(super) fn bars(steps: &[(String, f64, f64)]) -> String {
    let most = steps.iter().map(|(_, planned, actual)| planned.max(*actual)).fold(0.0, f64::max).max(1e-9);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\">", steps.len() * 36 + 8);
    let mut y = 6;
    for (name, planned, actual) in steps {
        let width = |value: &f64| value / most * (WIDTH - 220.0);
        let _infallible = write!(
            svg,
            "<text x=\"4\" y=\"{}\">{}</text><rect x=\"200\" y=\"{y}\" width=\"{:.1}\" height=\"12\" fill=\"#bbb\"/>\
             <rect x=\"200\" y=\"{}\" width=\"{:.1}\" height=\"12\" fill=\"#4a90c2\"/>",
            y + 16,
            escaped(name),
            width(planned),
            y + 13,
            width(actual),
        );
        y += 36;
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_paper_becomes_markup() {
        let section = Section::new("<b>").line("a & b <script>alert(1)</script>").table(
            &["x"],
            [vec!["\"quoted\" <i>".to_owned()]],
            "",
        );
        let page = html("<title>", &[section]);
        assert!(
            !page.contains("<script") && !page.contains("<i>") && page.contains("&lt;script&gt;"),
            "{page}"
        );
        assert!(page.contains("default-src 'none'"));
        assert!(!bars(&[("<x>".to_owned(), 1.0, 2.0)]).contains("<x>"));
    }

    #[test]
    fn a_plot_of_nothing_is_a_plot() {
        let svg = plot(&[], &[], ("records", "workers"));
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && !svg.contains("NaN"), "{svg}");
    }
}
