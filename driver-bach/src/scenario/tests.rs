use super::*;
use crate::workload::{HomaWorkload, Incast, Sizes};

fn incast(senders: u32) -> Scenario {
    let network = NetworkSpec {
        topology: crate::net::Topology::Star { hosts: senders + 1, nics_per_host: 1 },
        ..NetworkSpec::default()
    };
    let message = Sizes::Homa(HomaWorkload::W3);
    Scenario::new("incast", network, Workload::Incast(Incast { senders, transfers: 30, message }))
}

#[test]
fn a_scenario_reads_back_as_it_was_written() {
    let scenario = incast(3);
    let text = scenario.to_toml().unwrap();
    assert_eq!(text.parse::<Scenario>().unwrap(), scenario, "{text}");
}

#[test]
fn unknown_fields_are_refused() {
    let text = incast(3).to_toml().unwrap();
    for (found, bad) in
        [("seed = 1", "seed = 1\nsed = 1"), ("senders = 3", "senders = 3\nspeed = 4")]
    {
        assert!(text.contains(found), "{text}");
        let error = text.replace(found, bad).parse::<Scenario>().unwrap_err();
        assert!(error.to_string().contains("unknown field"), "{error}");
    }
}

#[test]
fn what_cannot_be_is_named() {
    let mut scenario = incast(3);
    scenario.network.rate_bits_per_sec = 0;
    let error = scenario.validate().unwrap_err();
    assert!(error.to_string().contains("rate_bits_per_sec is 0"), "{error}");
    let mut scenario = incast(3);
    scenario.network.topology = crate::net::Topology::Star { hosts: 3, nics_per_host: 1 };
    let error = scenario.validate().unwrap_err();
    assert_eq!(error.to_string(), "this workload needs 4 hosts, but the network has 3");
    let mut scenario = incast(3);
    scenario.seed = u64::MAX;
    assert!(scenario.validate().is_err());
}
