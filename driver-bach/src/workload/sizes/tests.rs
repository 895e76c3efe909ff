use super::*;

/// Mean, and the share of all bytes in messages of at most 1,400, 40,000 and 1,000,000 bytes.
const PUBLISHED: [(f64, [f64; 3]); 5] = [
    (189.0, [0.75, 0.999, 1.0]),
    (442.0, [0.56, 0.77, 0.96]),
    (2_928.0, [0.08, 0.32, 0.74]),
    (127_797.0, [0.003, 0.012, 0.25]),
    (2_560_000.0, [0.0, 0.002, 0.033]),
];

#[test]
fn means_are_those_of_the_paper() {
    for (workload, (mean, _)) in HomaWorkload::ALL.into_iter().zip(PUBLISHED) {
        let ours = workload.mean_of(|size| size as f64);
        assert!((ours / mean - 1.0).abs() < 0.01, "{workload:?}: {ours} for {mean}");
    }
}

#[test]
fn large_messages_have_about_the_share_of_the_bytes_that_they_have_in_the_paper() {
    for (workload, (mean, shares)) in HomaWorkload::ALL.into_iter().zip(PUBLISHED) {
        for (bound, share) in [1_400, 40_000, 1_000_000].into_iter().zip(shares) {
            let ours =
                workload.mean_of(|size| if size <= bound { size as f64 } else { 0.0 }) / mean;
            assert!((ours - share).abs() < 0.16, "{workload:?} to {bound}: {ours} for {share}");
        }
    }
}

#[test]
fn percentiles_are_those_of_the_paper() {
    for (workload, sizes) in [
        (HomaWorkload::W1, [27, 203, 503, 1_876, 100_000]),
        (HomaWorkload::W3, [268, 469, 1_755, 31_013, 15_200_000]),
        (HomaWorkload::W5, [72_030, 1_470_000, 4_900_000, 27_400_000, 29_400_000]),
    ] {
        let ours = [0.5, 0.75, 0.9, 0.99, 1.0].map(|at| workload.quantile(at));
        assert_eq!(ours, sizes, "{workload:?}");
    }
}

#[test]
fn sizes_are_drawn_with_their_frequency() {
    let mut rng = Jitter::new(1);
    let draws = 100_000;
    for workload in HomaWorkload::ALL {
        let median = workload.quantile(0.5);
        let below = (0..draws).filter(|_| Sizes::Homa(workload).draw(&mut rng) < median).count();
        let share = below as f64 / f64::from(draws);
        assert!((share - 0.5).abs() < 0.02, "{workload:?}: {share} below the median");
    }
}

#[test]
fn sizes_read_back_as_they_are_written() {
    for text in ["16KiB", "1B", "500KB", "W1", "W5"] {
        let sizes: Sizes = text.parse().unwrap();
        assert_eq!(sizes.to_string(), text);
    }
    assert_eq!("w3".parse(), Ok(Sizes::Homa(HomaWorkload::W3)));
}

#[test]
fn unknown_sizes_are_refused_by_name() {
    for text in ["W6", "W", "16", "large", ""] {
        let error = text.parse::<Sizes>().unwrap_err();
        assert!(error.to_string().starts_with(&format!("{text:?} is neither")), "{error}");
    }
    assert!("0B".parse::<Sizes>().is_err());
    assert!("2GiB".parse::<Sizes>().is_err());
}
