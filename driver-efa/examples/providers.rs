//! Lists what libfabric offers on this machine.
#![allow(unsafe_code, reason = "loads the library that the user names")]

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use dcquic_efa::{ProbeError, Provider, probe, probe_library};

/// Lists the libfabric providers of this machine and whether dcquic can run over them.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  \
    providers\n  \
    providers --usable --json\n  \
    providers --library /opt/amazon/efa/lib64/libfabric.so.1")]
struct Options {
    /// Print one JSON array instead of a table.
    #[arg(long)]
    json: bool,
    /// Leave out what dcquic cannot run over.
    #[arg(long)]
    usable: bool,
    /// Load this libfabric instead of the system's. Its code is run and trusted.
    #[arg(long, value_name = "FILE")]
    library: Option<OsString>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let text = match providers(&options) {
        Ok(providers) if options.json => format!("{:#}", json(&providers)),
        Ok(providers) if providers.is_empty() => "libfabric offers nothing here".to_owned(),
        Ok(providers) => table(&providers).to_string(),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write: {error}");
            ExitCode::FAILURE
        }
    }
}

fn providers(options: &Options) -> Result<Vec<Provider>, ProbeError> {
    let mut providers = match &options.library {
        None => probe()?,
        // SAFETY: the user says that the file is a libfabric, and could run it as well.
        Some(library) => unsafe { probe_library(library) }?,
    };
    providers.retain(|provider| !options.usable || provider.carries_dcquic());
    Ok(providers)
}

fn table(providers: &[Provider]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "PROVIDER",
        "VERSION",
        "FABRIC",
        "DOMAIN",
        "ENDPOINTS",
        "CAPABILITIES",
        "DCQUIC",
    ]);
    for provider in providers {
        table.add_row([
            provider.name.clone(),
            provider.version.to_string(),
            provider.fabric.clone(),
            provider.domain.clone(),
            provider.endpoint_type.to_string(),
            provider.capabilities.names().collect::<Vec<_>>().join(" "),
            if provider.carries_dcquic() { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}

fn json(providers: &[Provider]) -> serde_json::Value {
    providers
        .iter()
        .map(|provider| {
            serde_json::json!({
                "provider": provider.name,
                "version": provider.version.to_string(),
                "fabric": provider.fabric,
                "domain": provider.domain,
                "endpoint_type": provider.endpoint_type.to_string(),
                "capabilities": provider.capabilities.names().collect::<Vec<_>>(),
                "max_message_bytes": provider.max_message_bytes,
                "carries_dcquic": provider.carries_dcquic(),
            })
        })
        .collect()
}
