//! Test vectors of the dcquic protocol and their runner.
