//! Characters that look like others, or like nothing, and marks of here-documents: what was left over in a text, and
//! explains why it does not parse or matches nothing.

/// What a character is that nobody sees or takes for another; `None` for any other.
pub(super) fn name(sign: char) -> Option<&'static str> {
    Some(match sign {
        '\u{a0}' | '\u{202f}' | '\u{2007}' => "a no-break space",
        '\u{3000}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200a}' | '\u{205f}' => {
            "a space that is not ASCII"
        }
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{180e}' => "an invisible character",
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "an invisible mark of text direction"
        }
        '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '«' | '»' | '‹' | '›' => {
            "a typographic quote"
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "a dash that is not `-`",
        _ => return None,
    })
}

/// The first such character of a text, in words: ``a no-break space (U+00A0)``.
pub(super) fn first(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    text.chars().find_map(|sign| Some(format!("{} (U+{:04X})", name(sign)?, sign as u32)))
}

/// A text without them; dashes become the plain one.
pub(super) fn without(text: &str) -> String {
    let plain = |sign: char| match sign {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        sign => name(sign).is_none().then_some(sign),
    };
    text.chars().filter_map(plain).collect()
}

/// What keeps a text from being read as YAML, and what to do: the mark of a here-document, an odd blank as indentation, a
/// quote that is none.
pub(crate) fn left_over(text: &str) -> Option<String> {
    here_document(text).or_else(|| odd_sign(text))
}

fn odd_sign(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    for (line, number) in text.lines().zip(1usize..) {
        let indentation = line.split(|sign: char| !sign.is_whitespace() && name(sign).is_none()).next();
        let odd =
            indentation.and_then(first).map(|odd| format!("the indentation of line {number} has {odd}"));
        let value = line.split_once(": ").map_or(line, |(_, value)| value);
        let begins = value.trim_start_matches([' ', '-']).chars().next();
        let quote = begins.filter(|sign| name(*sign) == Some("a typographic quote"));
        let quoted = quote.and_then(|_| first(value)).map(|odd| format!("line {number} has {odd}"));
        if let Some(found) = odd.or(quoted) {
            return Some(format!("{found}, which YAML takes for text; write the plain one"));
        }
    }
    None
}

/// The mark of a here-document, as a shell script or `terraform output` leaves it.
fn here_document(text: &str) -> Option<String> {
    const USUAL: [&str; 6] = ["EOT", "EOF", "EOL", "YAML", "END", "HEREDOC"];
    for (line, number) in text.lines().zip(1usize..) {
        let line = line.trim();
        let behind = line.rsplit_once("<<").map(|(_, behind)| behind.trim_start_matches(['-', '~']));
        let mark = behind
            .and_then(|behind| behind.split_whitespace().next())
            .map(|mark| mark.trim_matches(['"', '\'']));
        let is_mark = |mark: &str| {
            !mark.is_empty() && mark.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        let found = match mark {
            Some(mark) if is_mark(mark) => Some(mark),
            _ => USUAL.contains(&line).then_some(line),
        };
        if let Some(mark) = found {
            return Some(format!(
                "the mark `{mark}` of a here-document was left in, in line {number}; remove it"
            ));
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
            ("cat <<EOF | kubectl apply -f -\nkind: A\n", Some("EOF")),
            ("kind: A\nEOF\n", Some("EOF")),
            ("kind: A\nmerge: {<<: *a}\n", None),
            ("kind: EOF is a word\n", None),
        ] {
            let hint = left_over(text);
            assert_eq!(hint.is_some(), mark.is_some(), "{text:?}: {hint:?}");
            assert!(mark.is_none_or(|mark| hint.unwrap_or_default().contains(&format!("`{mark}`"))));
        }
    }

    #[test]
    fn blanks_and_quotes_that_are_none_are_named() {
        for (text, named) in [
            ("a:\n\u{a0} b: c\n", Some("line 2 has a no-break space (U+00A0)")),
            ("a: \u{201c}b\u{201d}\n", Some("a typographic quote (U+201C)")),
            ("\u{feff}\u{200b}a: b\n", Some("an invisible character")),
            ("a: caf\u{e9}\n", None),
            ("a: b\u{201d}\n", None),
        ] {
            let hint = left_over(text);
            assert_eq!(hint.is_some(), named.is_some(), "{text:?}: {hint:?}");
            assert!(named.is_none_or(|named| hint.unwrap_or_default().contains(named)));
        }
    }
}
