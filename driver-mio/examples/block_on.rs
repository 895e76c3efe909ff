//! Every pattern without an asynchronous runtime: one thread serves, another calls.
//!
//! `cargo run -p dcquic-mio --example block_on`

mod common;

use std::thread;

fn main() -> common::Outcome {
    let (server, client) = (common::start()?, common::start()?);
    let pool = server.pool();
    common::shed_load(&pool)?;
    // all handlers run on this one thread, by turns
    let serving = thread::spawn(move || pollster::block_on(common::methods().serve(&pool)));
    pollster::block_on(common::call_each(&client.pool(), server.local_addr()))?;
    // ends the worker, and with it the thread; the client still acknowledges what it was answered
    server.stop()?;
    serving.join().map_err(|_| "the server's thread panicked")?;
    client.stop()?;
    println!("every pattern was answered on a plain block_on");
    Ok(())
}
