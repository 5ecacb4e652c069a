//! The command line of rbacsim.

fn main() {}
