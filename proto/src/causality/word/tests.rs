use super::*;

const PHASES: [Phase; 5] =
    [Phase::Free, Phase::Pending, Phase::Sent, Phase::Failed, Phase::FailedSent];

const ALL_HOLDERS: u64 = HOLDERS / HOLDER;

fn word(generation: u64, holders: u64, waiters: bool, phase: Phase) -> Word {
    let waiters = if waiters { WAITERS } else { 0 };
    Word((generation << GENERATION_SHIFT) + holders * HOLDER + waiters + phase as u64)
}

#[test]
fn parts_do_not_touch() {
    let full = word(LAST_GENERATION, ALL_HOLDERS, true, Phase::FailedSent);
    assert_eq!(full.0 | 0b011, u64::MAX);
    assert_eq!((full.generation(), full.phase()), (LAST_GENERATION, Phase::FailedSent));
    assert!(full.has_waiters() && full.is_held() && full.is_retired());
    assert_eq!(
        word(5, 0, false, Phase::Free).0 + Word::ALLOCATE,
        word(5, 1, false, Phase::Pending).0
    );
}

/// Every phase, held and not, with waiters and without, and every transition. [CAUS-7]
#[test]
fn every_transition() {
    use Phase::{Failed, FailedSent, Free, Pending, Sent};
    for (phase, holders, waiters) in PHASES
        .iter()
        .flat_map(|phase| (0..3).map(move |holders| (*phase, holders)))
        .flat_map(|(phase, holders)| [false, true].map(|waiters| (phase, holders, waiters)))
    {
        let at = word(7, holders, waiters, phase);
        let free = word(8, 0, false, Free);
        let moves = (at.sent(), at.completed(), at.failed());
        let fails_to = |failed| {
            if holders == 0 { free } else { word(7, holders, false, failed) }
        };
        let expected = match phase {
            Pending => (Some(word(7, holders, waiters, Sent)), Some(free), Some(fails_to(Failed))),
            Sent => (None, Some(free), Some(fails_to(FailedSent))),
            Free | Failed | FailedSent => (None, None, None),
        };
        assert_eq!(moves, expected, "{at:?}");
        let awaited = matches!(phase, Pending | Sent) && !waiters;
        assert_eq!(at.awaited(), awaited.then_some(word(7, holders, true, phase)), "{at:?}");
    }
}

/// A failure is kept as long as it is held. [CAUS-6]
#[test]
fn the_last_holder_frees_a_failure() {
    for phase in PHASES {
        let twice = word(7, 2, false, phase);
        assert_eq!(twice.released(), Some(word(7, 1, false, phase)));
        let freed = matches!(phase, Phase::Failed | Phase::FailedSent);
        let last = if freed { word(8, 0, false, Phase::Free) } else { word(7, 0, false, phase) };
        assert_eq!(word(7, 1, false, phase).released(), Some(last));
        assert_eq!(word(7, 0, false, phase).released(), None);
    }
}

#[test]
fn more_holders_than_can_be_counted_hold_for_good() {
    let nearly = word(7, ALL_HOLDERS - 1, false, Phase::Failed);
    let full = word(7, ALL_HOLDERS, false, Phase::Failed);
    assert_eq!(nearly.held(), Some(full));
    assert_eq!((full.held(), full.released()), (None, None));
    assert_eq!(nearly.released(), Some(word(7, ALL_HOLDERS - 2, false, Phase::Failed)));
}

#[test]
fn answers_to_dependencies() {
    use Answer::{Failed, Reached, Unresolved};
    let answers = PHASES.map(|phase| {
        let word = word(7, 1, false, phase);
        (word.answer(WaitPoint::RequestSent), word.answer(WaitPoint::ResponseReceived))
    });
    let expected = [
        (Reached, Reached),
        (Unresolved, Unresolved),
        (Reached, Unresolved),
        (Failed, Failed),
        (Reached, Failed),
    ];
    assert_eq!(answers, expected);
}
