//! Writes the generated cluster, for measuring whole runs of the program: `generate 50000 yaml > cluster.yaml`,
//! `generate 50000 directory INTO`, `generate account > account.json`, `generate 50000 reviews 100000 > reviews.ndjson`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    clippy::format_push_string,
    reason = "a bench that goes wrong may stop, and its numbers are small"
)]

mod support;

use std::io::Write;
use std::path::Path;

use support::account;
use support::cluster::{self, Form};
use support::questions;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<usize>().unwrap();
    let text = match words.as_slice() {
        [size, "directory", into] => {
            cluster::directory(number(size), Path::new(into));
            return;
        }
        [size, "reviews", count] => questions::reviews(&questions::mixed(number(size), number(count))),
        [size, form] if Form::ALL.iter().any(|known| known.name() == *form) => {
            let form = Form::ALL.into_iter().find(|known| known.name() == *form).unwrap();
            cluster::text(number(size), form)
        }
        ["account"] => account::export().0,
        ["account", "cluster"] => account::cluster(),
        // Among the benches there is nothing to write.
        _ => return,
    };
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}
