//! Every pattern on smol, each call handled by a task of its own.
//!
//! `cargo run -p dcquic-mio --example smol`

mod common;

fn main() -> common::Outcome {
    let (server, client) = (common::start()?, common::start()?);
    let pool = server.pool();
    common::shed_load(&pool)?;
    smol::block_on(async {
        let serving = smol::spawn(async move {
            let spawn = |handling| smol::spawn(handling).detach();
            common::methods().serve_with(&pool, spawn).await;
        });
        common::call_each(&client.pool(), server.local_addr()).await?;
        // ends the worker, and with it the task
        server.pool().shutdown();
        serving.await;
        common::Outcome::Ok(())
    })?;
    server.stop()?;
    client.stop()?;
    println!("every pattern was answered on smol");
    Ok(())
}
