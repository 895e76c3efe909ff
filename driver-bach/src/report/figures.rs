//! Which plots a page has, and what is in them.

use super::{
    RunData, SlowdownGroup,
    axis::{Axis, Quantity},
    chart::{Chart, Line},
    colour::Ink,
    thin::{Keep, thin},
};

/// If one run takes this many times as long as another, time is drawn in powers of ten: the short
/// one would otherwise be a line at the edge.
const LOG_TIME_RATIO: f64 = 8.0;

/// Likewise for slowdowns.
const LOG_SLOWDOWN_RATIO: f64 = 20.0;

/// A plot with its text. Without data it has no chart.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) title: &'static str,
    /// What to look for.
    pub(super) note: &'static str,
    pub(super) chart: Option<Chart>,
}

/// All figures of a page.
pub(super) fn all(runs: &[RunData]) -> Vec<Figure> {
    let queue = Series {
        name: "queue",
        quantity: Quantity::Bytes,
        of: |run| &run.queue,
        keep: Keep::Extremes,
        full: None,
    };
    let utilisation = Series {
        name: "used",
        quantity: Quantity::Share,
        of: |run| &run.utilisation,
        keep: Keep::Mean,
        full: Some(1.0),
    };
    let goodput = Series {
        name: "goodput",
        quantity: Quantity::BitsPerSec,
        of: |run| &run.goodput,
        keep: Keep::Mean,
        full: None,
    };
    let slowdown_axis = slowdown_axis(runs);
    let slowdown = |of| slowdown_axis.clone().and_then(|y| slowdown(runs, y, of));
    vec![
        Figure {
            title: "Completed transfers",
            note: "Further left is better; nothing can be left of the ideal.",
            chart: completions(runs),
        },
        Figure {
            title: "Goodput",
            note: "Payload that receivers had not seen before.",
            chart: goodput.chart(runs),
        },
        Figure {
            title: "Queue at the hot port",
            note: "What waits where the load meets. Lower is better, as long as the link is busy.",
            chart: queue.chart(runs),
        },
        Figure {
            title: "Use of the hot link",
            note: "Share of its rate that was sent, repetitions and headers included.",
            chart: utilisation.chart(runs),
        },
        Figure {
            title: "Median slowdown by message size",
            note: "Time against that of the same message alone, by tenths of all messages.",
            chart: slowdown(|group| group.p50),
        },
        Figure {
            title: "99th percentile of slowdown by message size",
            note: "What one message in a hundred exceeds, on the same scale.",
            chart: slowdown(|group| group.p99),
        },
    ]
}

/// A quantity over time, of every run.
struct Series {
    name: &'static str,
    quantity: Quantity,
    of: fn(&RunData) -> &Vec<(f64, f64)>,
    keep: Keep,
    /// How far the axis reaches, if the data does not say.
    full: Option<f64>,
}

impl Series {
    fn chart(&self, runs: &[RunData]) -> Option<Chart> {
        let lines: Vec<Line> = runs
            .iter()
            .enumerate()
            .map(|(index, run)| Line {
                ink: Ink::Run(index),
                name: run.name.clone(),
                points: finite((self.of)(run).iter().copied()),
                keep: self.keep,
                marks: false,
            })
            .filter(|line| !line.points.is_empty())
            .collect();
        let x = time_axis(&lines)?;
        // what is drawn decides, not a sample that disappears in a mean
        let drawn = lines.iter().flat_map(|line| {
            let points = line.points.iter().map(|point| (x.place(point.0), point.1));
            thin(&points.collect::<Vec<_>>(), line.keep)
        });
        let highest = self.full.unwrap_or_else(|| drawn.map(|point| point.1).fold(0.0, f64::max));
        let y = Axis::linear(self.name, self.quantity, highest, true);
        Some(Chart { x, y, lines })
    }
}

/// The time axis that suits all runs; none if there are none.
fn time_axis(lines: &[Line]) -> Option<Axis> {
    let runs = || lines.iter().filter(|line| matches!(line.ink, Ink::Run(_)));
    let ends = || runs().filter_map(|line| line.points.last()).map(|point| point.0);
    let longest = ends().reduce(f64::max)?;
    let shortest = ends().fold(longest, f64::min);
    if shortest > 0.0 && longest > shortest * LOG_TIME_RATIO {
        let times = runs().flat_map(|line| &line.points).map(|point| point.0);
        let first = times.filter(|time| *time > 0.0).fold(shortest, f64::min);
        return Some(Axis::log("time", Quantity::Seconds, first, longest));
    }
    Some(Axis::linear("time", Quantity::Seconds, longest, false))
}

fn completions(runs: &[RunData]) -> Option<Chart> {
    let line = |ink, name: String, times: &[f64]| Line {
        ink,
        name,
        points: distribution(times),
        keep: Keep::Last,
        marks: false,
    };
    let mut lines = Vec::new();
    // usually the load is the same, and with it what is possible
    let shared = runs.windows(2).all(|pair| pair[0].ideal == pair[1].ideal);
    for (index, run) in runs.iter().enumerate() {
        if !shared {
            let name = format!("{}: ideal", run.name);
            lines.push(line(Ink::RunDashed(index), name, &run.ideal));
        } else if index == 0 {
            lines.push(line(Ink::Ideal, "ideal".to_owned(), &run.ideal));
        }
        lines.push(line(Ink::Run(index), run.name.clone(), &run.completions));
    }
    lines.retain(|line| !line.points.is_empty());
    let y = Axis::linear("complete", Quantity::Share, 1.0, true);
    Some(Chart { x: time_axis(&lines)?, y, lines })
}

/// Each time with the share of times up to it.
fn distribution(times: &[f64]) -> Vec<(f64, f64)> {
    let mut times: Vec<f64> = times.iter().copied().filter(|time| time.is_finite()).collect();
    times.sort_by(f64::total_cmp);
    let count = times.len() as f64;
    times.into_iter().enumerate().map(|(n, time)| (time, (n + 1) as f64 / count)).collect()
}

/// One axis for all slowdowns; none if there are none.
fn slowdown_axis(runs: &[RunData]) -> Option<Axis> {
    let groups = || runs.iter().flat_map(|run| &run.slowdown);
    let values = || groups().flat_map(|group| [group.p50, group.p99]).filter(|v| v.is_finite());
    let highest = values().reduce(f64::max)?;
    let lowest = values().filter(|value| *value > 0.0).fold(highest, f64::min);
    if lowest > 0.0 && highest > lowest * LOG_SLOWDOWN_RATIO {
        // some room, so that the highest point is not at the edge
        return Some(Axis::log("slowdown", Quantity::Factor, lowest.min(1.0), highest * 1.25));
    }
    Some(Axis::linear("slowdown", Quantity::Factor, highest, true))
}

fn slowdown(runs: &[RunData], y: Axis, of: fn(&SlowdownGroup) -> f64) -> Option<Chart> {
    let lines = runs.iter().enumerate().map(|(index, run)| {
        let points = run.slowdown.iter().enumerate();
        Line {
            ink: Ink::Run(index),
            name: run.name.clone(),
            points: finite(points.map(|(n, group)| (n as f64, of(group)))),
            keep: Keep::Last,
            marks: true,
        }
    });
    let lines = lines.filter(|line| !line.points.is_empty()).collect();
    let longest = runs.iter().map(|run| &run.slowdown).max_by_key(|groups| groups.len())?;
    let sizes = longest.iter().map(|group| Quantity::Bytes.text(group.up_to_bytes as f64));
    Some(Chart { x: Axis::labels("message size, up to", sizes.collect()), y, lines })
}

/// The points that can be drawn.
fn finite(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    points.filter(|point| point.0.is_finite() && point.1.is_finite()).collect()
}
