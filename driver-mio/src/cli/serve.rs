//! `dcquic serve`: answers calls and keeps files.

pub(crate) mod accept;
mod files;
mod service;
mod streams;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use dcquic_proto::pool::Pool;
use serde::Serialize;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use self::service::Service;
use super::{
    failure::{Failure, cause},
    output::{self, Output},
    part::{self, Directory},
    psk::PskOption,
    remote,
    transport::{self, TransportOptions},
};

/// Arguments of `dcquic serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where to listen, HOST:PORT; port 0 takes any free one.
    #[arg(long, value_name = "ADDR")]
    listen: String,
    #[command(flatten)]
    psk: PskOption,
    /// The directory that put writes to and get reads from; without it both are refused.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    transport: TransportOptions,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic serve --listen 127.0.0.1:4433 --psk cluster.psk
  dcquic serve --listen 0.0.0.0:4433 --psk cluster.psk --root /srv/files
  dcquic serve --listen 127.0.0.1:0 --psk cluster.psk --json    any port; read it from stdout

The first line on stdout tells the address. A file is written as .NAME.<random>.part, flushed to
disk and renamed; such leftovers of a server that was killed are removed at the start. Names are
relative to DIR and may not lead over symbolic links. SIGINT and SIGTERM end the server with exit
code 0; transfers under way are given up and leave nothing behind.";

#[derive(Serialize)]
struct Listening {
    ok: bool,
    listening: String,
}

/// Serves until it is told to stop.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let psk = args.psk.load()?;
    let listen = remote::resolve(&args.listen)?;
    let root = args.root.as_deref().map(open_root).transpose()?;
    let runtime = transport::start(listen, args.transport.config(listen), psk)?;
    let pool = runtime.pool();
    let stopping = Arc::new(AtomicBool::new(false));
    stop_on_signal(pool.clone(), Arc::clone(&stopping))?;
    let listening = Listening { ok: true, listening: runtime.local_addr().to_string() };
    output.result(&listening, |at| format!("listening on {}", at.listening))?;
    let service = Arc::new(Service::new(root, stopping));
    pollster::block_on(accept::all(&pool, |incoming| service::handle(service.clone(), incoming)));
    service.wait();
    Ok(())
}

/// Opens the served directory and removes what a killed server left there.
fn open_root(path: &Path) -> Result<Directory, Failure> {
    let failed = |error: io::Error| Failure::file("serve the directory", path, &error);
    let root = Directory::open(path).map_err(failed)?;
    let removed = part::sweep(&root).map_err(failed)?;
    if removed > 0 {
        output::note(format_args!(
            "removed {removed} unfinished files of an earlier run in {}",
            path.display()
        ));
    }
    Ok(root)
}

/// Shuts the pool down at the first signal; the second ends the process at once.
fn stop_on_signal(pool: Pool, stopping: Arc<AtomicBool>) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::new(format_args!("cannot handle signals: {}", cause(&error)));
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            let mut signals = signals.forever();
            if signals.next().is_some() {
                stopping.store(true, Ordering::Relaxed);
                pool.shutdown();
            }
            if let Some(signal) = signals.next() {
                // the default action cannot fail for these two
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        })
        .map_err(failed)?;
    Ok(())
}
