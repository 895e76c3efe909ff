//! Colours that the page's style sheet decides, so that plots follow it into the dark.
//!
//! The drawing library writes fixed colours. Each that is used here stands for a class, and is
//! replaced by it afterwards.

use plotters::style::RGBColor;

/// Number of colours for runs; after that they repeat.
const RUN_COLOURS: usize = 6;

/// What something is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Text and axes.
    Text,
    /// Grid lines.
    Grid,
    /// What no run can beat, dashed.
    Ideal,
    /// A run, by its index.
    Run(usize),
    /// A run, by its index, dashed.
    RunDashed(usize),
}

impl Ink {
    /// The name of the style sheet's class.
    pub(super) fn class(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Ideal => "ideal dashed".to_owned(),
            Self::Run(run) => format!("run{}", run % RUN_COLOURS),
            Self::RunDashed(run) => format!("run{} dashed", run % RUN_COLOURS),
        }
    }

    /// The colour that stands for it in a drawing.
    pub(super) fn stand_in(self) -> RGBColor {
        match self {
            Self::Text => RGBColor(1, 0, 0),
            Self::Grid => RGBColor(2, 0, 0),
            Self::Ideal => RGBColor(3, 0, 0),
            Self::Run(run) => RGBColor(4, (run % RUN_COLOURS) as u8, 0),
            Self::RunDashed(run) => RGBColor(5, (run % RUN_COLOURS) as u8, 0),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        let runs = (0..RUN_COLOURS).flat_map(|run| [Self::Run(run), Self::RunDashed(run)]);
        [Self::Text, Self::Grid, Self::Ideal].into_iter().chain(runs)
    }
}

/// Puts classes in the place of colours.
pub(super) fn classes(mut svg: String) -> String {
    for ink in Ink::all() {
        let RGBColor(r, g, b) = ink.stand_in();
        for part in ["fill", "stroke"] {
            let colour = format!("{part}=\"#{r:02X}{g:02X}{b:02X}\"");
            svg = svg.replace(&colour, &format!("class=\"{part} {}\"", ink.class()));
        }
    }
    svg
}
