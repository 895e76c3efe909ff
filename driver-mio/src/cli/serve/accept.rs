//! Takes requests and handles many at once on one thread.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use dcquic_proto::pool::{Incoming, Pool};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};

/// Hands every request to `handle` until the pool shuts down, and drives what it returns.
pub(crate) async fn all<F: Future<Output = ()>>(
    pool: &Pool,
    mut handle: impl FnMut(Incoming) -> F,
) {
    let mut running = FuturesUnordered::new();
    let mut accept = pin!(pool.accept());
    poll_fn(|context| {
        loop {
            match accept.poll_unpin(context) {
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Ready(Some(incoming)) => {
                    running.push(handle(incoming));
                    accept.set(pool.accept());
                }
                Poll::Pending => break,
            }
        }
        while let Poll::Ready(Some(())) = running.poll_next_unpin(context) {}
        Poll::Pending
    })
    .await;
}
