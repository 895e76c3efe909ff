use super::*;
use crate::net::{Direction, Reordering};

fn leaf_spine(leaves: u32, spines: u32) -> NetworkSpec {
    let topology = Topology::LeafSpine {
        leaves,
        hosts_per_leaf: 4,
        spines,
        nics_per_host: 2,
        uplink_rate_bits_per_sec: 100_000_000_000,
    };
    NetworkSpec { topology, ..NetworkSpec::default() }
}

fn star(hosts: u32, nics_per_host: u32) -> NetworkSpec {
    let topology = Topology::Star { hosts, nics_per_host };
    NetworkSpec { topology, ..NetworkSpec::default() }
}

/// The default with one change.
fn changed(change: impl FnOnce(&mut NetworkSpec)) -> NetworkSpec {
    let mut spec = NetworkSpec::default();
    change(&mut spec);
    spec
}

fn faulty(base: NetworkSpec, fault: Fault) -> NetworkSpec {
    NetworkSpec { faults: vec![fault], ..base }
}

fn down(cable: Cable) -> Fault {
    Fault::Down { at_ns: 0, for_ns: None, cable }
}

fn partition_of(left: &[u32], right: &[u32]) -> Fault {
    Fault::Partition { at_ns: 0, for_ns: None, left: left.into(), right: right.into() }
}

#[track_caller]
fn refused(spec: &NetworkSpec, message: &str) {
    let error = spec.validate().map_err(|error| error.to_string());
    assert_eq!(error, Err(message.to_owned()));
}

#[test]
fn usual_networks_are_valid() {
    assert_eq!(NetworkSpec::default().validate(), Ok(()));
    assert_eq!(star(262_144, 1).validate(), Ok(()));
    assert_eq!(leaf_spine(4, 2).validate(), Ok(()));
}

#[test]
fn topologies_have_parts_and_bounds() {
    refused(&star(0, 1), "topology.star.hosts is 0, but must be from 1 to 262144");
    refused(&star(1, 0), "topology.star.nics_per_host is 0, but must be from 1 to 16");
    refused(&star(1, 17), "topology.star.nics_per_host is 17, but must be from 1 to 16");
    let product = "topology.star.hosts x nics_per_host is 262146, but must be from 1 to 262144";
    refused(&star(131_073, 2), product);
    let field = "topology.leaf_spine.";
    refused(&leaf_spine(0, 1), &format!("{field}leaves is 0, but must be from 1 to 4096"));
    refused(&leaf_spine(1, 0), &format!("{field}spines is 0, but must be from 1 to 4096"));
    let name = "leaves x spines x nics_per_host is 8388608, but must be from 1 to 262144";
    refused(&leaf_spine(2_048, 2_048), &format!("{field}{name}"));
    let mut spec = leaf_spine(1, 1);
    if let Topology::LeafSpine { uplink_rate_bits_per_sec, .. } = &mut spec.topology {
        *uplink_rate_bits_per_sec = 0;
    }
    let name = "uplink_rate_bits_per_sec is 0, but must be from 1000000 to 8000000000000";
    refused(&spec, &format!("{field}{name}"));
}

#[test]
fn numbers_are_in_range() {
    let slow = changed(|spec| spec.rate_bits_per_sec = 0);
    refused(&slow, "rate_bits_per_sec is 0, but must be from 1000000 to 8000000000000");
    let far = changed(|spec| spec.delay_ns = 10_000_000_001);
    refused(&far, "delay_ns is 10000000001, but must be from 0 to 10000000000");
    let far = changed(|spec| spec.host_delay_ns = 10_000_000_001);
    refused(&far, "host_delay_ns is 10000000001, but must be from 0 to 10000000000");
    let small = changed(|spec| spec.mtu_bytes = 1_227);
    refused(&small, "mtu_bytes is 1227, but must be from 1228 to 65535");
    assert_eq!(changed(|spec| spec.mtu_bytes = 1_228).validate(), Ok(()));
    let none = changed(|spec| spec.buffer = Buffer::PerPort { bytes: 0 });
    refused(&none, "buffer.per_port.bytes is 0, but must be from 1 to 1099511627776");
    let none = changed(|spec| spec.buffer = Buffer::Shared { bytes: 0, alpha: 1.0 });
    refused(&none, "buffer.shared.bytes is 0, but must be from 1 to 1099511627776");
    let odd = changed(|spec| spec.buffer = Buffer::Shared { bytes: 1, alpha: 0.0 });
    refused(&odd, "buffer.shared.alpha is 0, but must be from 0.0009765625 to 1024");
    let slow = changed(|spec| spec.detection_ns = u64::MAX);
    let message = "detection_ns is 18446744073709551615, but must be from 0 to 8640000000000000";
    refused(&slow, message);
}

#[test]
fn probabilities_are_probabilities() {
    let burst =
        GilbertElliott { good_to_bad: 2.0, bad_to_good: 0.0, loss_good: 0.0, loss_bad: 1.0 };
    let held = Reordering { probability: -1.0, extra_delay_ns: 0 };
    let late = Reordering { probability: 1.0, extra_delay_ns: u64::MAX };
    let none = RandomFaults::default;
    for (random, message) in [
        (RandomFaults { loss: 1.01, ..none() }, "loss is 1.01, but must be from 0 to 1"),
        (RandomFaults { loss: f64::NAN, ..none() }, "loss is NaN, but must be from 0 to 1"),
        (
            RandomFaults { duplication: -0.5, ..none() },
            "duplication is -0.5, but must be from 0 to 1",
        ),
        (RandomFaults { corruption: 7.0, ..none() }, "corruption is 7, but must be from 0 to 1"),
        (
            RandomFaults { burst: Some(burst), ..none() },
            "burst.good_to_bad is 2, but must be from 0 to 1",
        ),
        (
            RandomFaults { reordering: Some(held), ..none() },
            "reordering.probability is -1, but must be from 0 to 1",
        ),
        (
            RandomFaults { reordering: Some(late), ..none() },
            "reordering.extra_delay_ns is 18446744073709551615, but must be from 0 to 10000000000",
        ),
    ] {
        refused(&changed(|spec| spec.random = random), &format!("random.{message}"));
    }
}

#[test]
fn faults_name_what_exists() {
    let nic = |host, nic| down(Cable::Nic { host, nic });
    let uplink = |leaf, spine| down(Cable::Uplink { leaf, spine });
    let base = NetworkSpec::default;
    refused(&faulty(base(), nic(2, 0)), "faults[0].cable.nic.host is 2, but must be from 0 to 1");
    refused(&faulty(base(), nic(0, 1)), "faults[0].cable.nic.nic is 1, but must be from 0 to 0");
    refused(
        &faulty(base(), uplink(0, 0)),
        "faults[0].cable is an uplink, but a star has cables of NICs only",
    );
    // Two rails of three leaves.
    assert_eq!(faulty(leaf_spine(3, 2), uplink(5, 1)).validate(), Ok(()));
    refused(
        &faulty(leaf_spine(3, 2), uplink(6, 1)),
        "faults[0].cable.uplink.leaf is 6, but must be from 0 to 5",
    );
    refused(
        &faulty(leaf_spine(3, 2), uplink(5, 2)),
        "faults[0].cable.uplink.spine is 2, but must be from 0 to 1",
    );
}

#[test]
fn partitions_have_two_sides() {
    let base = || star(4, 1);
    assert_eq!(faulty(base(), partition_of(&[0], &[1, 2, 3])).validate(), Ok(()));
    refused(
        &faulty(base(), partition_of(&[], &[1])),
        "faults[0].left (number) is 0, but must be from 1 to 4",
    );
    refused(
        &faulty(base(), partition_of(&[0], &[4])),
        "faults[0].right is 4, but must be from 0 to 3",
    );
    refused(
        &faulty(base(), partition_of(&[0, 1], &[2, 1])),
        "faults[0] has host 1 on both sides, but each host may be on one side at most",
    );
}

#[test]
fn faults_have_times_and_sizes_in_range() {
    let cable = Cable::Nic { host: 0, nic: 0 };
    let never = Fault::Down { at_ns: 0, for_ns: Some(0), cable };
    let base = NetworkSpec::default;
    let most = 8_640_000_000_000_000_u64;
    refused(
        &faulty(base(), never),
        &format!("faults[0].for_ns is 0, but must be from 1 to {most}"),
    );
    let late = Fault::Down { at_ns: most + 1, for_ns: None, cable };
    refused(
        &faulty(base(), late),
        &format!("faults[0].at_ns is {}, but must be from 0 to {most}", most + 1),
    );
    let (at_ns, for_ns, direction) = (0, None, Direction::Up);
    let slow = Fault::Rate { at_ns, for_ns, cable, direction, rate_bits_per_sec: 1 };
    refused(
        &faulty(base(), slow),
        "faults[0].rate_bits_per_sec is 1, but must be from 1000000 to 8000000000000",
    );
    let far = Fault::Delay { at_ns, for_ns, cable, direction, extra_delay_ns: u64::MAX };
    refused(
        &faulty(base(), far),
        "faults[0].extra_delay_ns is 18446744073709551615, but must be from 0 to 10000000000",
    );
}

#[test]
fn specification_reads_as_it_is_written() {
    let mut spec = leaf_spine(3, 2);
    spec.buffer = Buffer::Shared { bytes: 1 << 20, alpha: 0.5 };
    spec.random.reordering = Some(Reordering { probability: 0.25, extra_delay_ns: 9 });
    spec.faults = vec![down(Cable::Uplink { leaf: 5, spine: 1 }), partition_of(&[0], &[1])];
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<NetworkSpec>(&json).unwrap(), spec);
    let json = r#"{"topology": {"star": {"hosts": 9, "nics_per_host": 1}}}"#;
    assert_eq!(serde_json::from_str::<NetworkSpec>(json).unwrap(), star(9, 1));
    assert!(serde_json::from_str::<NetworkSpec>(r#"{"rate": 1}"#).is_err());
    let json = r#"{"topology": {"star": {"hosts": 9, "nics_per_host": 1, "x": 1}}}"#;
    assert!(serde_json::from_str::<NetworkSpec>(json).is_err());
}
