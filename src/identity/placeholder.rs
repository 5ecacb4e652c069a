//! Placeholders that some tool was to fill in before a file was applied: how they are written, and what a text with them
//! could become.

use super::template::PLACEHOLDERS;

/// A placeholder in a text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placeholder<'t> {
    /// Where it begins.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// What it is called; empty where nothing can be told of it.
    pub(crate) name: &'t str,
}

fn is_word_sign(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '_'
}

fn is_name(text: &str) -> bool {
    let inner = |sign: char| is_word_sign(sign) || matches!(sign, '.' | '-');
    text.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_') && text.chars().all(inner)
}

/// The first placeholder at or behind a place.
fn next(text: &str, from: usize) -> Option<Placeholder<'_>> {
    let rest = text.get(from..)?;
    let signs = rest.char_indices().filter(|(_, sign)| matches!(sign, '$' | '{' | '<' | '%' | '@' | 'E'));
    signs.map(|(at, _)| from + at).find_map(|at| placeholder_at(text, at))
}

/// The placeholder that begins at a place.
fn placeholder_at(text: &str, start: usize) -> Option<Placeholder<'_>> {
    let rest = text.get(start..)?;
    let between = |open: &str, close: &str| {
        let inner = rest.strip_prefix(open)?.split_once(close)?.0;
        Some((inner, start + open.len() + inner.len() + close.len()))
    };
    let made = |name, end| Some(Placeholder { start, end, name });
    if let Some((inner, end)) = between("${{", "}}").or_else(|| between("{{", "}}")) {
        let name =
            inner.trim_matches(|sign: char| sign.is_whitespace() || sign == '-').trim_start_matches('.');
        return made(name, end);
    }
    if let Some((inner, end)) = between("${", "}") {
        let end_of_name = inner.find(|sign: char| !is_word_sign(sign) && sign != '.').unwrap_or(inner.len());
        return made(inner.get(..end_of_name).unwrap_or(inner), end);
    }
    if let Some((inner, end)) = between("$(", ")").filter(|(inner, _)| is_name(inner.trim())) {
        return made(inner.trim(), end);
    }
    let follows_word = text.get(..start).is_some_and(|before| before.ends_with(is_word_sign));
    if let Some(word) = rest.strip_prefix('$').filter(|_| !follows_word) {
        let len = word.find(|sign: char| !is_word_sign(sign)).unwrap_or(word.len());
        let word = word.get(..len).unwrap_or_default();
        return is_name(word).then_some(Placeholder { start, end: start + 1 + len, name: word });
    }
    if let Some((_, end)) = between("{%", "%}") {
        return made("", end);
    }
    if let Some((inner, end)) = between("<", ">") {
        let is_one = inner
            .starts_with(|sign: char| sign.is_alphanumeric() || matches!(sign, '_' | ' ' | '.'))
            && inner.len() > 1
            && !inner.contains(['<', '\n']);
        return is_one.then_some(Placeholder { start, end, name: inner.trim() });
    }
    if let Some((inner, end)) = between("%", "%").filter(|(inner, _)| is_name(inner)) {
        return made(inner, end);
    }
    // Between the signs of two addresses stands the domain of the first.
    let is_upper = |inner: &str| {
        is_name(inner) && !inner.contains(|sign: char| sign.is_ascii_lowercase() || sign == '.')
    };
    if let Some((inner, end)) = between("@", "@").filter(|(inner, _)| is_upper(inner)) {
        return made(inner, end);
    }
    let (_, end) = between("ENC[", "]")?;
    made("", end)
}

/// The placeholders of a text, in order.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = next(text, from)?;
        from = found.end;
        Some(found)
    })
}

/// Whether a text is what SOPS makes of a value: encrypted, so that nobody knows what it says.
pub(crate) fn is_encrypted(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("ENC[") && text.contains(",data:") && text.ends_with(']')
}

/// Whether a text has placeholders that are not aws-iam-authenticator's: `${X}`, `{{ .Values.x }}`, `<x>`, `%X%`, `@X@`, or
/// what SOPS encrypted. Some tool was to fill them in, and nobody can tell what with.
pub(crate) fn is_template(text: &str) -> bool {
    // Every name of every input is asked.
    let bytes = text.as_bytes();
    if memchr::memchr3(b'$', b'{', b'<', bytes).is_none()
        && memchr::memchr3(b'%', b'@', b'[', bytes).is_none()
    {
        return false;
    }
    // `{{ SessionName }}` is ours misspelt, and `{{UserID}}` what somebody hoped for.
    let ours = |inner: &str| PLACEHOLDERS.iter().any(|ours| ours.trim_matches(['{', '}']) == inner);
    placeholders(text).any(|found| {
        let written = text.get(found.start..found.end).unwrap_or_default();
        match written.strip_prefix("{{") {
            Some(inner) => inner.starts_with([' ', '.', '-', '$']) && !ours(found.name),
            None => !written.starts_with("ENC[") || is_encrypted(written),
        }
    })
}

/// Whether a text has a template of aws-iam-authenticator, in any case.
pub(super) fn has_own(text: &str) -> bool {
    text.contains("{{") && PLACEHOLDERS.iter().any(|ours| text.to_lowercase().contains(&ours.to_lowercase()))
}

/// The text in angle brackets that a name is or holds, such as `<system:nodes>`: left over from a sample.
pub(super) fn in_angle_brackets(text: &str) -> Option<&str> {
    let found =
        placeholders(text).find(|found| text.get(found.start..).is_some_and(|rest| rest.starts_with('<')))?;
    text.get(found.start..found.end)
}

/// Whether something that stands in place of an account is a word for one, such as `ACCOUNT_ID` or twelve X.
pub(super) fn is_account_word(text: &str) -> bool {
    text.contains(|sign: char| sign.is_ascii_alphabetic())
        && text.chars().all(|sign| is_word_sign(sign) || matches!(sign, '-' | '.'))
}

/// Whether a mapping's ARN has a placeholder that nobody filled in, or a word such as `NODE_INSTANCE_ROLE` in place of the
/// whole or of the account, and could become the given ARN. Both are folded already.
pub(super) fn could_become(written: &str, arn: &str) -> bool {
    let is_word = |text: &str| text.contains('_') && text.chars().all(is_word_sign);
    if is_word(written) || (written.starts_with("enc[") && written.ends_with(']')) {
        return true;
    }
    // What aws-iam-authenticator fills in elsewhere stays as it is in an ARN.
    if has_own(written) {
        return false;
    }
    // The fifth section of six.
    let account = written.split(':').nth(4).filter(|_| written.matches(':').count() >= 5);
    let text = match account.filter(|account| is_account_word(account)) {
        Some(account) => written.replacen(&format!(":{account}:"), ":<account>:", 1),
        None => written.to_owned(),
    };
    let literals = literals(&text);
    let Some((first, others)) = literals.split_first() else { return false };
    let Some((last, middle)) = others.split_last() else { return false };
    let Some(mut left) = arn.strip_prefix(first.as_str()) else { return false };
    for literal in middle {
        let Some(at) = left.find(literal.as_str()) else { return false };
        left = left.get(at + literal.len()..).unwrap_or("");
    }
    left.ends_with(last.as_str())
}

/// What stands between the placeholders of a text; one piece only if there are none.
fn literals(text: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['<', '{', '$', '%', '@']) {
        let (before, from) = rest.split_at(start);
        literal.push_str(before);
        if let Some(end) = lenient_end(from) {
            literals.push(std::mem::take(&mut literal));
            rest = from.get(end..).unwrap_or_default();
        } else {
            // An `@` alone is a part of a name.
            let (sign, after) = from.split_at(1);
            literal.push_str(sign);
            rest = after;
        }
    }
    literal.push_str(rest);
    literals.push(literal);
    literals
}

/// Where the placeholder ends with which a text begins, if it is one; brackets in any form are, also such as never close.
fn lenient_end(text: &str) -> Option<usize> {
    if let Some(found) = placeholder_at(text, 0) {
        return Some(found.end);
    }
    match text.chars().next()? {
        '@' => {
            let inner = text.strip_prefix('@')?.split_once('@')?.0;
            is_name(inner).then_some(inner.len() + 2)
        }
        '%' => None,
        open => {
            let close = if open == '<' { '>' } else { '}' };
            let end = text.find(close).unwrap_or(text.len());
            let closing = text.get(end..).unwrap_or_default();
            Some(end + closing.len() - closing.trim_start_matches(close).len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_placeholder_is_one() {
        for (text, name) in [
            ("a-${NAME}", "NAME"),
            ("${NAME:-x}", "NAME"),
            ("$(NAME)", "NAME"),
            ("$NAME/x", "NAME"),
            ("{{ NAME }}", "NAME"),
            ("{{ .NAME }}", "NAME"),
            ("{{- .Values.name -}}", "Values.name"),
            ("<NAME>", "NAME"),
            ("%NAME%", "NAME"),
            ("x@NAME@y", "NAME"),
            ("{% if x %}", ""),
            ("ENC[AES256_GCM,data:aGVsbG8=,iv:aXY=,tag:dGFn,type:str]", ""),
        ] {
            let found: Vec<&str> = placeholders(text).map(|found| found.name).collect();
            assert_eq!(found, [name], "{text}");
            assert!(is_template(text), "{text}");
        }
    }

    #[test]
    fn names_that_only_look_like_placeholders_are_none() {
        for text in [
            "ann@example.com",
            "ann@example.com@idp",
            "{{SessionName}}",
            "{{ SessionName }}",
            "a < b",
            "50%",
            "%2Fa%2F",
            "machine$",
            "a$b",
            "c<d>",
            "ENC[x]",
            "a[b]",
        ] {
            assert!(!is_template(text), "{text}");
        }
    }

    #[test]
    fn a_placeholder_that_nobody_filled_in_could_be_anything() {
        let arn = "arn:aws:iam::111122223333:role/dev";
        for written in [
            "arn:aws:iam::{{ account }}:role/dev",
            "arn:aws:iam::{account}:role/dev",
            "arn:aws:iam::${account}:role/dev",
            "arn:aws:iam::$account:role/dev",
            "arn:aws:iam::$(account):role/dev",
            "arn:aws:iam::<account>:role/<name>",
            "arn:aws:iam::@account@:role/dev",
            "arn:aws:iam::account_id:role/dev",
            "arn:aws:iam::xxxxxxxxxxxx:role/dev",
            "arn:aws:iam::your-account:role/{{ name }}",
            "arn:aws:iam::111122223333:role/{{ cluster }}",
            "node_instance_role",
            "${role_arn}",
            "<role_arn",
            "arn:aws:iam::%account%:role/dev",
            "enc[aes256_gcm,data:aa==,type:str]",
        ] {
            assert!(could_become(written, arn), "{written}");
        }
        for written in [
            "arn:aws:iam::{{ account }}:role/other",
            "arn:aws:iam::account_id:role/other",
            "arn:aws:iam::444455556666:role/{{ cluster }}",
            "arn:aws:iam::{{accountid}}:role/dev",
            "arn:aws:iam::111122223333:role/dev2",
            "arn:aws:iam::111122223333:role/de@v",
            "dev",
            "",
        ] {
            assert!(!could_become(written, arn), "{written}");
        }
    }
}
