//! Every pattern on tokio, each call handled by a task of its own.
//!
//! `cargo run -p dcquic-mio --example tokio`

mod common;

use tokio::runtime::Builder;

fn main() -> common::Outcome {
    let (server, client) = (common::start()?, common::start()?);
    let pool = server.pool();
    common::shed_load(&pool)?;
    Builder::new_current_thread().build()?.block_on(async {
        let serving = tokio::spawn(async move {
            let spawn = |handling| drop(tokio::spawn(handling));
            common::methods().serve_with(&pool, spawn).await;
        });
        common::call_each(&client.pool(), server.local_addr()).await?;
        // ends the worker, and with it the task
        server.pool().shutdown();
        serving.await?;
        common::Outcome::Ok(())
    })?;
    server.stop()?;
    client.stop()?;
    println!("every pattern was answered on tokio");
    Ok(())
}
