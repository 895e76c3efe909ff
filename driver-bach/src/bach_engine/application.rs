//! The application of every host: it makes the calls of the workload, and answers them.

use std::{cell::RefCell, rc::Rc};

use bach::ext::*;
use bytes::Bytes;
use dcquic_proto::{
    id::{Priority, Status},
    pool::{CallOptions, Download, Incoming, Pool},
};

use super::Wire;
use crate::{
    host::{Notice, dcquic::transfer_of},
    measure::Recorder,
    net::{NicId, Picos},
    signal::Signal,
    workload::Transfer,
};

/// What the applications of all hosts share. Cloning it gives another handle.
#[derive(Clone)]
pub(super) struct Applications {
    pub(super) wire: Wire,
    pub(super) recorder: Rc<RefCell<Recorder>>,
    /// What messages consist of.
    pub(super) pattern: Bytes,
    /// Raised when the last transfer has ended.
    pub(super) done: Rc<Signal>,
}

impl Applications {
    /// Begins a session.
    pub(super) async fn connect(self, host: NicId, pool: Pool, to: NicId) {
        let peer = to.address();
        let connected = pool.connect(peer).await;
        self.notice(
            host,
            &match connected {
                Ok(()) => Notice::Connected { peer },
                Err(_) => Notice::PeerFailed { peer },
            },
        );
    }

    /// Makes one call that carries a transfer.
    pub(super) async fn call(self, pool: Pool, index: u32, transfer: Transfer) {
        let Transfer { from, to, size, priority, .. } = transfer;
        let ended = match usize::try_from(size) {
            Ok(len) if len <= self.pattern.len() => {
                let priority = Priority::new(priority).unwrap_or_default();
                let options = CallOptions { priority, ..CallOptions::default() };
                let metadata = Bytes::copy_from_slice(&index.to_be_bytes());
                let body = self.pattern.slice(..len);
                let response = pool.call(to.address(), options, metadata, body).await;
                response.map(drop).map_err(|error| error.to_string())
            }
            _ => Err("longer than any message should be".into()),
        };
        self.notice(
            from,
            &match ended {
                Ok(()) => Notice::Finished { transfer: index },
                Err(cause) => Notice::Failed { transfer: index, cause },
            },
        );
    }

    /// Answers the calls to a host until its worker ends.
    pub(super) async fn serve(self, host: NicId, pool: Pool) {
        while let Some(mut incoming) = pool.accept().await {
            match incoming.body() {
                Some(body) => {
                    let intact = self.is_intact(0, &body);
                    self.answer(host, incoming, intact);
                }
                None => {
                    // Asked for here and not in the task, it is pulled for at this instant.
                    let records = incoming.records();
                    self.clone().receive(host, incoming, records).spawn();
                }
            }
        }
    }

    /// Takes a large message record by record.
    async fn receive(self, host: NicId, incoming: Incoming, mut records: Download) {
        let (mut received, mut intact) = (0, true);
        while let Some(Ok(record)) = records.next().await {
            received += record.data.len() as u64;
            intact &= self.is_intact(record.offset, &record.data);
        }
        intact &= received == incoming.size();
        self.answer(host, incoming, intact);
    }

    fn is_intact(&self, offset: u64, data: &[u8]) -> bool {
        usize::try_from(offset)
            .ok()
            .and_then(|start| self.pattern.get(start..start.checked_add(data.len())?))
            .is_some_and(|wanted| wanted == data)
    }

    fn answer(&self, host: NicId, incoming: Incoming, intact: bool) {
        let transfer = transfer_of(incoming.metadata());
        if intact {
            self.notice(host, &Notice::Delivered { transfer });
            // The caller waits for the answer; whether it arrives is the caller's to say.
            drop(incoming.respond(Status::OK, Bytes::new(), Bytes::new()));
        } else {
            let cause = "delivered wrong".into();
            self.notice(host, &Notice::Failed { transfer, cause });
        }
    }

    fn notice(&self, host: NicId, notice: &Notice) {
        let now: Picos = self.wire.clock().now();
        let mut recorder = self.recorder.borrow_mut();
        recorder.notice(now, host.0, notice);
        if let Notice::Failed { transfer, cause } = notice
            && let Some((transfer, _)) = recorder.end_attempt(*transfer)
        {
            recorder.fail(now, transfer, cause.clone());
        }
        if recorder.is_done() {
            self.done.raise();
        }
    }
}
