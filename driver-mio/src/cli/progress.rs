//! Progress bars on a terminal.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for `total` bytes with rate and time left, if stderr is a terminal; otherwise invisible.
pub(crate) fn bytes(label: &str, total: u64) -> ProgressBar {
    bar(
        label,
        total,
        "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} ETA {eta}",
    )
}

/// A bar for `total` calls, likewise.
pub(crate) fn calls(label: &str, total: u64) -> ProgressBar {
    bar(label, total, "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} ETA {eta}")
}

/// A sign of life for work whose progress cannot be seen.
pub(crate) fn waiting(label: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(label.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// A count without a known end, likewise.
pub(crate) fn counting(label: &str) -> ProgressBar {
    let spinner = waiting(label);
    let style = ProgressStyle::with_template(COUNTING);
    spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    spinner
}

const COUNTING: &str = "{spinner} {msg} {human_pos} {per_sec}";

fn bar(label: &str, total: u64, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_message(label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [
            "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} ETA {eta}",
            "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} ETA {eta}",
            COUNTING,
        ] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
