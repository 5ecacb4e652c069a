//! What every code means: its effect, the mend, and an example of each of wrong and right.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::knowledge::risks;
use crate::model::diagnostic::Code;

const TABLES: [&str; 4] = [
    include_str!("codes/reading.txt"),
    include_str!("codes/mappings.txt"),
    include_str!("codes/access.txt"),
    include_str!("codes/policy.txt"),
];

/// What a code means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// What it does to the cluster or to the answers, in a sentence or two.
    pub effect: &'static str,
    /// What to do.
    pub mend: &'static str,
    /// Inputs in which it is found.
    pub bad: Option<Example>,
    /// The same, mended.
    pub good: Option<Example>,
}

/// An example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// YAML or JSON.
    pub text: String,
    /// Whether the inputs are to be taken for complete.
    pub is_complete: bool,
}

/// Every explanation by its code, in the order of the tables.
static ALL: LazyLock<Vec<(&'static str, Explanation)>> =
    LazyLock::new(|| TABLES.into_iter().flat_map(read).collect());

static NONE: Explanation = Explanation { effect: "", mend: "", bad: None, good: None };

/// What a code of a diagnostic or of `lint` means.
pub fn explanation(code: Code) -> &'static Explanation {
    ALL.iter().find(|(own, _)| *own == code.as_str()).map_or(&NONE, |(_, explanation)| explanation)
}

/// Whether a text is a code of `lint` or of `risk`.
pub fn is_code(text: &str) -> bool {
    all().any(|code| code == text)
}

/// Every code of `lint` and of `risk`.
pub fn all() -> impl Iterator<Item = &'static str> {
    Code::ALL.iter().map(|code| code.as_str()).chain(risks::all().iter().map(|risk| risk.code))
}

/// The code that a text nearly is.
pub fn nearest(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase().replace('_', "-");
    let near = all().map(|code| (strsim::osa_distance(&code.to_lowercase(), &lower), code));
    near.min().filter(|(distance, _)| *distance <= 3.min(text.len() / 2)).map(|(_, code)| code)
}

fn read(table: &'static str) -> Vec<(&'static str, Explanation)> {
    let mut found: Vec<(&str, Explanation)> = Vec::new();
    let mut lines = table.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(code) = line.strip_prefix("@ ") {
            found.push((code, Explanation::default()));
            continue;
        }
        let Some((_, explanation)) = found.last_mut() else { continue };
        if let Some(effect) = line.strip_prefix("effect ") {
            explanation.effect = effect;
        } else if let Some(mend) = line.strip_prefix("mend ") {
            explanation.mend = mend;
        } else if line.starts_with("bad") || line.starts_with("good") {
            let mut text = String::new();
            while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
                add_line(&mut text, line.get(2..).unwrap_or_default());
            }
            let example = Some(Example { text, is_complete: line.ends_with(" complete") });
            if line.starts_with("bad") {
                explanation.bad = example;
            } else {
                explanation.good = example;
            }
        }
    }
    found
}

/// Adds a line of an example: `<Kind namespace/name>` stands for the head of an object, and `LABELS: key` behind it for a
/// label with the value "true".
fn add_line(text: &mut String, line: &str) {
    if let Some(key) = line.strip_prefix("LABELS: ") {
        if let Some(cut) = text.trim_end().strip_suffix('}') {
            *text = format!("{cut}, labels: {{{key}: \"true\"}}}}\n");
        }
        return;
    }
    let head = line.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let Some((kind, place)) = head.and_then(|head| head.split_once(' ')) else {
        text.push_str(line);
        text.push('\n');
        return;
    };
    let version = if kind.contains("Role") { "rbac.authorization.k8s.io/v1" } else { "v1" };
    let metadata = match place.split_once('/') {
        Some((namespace, name)) => format!("namespace: {namespace}, name: {name}"),
        None => format!("name: {place}"),
    };
    let _ = writeln!(text, "apiVersion: {version}\nkind: {kind}\nmetadata: {{{metadata}}}");
}
