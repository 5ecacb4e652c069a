//! Whom a text could grant something to that could not be read, or was not filled in.

use crate::document::Node;
use crate::identity::is_template;
use crate::model::unread::Concern;

use super::rbac::{GROUP, RbacKind};

/// Whom the text of a document could grant something to; `None` if nothing in it can be RBAC.
pub(super) fn of_text(text: &str) -> Option<Concern> {
    if is_tasks(text) {
        return None;
    }
    let kinds = Kinds::of(text);
    let has_group = text.contains(GROUP);
    let is_template = text.contains("{{") || text.contains("{%");
    if !is_template {
        // A text that was cut short need not have come to the point.
        let is_cut = text.contains("apiVersion") && kinds.0.is_empty();
        let may_hold = has_group || kinds.rbac().next().is_some() || kinds.0.contains(&"List") || is_cut;
        return may_hold.then(Concern::everybody);
    }
    let has_subjects = text.contains("subjects");
    if kinds.has_binding() || text.contains("roleRef") || (kinds.has_template() && has_subjects) {
        return Some(of_subjects(text));
    }
    let has_rules = text.contains("rules") && (text.contains("verbs") || text.contains("apiGroups"));
    if kinds.has_role() || (kinds.has_template() && has_rules) {
        return Some(Concern::of_roles());
    }
    // What is taken in as a whole tells only by its name what it is.
    let is_called_so = |word: &str| {
        let named = text.split("include \"").skip(1).chain(text.split("template \"").skip(1));
        named.filter_map(|rest| rest.split('"').next()).any(|name| name.to_lowercase().contains(word))
    };
    let may_hold = has_group || is_called_so("role") || is_called_so("rbac");
    (may_hold && kinds.0.is_empty()).then(Concern::everybody)
}

/// Whether a text is a list of Ansible's tasks or plays.
fn is_tasks(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#') && *line != "---");
    first.is_some_and(|line| line.starts_with("- name:") || line.starts_with("- hosts:"))
}

/// The kinds that the lines of a text name.
struct Kinds<'t>(Vec<&'t str>);

/// The key and the value of a line of a mapping, in YAML or JSON.
fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start().trim_start_matches("- ").trim_start();
    let (key, value) = line.split_once(':')?;
    let key = key.trim().trim_matches(['"', '\'', '{']).trim().trim_matches(['"', '\'']);
    let value = value.split(" #").next().unwrap_or_default().trim();
    // A template keeps its braces.
    let value = if value.contains("{{") { value } else { value.trim_end_matches([',', '}']).trim() };
    Some((key, value.trim_matches(['"', '\''])))
}

impl<'t> Kinds<'t> {
    fn of(text: &'t str) -> Self {
        // A flow mapping has several pairs on a line.
        let parts = text.lines().flat_map(|line| {
            let is_flow = line.contains('{') && !line.contains("{{");
            if is_flow { line.split(['{', ',']).collect() } else { vec![line] }
        });
        Self(parts.filter_map(pair).filter(|(key, _)| *key == "kind").map(|(_, kind)| kind).collect())
    }

    fn rbac(&self) -> impl Iterator<Item = RbacKind> {
        self.0.iter().filter_map(|kind| RbacKind::of(kind.strip_suffix("List").unwrap_or(kind)))
    }

    fn has_binding(&self) -> bool {
        self.rbac().any(|kind| matches!(kind, RbacKind::RoleBinding | RbacKind::ClusterRoleBinding))
    }

    fn has_role(&self) -> bool {
        self.rbac().any(|kind| matches!(kind, RbacKind::Role | RbacKind::ClusterRole))
    }

    /// Whether a kind is still to be filled in.
    fn has_template(&self) -> bool {
        self.0.iter().any(|kind| kind.contains("{{"))
    }
}

/// Whom the bindings of a template name, as far as it shows it.
fn of_subjects(text: &str) -> Concern {
    let mut concern = Concern::default();
    let mut lines = text.lines().peekable();
    let mut found = false;
    while let Some(line) = lines.next() {
        let Some(("subjects", rest)) = pair(line) else { continue };
        found = true;
        if !rest.is_empty() && rest != "[]" {
            return Concern::everybody();
        }
        let indent = |line: &str| line.len() - line.trim_start().len();
        let own = indent(line);
        let (mut kind, mut name) = ("", "");
        let mut items = 0;
        while let Some(next) = lines.peek() {
            let trimmed = next.trim();
            let is_item = trimmed.starts_with('-');
            let is_control = trimmed.starts_with("{{");
            if !trimmed.is_empty()
                && !is_control
                && !trimmed.starts_with('#')
                && (indent(next) < own || (indent(next) == own && !is_item))
            {
                break;
            }
            if is_control && !is_harmless(trimmed) {
                return Concern::everybody();
            }
            if is_item {
                if items > 0 {
                    add(&mut concern, kind, name);
                }
                items += 1;
                (kind, name) = ("", "");
            }
            match pair(next).filter(|_| !is_control) {
                Some(("kind", value)) => kind = value,
                Some(("name", value)) => name = value,
                _ => {}
            }
            lines.next();
        }
        if items > 0 {
            add(&mut concern, kind, name);
        }
    }
    if found { concern } else { Concern::everybody() }
}

fn add(concern: &mut Concern, kind: &str, name: &str) {
    if kind.contains("{{") || kind.is_empty() {
        concern.join(&Concern::everybody());
    } else if name.is_empty() {
        concern.add(kind, "{{ }}");
    } else {
        concern.add(kind, name);
    }
}

/// Whether an action of a template writes nothing itself.
fn is_harmless(action: &str) -> bool {
    let words = action.trim_start_matches("{{").trim_start_matches('-').trim_start();
    ["range", "if", "else", "end", "with", "/*", "$", "define"].iter().any(|word| words.starts_with(word))
}

/// Whom an object could grant something to that was read, and is refused or not filled in.
pub(super) fn of_object(kind: &str, node: Node<'_>) -> Concern {
    match RbacKind::of(kind) {
        Some(RbacKind::RoleBinding | RbacKind::ClusterRoleBinding) => {}
        Some(RbacKind::Role | RbacKind::ClusterRole) => return Concern::of_roles(),
        None => return Concern::everybody(),
    }
    let mut concern = Concern::default();
    let Some(subjects) = node.get("subjects") else { return concern };
    if !subjects.is_sequence() {
        return Concern::everybody();
    }
    for subject in subjects.items() {
        let field = |key: &str| subject.get(key).map_or("", Node::text);
        if is_template(field("kind")) {
            return Concern::everybody();
        }
        add(&mut concern, field("kind"), field("name"));
    }
    concern
}

/// Whom a patch could grant something to, if its object is not among the inputs.
pub(super) fn of_value(patch: &serde_json::Value) -> Concern {
    let field = |value: &'_ serde_json::Value, key: &str| {
        value.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    match RbacKind::of(&field(patch, "kind")) {
        Some(RbacKind::Role | RbacKind::ClusterRole) => return Concern::of_roles(),
        Some(_) => {}
        None => return Concern::default(),
    }
    let Some(subjects) = patch.get("subjects").and_then(serde_json::Value::as_array) else {
        return Concern::everybody();
    };
    let mut concern = Concern::default();
    for subject in subjects {
        add(&mut concern, &field(subject, "kind"), &field(subject, "name"));
    }
    concern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::unread::Shown;

    #[test]
    fn a_text_concerns_those_whom_it_shows() {
        let these = |names: &[&str]| Shown::These(names.iter().map(|name| (*name).to_owned()).collect());
        let accounts = |names: &[&str]| Concern { service_accounts: these(names), ..Concern::default() };
        let binding = "{{ if .Values.x }}\nkind: ClusterRoleBinding\nroleRef:\n  kind: ClusterRole\n  name: r\nsubjects:\n";
        for (text, expected) in [
            (
                format!("{binding}- kind: ServiceAccount\n  name: op\n  namespace: ops\n{{{{ end }}}}"),
                Some(accounts(&["op"])),
            ),
            (
                format!(
                    "{binding}  - kind: ServiceAccount\n    name: {{{{ .x }}}}\n  {{{{- range .y }}}}\n  - kind: ServiceAccount\n    name: b\n  {{{{- end }}}}\nmore:\n  kind: User\n"
                ),
                Some(accounts(&["{{ .x }}", "b"])),
            ),
            (
                format!("{binding}- kind: User\n  name: kim\n- name: all\n  kind: Group\n"),
                Some(Concern { users: these(&["kim"]), groups: these(&["all"]), ..Concern::default() }),
            ),
            (
                format!("{binding}{{{{- toYaml .Values.subjects | nindent 2 }}}}\n"),
                Some(Concern::everybody()),
            ),
            (format!("{binding}- kind: {{{{ .k }}}}\n  name: x\n"), Some(Concern::everybody())),
            ("kind: RoleBinding\nsubjects: {{ .s }}\n".to_owned(), Some(Concern::everybody())),
            ("kind: RoleBinding\nmetadata: {{ .m }}\n".to_owned(), Some(Concern::everybody())),
            (
                "kind: {{ .k }}\nsubjects:\n- kind: ServiceAccount\n  name: a\n".to_owned(),
                Some(accounts(&["a"])),
            ),
            ("kind: {{ .k }}\nrules:\n- verbs: [get]\n".to_owned(), Some(Concern::of_roles())),
            ("kind: ClusterRole\n{{ toYaml .x }}\n".to_owned(), Some(Concern::of_roles())),
            (
                "apiVersion: rbac.authorization.k8s.io/v1\n{{ toYaml .x }}\n".to_owned(),
                Some(Concern::everybody()),
            ),
            // What is no RBAC.
            (
                "kind: CustomResourceDefinition\nspec:\n  names: {kind: Foo, listKind: FooList}\n{{ end }}"
                    .to_owned(),
                None,
            ),
            ("{{ include \"x\" . }}\n".to_owned(), None),
            ("{{ include \"x.rbac\" . }}\n".to_owned(), Some(Concern::everybody())),
            ("apiVersion: v1\nkind: List\n{{ x }}\n".to_owned(), None),
            ("- name: make it so\n  k8s:\n    definition: {{ x }}\n    kind: ClusterRole\n".to_owned(), None),
            ("release: {{ .Version }}\n".to_owned(), None),
            ("{{ if .Values.rbac.create \"roles\" }}\n".to_owned(), None),
            // What is no template.
            ("kind: ClusterRole\nx: [".to_owned(), Some(Concern::everybody())),
            ("apiVersion: v1\nitems: [".to_owned(), Some(Concern::everybody())),
            ("apiVersion: v1\nkind: List\nitems: [".to_owned(), Some(Concern::everybody())),
            ("apiVersion: v1\nkind: Pod\nx: [".to_owned(), None),
            ("{\"kind\": \"RoleBinding\", ".to_owned(), Some(Concern::everybody())),
            ("a: [".to_owned(), None),
        ] {
            assert_eq!(of_text(&text), expected, "{text}");
        }
    }
}
