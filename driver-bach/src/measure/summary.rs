//! The figures of a run.

use serde::Serialize;

use super::{
    Record, Recorder,
    finding::{percentile, seconds},
};
use crate::{
    net::{ETHERNET_BYTES, IP_UDP_BYTES, Network, NetworkSpec, Picos},
    workload::Transfer,
};

/// Bytes of a data packet besides its payload, and of a record besides its plaintext, that the
/// bound counts. The same for every transport, so that ratios compare.
const DATA_OVERHEAD: u64 = 68;
const RECORD_TAG: u64 = 16;
const RECORD: u64 = 1 << 16;

/// Transfers of similar size.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SlowdownGroup {
    /// The largest of them, in bytes.
    pub up_to_bytes: u64,
    /// How many there are.
    pub transfers: usize,
    /// Mean slowdown.
    pub mean: f64,
    /// Median slowdown.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
}

/// The figures of a run; every share and ratio is of the measured part, after the warm-up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Payload bytes delivered for the first time, of those sent.
    pub useful_share: f64,
    /// Payload bytes delivered, of all bytes that hosts put on the wire, both directions.
    pub wire_efficiency: f64,
    /// Time to the last byte delivered, in seconds.
    pub completion_s: f64,
    /// The time that the payload takes on the busiest link with its headers, in seconds.
    pub bound_s: f64,
    /// `completion_s` in `bound_s`.
    pub completion_ratio: f64,
    /// The time of the busiest link's payload without headers at line rate, of `completion_s`.
    pub link_share: f64,
    /// Duration of the slowest transfer in that of the fastest.
    pub finish_spread: f64,
    /// Transfers not delivered.
    pub lost_transfers: usize,
    /// Frames that the network dropped, for whatever reason.
    pub dropped_packets: u64,
    /// Of those: no room in a port's buffer.
    pub dropped_at_full_buffers: u64,
    /// Frames marked as having met congestion.
    pub marked_packets: u64,
    /// Payload bytes sent again.
    pub retransmitted_bytes: u64,
    /// Payload bytes that arrived again.
    pub duplicate_bytes: u64,
    /// Mean, median and 99th percentile of duration over what an idle network takes.
    pub mean_slowdown: f64,
    /// The median.
    pub p50_slowdown: f64,
    /// The 99th percentile.
    pub p99_slowdown: f64,
    /// The 99th percentile of transfers of at most one bandwidth-delay product.
    pub p99_slowdown_below_bdp: f64,
    /// Ten groups of as many transfers each, by size.
    pub slowdown_by_decile: Vec<SlowdownGroup>,
    /// The longest queue at the busiest port, in bytes.
    pub max_queue_bytes: u64,
    /// The longest queue at any port, in bytes.
    pub max_queue_of_all_ports_bytes: u64,
    /// The mean of the queue at the busiest port, in bytes.
    pub mean_queue_bytes: u64,
    /// Part of the measured time that the busiest port was sending.
    pub utilisation: f64,
    /// Payload delivered per second over all hosts, in bit/s.
    pub goodput_bits_per_sec: f64,
    /// Frames that reached hosts, warm-up included.
    pub packets: u64,
    /// Events of the simulation.
    pub events: u64,
    /// A hash of the whole trace: equal seeds give equal digests.
    pub digest: String,
}

/// Makes the figures of a run.
pub fn summarize(recorder: &Recorder, network: &Network, spec: &NetworkSpec) -> Summary {
    let rate = spec.rate_bits_per_sec;
    let done: Vec<(&Transfer, &Record)> = recorder
        .transfers
        .iter()
        .zip(&recorder.records)
        .filter(|(_, record)| record.delivered.is_some())
        .collect();
    let payload: u64 = done.iter().map(|(transfer, _)| transfer.size).sum();
    let completion = seconds(recorder.last_delivery.saturating_since(recorder.start));
    let (bound_bytes, payload_bytes) = busiest(&recorder.transfers, network.nics(), spec);
    let bound = bound_bytes as f64 * 8.0 / rate as f64;
    let (before, after) = (&recorder.before, &recorder.after);
    let counters = |f: fn(&crate::host::Counters) -> u64| f(&after.counters) - f(&before.counters);
    let hot = recorder.hot.0 as usize;
    let measured = seconds(recorder.end.saturating_since(recorder.start));
    let mut summary = Summary {
        useful_share: ratio(
            counters(|c| c.payload_delivered) as f64,
            counters(|c| c.payload_sent) as f64,
        ),
        wire_efficiency: ratio(
            payload as f64,
            (after.net.sent.bytes - before.net.sent.bytes) as f64,
        ),
        completion_s: completion,
        bound_s: bound,
        completion_ratio: ratio(completion, bound),
        link_share: ratio(payload_bytes as f64 * 8.0 / rate as f64, completion),
        lost_transfers: recorder.transfers.len() - done.len(),
        dropped_packets: after.net.drops.total() - before.net.drops.total(),
        dropped_at_full_buffers: after.net.drops.buffer - before.net.drops.buffer,
        marked_packets: after.net.marked - before.net.marked,
        retransmitted_bytes: counters(|c| c.retransmitted),
        duplicate_bytes: counters(|c| c.duplicate),
        max_queue_bytes: after.ports[hot].max_queue_bytes,
        max_queue_of_all_ports_bytes: after
            .ports
            .iter()
            .map(|port| port.max_queue_bytes)
            .max()
            .unwrap_or(0),
        mean_queue_bytes: recorder.samples.iter().map(|s| s.queue_bytes).sum::<u64>()
            / recorder.samples.len().max(1) as u64,
        utilisation: ratio(
            seconds(Picos(after.ports[hot].busy.0 - before.ports[hot].busy.0)),
            measured,
        ),
        goodput_bits_per_sec: ratio(payload as f64 * 8.0, completion),
        packets: network.stats().delivered.frames,
        events: recorder.events,
        digest: format!("{:016x}", recorder.digest()),
        ..Summary::default()
    };
    slowdowns(&mut summary, &done, spec);
    summary
}

fn slowdowns(summary: &mut Summary, done: &[(&Transfer, &Record)], spec: &NetworkSpec) {
    let mut by_size: Vec<(u64, f64)> = Vec::with_capacity(done.len());
    let (mut fastest, mut slowest) = (f64::INFINITY, 0.0_f64);
    for (transfer, record) in done.iter().filter(|(transfer, _)| transfer.measured) {
        let Some(delivered) = record.delivered else { continue };
        let took = seconds(delivered.saturating_since(record.started));
        fastest = fastest.min(took);
        slowest = slowest.max(took);
        by_size.push((transfer.size, took / ideal_s(transfer.size, spec)));
    }
    summary.finish_spread = ratio(slowest, fastest);
    by_size.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let all = group(&by_size);
    (summary.mean_slowdown, summary.p50_slowdown, summary.p99_slowdown) =
        (all.mean, all.p50, all.p99);
    let round_trip = 2 * (spec.delay_ns + spec.host_delay_ns);
    let bdp = (u128::from(spec.rate_bits_per_sec) * u128::from(round_trip) / 8_000_000_000) as u64;
    let below = by_size.partition_point(|(size, _)| *size <= bdp);
    summary.p99_slowdown_below_bdp = group(&by_size[..below]).p99;
    let len = by_size.len();
    summary.slowdown_by_decile = (0..10)
        .map(|decile| &by_size[len * decile / 10..len * (decile + 1) / 10])
        .filter(|part| !part.is_empty())
        .map(group)
        .collect();
}

fn group(by_size: &[(u64, f64)]) -> SlowdownGroup {
    let mut slowdowns: Vec<f64> = by_size.iter().map(|(_, slowdown)| *slowdown).collect();
    SlowdownGroup {
        up_to_bytes: by_size.last().map_or(0, |(size, _)| *size),
        transfers: by_size.len(),
        mean: ratio(slowdowns.iter().sum(), slowdowns.len() as f64),
        p50: percentile(&mut slowdowns, 0.5),
        p99: percentile(&mut slowdowns, 0.99),
    }
}

/// What a message takes one way on an idle network: its first datagram store and forward over every
/// link, the rest behind it at line rate.
pub(crate) fn ideal_s(size: u64, spec: &NetworkSpec) -> f64 {
    let rate = spec.rate_bits_per_sec as f64;
    let first = wire_bytes(size.min(slice(spec)), spec) as f64;
    let delay = (spec.delay_ns + spec.host_delay_ns) as f64 / 1e9;
    delay + (wire_bytes(size, spec) as f64 + first) * 8.0 / rate
}

/// The most wire bytes that one link has to carry, and the payload among them.
fn busiest(transfers: &[Transfer], nics: usize, spec: &NetworkSpec) -> (u64, u64) {
    let mut links = vec![(0_u64, 0_u64); 2 * nics];
    for transfer in transfers {
        for link in [transfer.from.0 as usize, nics + transfer.to.0 as usize] {
            links[link].0 += wire_bytes(transfer.size, spec);
            links[link].1 += transfer.size;
        }
    }
    links.into_iter().max().unwrap_or((0, 0))
}

fn slice(spec: &NetworkSpec) -> u64 {
    u64::from(spec.mtu_bytes) - IP_UDP_BYTES - DATA_OVERHEAD
}

/// A message on the wire: sealed records in full datagrams with every header.
pub(crate) fn wire_bytes(size: u64, spec: &NetworkSpec) -> u64 {
    let sealed = size + size.div_ceil(RECORD) * RECORD_TAG;
    sealed + sealed.div_ceil(slice(spec)) * (DATA_OVERHEAD + IP_UDP_BYTES + ETHERNET_BYTES)
}

/// `a / b`, or zero where that has no meaning.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}
