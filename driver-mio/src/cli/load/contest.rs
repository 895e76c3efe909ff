//! Urgent calls beside bulk messages on one link.

use std::{
    cell::Cell,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dcquic_proto::{
    id::{Priority, Status},
    pool::{CallOptions, Pool},
};
use futures_util::future::try_join;

use super::{Calls, bulk_at};
use crate::cli::{failure::Failure, latency::Latencies};

/// Who calls whom, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Contest<'a> {
    /// Makes calls and sends bulk messages.
    pub(crate) pool: &'a Pool,
    /// Echoes calls and takes bulk messages.
    pub(crate) remote: SocketAddr,
    /// Urgency of the calls; bulk messages have the lowest.
    pub(crate) priority: Priority,
    /// What a call carries each way.
    pub(crate) body: Bytes,
    /// What a bulk message carries.
    pub(crate) payload: Bytes,
    /// How long to call, without bulk messages and beside them.
    pub(crate) span: Duration,
}

/// What was measured.
pub(crate) struct Contested {
    /// Calls, one after the other, with nothing beside them.
    pub(crate) idle: Calls,
    /// Calls, one after the other, beside bulk messages.
    pub(crate) busy: Calls,
    /// Bytes of whole bulk messages.
    pub(crate) bulk_bytes: u64,
    /// From the first bulk message's start to the last one's end.
    pub(crate) bulk_elapsed: Duration,
}

impl Contested {
    /// How many times as long the slowest percent of calls takes beside bulk messages.
    pub(crate) fn ratio(&self) -> f64 {
        self.busy.latencies.micros_at(99.0) / self.idle.latencies.micros_at(99.0)
    }

    /// Throughput of the bulk messages.
    pub(crate) fn gbit_s(&self) -> f64 {
        (self.bulk_bytes * 8) as f64 / self.bulk_elapsed.as_secs_f64() / 1e9
    }
}

impl Contest<'_> {
    /// Measures, after one call and one bulk message to warm up.
    pub(crate) async fn run(&self) -> Result<Contested, Failure> {
        self.call().await?;
        self.bulk().await?;
        let idle = self.calls().await?;
        let over = Cell::new(false);
        let started = Instant::now();
        let calls = async {
            // the first message has to be under way
            self.call().await?;
            let calls = self.calls().await;
            over.set(true);
            calls
        };
        // two at a time: the link has work while one ends
        let bulk = async || {
            let mut bytes = 0;
            while !over.get() {
                self.bulk().await?;
                bytes += self.payload.len() as u64;
            }
            Ok(bytes)
        };
        let (busy, (one, other)) = try_join(calls, try_join(bulk(), bulk())).await?;
        Ok(Contested { idle, busy, bulk_bytes: one + other, bulk_elapsed: started.elapsed() })
    }

    async fn bulk(&self) -> Result<(), Failure> {
        let Self { pool, remote, payload, .. } = self;
        bulk_at(pool, *remote, Priority::LOWEST, payload.clone()).await.map(drop)
    }

    async fn calls(&self) -> Result<Calls, Failure> {
        let (mut latencies, started, mut count) = (Latencies::new()?, Instant::now(), 0);
        while started.elapsed() < self.span {
            latencies.record(self.call().await?);
            count += 1;
        }
        Ok(Calls { elapsed: started.elapsed(), latencies, count })
    }

    async fn call(&self) -> Result<Duration, Failure> {
        let started = Instant::now();
        let options = CallOptions { priority: self.priority, ..CallOptions::default() };
        let call = self.pool.call(self.remote, options, Bytes::new(), self.body.clone());
        let response = call.await.map_err(Failure::new)?;
        if response.status != Status::OK || response.body != self.body {
            let why = format!("{} answered something else than echo", self.remote);
            return Err(Failure::new(why));
        }
        Ok(started.elapsed())
    }
}
