//! What `aws iam get-account-authorization-details` prints, read as it comes: pages, missing keys, encoded policies.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::document::{Node, Position, Tree, json};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::{Shift, Source};

use super::identity_center::{IdentityCenter, is_list};
use super::place::place;
use super::policy::{self, Policy, one_or_many};

/// An ARN of IAM or STS, in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityArn {
    /// The whole of it.
    pub text: Box<str>,
    /// The partition, such as `aws`.
    pub partition: Box<str>,
    /// The account.
    pub account: Box<str>,
}

impl EntityArn {
    pub(super) fn new(text: &str) -> Self {
        let mut parts = text.splitn(6, ':').skip(1);
        let partition = parts.next().unwrap_or("").into();
        let account = parts.nth(2).unwrap_or("").into();
        Self { text: text.into(), partition, account }
    }

    /// The name at its end, without a path.
    pub fn name(&self) -> &str {
        self.text.rsplit(['/', ':']).next().unwrap_or("")
    }
}

/// Tags, their keys in lower case.
pub(super) type Tags = FxHashMap<Box<str>, Box<str>>;

/// A user, group or role as a page tells of it.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) arn: EntityArn,
    pub(super) name: Box<str>,
    pub(super) id: Box<str>,
    pub(super) tags: Tags,
    pub(super) inline: Vec<(Box<str>, Policy)>,
    pub(super) attached: Vec<Box<str>>,
    pub(super) boundary: Option<Box<str>>,
    /// Of a user.
    pub(super) groups: Vec<Box<str>>,
    /// Of a role.
    pub(super) trust: Option<Policy>,
    /// Of a role: whether instances run with it.
    pub(super) instance_profiles: Vec<Box<str>>,
    pub(super) source: Source,
    pub(super) origin: Source,
}

/// A managed policy as a page tells of it.
#[derive(Clone, Debug)]
pub(super) struct ManagedPolicy {
    pub(super) arn: EntityArn,
    pub(super) policy: Policy,
    pub(super) source: Source,
    pub(super) origin: Source,
}

impl Entity {
    /// Whether both say the same, wherever they stand.
    pub(super) fn says_the_same_as(&self, other: &Self) -> bool {
        fn all(entity: &Entity) -> impl PartialEq + '_ {
            let Entity { id, tags, inline, attached, boundary, groups, trust, instance_profiles, .. } =
                entity;
            (id, tags, inline, attached, boundary, groups, trust, instance_profiles)
        }
        all(self) == all(other)
    }
}

/// One document of an export.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub(super) users: Vec<Entity>,
    pub(super) groups: Vec<Entity>,
    pub(super) roles: Vec<Entity>,
    pub(super) policies: Vec<ManagedPolicy>,
    /// What it says of Identity Center.
    pub(super) center: IdentityCenter,
    /// Whether it says that another page follows.
    pub(super) is_truncated: bool,
    pub(super) source: Source,
}

impl Page {
    /// Moves it to where it really stands.
    pub(crate) fn shift(&mut self, shift: &Shift) {
        self.source = shift.source(self.source);
        self.center.shift(shift);
        for entity in self.users.iter_mut().chain(&mut self.groups).chain(&mut self.roles) {
            entity.source = shift.source(entity.source);
            entity.origin = shift_origin(entity.origin, shift);
        }
        for policy in &mut self.policies {
            policy.source = shift.source(policy.source);
            policy.origin = shift_origin(policy.origin, shift);
        }
    }
}

/// Lines before a document are none yet where it begins its file, and not unknown.
fn shift_origin(origin: Source, shift: &Shift) -> Source {
    Source { line: origin.line + shift.lines, ..shift.source(Source { line: 0, ..origin }) }
}

/// Whether a document is a page of an export or a list of Identity Center, or a list of such.
pub fn is_export(node: Node<'_>) -> bool {
    if node.is_sequence() {
        return node.items().next().is_some() && node.items().all(|node| is_page(node) || is_list(node));
    }
    is_page(node) || is_list(node)
}

fn is_page(node: Node<'_>) -> bool {
    node.pairs().any(|(key, value)| match key.text() {
        "UserDetailList" | "GroupDetailList" | "RoleDetailList" => value.is_sequence(),
        "Policies" => value.items().next().is_some_and(|policy| policy.get("PolicyVersionList").is_some()),
        _ => false,
    })
}

/// Reads a document that [`is_export`]. `origin` is its file and path, with the lines before it.
pub fn read(node: Node<'_>, origin: Source, diagnostics: &mut Vec<Diagnostic>) -> Vec<Page> {
    let pages: Vec<Node<'_>> = if node.is_sequence() { node.items().collect() } else { vec![node] };
    let mut reader = PageReader { origin, diagnostics, tree: Tree::default() };
    pages.into_iter().map(|page| reader.page(page)).collect()
}

struct PageReader<'d> {
    origin: Source,
    diagnostics: &'d mut Vec<Diagnostic>,
    /// Memory for policies that are written as text.
    tree: Tree<'static>,
}

impl PageReader<'_> {
    fn at(&self, position: Position) -> Source {
        place(self.origin, position)
    }

    fn page(&mut self, node: Node<'_>) -> Page {
        let mut page = Page { source: self.at(node.position()), ..Page::default() };
        if is_list(node) {
            page.center.add(node, self.origin);
            return page;
        }
        for (key, value) in node.pairs() {
            match key.text() {
                "UserDetailList" => page.users = self.entities(value, "User"),
                "GroupDetailList" => page.groups = self.entities(value, "Group"),
                "RoleDetailList" => page.roles = self.entities(value, "Role"),
                "Policies" => {
                    page.policies = value.items().filter_map(|policy| self.managed(policy)).collect();
                }
                "IsTruncated" => page.is_truncated = value.text().eq_ignore_ascii_case("true"),
                _ => {}
            }
        }
        page
    }

    fn wrong(&mut self, position: Position, message: String) {
        let source = self.at(position);
        self.diagnostics.push(Diagnostic::at(Code::IamPolicy, source, message));
    }

    fn entities(&mut self, list: Node<'_>, kind: &str) -> Vec<Entity> {
        list.items().filter_map(|node| self.entity(node, kind)).collect()
    }

    fn entity(&mut self, node: Node<'_>, kind: &str) -> Option<Entity> {
        let arn = self.arn(node, kind)?;
        let mut entity = Entity {
            name: arn.name().into(),
            arn,
            id: Box::default(),
            tags: Tags::default(),
            inline: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            groups: Vec::new(),
            trust: None,
            instance_profiles: Vec::new(),
            source: self.at(node.position()),
            origin: self.origin,
        };
        for (key, value) in node.pairs() {
            match key.text() {
                "UserId" | "RoleId" | "GroupId" => entity.id = value.text().into(),
                "Tags" => {
                    let pair = |tag: Node<'_>| {
                        Some((tag.get("Key")?.text().to_lowercase().into(), tag.get("Value")?.text().into()))
                    };
                    entity.tags = value.items().filter_map(pair).collect();
                }
                "UserPolicyList" | "GroupPolicyList" | "RolePolicyList" => {
                    for inline in value.items() {
                        let name = inline.get("PolicyName").map_or("", Node::text);
                        let document = inline.get("PolicyDocument");
                        let policy = document.map(|document| self.document(document)).unwrap_or_default();
                        entity.inline.push((name.into(), policy));
                    }
                }
                "AttachedManagedPolicies" => {
                    let arns = one_or_many(Some(value));
                    let arn = |policy: Node<'_>| policy.get("PolicyArn").map(|arn| arn.text().into());
                    entity.attached = arns.into_iter().filter_map(arn).collect();
                }
                "PermissionsBoundary" => {
                    entity.boundary = value.get("PermissionsBoundaryArn").map(|arn| arn.text().into());
                }
                "GroupList" => entity.groups = value.items().map(|group| group.text().into()).collect(),
                "AssumeRolePolicyDocument" => entity.trust = Some(self.document(value)),
                "InstanceProfileList" => {
                    let arn = |profile: Node<'_>| profile.get("Arn").map(|arn| arn.text().into());
                    entity.instance_profiles = value.items().filter_map(arn).collect();
                }
                _ => {}
            }
        }
        Some(entity)
    }

    fn arn(&mut self, node: Node<'_>, kind: &str) -> Option<EntityArn> {
        let arn = node.get("Arn").map_or("", Node::text);
        if arn.split(':').count() < 6 {
            let message = format!("{kind} without an `Arn` in an IAM export; it is left out");
            self.wrong(node.position(), message);
            return None;
        }
        Some(EntityArn::new(arn))
    }

    fn managed(&mut self, node: Node<'_>) -> Option<ManagedPolicy> {
        let arn = self.arn(node, "Policy")?;
        let default = node.get("DefaultVersionId").map(Node::text);
        let versions = || node.get("PolicyVersionList").into_iter().flat_map(Node::items);
        let is_default = |version: &Node<'_>| {
            version.get("IsDefaultVersion").is_some_and(|is| is.text().eq_ignore_ascii_case("true"))
        };
        let by_id = versions()
            .find(|version| version.get("VersionId").map(Node::text).is_some_and(|id| Some(id) == default));
        let version = by_id.or_else(|| versions().find(is_default));
        let Some(document) = version.and_then(|version| version.get("Document")) else {
            let message = format!(
                "policy `{}` has no document of its default version; whoever it is attached to may have more than is known",
                arn.text
            );
            self.wrong(node.position(), message);
            return None;
        };
        let policy = self.document(document);
        Some(ManagedPolicy { arn, policy, source: self.at(node.position()), origin: self.origin })
    }

    /// A policy document: an object, or the text of one.
    fn document(&mut self, node: Node<'_>) -> Policy {
        let mut problems = Vec::new();
        let policy = if node.is_mapping() {
            policy::read(node, &mut problems)
        } else {
            let position = node.position();
            let text = node.text();
            let text =
                if text.trim_start().starts_with('{') { Cow::Borrowed(text) } else { percent_decoded(text) };
            let mut tree = std::mem::take(&mut self.tree).over(&text);
            let policy = match json::read(&text, &mut tree) {
                Ok(()) => {
                    let root = tree.root();
                    root.map(|root| policy::read(root, &mut problems)).unwrap_or_default()
                }
                Err(error) => {
                    problems.push((position, format!("a policy document cannot be read: {}", error.message)));
                    Policy { is_incomplete: true, ..Policy::default() }
                }
            };
            self.tree = tree.over("");
            // All of it stands where its text stands.
            for problem in &mut problems {
                problem.0 = position;
            }
            let mut policy = policy;
            for statement in &mut policy.statements {
                statement.position = position;
            }
            policy
        };
        for (position, message) in problems {
            self.wrong(position, format!("{message}; it is left out"));
        }
        policy
    }
}

/// `%7B` is `{`; a plus is a plus.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}
