//! The `dcquic` command: arguments in, results on stdout, one line on stderr when it fails.

mod allocator;
mod bench;
mod call;
mod decode;
mod demo;
mod digest;
mod failure;
mod get;
mod headers;
mod hex;
mod keygen;
mod latency;
mod load;
mod methods;
mod names;
mod output;
mod part;
mod progress;
mod psk;
mod put;
mod remote;
mod serve;
mod size;
mod source;
mod span;
mod table;
mod transport;

use std::process::ExitCode;

use clap::{Parser, Subcommand, error::ErrorKind};

use self::output::Output;

/// Encrypted, receiver-driven message transport for datacenters.
#[derive(Debug, Parser)]
#[command(name = "dcquic", version, after_help = EXAMPLES)]
struct Cli {
    /// Print results as JSON, one object per line; errors too.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic demo                                            see it work, no setup
  dcquic keygen --psk cluster.psk                        a key for both sides
  dcquic serve --listen 0.0.0.0:4433 --psk cluster.psk --root /srv/files
  dcquic call db1:4433 --psk cluster.psk echo --data hello
  seq 1 100 | dcquic call db1:4433 --psk cluster.psk sum --stream request --priority 1
  dcquic put disk.img db1:4433 --psk cluster.psk
  dcquic get db1:4433 disk.img copy.img --psk cluster.psk
  dcquic decode 10000000 --json                          what a packet says
  dcquic bench core                                      how fast the core is

EXIT CODES:
  0 done; 1 it failed, and a line on stderr says why; 2 wrong usage";

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process over loopback: calls, a bulk transfer, and a table of figures.
    Demo(demo::Args),
    /// Write a new pre-shared key.
    Keygen(keygen::Args),
    /// Answer calls and keep files.
    Serve(serve::Args),
    /// Call a method of a server.
    Call(call::Args),
    /// Send a file to a server.
    Put(put::Args),
    /// Fetch a file from a server.
    Get(get::Args),
    /// Print what a packet says.
    Decode(decode::Args),
    /// Measure the core in memory, or the whole over loopback.
    Bench(bench::Args),
}

/// Runs the command that the process's arguments ask for.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output { json: cli.json };
    let result = match cli.command {
        Command::Demo(args) => demo::run(&args, output),
        Command::Keygen(args) => keygen::run(&args, output),
        Command::Serve(args) => serve::run(&args, output),
        Command::Call(args) => call::run(&args, output),
        Command::Put(args) => put::run(&args, output),
        Command::Get(args) => get::run(&args, output),
        Command::Decode(args) => decode::run(&args, output),
        Command::Bench(args) => bench::run(&args, output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure.to_string(), cli.json);
            ExitCode::FAILURE
        }
    }
}

/// Prints help, the version, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let wrong = !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if wrong && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        print_error(first.strip_prefix("error: ").unwrap_or(first));
    }
    // nowhere is left to say that this failed
    let _ = error.print();
    if wrong { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Says why the command failed.
fn report(message: &str, json: bool) {
    if json {
        print_error(message);
    }
    output::note(format_args!("dcquic: {message}"));
}

/// Prints the JSON object of an error.
fn print_error(message: &str) {
    let value = serde_json::json!({ "ok": false, "error": message });
    // the line on stderr says the same
    let _ = Output { json: true }.result(&value, |_| String::new());
}
