//! The message sizes of the Homa paper (SIGCOMM 2018), W1 to W5.
//!
//! Each is known here by its percentiles and its mean. Between two percentiles the logarithm of the
//! size grows linearly. That alone puts too much or too little into the tail, so that above one of
//! the percentiles it grows with a power of the way between the two, chosen for the mean.

/// Where the percentiles are.
const PERCENTILES: [f64; 10] = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0];

/// Samples of a segment that make a mean.
const MEAN_SAMPLES: u32 = 2_000;

/// A workload of the Homa paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomaWorkload {
    /// Accesses to memcached, mean 189 bytes.
    W1,
    /// A search application, mean 442 bytes.
    W2,
    /// All applications of one datacenter, mean 2.9 kB.
    W3,
    /// Hadoop, mean 128 kB.
    W4,
    /// Web search, mean 2.56 MB.
    W5,
}

struct Table {
    /// Sizes at the percentiles.
    sizes: [f64; 10],
    /// The first percentile of the bent part.
    bent_from: usize,
    /// The power.
    bend: f64,
}

impl HomaWorkload {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::W1, Self::W2, Self::W3, Self::W4, Self::W5];

    /// The workload of this name, in either case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.name().eq_ignore_ascii_case(name))
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::W1 => "W1",
            Self::W2 => "W2",
            Self::W3 => "W3",
            Self::W4 => "W4",
            Self::W5 => "W5",
        }
    }

    /// The size that the share `at` of all messages does not exceed; from 0 to 1.
    pub fn quantile(self, at: f64) -> u64 {
        let Table { sizes, bent_from, bend } = self.table();
        let above = PERCENTILES.partition_point(|percentile| *percentile <= at);
        let low = above.saturating_sub(1).min(PERCENTILES.len() - 2);
        let (from, to) = (PERCENTILES[low], PERCENTILES[low + 1]);
        let way = ((at - from) / (to - from)).clamp(0.0, 1.0);
        let way = if low >= bent_from { way.powf(bend) } else { way };
        let size = sizes[low] * (sizes[low + 1] / sizes[low]).powf(way);
        (size.round() as u64).max(1)
    }

    /// The mean of what `f` makes of the sizes.
    pub fn mean_of(self, f: impl Fn(u64) -> f64) -> f64 {
        PERCENTILES
            .windows(2)
            .map(|ends| {
                let width = (ends[1] - ends[0]) / f64::from(MEAN_SAMPLES);
                let middle = |index| ends[0] + (f64::from(index) + 0.5) * width;
                let sum: f64 = (0..MEAN_SAMPLES).map(|index| f(self.quantile(middle(index)))).sum();
                sum * width
            })
            .sum()
    }

    const fn table(self) -> Table {
        let (sizes, bent_from, bend) = match self {
            Self::W1 => {
                ([8.0, 8.0, 8.0, 27.0, 203.0, 503.0, 804.0, 1_876.0, 4_924.0, 1e5], 6, 3.029)
            }
            Self::W2 => {
                ([8.0, 8.0, 43.0, 269.0, 394.0, 512.0, 931.0, 3_151.0, 21_845.0, 3.5e6], 7, 9.425)
            }
            Self::W3 => (
                [36.0, 36.0, 85.0, 268.0, 469.0, 1_755.0, 5_521.0, 31_013.0, 3.56e5, 1.52e7],
                6,
                3.991,
            ),
            Self::W4 => {
                ([315.0, 315.0, 463.0, 662.0, 42_493.0, 1.2e5, 2.73e5, 3.43e6, 1e7, 1e7], 6, 1.329)
            }
            Self::W5 => (
                [
                    5_720.0, 5_720.0, 23_520.0, 72_030.0, 1.47e6, 4.9e6, 1.96e7, 2.74e7, 2.94e7,
                    2.94e7,
                ],
                4,
                0.5004,
            ),
        };
        Table { sizes, bent_from, bend }
    }
}
