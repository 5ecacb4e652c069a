//! Characters that look like others, or like nothing: what they are called, and texts without them.

/// What a character is that nobody sees or takes for another; `None` for any other.
pub(super) fn name(sign: char) -> Option<&'static str> {
    Some(match sign {
        '\u{a0}' | '\u{202f}' | '\u{2007}' => "a no-break space",
        '\u{3000}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200a}' | '\u{205f}' => "a space that is not ASCII",
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{180e}' => "an invisible character",
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "an invisible mark of text direction"
        }
        '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '«' | '»' | '‹' | '›' => "a typographic quote",
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

/// What of this keeps a text from being read as YAML, and what to do: an odd blank as indentation, a quote that is none.
pub(crate) fn odd_signs(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    for (line, number) in text.lines().zip(1usize..) {
        let indentation = line.split(|sign: char| !sign.is_whitespace() && name(sign).is_none()).next();
        let odd = indentation.and_then(first).map(|odd| format!("the indentation of line {number} has {odd}"));
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
