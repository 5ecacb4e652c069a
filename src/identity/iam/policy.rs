//! A policy as it is written: statements with their actions, resources, principals and conditions.

use std::borrow::Cow;

use crate::document::{Node, Position};

use super::condition::Condition;
use super::context::Asking;
use super::pattern::{ArnGlob, ArnText, Element, Glob, Template};

/// Whether a statement allows or denies.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

impl Effect {
    /// As it is written in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Its statements, in order.
    pub statements: Box<[Statement]>,
    /// Whether a part of it could not be read, so that it may say more.
    pub is_incomplete: bool,
}

/// A statement of a policy.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its `Sid`, where it has one.
    pub sid: Option<Box<str>>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Which actions it is about.
    pub action: Actions,
    /// Which resources it is about; in a trust policy nothing.
    pub resource: Resources,
    /// Whom it is about; in an identity policy nothing.
    pub principal: Principals,
    /// What must hold.
    pub conditions: Box<[Condition]>,
    /// Where it stands, counted from the beginning of its document.
    pub position: Position,
}

/// Two statements are equal that say the same, wherever they stand.
impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        fn all(statement: &Statement) -> impl PartialEq + '_ {
            let Statement { sid, effect, action, resource, principal, conditions, position: _ } = statement;
            (sid, effect, action, resource, principal, conditions)
        }
        all(self) == all(other)
    }
}

/// `Action` or `NotAction`.
#[derive(Clone, Debug, PartialEq)]
pub struct Actions {
    /// Whether it is everything but these.
    pub not: bool,
    /// As written.
    pub written: Box<[Box<str>]>,
    globs: Box<[Glob]>,
}

impl Actions {
    /// Whether an action, in lower case, is meant.
    pub(super) fn matches(&self, lower: &str) -> bool {
        self.globs.iter().any(|glob| glob.matches(lower)) != self.not
    }
}

/// `Resource` or `NotResource`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    /// Whether it is everything but these.
    pub not: bool,
    /// As written.
    pub written: Box<[Box<str>]>,
    pub(super) patterns: Box<[ResourcePattern]>,
}

impl Resources {
    /// Whether a role is meant, where nothing is put in that depends on who asks.
    pub(super) fn may_match(&self, arn: &ArnText<'_>) -> bool {
        let matches = |pattern: &ResourcePattern| match pattern {
            ResourcePattern::Fixed(glob) => glob.matches(arn),
            ResourcePattern::Variable(_) => !self.not,
        };
        self.patterns.iter().any(matches) != self.not
    }

    /// Whether anything is put in that depends on who asks.
    pub(super) fn has_variables(&self) -> bool {
        self.patterns.iter().any(|pattern| matches!(pattern, ResourcePattern::Variable(_)))
    }
}

/// A resource of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ResourcePattern {
    Fixed(ArnGlob),
    Variable(Template),
}

impl ResourcePattern {
    fn new(text: &str, variables: bool) -> Self {
        if !variables || !text.contains("${") {
            return Self::Fixed(ArnGlob::parse(text));
        }
        let template = Template::parse(text, true, variables);
        match template.fixed() {
            Some(elements) => Self::Fixed(ArnGlob::new(elements)),
            None => Self::Variable(template),
        }
    }

    /// A pattern that matches whatever this one may match for a caller; `None` where it matches nothing.
    pub(super) fn widest(&self, asking: &Asking<'_>) -> Option<Cow<'_, ArnGlob>> {
        let template = match self {
            Self::Fixed(glob) => return Some(Cow::Borrowed(glob)),
            Self::Variable(template) => template,
        };
        let resolved = template.resolve(&|key| asking.look(key));
        if resolved.matches_nothing {
            return None;
        }
        // What is not known may hold colons: then no part is certain.
        let is_open = !resolved.unknown.is_empty();
        let elements = if is_open { vec![Element::Any] } else { resolved.elements };
        Some(Cow::Owned(ArnGlob::new(&elements)))
    }

    /// Whether it matches an ARN, where not everything that is put in is known.
    pub(super) fn lenient(elements: &[Element], arn: &ArnText<'_>) -> bool {
        super::pattern::matches(elements, arn.whole)
    }
}

/// A whole account as a principal: its partition, where one is written, and its number.
pub type AccountPrincipal = (Option<Box<str>>, Box<str>);

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Principals {
    /// Whether it is `NotPrincipal`.
    pub not: bool,
    /// Whether `*` is among them.
    pub anyone: bool,
    /// Whole accounts, each with its partition where one is written.
    pub accounts: Box<[AccountPrincipal]>,
    /// ARNs of users, roles and sessions, and unique ids.
    pub principals: Box<[Box<str>]>,
    /// Services.
    pub services: Box<[Box<str>]>,
    /// Identity providers.
    pub federated: Box<[Box<str>]>,
}

/// What is wrong with a policy document, and where.
pub(super) type Problem = (Position, String);

/// Reads a policy document.
pub(super) fn read(node: Node<'_>, problems: &mut Vec<Problem>) -> Policy {
    if !node.is_mapping() {
        problems.push((node.position(), "a policy document is no JSON object".to_owned()));
        return Policy { is_incomplete: true, ..Policy::default() };
    }
    let variables = node.get("Version").is_some_and(|version| version.text() == "2012-10-17");
    let statements = one_or_many(node.get("Statement"));
    let count = statements.len();
    let read = |node: Node<'_>| statement(node, variables, problems);
    let statements: Box<[Statement]> = statements.into_iter().filter_map(read).collect();
    Policy { is_incomplete: statements.len() < count, statements }
}

/// What stands alone or in a list.
pub(super) fn one_or_many(node: Option<Node<'_>>) -> Vec<Node<'_>> {
    match node {
        None => Vec::new(),
        Some(node) if node.is_sequence() => node.items().collect(),
        Some(node) if node.is_null() => Vec::new(),
        Some(node) => vec![node],
    }
}

fn texts(node: Option<Node<'_>>) -> Box<[Box<str>]> {
    one_or_many(node).into_iter().map(|node| node.text().into()).collect()
}

fn statement(node: Node<'_>, variables: bool, problems: &mut Vec<Problem>) -> Option<Statement> {
    let position = node.position();
    let effect = match node.get("Effect").map(Node::text) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        other => {
            let found = other.map_or_else(|| "no effect".to_owned(), |other| format!("the effect `{other}`"));
            problems.push((position, format!("a statement has {found}, where IAM wants `Allow` or `Deny`")));
            return None;
        }
    };
    let (not_action, action) = either(node, "Action", "NotAction");
    if action.is_empty() {
        problems.push((position, "a statement names no action, so it is about none".to_owned()));
        return None;
    }
    let (not_resource, resource) = either(node, "Resource", "NotResource");
    let globs = action.iter().map(|action| Glob::parse(&action.to_ascii_lowercase())).collect();
    let patterns = resource.iter().map(|resource| ResourcePattern::new(resource, variables)).collect();
    let conditions = conditions(node.get("Condition"), variables, problems);
    Some(Statement {
        sid: node.get("Sid").map(|sid| sid.text().into()),
        effect,
        action: Actions { not: not_action, written: action, globs },
        resource: Resources { not: not_resource, written: resource, patterns },
        principal: principals(node),
        conditions,
        position,
    })
}

fn either(node: Node<'_>, name: &str, other: &str) -> (bool, Box<[Box<str>]>) {
    match node.get(name) {
        Some(value) => (false, texts(Some(value))),
        None => (node.get(other).is_some(), texts(node.get(other))),
    }
}

fn conditions(node: Option<Node<'_>>, variables: bool, problems: &mut Vec<Problem>) -> Box<[Condition]> {
    let mut conditions = Vec::new();
    let Some(node) = node else { return Box::default() };
    for (operator, keys) in node.pairs() {
        for (key, values) in keys.pairs() {
            let values = texts(Some(values)).into_vec();
            let condition = Condition::new(operator.text(), key.text(), values, variables);
            if !condition.is_known() {
                let message = format!("`{}` is no condition operator of IAM", operator.text());
                problems.push((operator.position(), message));
            }
            conditions.push(condition);
        }
    }
    conditions.into()
}

fn principals(node: Node<'_>) -> Principals {
    let (not, node) = match (node.get("Principal"), node.get("NotPrincipal")) {
        (Some(node), _) => (false, node),
        (None, Some(node)) => (true, node),
        (None, None) => return Principals::default(),
    };
    let mut found = Principals { not, ..Principals::default() };
    if !node.is_mapping() {
        found.anyone = one_or_many(Some(node)).into_iter().any(|node| node.text() == "*");
        return found;
    }
    let (mut accounts, mut principals) = (Vec::new(), Vec::new());
    let (mut services, mut federated) = (Vec::new(), Vec::new());
    for (kind, value) in node.pairs() {
        for text in one_or_many(Some(value)).into_iter().map(Node::text) {
            match kind.text() {
                "AWS" if text == "*" => found.anyone = true,
                "AWS" => match account(text) {
                    Some(account) => accounts.push(account),
                    // IAM refuses wildcards in the ARN of a principal: it names nobody.
                    None if text.contains(['*', '?']) => {}
                    None => principals.push(text.into()),
                },
                "Service" => services.push(text.into()),
                "Federated" => federated.push(text.into()),
                _ => {}
            }
        }
    }
    found.accounts = accounts.into();
    found.principals = principals.into();
    found.services = services.into();
    found.federated = federated.into();
    found
}

/// The account that a principal names as a whole: by its number, or as `arn:…:root`.
fn account(text: &str) -> Option<AccountPrincipal> {
    let is_number = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(text) {
        return Some((None, text.into()));
    }
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, "root"] if is_number(account) => {
            Some((Some((*partition).into()), (*account).into()))
        }
        _ => None,
    }
}
