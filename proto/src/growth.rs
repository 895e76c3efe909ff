//! How tables grow that may hold a million entries.

/// Appends to a table of `limit` entries at most.
///
/// A vector that doubles has room for up to as many entries again as it holds. A long one grows by
/// a quarter instead; the allocator moves it by its pages, not by its bytes.
pub(crate) fn push<T>(table: &mut Vec<T>, value: T, limit: usize) {
    let len = table.len();
    if len == table.capacity() && len >= LONG {
        table.reserve_exact((len / 4).min(limit.saturating_sub(len)).max(1));
    }
    table.push(value);
}

/// Entries from which a table counts as long.
const LONG: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_wastes_a_quarter_at_most_and_never_passes_its_limit() {
        let limit = 10_000;
        let (mut table, mut grown) = (Vec::new(), 0);
        for value in 0..limit {
            let before = table.capacity();
            push(&mut table, value, limit);
            let room = table.capacity();
            grown += usize::from(room > before);
            assert_eq!(table[value], value);
            assert!(room <= limit, "{room}");
            assert!(value < LONG || room <= value + value / 4 + 1, "{room} at {value}");
        }
        assert!(grown < 32, "{grown}");
        push(&mut table, 0, limit);
        assert_eq!(table.len(), limit + 1, "the limit is the caller's to keep");
    }
}
