//! The few libfabric declarations that dcquic uses.
