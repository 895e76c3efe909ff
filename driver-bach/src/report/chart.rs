//! Draws lines over two axes as SVG.

use plotters::{
    coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged},
    prelude::{ChartBuilder, Circle, DrawingAreaErrorKind, IntoDrawingArea as _, SVGBackend},
    series::LineSeries,
    style::{Color as _, TRANSPARENT, TextStyle},
};

use super::{
    ReportError,
    axis::Axis,
    colour::{Ink, classes},
    thin::{Keep, thin},
};

/// The size of a plot in its own units; a page scales it to its width.
const SIZE: (u32, u32) = (720, 320);

/// Height of text in the same units.
const TEXT_SIZE: u32 = 19;

/// A line. Points are values, not places.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) ink: Ink,
    /// What the legend says.
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) keep: Keep,
    /// Mark each point: there are few.
    pub(super) marks: bool,
}

/// Lines over two axes.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
}

/// Places on an axis as the drawing library wants them, with lines at the ticks and nowhere else.
struct Places {
    ticks: Vec<f64>,
}

impl Places {
    fn of(axis: &Axis) -> Self {
        Self { ticks: axis.ticks.iter().map(|tick| tick.0).collect() }
    }
}

impl Ranged for Places {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        from + (f64::from(to - from) * place).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> core::ops::Range<f64> {
        0.0..1.0
    }
}

/// The chart as an SVG element for use inside HTML.
pub(super) fn draw(title: &'static str, chart: &Chart) -> Result<String, ReportError> {
    let mut svg = String::new();
    draw_into(&mut svg, chart)
        .map_err(|error| ReportError::Draw { plot: title, cause: error.to_string() })?;
    let (width, height) = SIZE;
    let fixed = format!("<svg width=\"{width}\" height=\"{height}\"");
    let names: Vec<&str> = chart.lines.iter().map(|line| line.name.as_str()).collect();
    let description =
        format!("{title}: {} by {}, for {}", chart.y.name, chart.x.name, names.join(", "));
    let fluid = format!("<svg role=\"img\" aria-label=\"{}\"", super::page::escape(&description));
    Ok(classes(svg.replacen(&fixed, &fluid, 1)))
}

fn draw_into(svg: &mut String, chart: &Chart) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut context = ChartBuilder::on(&root)
        .margin(8)
        .margin_right(24)
        .x_label_area_size(54)
        .y_label_area_size(84)
        .build_cartesian_2d(Places::of(&chart.x), Places::of(&chart.y))?;
    let text = Ink::Text.stand_in();
    let style = TextStyle::from(("sans-serif", TEXT_SIZE)).color(&text);
    context
        .configure_mesh()
        .axis_style(text)
        .bold_line_style(Ink::Grid.stand_in())
        .light_line_style(TRANSPARENT)
        .label_style(style.clone())
        .axis_desc_style(style)
        .x_desc(chart.x.name.as_str())
        .y_desc(chart.y.name.as_str())
        .x_label_formatter(&|place| chart.x.label(*place))
        .y_label_formatter(&|place| chart.y.label(*place))
        .draw()?;
    for line in &chart.lines {
        let place = |point: &(f64, f64)| (chart.x.place(point.0), chart.y.place(point.1));
        let places: Vec<(f64, f64)> = line.points.iter().map(place).collect();
        let kept = thin(&places, line.keep);
        let colour = line.ink.stand_in();
        if line.marks {
            let dots = kept.iter().map(|place| Circle::new(*place, 3, colour.filled()));
            context.draw_series(dots)?;
        }
        context.draw_series(LineSeries::new(kept, colour.stroke_width(2)))?;
    }
    root.present()
}
