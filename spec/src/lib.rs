//! The dcquic specification: its requirements and test vectors as data.
