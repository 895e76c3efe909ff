//! Controllers in a closed loop over one bottleneck.

use super::*;

mod sim;

use sim::{Link, Sim};

const RTT: Duration = Duration::from_micros(100);

fn config(control: CongestionControl) -> CongestionConfig {
    CongestionConfig { control, seed: 1, ..CongestionConfig::datacenter() }
}

/// Windows small enough for several flows to share a link of a few hundred kilobytes.
fn small(control: CongestionControl) -> CongestionConfig {
    CongestionConfig {
        initial_window_bytes: 14_000,
        min_window_bytes: 5_600,
        initial_rate_bytes_per_sec: 125_000_000,
        ..config(control)
    }
}

fn at_rtts(rtts: u32) -> Timestamp {
    Timestamp::ZERO + RTT * rtts
}

fn one(link: Link, config: CongestionConfig) -> Sim {
    Sim::new(link, &[(config, Timestamp::ZERO)])
}

fn mean_queue(sim: &mut Sim, span: Duration) -> u64 {
    sim.run(sim.now + span).1
}

#[test]
fn every_controller_fills_the_link() {
    let fixed = |gbit: u64| CongestionControl::FixedRate { bytes_per_sec: gbit * 124_000_000 };
    for gbit in [1, 10, 100] {
        for control in [CongestionControl::Bbr, CongestionControl::Cubic, fixed(gbit)] {
            let mut sim = one(Link::new(gbit, RTT), small(control));
            sim.run(at_rtts(20));
            for span in [10, 20, 100, 500] {
                let used = sim.utilisation(RTT * span);
                assert!((95..=101).contains(&used), "{control:?} at {gbit} Gbit/s: {used} %");
            }
        }
    }
}

/// A receiver acknowledges records, not packets.
#[test]
fn records_acknowledged_in_whole_are_enough() {
    for control in [CongestionControl::Bbr, CongestionControl::Cubic] {
        for ack_every in [1, 47, 90] {
            let link = Link { ack_every, ..Link::new(100, RTT) };
            let mut sim = one(link, config(control));
            sim.run(at_rtts(20));
            let used = sim.utilisation(RTT * 500);
            assert!((95..=100).contains(&used), "{control:?}, {ack_every}: {used} %");
        }
    }
}

#[test]
fn bbr_keeps_the_queue_short() {
    for gbit in [10, 100] {
        let link = Link::new(gbit, RTT);
        let mut sim = one(link, small(CongestionControl::Bbr));
        sim.run(at_rtts(50));
        let queued = mean_queue(&mut sim, RTT * 1_000);
        println!("{gbit}: mean {queued}, most {}, of {}", sim.most_queued, link.bdp());
        assert!(queued * 100 <= link.bdp() * 15, "{queued} of {}", link.bdp());
        assert!(sim.most_queued <= link.bdp(), "{} of {}", sim.most_queued, link.bdp());
        assert_eq!(sim.flows[0].lost, 0);
    }
}

#[test]
fn marks_keep_queues_shorter_and_prevent_loss() {
    for control in [CongestionControl::Bbr, CongestionControl::Cubic] {
        let plain = Link::new(10, RTT);
        let marking = Link { mark_above: plain.bdp() / 5, ..plain };
        let mut figures = [0; 2];
        for (figure, link) in figures.iter_mut().zip([plain, marking]) {
            let mut sim = one(link, small(control));
            sim.run(at_rtts(50));
            *figure = mean_queue(&mut sim, RTT * 1_000);
            if link.mark_above < link.buffer {
                assert_eq!(sim.flows[0].lost, 0);
                assert!(sim.utilisation(RTT * 500) >= 95);
            }
        }
        println!("{control:?} {figures:?}");
        assert!(figures[1] < figures[0], "{control:?}: {figures:?}");
    }
}

#[test]
fn random_loss_does_not_stop_bbr() {
    for (loss_per_million, least) in [(1_000, 95), (5_000, 85), (10_000, 75)] {
        let link = Link { loss_per_million, ..Link::new(10, RTT) };
        let mut sim = one(link, small(CongestionControl::Bbr));
        sim.run(at_rtts(50));
        let used = sim.utilisation(RTT * 1_000);
        println!("{loss_per_million} lost of a million: {used} %");
        assert!(used >= least, "{loss_per_million}: {used} %");
    }
}

#[test]
fn a_shallow_buffer_costs_few_losses() {
    for (control, least) in [(CongestionControl::Bbr, 85), (CongestionControl::Cubic, 75)] {
        let mut link = Link::new(10, RTT);
        link.buffer = link.bdp() / 5;
        let mut sim = one(link, small(control));
        sim.run(at_rtts(100));
        let before = sim.flows[0].lost;
        let used = sim.utilisation(RTT * 1_000);
        let lost = (sim.flows[0].lost - before) * 1_000 / (link.bdp() * 1_000);
        println!("{control:?} shallow: {used} %, {lost} of 1,000");
        assert!(used >= least && lost <= 10, "{control:?}: {used} %, {lost} lost of 1,000");
    }
}

#[test]
fn a_loss_cuts_cubic_and_no_more_than_once_per_round_trip() {
    let mut sim = one(Link::new(10, RTT), small(CongestionControl::Cubic));
    sim.run(at_rtts(20));
    let link = sim.link;
    assert!(sim.flows[0].lost > 0 && sim.flows[0].path.window_bytes() < 5 * link.bdp());
    assert!(sim.flows[0].path.window_bytes() > 2 * link.bdp());
}

#[test]
fn two_flows_share() {
    for (control, ecn, least) in [
        (CongestionControl::Cubic, false, 35),
        (CongestionControl::Cubic, true, 35),
        (CongestionControl::Bbr, false, 30),
        (CongestionControl::Bbr, true, 25),
    ] {
        let mut link = Link { buffer: 2 * Link::new(10, RTT).bdp(), ..Link::new(10, RTT) };
        if ecn {
            link.mark_above = link.bdp() / 5;
        }
        let second = CongestionConfig { seed: 2, ..small(control) };
        let flows = [(small(control), Timestamp::ZERO), (second, at_rtts(200))];
        let mut sim = Sim::new(link, &flows);
        sim.run(at_rtts(2_000));
        let (delivered, _) = sim.run(at_rtts(6_000));
        let total = delivered[0] + delivered[1];
        let share = delivered[1] * 100 / total;
        let used = total / (link.bdp() * 40);
        println!("{control:?} ecn {ecn}: {share} % of {used} %, queue {}", sim.most_queued);
        assert!((least..=100 - least).contains(&share), "{control:?} {ecn}: {share} %");
        assert!(used >= 95, "{control:?} {ecn}: {used} %");
    }
}

#[test]
fn a_path_restarts_after_idle_without_a_burst() {
    for control in [CongestionControl::Bbr, CongestionControl::Cubic] {
        let mut sim = one(Link::new(10, RTT), small(control));
        sim.flows[0].idle = at_rtts(100)..at_rtts(1_000);
        sim.run(at_rtts(100));
        let rate = sim.flows[0].path.pacing_rate_bytes_per_sec();
        sim.run(at_rtts(999));
        assert_eq!(sim.flows[0].path.in_flight_bytes(), 0);
        let kept = sim.flows[0].path.pacing_rate_bytes_per_sec();
        assert!(kept * 100 >= rate * 75, "{control:?}: {kept} of {rate}");
        let quantum = sim.flows[0].path.send_quantum_bytes();
        sim.flows[0].most_in_flight = 0;
        sim.run(at_rtts(1_001));
        let flow = &sim.flows[0];
        assert!(sim.most_at_once <= quantum + 1_400, "{} {quantum}", sim.most_at_once);
        assert!(flow.most_in_flight > 0 && flow.most_in_flight <= flow.path.window_bytes());
        let used = sim.utilisation(RTT * 20);
        assert!(used >= 90, "{control:?}: {used} %");
    }
}

#[test]
fn bbr_follows_a_link_that_slows_down_and_speeds_up() {
    let mut sim = one(Link::new(10, RTT), small(CongestionControl::Bbr));
    sim.run(at_rtts(200));
    sim.link.rate /= 2;
    sim.run(at_rtts(700));
    let used = sim.utilisation(RTT * 300);
    assert!((95..=100).contains(&used), "{used} %");
    assert!(sim.most_queued <= 2 * sim.link.bdp(), "{}", sim.most_queued);
    sim.link.rate *= 2;
    sim.run(at_rtts(1_500));
    let used = sim.utilisation(RTT * 300);
    assert!(used >= 95, "{used} %");
}

#[test]
fn probing_the_rtt_costs_little() {
    let mut sim = one(Link::new(10, RTT), small(CongestionControl::Bbr));
    sim.run(at_rtts(100));
    let used = sim.utilisation(RTT * 9_000);
    assert!(sim.flows[0].states.contains_key("probe_rtt"));
    assert!(used >= 98, "{used} %");
}

#[test]
fn a_path_recovers_from_a_blackout() {
    for control in [CongestionControl::Bbr, CongestionControl::Cubic] {
        let mut sim = one(Link::new(10, RTT), small(control));
        sim.run(at_rtts(100));
        sim.link.loss_per_million = 1_000_000;
        sim.run(at_rtts(300));
        assert_eq!(sim.flows[0].path.window_bytes(), 5_600, "{control:?}");
        sim.link.loss_per_million = 0;
        sim.run(at_rtts(400));
        let used = sim.utilisation(RTT * 100);
        assert!(used >= 95, "{control:?}: {used} %");
    }
}

#[test]
fn the_same_inputs_give_the_same_figures() {
    let run = || {
        let link = Link { loss_per_million: 1_000, ..Link::new(10, RTT) };
        let flows = [
            (small(CongestionControl::Bbr), Timestamp::ZERO),
            (small(CongestionControl::Cubic), at_rtts(10)),
        ];
        let mut sim = Sim::new(link, &flows);
        let (delivered, queue) = sim.run(at_rtts(500));
        (delivered, queue, sim.most_queued, sim.flows[0].states.clone())
    };
    assert_eq!(run(), run());
}
