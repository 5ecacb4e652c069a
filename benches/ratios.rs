//! The table of figures and baselines.

fn main() {}
