//! The `dcquic-sim` command.

fn main() -> std::process::ExitCode {
    dcquic_bach::cli::run()
}
