//! As many points of a series as there is room to see.

/// How a column with many points is represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// By its mean: for rates.
    Mean,
    /// By its lowest and its highest point: for levels, whose peaks matter.
    Extremes,
    /// By its last point: for series that only rise.
    Last,
}

impl Keep {
    /// Columns that a plot is looked at in. Rates are noise in narrow ones.
    fn columns(self) -> f64 {
        match self {
            Self::Mean => 150.0,
            Self::Extremes => 300.0,
            Self::Last => 600.0,
        }
    }
}

/// Thins places from 0 to 1 that ascend in their first coordinate.
pub(super) fn thin(points: &[(f64, f64)], keep: Keep) -> Vec<(f64, f64)> {
    let column = |point: &(f64, f64)| (point.0 * keep.columns()) as i64;
    let mut kept = Vec::new();
    for points in points.chunk_by(|a, b| column(a) == column(b)) {
        match keep {
            Keep::Mean => {
                let sum = points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
                let count = points.len() as f64;
                kept.push((sum.0 / count, sum.1 / count));
            }
            Keep::Extremes => {
                let order = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
                let ends = points.iter().min_by(order).zip(points.iter().max_by(order));
                let Some((low, high)) = ends else { continue };
                let (first, second) = if low.0 <= high.0 { (low, high) } else { (high, low) };
                kept.push(*first);
                kept.extend((first != second).then_some(*second));
            }
            Keep::Last => kept.extend(points.last()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100,000 points with one peak and one dip.
    fn series() -> Vec<(f64, f64)> {
        let level = |n| match n {
            33_333 => 1.0,
            66_666 => 0.0,
            _ => 0.5,
        };
        (0..100_000).map(|n| (f64::from(n) / 1e5, level(n))).collect()
    }

    #[test]
    fn extremes_survive() {
        let kept = thin(&series(), Keep::Extremes);
        assert!(kept.len() <= 602, "{}", kept.len());
        assert!(kept.contains(&(0.333_33, 1.0)) && kept.contains(&(0.666_66, 0.0)));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn means_and_ends_are_one_point_a_column() {
        assert_eq!(thin(&series(), Keep::Mean).len(), 150);
        assert_eq!(thin(&series(), Keep::Last).len(), 600);
        assert_eq!(
            thin(&[(0.0, 0.2), (0.001, 0.4)], Keep::Mean),
            [(0.0005, 0.300_000_000_000_000_04)]
        );
        assert_eq!(thin(&[(0.0, 0.2), (0.001, 0.4)], Keep::Last), [(0.001, 0.4)]);
        assert_eq!(thin(&[], Keep::Mean), []);
    }
}
