//! Figures of one kind of workload, and what they are made from.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Record, Recorder, Summary};
use crate::{
    net::{NetworkSpec, Picos},
    workload::Transfer,
};

/// A figure that only some workloads have.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Its name in JSON.
    pub key: String,
    /// Its name in a table, with the unit.
    pub label: String,
    /// Its value.
    pub value: f64,
    /// How much of it is one in a table.
    pub unit: f64,
    /// Digits behind the point in a table.
    pub digits: usize,
}

impl Finding {
    /// A figure.
    pub fn new(key: &str, label: &str, value: f64, digits: usize) -> Self {
        Self { key: key.to_owned(), label: label.to_owned(), value, unit: 1.0, digits }
    }

    /// The figure in a table in so large a unit.
    pub fn in_units_of(self, unit: f64) -> Self {
        Self { unit, ..self }
    }

    /// A share, in per cent in a table.
    pub fn share(key: &str, label: &str, value: f64) -> Self {
        Self::new(key, label, value, 2).in_units_of(0.01)
    }
}

/// Figures in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings(pub Vec<Finding>);

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for finding in &self.0 {
            map.serialize_entry(&finding.key, &finding.value)?;
        }
        map.end()
    }
}

/// A run as its workload looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// What happened.
    pub recorder: &'a Recorder,
    /// The network.
    pub network: &'a NetworkSpec,
    /// What every run has.
    pub summary: &'a Summary,
}

impl<'a> Measured<'a> {
    /// Every transfer and what became of it.
    pub fn transfers(&self) -> impl Iterator<Item = (&'a Transfer, &'a Record)> + use<'a> {
        self.recorder.transfers.iter().zip(&self.recorder.records)
    }

    /// The delivered transfers of a group with how long they took, in seconds.
    pub fn group(&self, group: u16) -> Vec<(&'a Transfer, f64)> {
        self.transfers()
            .filter(|(transfer, _)| transfer.group == group)
            .filter_map(|(transfer, record)| {
                let took = record.delivered?.saturating_since(record.started);
                Some((transfer, seconds(took)))
            })
            .collect()
    }

    /// Payload per second of a group, from its first start to its last delivery, in Gbit/s.
    pub fn rate_gbps(&self, group: u16) -> f64 {
        let (mut first, mut last, mut bytes) = (Picos::MAX, Picos::ZERO, 0);
        for (transfer, record) in self.transfers().filter(|(transfer, _)| transfer.group == group) {
            if let Some(delivered) = record.delivered {
                first = first.min(record.started);
                last = last.max(delivered);
                bytes += transfer.size;
            }
        }
        let span = seconds(last.saturating_since(first));
        if span > 0.0 { bytes as f64 * 8.0 / span / 1e9 } else { 0.0 }
    }
}

/// The value that a share of all does not exceed; sorts them.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// A span in seconds.
pub(crate) fn seconds(span: Picos) -> f64 {
    span.0 as f64 / 1e12
}
