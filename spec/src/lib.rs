//! The dcquic specification: its requirements and test vectors as data.
//!
//! - [`files`]: the chapters (`spec/*.md`) and vectors (`spec/vectors/**`), embedded.
//! - [`requirement`]: the normative sentences of the chapters, each with an id such as `WIRE-7`.
//! - [`citation`]: where code and tests name those ids, and what is missing.
//! - [`source`]: the source tree, and what of a file is production code.
//! - [`lexer`]: just enough of Rust's grammar to tell code, comments and literals apart.
//! - [`tidy`]: the rules of house style that a machine can check.
//!
//! The tests of this crate, `tests/citations.rs` and `tests/tidy.rs`, apply the last four to the
//! repository.

pub mod citation;
pub mod files;
pub mod lexer;
pub mod requirement;
pub mod source;
pub mod tidy;

pub use files::{File, chapters, vectors};
pub use requirement::{Id, Level, Requirement, requirements};
