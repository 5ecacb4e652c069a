//! Signs that were left over in a file or cannot be seen: marks of here-documents, blanks that are none to YAML,
//! typographic quotes, characters without width. They explain why a text does not parse.

/// What of this a text has, and what to do; `None` if there is nothing.
pub(crate) fn hint(text: &str) -> Option<String> {
    here_document(text).or_else(|| crate::identity::odd_signs(text))
}

/// The mark of a here-document, as a shell script or `terraform output` leaves it.
fn here_document(text: &str) -> Option<String> {
    const USUAL: [&str; 6] = ["EOT", "EOF", "EOL", "YAML", "END", "HEREDOC"];
    for (line, number) in text.lines().zip(1usize..) {
        let line = line.trim();
        let mark = line.rsplit_once("<<").map(|(_, mark)| mark.trim_start_matches(['-', '~']).trim_matches(['"', '\'']));
        let is_mark = |mark: &str| {
            !mark.is_empty() && mark.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        let found = match mark {
            Some(mark) if is_mark(mark) => Some(mark),
            _ => USUAL.contains(&line).then_some(line),
        };
        if let Some(mark) = found {
            return Some(format!("the mark `{mark}` of a here-document was left in, in line {number}; remove it"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_here_documents_are_named() {
        for (text, mark) in [
            ("<<EOT\nkind: A\nEOT\n", Some("EOT")),
            ("cat > x <<-'EOF'\nkind: A\n", Some("EOF")),
            ("kind: A\nEOF\n", Some("EOF")),
            ("kind: A\nmerge: {<<: *a}\n", None),
            ("kind: EOF is a word\n", None),
        ] {
            let hint = hint(text);
            assert_eq!(hint.is_some(), mark.is_some(), "{text:?}: {hint:?}");
            assert!(mark.is_none_or(|mark| hint.unwrap_or_default().contains(&format!("`{mark}`"))));
        }
    }
}
