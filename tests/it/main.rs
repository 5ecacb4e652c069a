//! The one integration test binary.

/// kubectl operations: the table against what kubectl really sent.
mod operations;
