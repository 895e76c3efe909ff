//! What the whole-system tests stand on: a lossy relay between real processes, and those processes.

pub mod command;
pub mod relay;
