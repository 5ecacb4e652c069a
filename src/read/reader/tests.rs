//! Where the pieces of a file end must not change what it means.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::read::{LoadOptions, Loaded};

const PARTS: [&str; 33] = [
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: r\nrules:\n- apiGroups: ['']\n  resources: [pods]\n  verbs: [get]\n",
    "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: s}, rules: []}\n",
    "{\"apiVersion\": \"rbac.authorization.k8s.io/v1\", \"kind\": \"ClusterRole\", \"metadata\": {\"name\": \"ä\"}}\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: b\nroleRef:\n  kind: ClusterRole\n  name: r\nsubjects:\n- kind: User\n  name: u\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\n",
    "apiVersion: v1\nkind: List\nitems:\n- apiVersion: rbac.authorization.k8s.io/v1\n  kind: ClusterRole\n  metadata:\n    name: l\n",
    "- apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    name: item\n    namespace: ns\n  rules: null\n",
    "- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: y\n",
    "- {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: flow, namespace: ns}}\n",
    "kind: ClusterRoleList\napiVersion: rbac.authorization.k8s.io/v1\nitems:\n- metadata:\n    name: typed\n  rules: []\n",
    "- metadata:\n    name: typed-item\n",
    "metadata:\n  resourceVersion: \"1\"\n",
    "kind: List\n",
    "---\n",
    "---\n",
    "---\n",
    "--- # comment\n",
    "--- {a: b}\n",
    "...\n",
    "\n",
    "# comment\n",
    "a: [\n",
    "text: |\n  ---\n  kind: ClusterRole\n",
    "\"open\n",
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"j\"}},{\"kind\":\"x\"}]}\n",
    "\u{2028}é\r\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  generateName: made-\nroleRef:\n  kind: Role\n  name: r\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: aws-auth\n  namespace: kube-system\ndata:\n  mapUsers: |\n    - userarn: x\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: aws-auth\ndata:\n  mapAccounts: |\n    - \"1\"\n",
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: pods.\nspec:\n  group: apps\n  names: {plural: deployments, kind: D}\n  versions: [{name: v1, served: true}]\n",
    "\u{feff}apiVersion: apps/v1\nkind: Deployment\nspec: \"open\n",
    "\u{feff}apiVersion: v1\nkind: Namespace\nmetadata:\n  name: marked\n",
    "\u{feff}--- {a: b}\n",
];

/// What items of a JSON list may be, with texts that look like the place between two items.
const ITEMS: [&str; 9] = [
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"a\"}}",
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"RoleBinding\",\"metadata\":{\"generateName\":\"b-\",\"namespace\":\"ä\"},\"roleRef\":{\"kind\":\"Role\",\"name\":\"r\"}}",
    "{\"kind\":\"ClusterRole\",\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"metadata\":{\"name\":\"c\"}}",
    "{\"metadata\":{\"name\":\"typed\",\"namespace\":\"n\"}}",
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"name\":\"o\"},{\"apiVersion\":\"v1\",\"kind\":\"P\"}]}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"e\"}},{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"f\"}}]}",
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"g\",\"annotations\":{\"h\":\"},{\\\"apiVersion\\\":\\\"v1\\\",\\\"kind\\\":\"}}}",
    "null",
    "{\"apiVersion\":\"v1\",}",
];

const HEADS: [&str; 5] = [
    "{\"apiVersion\":\"v1\",\"items\":[",
    "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"items\":[]},\"items\":[",
    "{\"kind\":\"RoleList\",\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"items\":[",
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"items\":[",
    "[",
];

const TAILS: [&str; 6] = [
    "],\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"\"}}\n",
    "],\"kind\":\"RoleList\"}",
    "]}",
    "]",
    "],\"items\":[]}",
    "],\"x\":{\"y\":\"z\"},{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"i\"}}],\"kind\":\"List\"}",
];

fn loaded(reader: Reader, text: &str) -> Loaded {
    let mut collector = Collector::default();
    reader.bytes(&mut collector, "a", text.as_bytes());
    let defaults = crate::read::Defaults::Never;
    collector.finish(&LoadOptions { defaults, ..LoadOptions::default() }, &[]).unwrap()
}

/// Everything that an input said, numbers of names and rules put into words.
fn said(loaded: &Loaded) -> Vec<String> {
    let policy = &loaded.policy;
    let text = |name| policy.names.text(name);
    let at = |source| policy.sources.show(source).to_string();
    let mut said: Vec<String> = Vec::new();
    for role in &policy.roles {
        let rules: Vec<_> =
            policy.rules_of(role).iter().map(|placed| (placed.line, policy.rule(*placed))).collect();
        let verbs: Vec<_> = rules
            .iter()
            .flat_map(|(line, rule)| rule.verbs.iter().map(move |verb| (line, text(*verb))))
            .collect();
        said.push(format!(
            "{} {} {} {verbs:?}",
            at(role.source),
            text(role.scope.namespace()),
            text(role.name)
        ));
    }
    for binding in &policy.bindings {
        let lines: Vec<u32> = policy.subjects_of(binding).iter().map(|placed| placed.line).collect();
        said.push(format!(
            "{} {} {lines:?} {}",
            at(binding.source),
            text(binding.name),
            binding.role_ref_line
        ));
    }
    for diagnostic in &loaded.diagnostics {
        let place = diagnostic.source.map(at);
        said.push(format!("{:?} {place:?} {}", diagnostic.code, diagnostic.message));
    }
    let mut summary = loaded.summary.clone();
    let unread = std::mem::take(&mut summary.unread);
    said.extend(unread.into_iter().map(|unread| format!("{:?} {:?}", at(unread.source), unread.concern)));
    said.push(format!("{summary:?}"));
    said
}

/// Reads texts whole and in pieces of any size.
fn compare(texts: &impl Strategy<Value = String>) {
    let config = Config { cases: 4_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&(texts, 1usize..300), |(text, size)| {
        let (whole, pieces) = (loaded(Reader::default(), &text), loaded(Reader::with_pieces(size), &text));
        prop_assert_eq!(said(&whole), said(&pieces), "{}", text);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn pieces_never_change_what_a_file_means() {
    compare(&prop::collection::vec(select(&PARTS), 1..12).prop_map(|parts| parts.concat()));
}

#[test]
fn pieces_never_change_what_a_stream_of_json_values_means() {
    let values = prop_oneof![8 => select(&ITEMS[..3]), 1 => select(&ITEMS[..])];
    let separators = select(&["\n", "\n", "\n", "", " ", "\n\n", ","]);
    let texts = prop::collection::vec((values, separators), 1..12)
        .prop_map(|parts| parts.into_iter().flat_map(|(value, separator)| [value, separator]).collect());
    compare(&texts);
}

#[test]
fn lines_that_end_as_on_windows_never_change_what_a_file_means() {
    let parts = prop::collection::vec(select(&PARTS), 1..12).prop_map(|parts| parts.concat());
    compare(&parts.prop_map(|text| text.replace('\n', "\r\n")));
}

#[test]
fn an_item_may_be_as_deep_in_pieces_as_in_the_whole() {
    let mut refused = 0;
    for depth in 190..205 {
        let json = |deep: &str| format!("{}{},{deep},{}{}", HEADS[0], ITEMS[0], ITEMS[1], TAILS[0]);
        let arrays = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let item = format!("{{\"apiVersion\":\"v1\",\"kind\":\"X\",\"deep\":{arrays}}}");
        let yaml = format!(
            "apiVersion: v1\nitems:\n{0}- apiVersion: v1\n  kind: X\n  deep:\n  {1}a\n{0}kind: List\n",
            "- apiVersion: rbac.authorization.k8s.io/v1\n  kind: ClusterRole\n  metadata:\n    name: a\n",
            "- ".repeat(depth),
        );
        for text in [json(&item), yaml] {
            let whole = loaded(Reader::default(), &text);
            refused += usize::from(whole.policy.roles.is_empty());
            for size in [30, 100, 250, 600] {
                let pieces = loaded(Reader::with_pieces(size), &text);
                assert_eq!(said(&whole), said(&pieces), "{depth} deep, in pieces of {size}");
            }
        }
    }
    assert!((2..28).contains(&refused), "{refused} of 30");
}

/// Only the mark at the beginning of a file is none of its text.
#[test]
fn of_two_marks_the_second_is_text() {
    let text = format!("{}{}---\n{}", "\u{feff}", PARTS[30], PARTS[0]);
    let whole = loaded(Reader::default(), &text);
    assert_eq!(whole.summary.unreadable, 1, "the open quote is read, not passed over");
    for size in [20, 60, 100] {
        assert_eq!(said(&whole), said(&loaded(Reader::with_pieces(size), &text)), "in pieces of {size}");
    }
}

#[test]
fn what_was_taken_in_is_not_counted_again() {
    let mut found = Findings::default();
    let file = found.file("a");
    let role = PARTS[0].replace("ClusterRole", "Role");
    whole::bytes(&mut found, file, format!("{role}---\na: b\n").as_bytes(), &mut Tree::default());
    let mut collector = Collector::default();
    collector.take(&mut found);
    collector.take(&mut found);
    let loaded = collector.finish(&LoadOptions::default(), &[]).unwrap();
    let told = said(&loaded);
    for once in ["1 object has no `metadata.namespace`", "skipped 1 document that is not"] {
        assert!(told.iter().any(|line| line.contains(once)), "{once}: {told:?}");
    }
}

/// A sequence of numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// A file: documents, or a list of either kind, and in half of the cases something wrong with it.
    fn file(&mut self) -> String {
        let count = self.below(10);
        let parts: Vec<&str> = (0..count).map(|_| self.pick(&PARTS)).collect();
        let mut text = match self.below(4) {
            0 => parts.concat(),
            1 => {
                let item = |part: &&str| format!("- {}\n", part.trim_end().replace('\n', "\n  "));
                let items: String = parts.iter().filter(|part| part.starts_with("api")).map(item).collect();
                format!(
                    "apiVersion: v1\nitems:\n{items}kind: List\n{}",
                    self.pick(&["", "---\n", "metadata: {}\n"])
                )
            }
            2 => {
                let values: Vec<&str> = (0..count).map(|_| self.pick(&ITEMS[..8])).collect();
                values.join(self.pick(&["\n", "", "\n\n", "\n  "]))
            }
            _ => {
                let items: Vec<&str> = (0..count).map(|_| self.pick(&ITEMS[..7])).collect();
                format!("{}{}{}", HEADS[0], items.join(self.pick(&[",", ", ", ",\n"])), TAILS[0])
            }
        };
        for _ in 0..self.below(4).saturating_sub(1) {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let at = places[self.below(places.len())];
            match self.below(4) {
                0 if at < text.len() => drop(text.remove(at)),
                1 => text.insert_str(at, self.pick(&PARTS)),
                2 => text.insert_str(at, self.pick(&ITEMS)),
                _ => text.insert_str(
                    at,
                    self.pick(&[
                        "\n", "\r", "\r\n", "---", "- ", " ", "\"", "'", "{", "}", ",", "]", "#", "é",
                    ]),
                ),
            }
        }
        text
    }
}

/// `FUZZ_SECONDS=600 FUZZ_SEED=7 cargo test --release --lib fuzz_pieces -- --ignored --nocapture`.
#[test]
#[ignore = "runs for as long as it is told"]
#[expect(clippy::print_stderr, reason = "the count is the point")]
fn fuzz_pieces() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |value| value.parse().unwrap());
    let end = std::time::Instant::now() + std::time::Duration::from_secs(number("FUZZ_SECONDS", 10));
    let mut random = Random(number("FUZZ_SEED", 1).max(1));
    let mut files = 0_u64;
    while std::time::Instant::now() < end {
        let (text, size) = (random.file(), 1 + random.below(300));
        let (whole, pieces) = (loaded(Reader::default(), &text), loaded(Reader::with_pieces(size), &text));
        assert_eq!(said(&whole), said(&pieces), "in pieces of {size}: {text}");
        files += 1;
    }
    eprintln!("{files} files read whole and in pieces");
}

#[test]
fn pieces_never_change_what_a_json_list_means() {
    let indented = |text: String| match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap(),
        Err(_) => text.replace("},{", "} ,\n  { "),
    };
    // Most of them good, or nothing but the way back would be tested.
    let items = prop_oneof![8 => select(&ITEMS[..2]), 4 => select(&ITEMS[..7]), 1 => select(&ITEMS[..])];
    let (head, tail) = (
        prop_oneof![3 => Just(HEADS[0]), 1 => select(&HEADS[..])],
        prop_oneof![3 => Just(TAILS[0]), 1 => select(&TAILS[..])],
    );
    let texts = (head, prop::collection::vec(items, 0..12), tail, any::<bool>()).prop_map(
        move |(head, items, tail, pretty)| {
            let text = format!("{head}{}{tail}", items.join(","));
            if pretty { indented(text) } else { text }
        },
    );
    compare(&texts);
}
