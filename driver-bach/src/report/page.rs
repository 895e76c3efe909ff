//! The HTML around the plots.

use core::fmt::Write as _;

use super::{ReportData, RunData, chart::Line, figures::Figure};

/// The style sheet, for light and dark.
const STYLE: &str = include_str!("page.css");

/// `text` with nothing in it that HTML would take for markup.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The whole document.
pub(super) fn page(data: &ReportData, plots: &[(Figure, Option<String>)]) -> String {
    let title = escape(&data.title);
    let figures: String = plots.iter().map(|(plot, svg)| figure(plot, svg.as_deref())).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{}{}<div class=\"figures\">\n{figures}</div>\n</main>\n</body>\n</html>\n",
        parameters(&data.parameters),
        summary(&data.runs),
    )
}

fn parameters(parameters: &[(String, String)]) -> String {
    if parameters.is_empty() {
        return String::new();
    }
    let mut html = String::from("<dl>\n");
    for (name, value) in parameters {
        // writing to a string cannot fail
        let _ = writeln!(html, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    html + "</dl>\n"
}

/// A table with a row for each result and a column for each run.
fn summary(runs: &[RunData]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|run| &run.summary) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return "<h2>Summary</h2>\n<p class=\"none\">No data.</p>\n".to_owned();
    }
    let mut html = String::from(
        "<h2>Summary</h2>\n<div class=\"table\"><table>\n<thead><tr><th scope=\"col\">Result</th>",
    );
    for (index, run) in runs.iter().enumerate() {
        let swatch = swatch(&super::colour::Ink::Run(index).class());
        let _ = write!(html, "<th scope=\"col\">{swatch}{}</th>", escape(&run.name));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for name in names {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(name));
        for run in runs {
            let value = run.summary.iter().find(|(other, _)| other == name);
            let value = value.map_or_else(|| "–".to_owned(), |(_, value)| escape(value));
            let _ = write!(html, "<td>{value}</td>");
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody>\n</table></div>\n"
}

fn figure(figure: &Figure, svg: Option<&str>) -> String {
    let lines = figure.chart.as_ref().map_or(&[][..], |chart| &chart.lines);
    let plot = svg.unwrap_or("<p class=\"none\">No data.</p>\n");
    format!(
        "<figure>\n<figcaption><h2>{}</h2><p>{}</p>{}</figcaption>\n{plot}</figure>\n",
        escape(figure.title),
        escape(figure.note),
        legend(lines),
    )
}

fn legend(lines: &[Line]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let entry =
        |line: &Line| format!("<li>{}{}</li>", swatch(&line.ink.class()), escape(&line.name));
    format!("<ul class=\"legend\">{}</ul>", lines.iter().map(entry).collect::<String>())
}

/// A short line as the plots draw it.
fn swatch(class: &str) -> String {
    format!(
        "<svg class=\"swatch\" viewBox=\"0 0 28 8\" aria-hidden=\"true\">\
         <line x1=\"1\" y1=\"4\" x2=\"27\" y2=\"4\" stroke-width=\"3\" class=\"stroke {class}\"/></svg>"
    )
}
