//! Whole-system tests of dcquic.
