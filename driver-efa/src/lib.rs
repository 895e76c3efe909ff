//! libfabric endpoints for dcquic.
