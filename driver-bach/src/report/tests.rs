use super::*;

/// A run of `seconds` with every kind of data.
fn run(name: &str, seconds: f64) -> RunData {
    let at = |n: i32| f64::from(n) / 5_000.0 * seconds;
    let series = |of: fn(f64) -> f64| (0..=5_000).map(|n| (at(n), of(at(n) / seconds))).collect();
    RunData {
        name: name.to_owned(),
        summary: vec![
            ("useful share".to_owned(), "0.97".to_owned()),
            (format!("only of {name}"), "1".to_owned()),
        ],
        queue: series(|t| 2e5 * (1.0 - t) * (40.0 * t).sin().abs()),
        utilisation: series(|t| if t < 0.9 { 0.98 } else { 0.3 }),
        goodput: series(|t| if t < 0.9 { 95e9 } else { 3e10 }),
        completions: (1..=1_000).map(|n| f64::from(n) / 1e3 * seconds).collect(),
        ideal: (1..=1_000).map(|n| f64::from(n) / 1e3 * 0.013).collect(),
        slowdown: (0..10)
            .map(|n| SlowdownGroup {
                up_to_bytes: 100 << n,
                p50: 1.2 + f64::from(n) * seconds,
                p99: 3.0 + f64::from(n * n) * seconds * 10.0,
            })
            .collect(),
    }
}

fn data(runs: Vec<RunData>) -> ReportData {
    let parameters = vec![("senders".to_owned(), "500".to_owned())];
    ReportData { title: "Incast".to_owned(), parameters, runs }
}

fn count(page: &str, what: &str) -> usize {
    page.matches(what).count()
}

/// Every element that is opened is closed, in order.
fn assert_well_formed(page: &str) {
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = tag.trim_end_matches('/').split([' ', '\n']).next().unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn a_page_has_every_plot_and_needs_nothing_else() {
    let page = html(&data(vec![run("dcquic", 0.014), run("quinn-cubic", 0.07)])).unwrap();
    assert_well_formed(&page);
    let plots = [
        "Completed transfers",
        "Goodput",
        "Queue at the hot port",
        "Use of the hot link",
        "Median slowdown by message size",
        "99th percentile of slowdown by message size",
    ];
    for plot in plots {
        assert_eq!(count(&page, &format!("<h2>{plot}</h2>")), 1, "{plot}");
        assert_eq!(count(&page, &format!("role=\"img\" aria-label=\"{plot}: ")), 1, "{plot}");
    }
    assert!(!page.contains("No data."));
    for outside in ["src=", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // one for each run in each plot, and one ideal
    assert_eq!(count(&page, "<polyline"), 6 * 2 + 1 + axes(&page));
    assert!(page.len() < 400_000, "{}", page.len());
}

/// Axes are polylines of text colour.
fn axes(page: &str) -> usize {
    page.lines().filter(|l| l.starts_with("<polyline") && l.contains("stroke text")).count()
}

#[test]
fn colours_are_left_to_the_style_sheet() {
    let runs = (0..8).map(|n| run(&format!("run {n}"), 0.01)).collect();
    let page = html(&data(runs)).unwrap();
    let plots = page.split_once("</style>").unwrap().1;
    assert!(!plots.contains("=\"#"));
    for class in ["stroke run0", "stroke run5", "stroke ideal dashed", "fill text", "stroke grid"] {
        assert!(plots.contains(class), "{class}");
    }
}

#[test]
fn missing_data_is_said_and_not_drawn() {
    let empty = html(&ReportData::default()).unwrap();
    assert_well_formed(&empty);
    assert_eq!(count(&empty, "No data."), 7);
    let unnamed = html(&data(vec![RunData::default()])).unwrap();
    assert_eq!(count(&unnamed, "No data."), 7);
    let half = html(&data(vec![run("a", 1.0), RunData::default()])).unwrap();
    assert_eq!(count(&half, "No data."), 0);
    assert_eq!(count(&half, "<td>–</td>"), 2);
}

#[test]
fn names_are_text_and_not_markup() {
    let mut hostile = run("<img src=x onerror=alert(1)>\"'&", 0.01);
    hostile.summary[0].0 = "</table><script>".to_owned();
    let mut data = data(vec![hostile]);
    data.title = "</title><b>".to_owned();
    data.parameters[0].1 = "<i>".to_owned();
    let page = html(&data).unwrap();
    assert_well_formed(&page);
    for markup in ["<img", "<script", "<b>", "<i>"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"));
}

#[test]
fn odd_numbers_do_no_harm() {
    let mut odd = run("odd", 0.01);
    odd.queue = vec![(0.0, 0.0), (f64::NAN, 1.0), (0.5, f64::INFINITY), (1.0, 0.0)];
    odd.completions = vec![f64::NAN, 0.0];
    odd.ideal = vec![0.0];
    odd.goodput = vec![(0.0, 0.0)];
    odd.slowdown = vec![SlowdownGroup { up_to_bytes: 0, p50: 0.0, p99: f64::NAN }];
    let page = html(&data(vec![odd])).unwrap();
    assert_well_formed(&page);
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn runs_of_different_length_share_a_logarithmic_time_axis() {
    let close = html(&data(vec![run("a", 0.01), run("b", 0.08)])).unwrap();
    assert!(!close.contains("time (log scale)"));
    let far = html(&data(vec![run("a", 0.01), run("b", 0.081)])).unwrap();
    assert!(far.contains("time (log scale)"));
}
