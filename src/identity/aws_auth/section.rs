//! The texts under `mapRoles`, `mapUsers` and `mapAccounts`: what `utilyaml.ToJSON` and `encoding/json` make
//! of them, with the damage that errors do and no more.

use super::super::arn::fold;
use super::super::odd_signs;
use super::super::placeholder::{is_encrypted, is_template};
use super::super::{MappingKind, Written};
use super::{Entry, Ignored, Precedence, SectionText, Sso};
use crate::document::yaml::strings::{Item, Strings, read_strings};
use crate::document::{Kind, Node, ReadError, ScalarType, Tree, json, yaml};
use crate::model::diagnostic::{Code, Diagnostic};

/// The entries of `mapRoles` or `mapUsers` that are accepted.
pub(super) fn entries(
    kind: MappingKind,
    text: &SectionText<'_>,
    ignored: &mut Vec<Ignored>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Entry> {
    let mut section = Section { kind, text, ignored, diagnostics };
    let mut tree = Tree::new(text.text);
    let Some(root) = section.list(&mut tree) else { return Vec::new() };
    root.items().filter_map(|item| section.entry(item)).collect()
}

/// The accounts of `mapAccounts`.
///
/// These go through yaml.v2 straight into `[]string`: scalars keep their source text, `012345678901` its
/// zero; null is an empty text; lists and mappings are left out.
pub(super) fn accounts(
    text: &SectionText<'_>,
    ignored: &mut Vec<Ignored>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Written> {
    if is_skippable(text.text) {
        return Vec::new();
    }
    let mut section = Section { kind: MappingKind::MapAccounts, text, ignored, diagnostics };
    if is_encrypted(text.text) {
        section.encrypted();
        return Vec::new();
    }
    let items = match read_strings(text.text) {
        Ok(Strings::Nothing) => return Vec::new(),
        Ok(Strings::List(items)) => items,
        Ok(Strings::NotAList(position)) => {
            let message = "`mapAccounts` is not a list, so all of it is ignored".to_owned();
            section.ignore(Code::AwsAuthNotAList, position.line, message);
            return Vec::new();
        }
        Err(error) => {
            section.ignore_for_syntax(&error);
            return Vec::new();
        }
    };
    let mut accounts = Vec::new();
    for Item { position, text: account } in items {
        let source = text.at(position.line);
        match account {
            Some(text) => accounts.push(Written { text, source }),
            None => diagnostics.push(Diagnostic::at(
                Code::AwsAuthWrongType,
                source,
                "an item of `mapAccounts` is not text; it is ignored",
            )),
        }
    }
    accounts
}

/// Whether a text says nothing. Follows `isSkippable`.
fn is_skippable(text: &str) -> bool {
    matches!(text.trim(), "" | "``" | "\"\"" | "''")
}

/// A section while it is read.
struct Section<'a, 's> {
    kind: MappingKind,
    text: &'a SectionText<'s>,
    ignored: &'a mut Vec<Ignored>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

/// The fields of an entry while they are decoded.
#[derive(Default)]
struct Draft {
    arn: Written,
    username: Written,
    groups: Groups,
    sso: Option<Sso>,
}

/// A Go slice of groups: `encoding/json` decodes a second list over the elements of the first, also over
/// those that the first list had beyond its end.
#[derive(Default)]
struct Groups {
    items: Vec<Written>,
    len: usize,
}

impl<'s> Section<'_, 's> {
    fn report(&mut self, code: Code, node: Node<'_>, message: impl Into<String>) {
        let source = self.text.at(node.position().line);
        self.diagnostics.push(Diagnostic::at(code, source, message));
    }

    fn written(&self, text: &str, node: Node<'_>) -> Written {
        Written { text: text.to_owned(), source: self.text.at(node.position().line) }
    }

    /// The value of a key, which counts as nothing for its type.
    fn wrong_type(&mut self, node: Node<'_>, what: &str, wanted: &str, damage: &str) {
        let is = describe(node);
        self.report(Code::AwsAuthWrongType, node, format!("{what} is {is}, not {wanted}: {damage}"));
    }

    /// All of the section is ignored.
    fn ignore(&mut self, code: Code, line: u32, message: String) {
        let key = self.kind.as_str();
        let source = self.text.at(line);
        self.ignored.push(Ignored {
            folded: fold(self.text.text),
            is_template: is_template(self.text.text),
            why: format!("all of `{key}` is ignored: it {}", if_not_list(code)),
            source,
        });
        self.diagnostics.push(Diagnostic::at(code, source, message));
    }

    fn ignore_for_syntax(&mut self, error: &ReadError) {
        let key = self.kind.as_str();
        // A sign that nobody sees explains more than what it leads to.
        let why = odd_signs::left_over(self.text.text).unwrap_or_else(|| error.message.clone());
        let message = format!("`{key}` does not parse, so all of it is ignored: {why}");
        self.ignore(Code::AwsAuthSyntax, error.position.line, message);
    }

    /// All of the section is encrypted: whom it maps is not known.
    fn encrypted(&mut self) {
        let key = self.kind.as_str();
        let source = self.text.origin;
        let why = format!("`{key}` is encrypted by SOPS");
        self.ignored.push(Ignored { folded: String::new(), is_template: true, why, source });
        let message = format!(
            "`{key}` is encrypted by SOPS, so whom it maps is unknown; decrypt the file first, for example with `sops -d`"
        );
        self.diagnostics.push(Diagnostic::at(Code::EncryptedText, source, message));
    }

    /// The list that a section is, if it is one.
    fn list<'t>(&mut self, tree: &'t mut Tree<'s>) -> Option<Node<'t>>
    where
        's: 't,
    {
        let key = self.kind.as_str();
        let text = self.text.text;
        if is_skippable(text) {
            return None;
        }
        if is_encrypted(text) {
            self.encrypted();
            return None;
        }
        // `utilyaml.ToJSON` takes such a text for JSON; then it is no list, whatever else it is.
        let as_json = text.trim_start().starts_with('{');
        let read = if as_json { json::read(text, tree) } else { yaml::read(text, tree) };
        if let Err(error) = read {
            self.ignore_for_syntax(&error);
            return None;
        }
        if let Some(position) = tree.unread() {
            let message = format!("`{key}` has more than one YAML document; only the first is read");
            let source = self.text.at(position.line);
            self.diagnostics.push(Diagnostic::at(Code::AwsAuthUnreadText, source, message));
        }
        let root = tree.root()?;
        if root.is_null() {
            return None;
        }
        if !root.is_sequence() {
            let is = describe(root);
            let message = format!("`{key}` is {is}, not a list, so all of it is ignored");
            self.ignore(Code::AwsAuthNotAList, root.position().line, message);
            return None;
        }
        Some(root)
    }

    /// One item is ignored.
    fn ignore_item(&mut self, item: Node<'_>, why: String) {
        let mut text = String::new();
        collect_text(item, &mut text);
        let source = self.text.at(item.position().line);
        self.ignored.push(Ignored { folded: fold(&text), is_template: is_template(&text), why, source });
    }

    /// Decodes and validates one entry. Follows `encoding/json` and `RoleMapping.Validate`.
    fn entry(&mut self, item: Node<'_>) -> Option<Entry> {
        let key = self.kind.as_str();
        if !item.is_mapping() {
            let odd = odd_signs::first(item.text()).map(|odd| format!(" (it has {odd})")).unwrap_or_default();
            let is = format!("{}{odd}", describe(item));
            self.report(
                Code::AwsAuthDroppedEntry,
                item,
                format!("an item of `{key}` is {is}, not an entry; it is dropped"),
            );
            self.ignore_item(item, format!("an item of `{key}` is {is}"));
            return None;
        }
        let mut draft = Draft::default();
        for (name, node, value) in self.sorted_fields(item) {
            self.field(&mut draft, name, node, value);
        }
        let dropped = match (self.kind, draft.arn.text.is_empty(), &draft.sso) {
            (MappingKind::MapRoles, true, None) => Some("it has no `rolearn`"),
            (MappingKind::MapRoles, false, Some(_)) => Some("it has both `rolearn` and `sso`"),
            (MappingKind::MapRoles, _, Some(sso)) if !sso.is_valid() => {
                Some("its `sso` does not name a permission set and a quoted 12-digit account ID")
            }
            (MappingKind::MapUsers, true, _) => Some("it has no `userarn`"),
            _ => None,
        };
        if let Some(why) = dropped {
            self.report(Code::AwsAuthDroppedEntry, item, format!("an entry of `{key}` is dropped: {why}"));
            self.ignore_item(item, format!("an entry of `{key}` is dropped: {why}"));
            return None;
        }
        let source = self.text.at(item.position().line);
        let unset = |field: Written| if field.text.is_empty() { Written { source, ..field } } else { field };
        draft.groups.items.truncate(draft.groups.len);
        Some(Entry {
            kind: self.kind,
            arn: unset(draft.arn),
            sso: draft.sso,
            username: unset(draft.username),
            groups: draft.groups.items,
            source,
            precedence: Precedence::Decides { replaces: None },
        })
    }

    /// Keys and values in the order in which `encoding/json` meets them: YAML goes through a Go map and JSON
    /// with sorted keys first, so of equal keys only the last is left.
    fn sorted_fields<'t>(&mut self, item: Node<'t>) -> Vec<(&'t str, Node<'t>, Node<'t>)> {
        let mut fields: Vec<(&str, Node<'_>, Node<'_>)> =
            item.pairs().map(|(key, value)| (key.text(), key, value)).collect();
        fields.sort_by_key(|(name, ..)| *name);
        let mut kept: Vec<(&str, Node<'_>, Node<'_>)> = Vec::with_capacity(fields.len());
        for field in fields {
            let (name, node, _) = field;
            if let Some((before, ..)) = kept.iter().rfind(|(before, ..)| fold(before) == fold(name)) {
                let message = if *before == name {
                    format!("an entry has `{name}` twice; the last one counts")
                } else {
                    format!(
                        "an entry has both `{before}` and `{name}`; `{name}` counts, as the last in byte order"
                    )
                };
                self.report(Code::DuplicateKey, node, message);
            }
            kept.retain(|(before, ..)| *before != name);
            kept.push(field);
        }
        kept
    }

    fn field(&mut self, draft: &mut Draft, name: &str, node: Node<'_>, value: Node<'_>) {
        let folded = fold(name);
        match (folded.as_str(), self.kind) {
            ("rolearn", MappingKind::MapRoles) | ("userarn", MappingKind::MapUsers) => {
                self.text_field(&mut draft.arn, name, value);
            }
            ("username", _) => self.text_field(&mut draft.username, name, value),
            ("groups", _) => self.groups(&mut draft.groups, name, value),
            ("sso", MappingKind::MapRoles) => self.sso(&mut draft.sso, value),
            _ => {
                let message = super::lint::unread_field(self.kind, name);
                self.report(Code::AwsAuthUnknownField, node, message);
            }
        }
    }

    fn text_field(&mut self, field: &mut Written, name: &str, value: Node<'_>) {
        match value.scalar() {
            Some(ScalarType::Text) => *field = self.written(value.text(), value),
            Some(ScalarType::Null) => {}
            _ => self.wrong_type(value, &format!("`{name}`"), "text", "it counts as missing; quote it"),
        }
    }

    fn groups(&mut self, groups: &mut Groups, name: &str, value: Node<'_>) {
        if value.is_null() {
            *groups = Groups::default();
            return;
        }
        if !value.is_sequence() {
            self.wrong_type(value, &format!("`{name}`"), "a list", "the entry stays, without these groups");
            return;
        }
        groups.len = 0;
        for item in value.items() {
            if groups.len == groups.items.len() {
                groups.items.push(self.written("", item));
            }
            let text = match item.scalar() {
                Some(ScalarType::Text) => Some(item.text()),
                Some(ScalarType::Null) => None,
                _ => {
                    self.wrong_type(item, "a group", "text", "it counts as an empty group; quote it");
                    None
                }
            };
            let source = self.text.at(item.position().line);
            if let Some(group) = groups.items.get_mut(groups.len) {
                group.source = source;
                if let Some(text) = text {
                    text.clone_into(&mut group.text);
                }
            }
            groups.len += 1;
        }
        if groups.len == 0 {
            groups.items.clear();
        }
    }

    fn sso(&mut self, sso: &mut Option<Sso>, value: Node<'_>) {
        if value.is_null() {
            *sso = None;
            return;
        }
        let mut fields = std::mem::take(sso).unwrap_or_default();
        if value.is_mapping() {
            for (name, _, value) in self.sorted_fields(value) {
                let target = match fold(name).as_str() {
                    "permissionsetname" => &mut fields.permission_set,
                    "accountid" => &mut fields.account,
                    "partition" => &mut fields.partition,
                    _ => continue,
                };
                match value.scalar() {
                    Some(ScalarType::Text) => value.text().clone_into(target),
                    Some(ScalarType::Null) => {}
                    _ => {
                        self.wrong_type(
                            value,
                            &format!("`{name}`"),
                            "text",
                            "it counts as missing; quote it",
                        );
                    }
                }
            }
        } else {
            self.wrong_type(value, "`sso`", "a mapping", "it counts as an empty one");
        }
        *sso = Some(fields);
    }
}

fn if_not_list(code: Code) -> &'static str {
    if code == Code::AwsAuthNotAList { "is not a list" } else { "does not parse" }
}

/// What a node is, for people.
fn describe(node: Node<'_>) -> String {
    match node.scalar() {
        None if node.kind() == Kind::Mapping => "a mapping".to_owned(),
        None => "a list".to_owned(),
        Some(ScalarType::Null) => "null".to_owned(),
        Some(ScalarType::Bool) => format!("the boolean `{}`", node.text()),
        Some(ScalarType::Int | ScalarType::Float) => format!("the number `{}`", node.text()),
        Some(ScalarType::Text) => format!("the text `{}`", shorten(node.text())),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}

fn collect_text(node: Node<'_>, text: &mut String) {
    text.push_str(node.text());
    text.push('\n');
    for child in node.children() {
        collect_text(child, text);
    }
}
