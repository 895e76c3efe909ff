//! The `dcquic` command, seen from outside: processes, exit codes, files and output.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod decode;
mod failures;
mod files;
mod keys;
mod measure;
mod patterns;
mod relay;
mod run;
mod serve;
