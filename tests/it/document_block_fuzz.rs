//! A long run of the fast reader of block YAML, and of the look at lines, against the YAML reader, over changed
//! pieces of real files:
//! `FUZZ_SECONDS=600 FUZZ_SEED=7 cargo test --release --test it fuzz_block_reader -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "helpers of tests")]

use std::path::Path;
use std::time::{Duration, Instant};

use rbacsim::document::split;

use crate::document_block::{STRAY, takes};
use crate::document_sniff::check_document;
use crate::trees::{recorded, yaml_files};

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Documents as starting points.
fn seeds() -> Vec<String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let recorded =
        ["manifests", "aws-auth-samples", "kubernetes-defaults-v1.36.2"].into_iter().filter_map(recorded);
    let mut seeds = vec![
        "a:\n- b\n- c: d\n  e:\n    - 'f'\n".to_owned(),
        "a: |\n  b\n\n  c\nd: \"e\n  f\"\ng: h\n  i\n".to_owned(),
        "- - a\n  - b: [c, \"d\"]\n- {}\n".to_owned(),
    ];
    for folder in recorded.chain(own.exists().then_some(own)) {
        for (_, text) in yaml_files(&folder) {
            seeds.extend(split::documents(&text).map(|document| document.text.to_owned()));
        }
    }
    seeds
}

/// Some lines of a document, shifted to the left as a whole.
fn piece(random: &mut Random, seed: &str) -> String {
    let lines: Vec<&str> = seed.split_inclusive('\n').collect();
    let from = random.below(lines.len());
    let count = 1 + random.below(12);
    let some: Vec<&str> = lines.iter().skip(from).take(count).copied().collect();
    let shift = some.first().map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
    some.iter()
        .map(|line| line.get(shift.min(line.len() - line.trim_start_matches(' ').len())..).unwrap())
        .collect()
}

fn change(random: &mut Random, text: &mut String, seeds: &[String]) {
    let mut places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    places.push(text.len());
    let at = places[random.below(places.len())];
    let line = text[..at].rfind('\n').map_or(0, |feed| feed + 1);
    match random.below(8) {
        0..=2 => text.insert_str(at, random.pick(STRAY)),
        3 if at < text.len() => drop(text.remove(at)),
        4 => text.insert_str(line, &" ".repeat(1 + random.below(4))),
        5 => {
            let spaces = text[line..].len() - text[line..].trim_start_matches(' ').len();
            text.replace_range(line..line + spaces.min(1 + random.below(4)), "");
        }
        6 => {
            let seed = &seeds[random.below(seeds.len())];
            let other = piece(random, seed);
            text.insert_str(line, &other);
        }
        _ => {
            let index = places.partition_point(|place| *place < at);
            let to = places[(index + random.below(20)).min(places.len() - 1)];
            text.replace_range(at..to, "");
        }
    }
}

#[test]
#[ignore = "runs for as long as it is told"]
#[expect(clippy::print_stderr, reason = "the count is the point")]
fn fuzz_block_reader() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |value| value.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS", 10));
    let mut random = Random(number("FUZZ_SEED", 1).max(1));
    let seeds = seeds();
    let (mut runs, mut taken, mut said) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < end {
        let seed = &seeds[random.below(seeds.len())];
        let mut text = piece(&mut random, seed);
        for _ in 0..random.below(5) {
            change(&mut random, &mut text, &seeds);
        }
        runs += 1;
        taken += u64::from(takes(&text).unwrap_or_else(|error| panic!("{error}")));
        let prefix = ["", "apiVersion: v1\n", "apiVersion: v1\nkind: Pod\n"][random.below(3)];
        let document = format!("{prefix}{text}{}", ["", "kind: Role\n"][random.below(2)]);
        said += u64::from(check_document(&document).unwrap_or_else(|error| panic!("{error}")));
    }
    eprintln!("{taken} of {runs} texts taken, {said} said something, from {} documents", seeds.len());
    assert!(taken * 20 > runs && said * 20 > runs, "too few texts are taken");
}
