//! Charts over time as SVG. What is what can be told without colours: by the form of a line or a fill, named beside it.

use std::fmt::Write as _;

use super::page::escaped;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 150.0;
/// Room on the left for the figures of the scale.
const LEFT: f64 = 70.0;
/// Room above for the title, and below for the times.
const TOP: f64 = 24.0;
const BELOW: f64 = 20.0;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A bar from each start to its end.
    Bars,
    /// A value that holds until the next one.
    Steps,
    /// Points that a line joins.
    Line,
}

/// One figure over time. Times are parts of the whole, 0 to 1.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) form: Form,
    /// From, until, and the value.
    pub(super) points: Vec<(f64, f64, f64)>,
}

/// Figures of one unit above one line of time.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) unit: String,
    /// What stands at the beginning and at the end of the time line.
    pub(super) span: (String, String),
    pub(super) series: Vec<Series>,
}

/// Charts above each other, on one time line.
pub(super) fn svg(charts: &[Chart]) -> String {
    let each = TOP + HEIGHT + BELOW + 12.0;
    let count = u32::try_from(charts.len()).unwrap_or(u32::MAX);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">{PATTERNS}",
        each * f64::from(count),
        escaped(&charts.iter().map(|chart| chart.title.as_str()).collect::<Vec<_>>().join(", ")),
    );
    let mut y = 0.0;
    for chart in charts {
        let _infallible = write!(svg, "<g transform=\"translate(0 {y:.0})\">");
        draw(&mut svg, chart);
        svg.push_str("</g>");
        y += each;
    }
    svg.push_str("</svg>");
    svg
}

/// Fills that differ in more than their colour.
const PATTERNS: &str = "<defs><pattern id=\"hatched\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\
<path class=\"s1\" d=\"M0 6L6 0\"/></pattern></defs>";

fn draw(svg: &mut String, chart: &Chart) {
    let values = chart.series.iter().flat_map(|series| &series.points).map(|point| point.2);
    let top = round_up(values.fold(0.0, f64::max));
    let x = |part: f64| LEFT + part.clamp(0.0, 1.0) * (WIDTH - LEFT);
    let y = |value: f64| TOP + HEIGHT * (1.0 - value / top);
    let _infallible =
        write!(svg, "<text class=\"title\" x=\"{LEFT}\" y=\"14\">{}</text>", escaped(&chart.title));
    for share in [0.0, 0.5, 1.0] {
        let at = y(top * share);
        let _infallible = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{WIDTH}\"/><text class=\"scale\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            escaped(&figure(top * share, &chart.unit)),
        );
    }
    let mut legend = WIDTH;
    for (index, series) in chart.series.iter().enumerate().rev() {
        body(svg, series, index, (&x, &y));
        if chart.series.len() > 1 {
            // From the right; a name is given room for its length.
            legend -= 46.0 + 7.0 * f64::from(u32::try_from(series.name.len()).unwrap_or(0));
            key(svg, series, index, legend);
        }
    }
    let below = TOP + HEIGHT + 15.0;
    let _infallible = write!(
        svg,
        "<text x=\"{LEFT}\" y=\"{below:.0}\">{}</text><text class=\"scale\" x=\"{WIDTH}\" y=\"{below:.0}\">{}</text>",
        escaped(&chart.span.0),
        escaped(&chart.span.1),
    );
}

/// A series, with what each of its values is for those who point at it.
fn body(
    svg: &mut String,
    series: &Series,
    index: usize,
    (x, y): (&impl Fn(f64) -> f64, &impl Fn(f64) -> f64),
) {
    if series.form == Form::Bars {
        let _infallible = write!(svg, "<g class=\"f{index}\">");
        for (from, until, value) in &series.points {
            let (left, width) = (x(*from), (x(*until) - x(*from)).max(1.0));
            let _infallible = write!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\"><title>{} {}</title></rect>",
                y(*value),
                y(0.0) - y(*value),
                escaped(&series.name),
                number(*value),
            );
        }
        svg.push_str("</g>");
        return;
    }
    // A single point has a length, too.
    let form = if series.points.len() == 1 { Form::Steps } else { series.form };
    let mut path = String::new();
    for (from, until, value) in &series.points {
        let (start, end, height) = (x(*from), x(*until), y(*value));
        let _infallible = match (form, path.is_empty()) {
            (Form::Steps, true) => write!(path, "M{start:.1} {height:.1}H{end:.1}"),
            (Form::Steps, false) => write!(path, "H{start:.1}V{height:.1}H{end:.1}"),
            (Form::Line | Form::Bars, first) => {
                let command = if first { 'M' } else { 'L' };
                write!(path, "{command}{:.1} {height:.1}", (start + end) / 2.0)
            }
        };
    }
    let _infallible =
        write!(svg, "<path class=\"s{index}\" d=\"{path}\"><title>{}</title></path>", escaped(&series.name));
}

fn key(svg: &mut String, series: &Series, index: usize, at: f64) {
    let _infallible = match series.form {
        Form::Bars => {
            write!(svg, "<rect class=\"f{index}\" x=\"{at:.0}\" y=\"5\" width=\"24\" height=\"10\"/>")
        }
        Form::Steps | Form::Line => {
            write!(svg, "<path class=\"s{index}\" d=\"M{at:.0} 10h24\"/>")
        }
    };
    let _infallible = write!(svg, "<text x=\"{:.0}\" y=\"14\">{}</text>", at + 28.0, escaped(&series.name));
}

/// How long a stage was planned to take, and took: in seconds, and as it is told.
#[derive(Debug, Clone)]
pub(super) struct Length {
    pub(super) name: String,
    pub(super) planned: Option<(f64, String)>,
    pub(super) actual: (f64, String),
}

/// Planned and actual length of each stage, one above the other: planned hollow, actual filled, each with its length.
pub(super) fn lengths(stages: &[Length]) -> String {
    let all = stages.iter().flat_map(|stage| stage.planned.iter().chain([&stage.actual]));
    let most = all.map(|(length, _)| *length).fold(0.0, f64::max).max(1e-9);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"planned and actual length of each stage\">",
        stages.len() * 36 + 28
    );
    for (class, at, name) in [("planned", 200, "planned"), ("f0", 300, "actual, as far as it was worked on")]
    {
        let _infallible = write!(
            svg,
            "<rect class=\"{class}\" x=\"{at}\" y=\"4\" width=\"24\" height=\"10\"/><text x=\"{}\" y=\"13\">{name}</text>",
            at + 30
        );
    }
    let mut y = 24;
    for stage in stages {
        let _infallible = write!(svg, "<text x=\"4\" y=\"{}\">{}</text>", y + 16, escaped(&stage.name));
        let mut bar = |class: &str, y: usize, (length, told): &(f64, String)| {
            let width = (length / most * (WIDTH - 320.0)).max(1.0);
            let _infallible = write!(
                svg,
                "<rect class=\"{class}\" x=\"200\" y=\"{y}\" width=\"{width:.1}\" height=\"12\"/><text x=\"{:.1}\" y=\"{}\">{}</text>",
                206.0 + width,
                y + 10,
                escaped(told),
            );
        };
        bar("f0", y + 14, &stage.actual);
        match &stage.planned {
            Some(planned) => bar("planned", y, planned),
            None => {
                let _infallible = write!(svg, "<text x=\"200\" y=\"{}\">nothing was planned</text>", y + 10);
            }
        }
        y += 36;
    }
    svg.push_str("</svg>");
    svg
}

/// The next number of the form 1, 2 or 5 with zeros, so that the scale reads well.
fn round_up(most: f64) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= most).unwrap_or(most)
}

fn figure(value: f64, unit: &str) -> String {
    format!("{} {unit}", number(value)).trim_end().to_owned()
}

fn number(value: f64) -> String {
    let text = if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(series: Vec<Series>) -> Chart {
        let span = ("10:00".to_owned(), "11:00".to_owned());
        Chart { title: "<latency>".to_owned(), unit: "ms".to_owned(), span, series }
    }

    #[test]
    fn a_chart_of_nothing_is_a_chart() {
        for series in [
            vec![],
            vec![Series { name: "p50".to_owned(), form: Form::Line, points: vec![] }],
            vec![Series { name: "p50".to_owned(), form: Form::Bars, points: vec![(0.0, 0.0, 0.0)] }],
        ] {
            let svg = svg(&[chart(series)]);
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<latency>"), "{svg}");
        }
    }

    #[test]
    fn each_series_has_a_form_and_a_name_of_its_own() {
        let line = |name: &str, value| Series {
            name: name.to_owned(),
            form: Form::Line,
            points: vec![(0.0, 0.5, value), (0.5, 1.0, value)],
        };
        let svg = svg(&[chart(vec![line("p50", 10.0), line("p95", 80.0), line("p99", 180.0)])]);
        for (index, name) in ["p50", "p95", "p99"].into_iter().enumerate() {
            assert_eq!(svg.matches(&format!("class=\"s{index}\"")).count(), if index == 1 { 3 } else { 2 });
            assert!(svg.contains(&format!(">{name}</text>")), "{svg}");
        }
        assert!(svg.contains(">200 ms</text>") && svg.contains(">100 ms</text>"), "{svg}");
    }

    #[test]
    fn a_scale_ends_at_a_round_number() {
        for (most, top) in
            [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (49.0, 50.0), (180.0, 200.0), (501.0, 1000.0)]
        {
            assert!((round_up(most) - top).abs() < 1e-9, "{most}");
        }
        assert_eq!((number(0.25), number(12.0), number(1234.5)), ("0.25".into(), "12".into(), "1234".into()));
    }
}
