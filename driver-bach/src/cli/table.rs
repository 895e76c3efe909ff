//! Tables of figures.

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

/// One figure or label.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    alignment: CellAlignment,
}

impl Cell {
    /// A label.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), alignment: CellAlignment::Left }
    }

    /// A figure with this many digits behind the point.
    pub(crate) fn number(value: f64, digits: usize) -> Self {
        Self { text: grouped(&format!("{value:.digits$}")), alignment: CellAlignment::Right }
    }

    /// As plain text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Nothing measured.
    pub(crate) fn none() -> Self {
        Self { text: "-".to_owned(), alignment: CellAlignment::Right }
    }
}

/// A table with a row of titles.
pub(crate) fn of(titles: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(titles.iter().copied());
    for row in rows {
        table.add_row(
            row.into_iter()
                .map(|cell| comfy_table::Cell::new(cell.text).set_alignment(cell.alignment)),
        );
    }
    table.to_string()
}

/// `number` with a comma before every three digits of its whole part.
fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index < whole && (whole - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (plain, text) in
            [("0", "0"), ("999", "999"), ("1000", "1,000"), ("-1234567.125", "-1,234,567.125")]
        {
            assert_eq!(grouped(plain), text);
        }
    }
}
