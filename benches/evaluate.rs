//! Benches of loading and deciding.

fn main() {}
