//! Placeholders that the user fills in: in the text of every input, before it is read.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::document::encoding;
use crate::identity::placeholders;
use crate::model::diagnostic::{Code, Diagnostic};

/// What fills placeholders in, and which of it was met.
#[derive(Debug)]
pub(super) struct Settings {
    settings: Vec<Setting>,
}

#[derive(Debug)]
struct Setting {
    name: String,
    value: String,
    is_used: AtomicBool,
}

/// Keys whose value is one ARN, which a word may stand for.
const ARN_KEYS: [&str; 5] = ["rolearn:", "userarn:", "arn:", "principalarn:", "rolearn\":"];

impl Settings {
    /// The settings; `None` if there are none. Of one name the last counts.
    pub(super) fn new(set: &[(String, String)]) -> Option<Self> {
        let mut settings: Vec<Setting> = Vec::new();
        for (name, value) in set {
            settings.retain(|setting| setting.name != *name);
            settings.push(Setting {
                name: name.clone(),
                value: value.clone(),
                is_used: AtomicBool::new(false),
            });
        }
        (!settings.is_empty()).then_some(Self { settings })
    }

    /// The text of some bytes with everything filled in; `None` where nothing is to be filled in, or that is no text.
    pub(super) fn fill_bytes(&self, bytes: &[u8]) -> Option<String> {
        self.fill(&encoding::decode(bytes).ok()?)
    }

    /// A text with everything filled in; `None` if nothing is to be.
    fn fill(&self, text: &str) -> Option<String> {
        let mut filled = String::with_capacity(text.len());
        let mut from = 0;
        for found in placeholders(text) {
            let Some(setting) =
                self.settings.iter().find(|setting| setting.name.trim_start_matches('.') == found.name)
            else {
                continue;
            };
            filled.push_str(text.get(from..found.start)?);
            filled.push_str(&setting.value);
            from = found.end;
            setting.is_used.store(true, Ordering::Relaxed);
        }
        filled.push_str(text.get(from..)?);
        for setting in &self.settings {
            // Between two `@` also a name that might be the domain of an address.
            let signs = format!("@{}@", setting.name);
            let words = filled.replace(&signs, &setting.value);
            let words = words_filled(&words, &setting.name, &setting.value).unwrap_or(words);
            if words != filled {
                setting.is_used.store(true, Ordering::Relaxed);
                filled = words;
            }
        }
        (filled != text).then_some(filled)
    }

    /// A diagnostic for each that no input has.
    pub(super) fn unused(&self) -> impl Iterator<Item = Diagnostic> {
        let unused = self.settings.iter().filter(|setting| !setting.is_used.load(Ordering::Relaxed));
        unused.map(|setting| {
            Diagnostic::general(
                Code::SettingNotUsed,
                format!(
                    "--set {}: no input has a placeholder of this name, so nothing was filled in",
                    setting.name
                ),
            )
        })
    }
}

/// The text with a name filled in that stands alone where an account or the name of a role or user belongs.
fn words_filled(text: &str, name: &str, value: &str) -> Option<String> {
    let is_word = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-');
    let mut filled = String::new();
    let mut from = 0;
    for (at, _) in text.match_indices(name) {
        let (before, after) = (text.get(..at)?, text.get(at + name.len()..)?);
        let stands_alone = !before.ends_with(is_word) && !after.starts_with(is_word);
        if at < from || !stands_alone || !belongs(before, after) {
            continue;
        }
        filled.push_str(text.get(from..at)?);
        filled.push_str(value);
        from = at + name.len();
    }
    filled.push_str(text.get(from..)?);
    (from > 0).then_some(filled)
}

/// Whether an account, or the name of a role or user, or the whole of an ARN stands between two parts of a text.
fn belongs(before: &str, after: &str) -> bool {
    let ends =
        |sign: char| sign.is_whitespace() || matches!(sign, '"' | '\'' | '`' | ',' | ']' | '}' | '[' | '{');
    let token = before.rsplit(ends).next().unwrap_or_default();
    if token.starts_with("arn:") {
        let is_account = token.ends_with(':') && after.starts_with(':');
        let is_name =
            token.ends_with('/') && after.chars().next().is_none_or(|sign| ends(sign) || sign == '/');
        return is_account || is_name;
    }
    if !token.is_empty() || !after.chars().next().is_none_or(ends) {
        return false;
    }
    let line =
        before.rsplit('\n').next().unwrap_or_default().trim_matches([' ', '-', '"', '\'', '[', '{', ',']);
    let key = line.split_whitespace().next_back().unwrap_or_default().to_ascii_lowercase();
    if ARN_KEYS.contains(&key.as_str()) {
        return true;
    }
    // An item of `mapAccounts`: nothing else began behind that key.
    let section = ["mapRoles", "mapUsers", "mapAccounts", "\n---", "kind:"]
        .into_iter()
        .filter_map(|key| before.rfind(key).map(|at| (at, key)))
        .max();
    line.is_empty() && section.is_some_and(|(_, key)| key == "mapAccounts")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let set = [("NAME".to_owned(), "x".to_owned()), ("ACCOUNT_ID".to_owned(), "111122223333".to_owned())];
        Settings::new(&set).unwrap().fill(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn every_form_of_a_placeholder_is_filled_in() {
        for text in
            ["${NAME}", "$(NAME)", "{{ NAME }}", "{{.NAME}}", "{{ .NAME }}", "<NAME>", "%NAME%", "@NAME@"]
        {
            assert_eq!(filled(&format!("name: a-{text}-b\n")), "name: a-x-b\n", "{text}");
        }
        assert_eq!(filled("name: ${OTHER} NAME\n"), "name: ${OTHER} NAME\n");
    }

    #[test]
    fn a_word_is_filled_in_where_an_account_or_a_name_belongs() {
        for (text, expected) in [
            ("rolearn: arn:aws:iam::ACCOUNT_ID:role/dev\n", "rolearn: arn:aws:iam::111122223333:role/dev\n"),
            ("arn:aws:iam::1:role/NAME\n", "arn:aws:iam::1:role/x\n"),
            ("\"arn:aws:iam::1:role/path/NAME\"", "\"arn:aws:iam::1:role/path/x\""),
            ("arn:aws:iam::1:role/NAME-2\n", "arn:aws:iam::1:role/NAME-2\n"),
            ("- rolearn: NAME\n", "- rolearn: x\n"),
            ("mapAccounts: |\n  - ACCOUNT_ID\n", "mapAccounts: |\n  - 111122223333\n"),
            ("groups:\n- NAME\n", "groups:\n- NAME\n"),
            ("username: NAME\n", "username: NAME\n"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn what_no_input_has_is_told() {
        let settings =
            Settings::new(&[("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())]).unwrap();
        assert_eq!(settings.fill("${A}").as_deref(), Some("1"));
        let unused: Vec<Diagnostic> = settings.unused().collect();
        assert_eq!(unused.len(), 1);
        assert!(unused[0].message.contains("--set B"), "{}", unused[0].message);
    }
}
