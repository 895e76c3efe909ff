//! One HTML page about a run, or about several side by side.
//!
//! The page needs nothing else: plots are SVG inside it, it follows the reader's light or dark
//! preference, and it opens from a file. Long series are thinned to what the eye can see: per
//! column of pixels, the mean of rates, and both extremes of a queue.

mod axis;
mod chart;
mod colour;
mod figures;
mod page;
mod thin;

#[cfg(test)]
mod tests;

/// What a page is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportData {
    /// The page's title.
    pub title: String,
    /// What all runs have in common, as names and values.
    pub parameters: Vec<(String, String)>,
    /// The runs, in the order of their colours.
    pub runs: Vec<RunData>,
}

/// One run. All times are seconds from the start of the workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunData {
    /// What the run is called in legends: its transport, usually.
    pub name: String,
    /// Results as names and values. Runs share a table row where the names are equal.
    pub summary: Vec<(String, String)>,
    /// Bytes in the queue of the hot port, by time.
    pub queue: Vec<(f64, f64)>,
    /// Share of the hot port's rate that was used, by time; 1 is all of it.
    pub utilisation: Vec<(f64, f64)>,
    /// Payload delivered for the first time in bits per second, by time.
    pub goodput: Vec<(f64, f64)>,
    /// When each transfer was complete.
    pub completions: Vec<f64>,
    /// When each transfer would be complete if the hot port's rate were the only limit.
    pub ideal: Vec<f64>,
    /// Slowdown by message size, ascending.
    pub slowdown: Vec<SlowdownGroup>,
}

/// How much longer messages of similar size took than alone in an empty network.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SlowdownGroup {
    /// The largest message of the group.
    pub up_to_bytes: u64,
    /// The median slowdown.
    pub p50: f64,
    /// The slowdown that 1 in 100 exceeds.
    pub p99: f64,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A plot could not be drawn.
    #[error("cannot draw \"{plot}\": {cause}")]
    Draw {
        /// The plot's title.
        plot: &'static str,
        /// What the drawing library says.
        cause: String,
    },
}

/// The page as one HTML document.
///
/// # Errors
/// A plot could not be drawn. Missing data is no error: the page says so in its place.
pub fn html(data: &ReportData) -> Result<String, ReportError> {
    let mut plots = Vec::new();
    for figure in figures::all(&data.runs) {
        let svg =
            figure.chart.as_ref().map(|chart| chart::draw(figure.title, chart)).transpose()?;
        plots.push((figure, svg));
    }
    Ok(page::page(data, &plots))
}
