//! What the examples share: two sides on the loopback interface, a method of every pattern, and a
//! caller of each.

use std::{error::Error, net::SocketAddr};

use bytes::Bytes;
use dcquic_mio::{Runtime, RuntimeConfig};
use dcquic_proto::{
    config::Config,
    crypto::Psk,
    id::Status,
    pool::{
        AcceptorInstalled, CallOptions, Download, LoadShedding, Methods, Pool, Receiver, Request,
        Sender,
    },
};

/// What an example ends with.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// A socket and a worker thread on a free port.
pub(crate) fn start() -> Result<Runtime, Box<dyn Error>> {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    // a real key comes from `dcquic keygen`
    let psk = Psk::from_bytes([7; 32]);
    Ok(Runtime::start(RuntimeConfig::new(listen, Config::loopback(), psk))?)
}

/// Works on 100 calls at once; more are queued, and shed when the queue is full.
pub(crate) fn shed_load(pool: &Pool) -> Result<(), AcceptorInstalled> {
    pool.set_acceptor(LoadShedding { max_unanswered: 100, ..LoadShedding::default() })
}

/// A method of every pattern.
pub(crate) fn methods() -> Methods {
    Methods::new()
        .unary("echo", async |request: Request| Ok(request.body))
        .streaming_response("count", async |request: Request, mut responses: Sender| {
            for number in 0..request.body.len() {
                responses.send(number.to_string().into()).await?;
            }
            Ok(())
        })
        .streaming_request("sum", async |_request: Request, mut requests: Receiver| {
            let mut sum = 0;
            while let Some(message) = requests.next().await {
                sum += message?.body.map_or(0, |body| body.len());
            }
            Ok(Bytes::from(sum.to_string()))
        })
        .bidirectional(
            "mirror",
            async |_request: Request, mut requests: Receiver, mut responses: Sender| {
                while let Some(message) = requests.next().await {
                    responses.send_message(message?).await?;
                }
                Ok(())
            },
        )
        .bulk("store", async |_request: Request, mut records: Download| {
            let mut stored = 0;
            while let Some(record) = records.next().await {
                stored += record?.data.len();
            }
            Ok(Bytes::from(stored.to_string()))
        })
}

/// Calls each of them once.
pub(crate) async fn call_each(pool: &Pool, server: SocketAddr) -> Outcome {
    let response = pool.unary(server, "echo".into(), "hello".into()).await?;
    assert_eq!(response.body, "hello");

    let options = CallOptions::default();
    let mut counted = Vec::new();
    let mut responses =
        pool.streaming_response(server, options.clone(), "count".into(), "abc".into());
    while let Some(response) = responses.next().await {
        counted.extend(response?.body);
    }
    assert_eq!(counted, ["0", "1", "2"]);

    let mut requests = pool.streaming_request(server, options.clone(), "sum".into());
    for _ in 0..10 {
        requests.send(vec![0; 100].into()).await?;
    }
    assert_eq!(requests.response().await?.body, "1000");

    let (mut sender, mut receiver) = pool.bidirectional(server, options, "mirror".into());
    for word in ["to", "and", "fro"] {
        sender.send(word.into()).await?;
        let message = receiver.next().await.ok_or("the mirror is blind")??;
        assert_eq!(message.body, Some(word.into()));
    }
    sender.finish(Status::OK).await?;
    assert!(receiver.next().await.is_none());

    let mut upload = pool.bulk(server, "store".into(), 1 << 20);
    for _ in 0..16 {
        upload.write(vec![0; 1 << 16].into()).await?;
    }
    assert_eq!(upload.response().await?.body, (1 << 20).to_string());
    Ok(())
}
