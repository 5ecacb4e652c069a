//! The embedded tables: one text for the oldest Kubernetes version, one with the differences for each later one, and
//! one for what EKS adds.
//!
//! The texts explain their own form. Nothing is parsed but the section and the version that are asked for. To add a
//! version, write its file, name it in [`VERSIONS`] and raise [`KubernetesVersion::NEWEST`]; the compiler says so
//! where one of the two was forgotten.

use memchr::memmem;

use crate::model::version::KubernetesVersion;

/// The versions, oldest first: the base, then how each differs from the one before.
const VERSIONS: [&str; 9] = [
    include_str!("versions/1.29.txt"),
    include_str!("versions/1.30.txt"),
    include_str!("versions/1.31.txt"),
    include_str!("versions/1.32.txt"),
    include_str!("versions/1.33.txt"),
    include_str!("versions/1.34.txt"),
    include_str!("versions/1.35.txt"),
    include_str!("versions/1.36.txt"),
    include_str!("versions/1.37.txt"),
];
const _: () = assert!(
    VERSIONS.len() == (KubernetesVersion::NEWEST.minor() - KubernetesVersion::OLDEST.minor()) as usize + 1
);

/// What EKS adds.
const EKS: &str = include_str!("versions/eks.txt");

/// A line of a table.
pub(super) type Line = &'static str;

/// A section of the tables.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Roles,
    Bindings,
    Resources,
    Verbs,
}

impl Section {
    fn name(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::Bindings => "bindings",
            Self::Resources => "resources",
            Self::Verbs => "verbs",
        }
    }
}

/// One step from a version to the next.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Everything up to the next line that reads so stays, that line too.
    Keep(Line),
    /// Everything before the next line that reads so stays; that line is gone.
    Drop(Line),
    /// A line is new here.
    Add(Line),
}

/// The lines of a section in a version.
pub(super) fn lines(section: Section, version: KubernetesVersion) -> Vec<Line> {
    let steps = usize::from(version.minor() - KubernetesVersion::OLDEST.minor());
    let Some((base, later)) = VERSIONS.split_first() else { return Vec::new() };
    let mut lines: Vec<Line> = body(base, section.name()).collect();
    for text in later.iter().take(steps) {
        lines = changed(lines, body(text, section.name()).filter_map(step));
    }
    lines
}

/// How the lines of a section differ from those of the version before; nothing for the oldest version.
pub(super) fn differences(section: Section, version: KubernetesVersion) -> impl Iterator<Item = Step> {
    let number = usize::from(version.minor() - KubernetesVersion::OLDEST.minor());
    let text = VERSIONS.get(number).filter(|_| number > 0);
    text.into_iter().flat_map(move |text| body(text, section.name())).filter_map(step)
}

/// The lines that EKS adds to a section in a version.
pub(super) fn eks(section: Section, version: KubernetesVersion) -> impl Iterator<Item = Line> {
    of_eks(section.name(), version)
}

/// The lines of a section in a version, as EKS has changed them.
pub(super) fn changed_by_eks(section: Section, version: KubernetesVersion) -> Vec<Line> {
    let name = match section {
        Section::Roles => "changed roles",
        _ => return lines(section, version),
    };
    changed(lines(section, version), of_eks(name, version).filter_map(step))
}

fn of_eks(name: &'static str, version: KubernetesVersion) -> impl Iterator<Item = Line> {
    memmem::find_iter(EKS.as_bytes(), b"\n[").flat_map(move |at| {
        let (head, rest) = cut(EKS.get(at + 2..).unwrap_or_default(), b']');
        let counts = head.strip_prefix(name).is_some_and(|range| is_in(range, version));
        said(rest.filter(|_| counts).unwrap_or_default()).take_while(|line| !line.starts_with('['))
    })
}

/// Whether a version is in ` 1.31-1.33`, ` 1.33`, or nothing, which is every one.
fn is_in(range: &str, version: KubernetesVersion) -> bool {
    if range.is_empty() {
        return true;
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let parse = |text: &str| text.trim_start().parse::<KubernetesVersion>();
    match (parse(first), parse(last)) {
        (Ok(first), Ok(last)) => (first..=last).contains(&version),
        _ => false,
    }
}

/// The lines of a section of a text; none if it has no such section.
fn body(text: Line, section: &str) -> impl Iterator<Item = Line> {
    let head = format!("\n[{section}]\n");
    let start = memmem::find(text.as_bytes(), head.as_bytes()).map(|at| at + head.len());
    let rest = start.and_then(|start| text.get(start..)).unwrap_or_default();
    said(rest).take_while(|line| !line.starts_with('['))
}

/// The lines that say something.
fn said(text: Line) -> impl Iterator<Item = Line> {
    let mut rest = text;
    let mut next = move || {
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let line = rest.get(..end).filter(|_| !rest.is_empty())?;
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    };
    std::iter::from_fn(move || {
        loop {
            let line = next()?;
            if !line.is_empty() && !line.starts_with('#') {
                return Some(line);
            }
        }
    })
}

/// A text up to a byte, and what follows it. Most texts are a few bytes long, for which a search costs more.
pub(super) fn cut(text: Line, at: u8) -> (Line, Option<Line>) {
    match text.bytes().position(|byte| byte == at) {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 1..)),
        None => (text, None),
    }
}

/// The parts of a text between bytes of one kind: words of a line, items of a list.
pub(super) fn parts(text: Line, between: u8) -> impl Iterator<Item = Line> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (part, after) = cut(rest?, between);
        rest = after;
        Some(part)
    })
}

/// A line that does not read is left out; the tests hold that there is none.
fn step(line: Line) -> Option<Step> {
    let (mark, rest) = line.split_at_checked(1)?;
    match mark {
        " " => Some(Step::Keep(rest)),
        "-" => Some(Step::Drop(rest)),
        "+" => Some(Step::Add(rest)),
        _ => None,
    }
}

/// The lines after some steps.
fn changed(before: Vec<Line>, steps: impl Iterator<Item = Step>) -> Vec<Line> {
    let mut steps = steps.peekable();
    if steps.peek().is_none() {
        return before;
    }
    let mut after = Vec::with_capacity(before.len() + 32);
    let mut rest = before.as_slice();
    for step in steps {
        match step {
            Step::Add(line) => after.push(line),
            Step::Keep(line) | Step::Drop(line) => {
                let at = rest.iter().position(|kept| *kept == line).unwrap_or(rest.len());
                let (kept, behind) = rest.split_at_checked(at + 1).unwrap_or((rest, &[]));
                let dropped = matches!(step, Step::Drop(_)) && at < rest.len();
                after.extend_from_slice(kept.get(..kept.len() - usize::from(dropped)).unwrap_or_default());
                rest = behind;
            }
        }
    }
    after.extend_from_slice(rest);
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTIONS: [Section; 4] = [Section::Roles, Section::Bindings, Section::Resources, Section::Verbs];

    #[test]
    fn steps_keep_drop_and_add() {
        let before = vec!["a", "b", "c", "b", "d"];
        let steps = [Step::Keep("c"), Step::Add("x"), Step::Drop("b"), Step::Add("y")];
        assert_eq!(changed(before.clone(), steps.into_iter()), ["a", "b", "c", "x", "y", "d"]);
        assert_eq!(changed(before.clone(), std::iter::empty()), before);
        assert_eq!(changed(before, [Step::Add("first")].into_iter()), ["first", "a", "b", "c", "b", "d"]);
    }

    #[test]
    fn a_range_includes_both_ends() {
        let of = |minor| KubernetesVersion::from_minor(minor).unwrap();
        for (range, minor, is) in [
            ("", 29, true),
            (" 1.33", 33, true),
            (" 1.33", 34, false),
            (" 1.31-1.33", 30, false),
            (" 1.31-1.33", 31, true),
            (" 1.31-1.33", 33, true),
            (" 1.31-1.33", 34, false),
            (" of another name", 33, false),
        ] {
            assert_eq!(is_in(range, of(minor)), is, "{range} {minor}");
        }
    }

    #[test]
    fn every_line_of_every_text_reads() {
        for version in KubernetesVersion::all().skip(1) {
            for section in SECTIONS {
                let text = VERSIONS[usize::from(version.minor() - KubernetesVersion::OLDEST.minor())];
                assert_eq!(body(text, section.name()).count(), differences(section, version).count());
                // A line that is to be kept or dropped is there.
                let before = lines(section, KubernetesVersion::from_minor(version.minor() - 1).unwrap());
                let mut rest = before.iter();
                for step in differences(section, version) {
                    if let Step::Keep(line) | Step::Drop(line) = step {
                        assert!(rest.any(|there| *there == line), "{version}: {line}");
                    }
                }
            }
        }
        let heads = |text: Line| said(text).filter(|line| line.starts_with('[')).collect::<Vec<_>>();
        for text in VERSIONS {
            for head in heads(text) {
                assert!(SECTIONS.iter().any(|section| head == format!("[{}]", section.name())), "{head}");
            }
        }
        // Every section of the text for EKS counts in some version.
        let counted: usize = heads(EKS)
            .into_iter()
            .map(|head| {
                let mut words = head.trim_matches(['[', ']']).rsplitn(2, ' ');
                let (last, rest) = (words.next().unwrap(), words.next());
                let name = if last.starts_with("1.") { rest.unwrap() } else { head.trim_matches(['[', ']']) };
                assert!(["roles", "bindings", "resources", "changed roles"].contains(&name), "{head}");
                1
            })
            .sum();
        assert_eq!(counted, 11);
    }

    #[test]
    fn what_eks_changes_is_there() {
        for version in KubernetesVersion::all() {
            let mut rest = lines(Section::Roles, version).into_iter();
            for step in of_eks("changed roles", version).filter_map(step) {
                if let Step::Keep(line) | Step::Drop(line) = step {
                    assert!(rest.any(|there| there == line), "{version}: {line}");
                }
            }
        }
    }
}
