use super::*;

fn config() -> Config {
    Config::datacenter()
}

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(100);

const INPUTS: [Input; 10] = [
    Input::Heard,
    Input::Answered,
    Input::Delivered,
    Input::GaveUp,
    Input::Timeout { quiet: SHORT },
    Input::Timeout { quiet: LONG },
    Input::ProbeUnanswered { quiet: SHORT },
    Input::ProbeUnanswered { quiet: LONG },
    Input::Unreachable { heard: true },
    Input::Unreachable { heard: false },
];

fn is_good(input: Input) -> bool {
    matches!(input, Input::Heard | Input::Answered | Input::Delivered)
}

/// A machine that was told all of `inputs`, in turn.
fn after(inputs: &[(usize, Input)]) -> Health {
    let mut health = Health::default();
    for &(times, input) in inputs {
        for _ in 0..times {
            health.handle(&config(), input);
        }
    }
    health
}

/// Machines in every state, on both sides of every threshold.
fn situations() -> Vec<(&'static str, Health)> {
    let timeout = Input::Timeout { quiet: SHORT };
    let silent = (6, Input::Timeout { quiet: LONG });
    let lost = Input::ProbeUnanswered { quiet: LONG };
    let suspect = (1, Input::Unreachable { heard: true });
    vec![
        ("healthy, new", Health::default()),
        ("healthy, one short of too many timeouts", after(&[(2, timeout)])),
        ("healthy, one short of too many failures", after(&[(2, Input::GaveUp)])),
        ("degraded, by timeouts", after(&[(3, timeout)])),
        ("degraded, by failures", after(&[(3, Input::GaveUp)])),
        ("degraded, heard again", after(&[(3, timeout), (1, Input::Heard)])),
        ("degraded, one short of well", after(&[(3, Input::GaveUp), (8, Input::Delivered)])),
        ("degraded, one short of silent", after(&[(5, timeout)])),
        ("degraded, one short of deaf", after(&[(17, Input::GaveUp)])),
        ("probing, by timeouts", after(&[silent])),
        ("probing, one short of failed", after(&[silent, (2, lost)])),
        ("probing, one short of well", after(&[silent, (2, Input::Heard)])),
        ("probing, suspected", after(&[suspect])),
        ("probing, deaf", after(&[(18, Input::GaveUp)])),
        ("probing, deaf, one short of well", after(&[(18, Input::GaveUp), (2, Input::Answered)])),
        ("failed, by silence", after(&[silent, (3, lost)])),
        ("failed, by report", after(&[suspect, (1, lost)])),
        ("failed, deaf", after(&[(18, Input::GaveUp), (3, lost)])),
    ]
}

/// [HLTH-1] Every state, every input, on both sides of every threshold.
#[test]
fn the_whole_table_of_transitions() {
    let mut table = String::new();
    for (name, health) in situations() {
        assert!(name.starts_with(health.state().name()), "{name}: {health:?}");
        table.push_str(&format!("{name}\n"));
        for input in INPUTS {
            let becomes = match health.clone().handle(&config(), input) {
                Some(Transition { to, cause, .. }) => format!("{to}: {cause:?}"),
                None => "-".into(),
            };
            table.push_str(&format!("    {:<38} {becomes}\n", format!("{input:?}")));
        }
    }
    insta::assert_snapshot!(table);
}

/// [HLTH-1] Good news never makes a peer worse, bad news never makes it better, and every change
/// has a cause of the right kind.
#[test]
fn a_state_moves_the_way_of_its_cause() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
        let mut health = Health::default();
        for byte in bytes {
            let input = INPUTS[usize::from(*byte) % INPUTS.len()];
            let before = health.clone();
            let transition = health.handle(&config(), input);
            assert_eq!(transition.is_some(), before.state != health.state);
            let Some(Transition { from, to, cause }) = transition else { continue };
            assert_eq!((from, to), (before.state, health.state));
            assert_eq!(to < from, is_good(input), "{before:?} {input:?}");
            let good = matches!(cause, HealthCause::Heard | HealthCause::Successes);
            assert_eq!(good, is_good(input), "{before:?} {input:?} {cause:?}");
        }
    });
}

/// [HLTH-1] Whatever happened, a peer that answers and does its part is healthy again.
#[test]
fn any_peer_recovers() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
        let mut health = Health::default();
        for byte in bytes {
            health.handle(&config(), INPUTS[usize::from(*byte) % INPUTS.len()]);
        }
        let mut states = vec![health.state];
        for _ in 0..40 {
            for input in [Input::Heard, Input::Answered, Input::Delivered] {
                if let Some(transition) = health.handle(&config(), input) {
                    states.push(transition.to);
                }
            }
        }
        assert_eq!(health.state, HealthState::Healthy);
        // never straight from failed
        if states[0] == HealthState::Failed {
            assert_eq!(states[1], HealthState::Probing);
        }
        assert_eq!((health.timeouts, health.unanswered, health.failures), (0, 0, 0));
    });
}

#[test]
fn the_failure_share_moves_by_its_gain_and_comes_down_to_nothing() {
    let mut health = Health::default();
    let mut shares = Vec::new();
    for _ in 0..4 {
        health.handle(&config(), Input::GaveUp);
        shares.push(health.failure_permille());
    }
    assert_eq!(shares, [125, 234, 330, 413]);
    for _ in 0..1_000 {
        health.handle(&config(), Input::GaveUp);
    }
    assert_eq!(health.failure_permille(), 999);
    for _ in 0..100 {
        health.handle(&config(), Input::Delivered);
    }
    assert_eq!(health.failure_permille(), 0);
}

/// [HLTH-6] What anybody may have written is not believed of a peer that was just heard.
#[test]
fn a_report_fails_only_who_owes_an_answer() {
    let unreachable = Input::Unreachable { heard: false };
    let to = |mut health: Health| health.handle(&config(), unreachable).map(|t| t.to);
    let timeout = (1, Input::Timeout { quiet: SHORT });
    assert_eq!(to(Health::default()), Some(HealthState::Probing));
    assert_eq!(to(after(&[timeout])), Some(HealthState::Failed));
    assert_eq!(to(after(&[timeout, (1, Input::Heard)])), Some(HealthState::Probing));
}
