//! What the inputs ask to be ignored: comments `# rbacsim:ignore CODE reason`, and an annotation on an object.

use crate::document::{Node, encoding};
use crate::model::source::{FileId, Source, Sources};

use super::Input;

/// The annotation of an object in which findings about it are ignored.
pub const ANNOTATION: &str = "rbacsim.dev/ignore";

/// The beginning of a comment that ignores findings.
const COMMENT: &str = "rbacsim:ignore";

/// A wish to ignore findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The codes.
    pub codes: Vec<String>,
    /// Why, as far as it says so.
    pub reason: String,
    /// Where the wish stands; of an annotation, its object.
    pub source: Source,
    /// The line that it is about; `None` for an annotation, which is about its object.
    pub line: Option<u32>,
}

/// The codes and the reason in a text: codes up to the first word that cannot be one.
fn codes(text: &str) -> (Vec<String>, String) {
    let is_code = |word: &str| {
        let tail = word.trim_end_matches(',');
        let kebab = tail.contains('-') && tail.chars().all(|char| char.is_ascii_lowercase() || char == '-');
        // The codes of risks: a letter and two digits.
        let of_risk = tail.len() == 3 && tail.starts_with(|char: char| char.is_ascii_uppercase());
        kebab || (of_risk && tail.chars().skip(1).all(|char| char.is_ascii_digit()))
    };
    let text = text.replace(',', ", ");
    let mut words = text.split_whitespace().peekable();
    let mut codes = Vec::new();
    while let Some(word) = words.next_if(|word| codes.is_empty() || is_code(word)) {
        codes.push(word.trim_end_matches(',').to_owned());
    }
    codes.retain(|code| !code.is_empty());
    (codes, words.collect::<Vec<_>>().join(" "))
}

/// What the annotation of an object says.
pub(super) fn of_object(node: Node<'_>, source: Source) -> Option<Ignore> {
    let annotations = node.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let text = annotations.and_then(|all| all.get(ANNOTATION))?.text();
    let (codes, reason) = codes(text);
    Some(Ignore { codes, reason, source, line: None })
}

/// The comments in all input files, in order.
pub fn comments(inputs: &[Input], sources: &Sources) -> Vec<Ignore> {
    let mut found = Vec::new();
    for number in 0..u32::try_from(sources.len()).unwrap_or(u32::MAX) {
        let file = FileId(number);
        let name = sources.file(file);
        let given = inputs.iter().find_map(|input| match input {
            Input::Text { name: own, bytes } if own == name => Some(bytes.clone()),
            _ => None,
        });
        // What cannot be read was told when it was loaded; built-in files are none.
        let Some(bytes) = given.or_else(|| std::fs::read(name).ok()) else { continue };
        if memchr::memmem::find(&bytes, COMMENT.as_bytes()).is_none()
            && !bytes.starts_with(&[0xff, 0xfe])
            && !bytes.starts_with(&[0xfe, 0xff])
        {
            continue;
        }
        if let Ok(text) = encoding::decode(&bytes) {
            in_text(&text, file, &mut found);
        }
    }
    found
}

/// The comments of a text.
fn in_text(text: &str, file: FileId, found: &mut Vec<Ignore>) {
    let lines: Vec<&str> = text.lines().collect();
    for (line, number) in lines.iter().zip(1u32..) {
        let Some(at) = line.find(COMMENT) else { continue };
        let (before, after) = line.split_at(at);
        let Some(before) = before.trim_end().strip_suffix('#') else { continue };
        let (codes, reason) = codes(after.trim_start_matches(COMMENT));
        let own_line = before.trim().is_empty();
        let target = if own_line {
            // Comments may stand above one another: the line below them is meant.
            let below = lines.iter().zip(1u32..).skip(number as usize);
            let is_code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
            below.into_iter().find(|(line, _)| is_code(line)).map_or(number, |(_, below)| below)
        } else {
            number
        };
        let source = Source { file, line: number, ..Source::default() };
        found.push(Ignore { codes, reason, source, line: Some(target) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Vec<String>, String, Option<u32>)> {
        let mut found = Vec::new();
        in_text(text, FileId(0), &mut found);
        found.into_iter().map(|one| (one.codes, one.reason, one.line)).collect()
    }

    #[test]
    fn a_comment_is_about_its_line_or_the_one_below() {
        let found = read(
            "# rbacsim:ignore may-bind, may-escalate the operator needs it\n# more\n\nkind: x # rbacsim:ignore E04 as agreed\ny: 'rbacsim:ignore x'\n",
        );
        assert_eq!(
            found[0],
            (vec!["may-bind".into(), "may-escalate".into()], "the operator needs it".into(), Some(4))
        );
        assert_eq!(found[1], (vec!["E04".into()], "as agreed".into(), Some(4)));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn the_first_word_is_a_code_whatever_it_is() {
        assert_eq!(read("a: b # rbacsim:ignore everything please")[0].0, ["everything"]);
        assert_eq!(read("a: b # rbacsim:ignore")[0].0, Vec::<String>::new());
    }
}
