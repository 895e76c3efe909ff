//! Where values lie on an axis, and what is written along it.

/// What an axis measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    Seconds,
    Bytes,
    BitsPerSec,
    /// A part of a whole, written in percent.
    Share,
    /// A factor.
    Factor,
}

impl Quantity {
    /// Units by size, the smallest first.
    fn units(self) -> &'static [(f64, &'static str)] {
        match self {
            Self::Seconds => &[(1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s")],
            Self::Bytes => &[(1.0, "B"), (1e3, "KB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB")],
            Self::BitsPerSec => {
                &[(1.0, "bit/s"), (1e3, "kbit/s"), (1e6, "Mbit/s"), (1e9, "Gbit/s")]
            }
            Self::Share => &[(0.01, "%")],
            Self::Factor => &[(1.0, "×")],
        }
    }

    /// The largest unit of which `value` has at least one.
    fn unit(self, value: f64) -> (f64, &'static str) {
        let units = self.units();
        // a tick that should be one unit may be a rounding error short of it
        let fits = |unit: &&(f64, &str)| unit.0 <= value.abs() * (1.0 + 1e-9);
        units.iter().rev().find(fits).or(units.first()).copied().unwrap_or((1.0, ""))
    }

    /// `value` in its own unit, to two digits or more.
    pub(super) fn text(self, value: f64) -> String {
        if self == Self::Bytes && value > 0.0 && value % 1024.0 == 0.0 && value < 1024.0 * 1024.0 {
            return format!("{} KiB", value / 1024.0);
        }
        let (scale, unit) = self.unit(value);
        format!("{} {unit}", number(value / scale, 2))
    }
}

/// `digits` significant digits and all before the point, without zeros at the end.
fn number(value: f64, digits: i32) -> String {
    let leading = value.abs().max(1e-9).log10().floor() as i32 + 1;
    let decimals = (digits - leading).clamp(0, 9) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// An axis. Places run from 0 to 1.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// What is measured, with the unit where all labels share one.
    pub(super) name: String,
    /// Places and what is written there.
    pub(super) ticks: Vec<(f64, String)>,
    scale: Scale,
}

#[derive(Clone, Copy, Debug)]
enum Scale {
    Linear { min: f64, max: f64 },
    Log { min: f64, max: f64 },
}

impl Axis {
    /// From 0 to `max`, which is rounded up to a tick if `round`.
    pub(super) fn linear(name: &str, quantity: Quantity, max: f64, round: bool) -> Self {
        let max = if max > 0.0 { max } else { 1.0 };
        let step = step(max);
        let max = if round { (max / step - 1e-9).ceil() * step } else { max };
        let (unit, unit_name) = quantity.unit(max);
        let scale = Scale::Linear { min: 0.0, max };
        let count = (max / step + 1e-9).floor() as usize;
        let ticks = (0..=count)
            .map(|n| n as f64 * step)
            .map(|value| (place(scale, value), number(value / unit, 4)))
            .collect();
        Self { name: format!("{name} ({unit_name})"), ticks, scale }
    }

    /// From `min` to `max` in powers of ten; both must be positive.
    pub(super) fn log(name: &str, quantity: Quantity, min: f64, max: f64) -> Self {
        let max = max.max(min * 10.0);
        let scale = Scale::Log { min, max };
        let decades = min.log10().ceil() as i32..=max.log10().floor() as i32;
        let every = decades.clone().count().div_ceil(8).max(1);
        let ticks = decades
            .step_by(every)
            .map(|decade| 10_f64.powi(decade))
            .map(|value| (place(scale, value), quantity.text(value)))
            .collect();
        Self { name: format!("{name} (log scale)"), ticks, scale }
    }

    /// One place for each label, evenly spaced.
    pub(super) fn labels(name: &str, labels: Vec<String>) -> Self {
        let scale = Scale::Linear { min: -0.5, max: labels.len() as f64 - 0.5 };
        let ticks =
            labels.into_iter().enumerate().map(|(n, label)| (place(scale, n as f64), label));
        Self { name: name.to_owned(), ticks: ticks.collect(), scale }
    }

    /// Where a value lies. Values beyond an end lie at it.
    pub(super) fn place(&self, value: f64) -> f64 {
        place(self.scale, value)
    }

    /// What is written at a place that [`ticks`](Self::ticks) has.
    pub(super) fn label(&self, place: f64) -> String {
        let at = |tick: &&(f64, String)| (tick.0 - place).abs() < 1e-9;
        self.ticks.iter().find(at).map(|tick| tick.1.clone()).unwrap_or_default()
    }
}

fn place(scale: Scale, value: f64) -> f64 {
    let (value, min, max) = match scale {
        Scale::Linear { min, max } => (value, min, max),
        Scale::Log { min, max } => (value.max(min).log10(), min.log10(), max.log10()),
    };
    ((value - min) / (max - min)).clamp(0.0, 1.0)
}

/// A round distance between ticks, four to ten of which make up `max`.
fn step(max: f64) -> f64 {
    let power = 10_f64.powf((max / 4.0).log10().floor());
    let fits = |factor: &&f64| **factor * power <= max / 4.0 * (1.0 + 1e-9);
    [5.0, 2.0, 1.0].iter().find(fits).map_or(power, |factor| factor * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round_and_share_a_unit() {
        let axis = Axis::linear("queue", Quantity::Bytes, 437_000.0, true);
        assert_eq!(axis.name, "queue (KB)");
        assert_eq!(texts(&axis), ["0", "100", "200", "300", "400", "500"]);
        assert_eq!(axis.place(250_000.0), 0.5);
        let axis = Axis::linear("time", Quantity::Seconds, 0.0135, false);
        assert_eq!((axis.name.as_str(), texts(&axis).len()), ("time (ms)", 7));
        assert_eq!(axis.place(0.0135), 1.0);
        let axis = Axis::linear("used", Quantity::Share, 1.0, true);
        assert_eq!(texts(&axis), ["0", "20", "40", "60", "80", "100"]);
    }

    #[test]
    fn log_ticks_carry_their_own_units() {
        let axis = Axis::log("time", Quantity::Seconds, 5e-6, 0.8);
        assert_eq!(texts(&axis), ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms"]);
        assert_eq!((axis.place(0.0), axis.place(0.8), axis.place(9.0)), (0.0, 1.0, 1.0));
        for (place, text) in &axis.ticks {
            assert_eq!(axis.label(*place), *text);
        }
    }

    #[test]
    fn degenerate_ranges_have_an_axis() {
        assert_eq!(texts(&Axis::linear("x", Quantity::Seconds, 0.0, true)).len(), 6);
        assert!(!Axis::log("x", Quantity::Factor, 1.0, 1.0).ticks.is_empty());
        assert!(Axis::labels("x", vec![]).ticks.is_empty());
    }

    #[test]
    fn numbers_are_short() {
        for (value, digits, text) in [
            (0.0, 4, "0"),
            (1.0, 4, "1"),
            (12.5, 4, "12.5"),
            (1_234.5, 4, "1234"),
            (0.05, 2, "0.05"),
        ] {
            assert_eq!(number(value, digits), text);
        }
        for (bytes, text) in [(16_384.0, "16 KiB"), (5_320.0, "5.3 KB"), (127_300.0, "127 KB")] {
            assert_eq!(Quantity::Bytes.text(bytes), text);
        }
    }
}
