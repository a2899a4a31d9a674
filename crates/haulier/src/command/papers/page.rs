//! A paper as one HTML page that needs nothing else: no script, no other address; pictures are SVG within it.

use std::fmt::Write as _;

use super::sections::Section;

/// Light and dark by the reader's own wish; on paper light. Lines differ in their dashes, fills in their hatching.
const STYLE: &str = ":root{color-scheme:light dark;--text:#1b1b1b;--paper:#fff;--soft:#595959;--rule:#d0d0d0;--a:#1f6fa8;--b:#b4530a;--c:#5b4a9e}\
@media(prefers-color-scheme:dark){:root{--text:#e8e8e8;--paper:#161616;--soft:#a8a8a8;--rule:#3c3c3c;--a:#6db5e8;--b:#f0a35e;--c:#b9a8f5}}\
@media print{:root{--text:#000;--paper:#fff;--soft:#444;--rule:#bbb;--a:#1f6fa8;--b:#b4530a;--c:#5b4a9e}}\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:var(--text);background:var(--paper)}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid var(--rule)}\
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--rule);vertical-align:top}\
svg{width:100%;height:auto;margin:.6rem 0}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}svg .title{font-weight:600;fill:var(--text)}svg .scale{text-anchor:end}\
.grid{stroke:var(--rule);fill:none}.s0,.s1,.s2{fill:none;stroke-width:2}.s0{stroke:var(--a)}.s1{stroke:var(--b);stroke-dasharray:7 4}.s2{stroke:var(--c);stroke-dasharray:2 3}\
.f0{fill:var(--a)}.f1{fill:url(#hatched);stroke:var(--b)}#hatched .s1{stroke-dasharray:none}.planned{fill:none;stroke:var(--text);stroke-dasharray:4 3}";

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
    }
}
