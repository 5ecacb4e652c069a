//! Exports put together: users, groups, roles and policies of every account, and who a caller is among them.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::Source;

use super::caller::{Caller, NotACaller, Stranger};
use super::export::{Entity, EntityArn, ManagedPolicy, Page};
use super::identity_center::IdentityCenter;
use super::ids::{DocId, GroupId, PrincipalId};
use super::logic::{Hit, Leaf};
use super::place::place;
use super::policy::{Effect, Policy, Statement};
use super::principal::{Boundary, Doc, Group, Owner, Principal, role_name};

/// What is known of an account.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub(super) principals: Vec<PrincipalId>,
    /// Whether a page says that more follow, and the last is not among the inputs.
    pub is_incomplete: bool,
}

/// Everything that exports of IAM say.
#[derive(Clone, Debug, Default)]
pub struct IamData {
    docs: Vec<Doc>,
    groups: Vec<Group>,
    principals: Vec<Principal>,
    by_arn: FxHashMap<Box<str>, PrincipalId>,
    by_id: FxHashMap<Box<str>, PrincipalId>,
    /// Roles and users by account, name and whether it is a user.
    by_name: FxHashMap<(Box<str>, Box<str>, bool), PrincipalId>,
    accounts: FxHashMap<Box<str>, Account>,
    center: IdentityCenter,
}

impl IamData {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.principals.is_empty() && self.docs.is_empty() && self.groups.is_empty()
    }

    /// Puts pages together, in the order of the inputs.
    pub fn link(pages: Vec<Page>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut data = Self::default();
        let ends = truncated(&pages);
        let (mut users, mut roles, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        let mut policies = Vec::new();
        for page in pages {
            data.center.append(page.center);
            users.extend(page.users);
            roles.extend(page.roles);
            groups.extend(page.groups);
            policies.extend(page.policies);
        }
        let of = |entity: &Entity| (entity.arn.text.clone(), entity.source);
        let users = once(users, of, Entity::says_the_same_as, diagnostics);
        let roles = once(roles, of, Entity::says_the_same_as, diagnostics);
        let groups = once(groups, of, Entity::says_the_same_as, diagnostics);
        let of = |policy: &ManagedPolicy| (policy.arn.text.clone(), policy.source);
        let policies = once(policies, of, |one, other| one.policy == other.policy, diagnostics);
        let managed = data.managed(policies);
        let by_group = data.groups(groups, &managed);
        for (entity, is_user) in
            users.into_iter().map(|user| (user, true)).chain(roles.into_iter().map(|role| (role, false)))
        {
            data.principal(entity, is_user, &managed, &by_group);
        }
        for (account, source) in ends {
            data.accounts.entry(account.clone()).or_default().is_incomplete = true;
            diagnostics.push(Diagnostic::at(
                Code::IamExportTruncated,
                source,
                format!("the IAM export of account {account} ends with a page that says `IsTruncated: true`; export again without `--max-items`, for what is missing may allow more"),
            ));
        }
        data
    }

    fn doc(&mut self, policy: Policy, owner: Owner, origin: Source) -> DocId {
        self.docs.push(Doc { policy, owner, origin });
        DocId(u32::try_from(self.docs.len() - 1).unwrap_or(u32::MAX))
    }

    fn managed(&mut self, policies: Vec<ManagedPolicy>) -> FxHashMap<Box<str>, DocId> {
        let mut managed = FxHashMap::default();
        for policy in policies {
            let owner = Owner::Managed(policy.arn.text.clone());
            managed.insert(policy.arn.text, self.doc(policy.policy, owner, policy.origin));
        }
        managed
    }

    fn inline(&mut self, arn: &EntityArn, inline: Vec<(Box<str>, Policy)>, origin: Source) -> Vec<DocId> {
        inline
            .into_iter()
            .map(|(name, policy)| self.doc(policy, Owner::Inline(arn.text.clone(), name), origin))
            .collect()
    }

    fn groups(
        &mut self,
        groups: Vec<Entity>,
        managed: &FxHashMap<Box<str>, DocId>,
    ) -> FxHashMap<(Box<str>, Box<str>), GroupId> {
        let mut by_name = FxHashMap::default();
        for group in groups {
            let mut policies = self.inline(&group.arn, group.inline, group.origin);
            let mut missing = Vec::new();
            attach(&group.attached, managed, &mut policies, &mut missing);
            missing.extend(self.unread(&policies));
            let id = GroupId(u32::try_from(self.groups.len()).unwrap_or(u32::MAX));
            by_name.insert((group.arn.account.clone(), group.name.clone()), id);
            self.groups.push(Group { arn: group.arn, name: group.name, policies, missing });
        }
        by_name
    }

    fn unread(&self, docs: &[DocId]) -> Vec<Leaf> {
        let is_unread = |doc: &&DocId| self.get(**doc).is_some_and(|doc| doc.policy.is_incomplete);
        docs.iter().filter(is_unread).map(|doc| Leaf::Unread(*doc)).collect()
    }

    fn principal(
        &mut self,
        entity: Entity,
        is_user: bool,
        managed: &FxHashMap<Box<str>, DocId>,
        by_group: &FxHashMap<(Box<str>, Box<str>), GroupId>,
    ) {
        let Entity { arn, name, id, tags, origin, .. } = entity;
        let mut own = self.inline(&arn, entity.inline, origin);
        let mut missing = Vec::new();
        attach(&entity.attached, managed, &mut own, &mut missing);
        missing.extend(self.unread(&own));
        let mut policies: Vec<(DocId, Option<GroupId>)> = own.into_iter().map(|doc| (doc, None)).collect();
        let mut groups = Vec::new();
        for group in entity.groups {
            let Some(id) = by_group.get(&(arn.account.clone(), group.clone())) else {
                missing.push(Leaf::Group(group));
                continue;
            };
            groups.push(*id);
            if let Some(group) = self.groups.get(id.0 as usize) {
                policies.extend(group.policies.iter().map(|doc| (*doc, Some(*id))));
                missing.extend(group.missing.iter().cloned());
            }
        }
        let boundary = match entity.boundary {
            None => Boundary::None,
            Some(boundary) => {
                managed.get(&boundary).map_or(Boundary::Missing(boundary), |doc| Boundary::Doc(*doc))
            }
        };
        // Of a trust policy that is not known, nobody knows.
        let mut takes_session_tags = true;
        let trust = entity.trust.map(|trust| {
            takes_session_tags = trust.is_incomplete
                || trust.statements.iter().any(|statement| {
                    statement.effect == Effect::Allow && statement.action.matches("sts:tagsession")
                });
            self.doc(trust, Owner::Trust(arn.text.clone()), origin)
        });
        let number = PrincipalId(u32::try_from(self.principals.len()).unwrap_or(u32::MAX));
        self.accounts.entry(arn.account.clone()).or_default().principals.push(number);
        self.by_arn.insert(arn.text.clone(), number);
        self.by_name.insert((arn.account.clone(), name.clone(), is_user), number);
        if !id.is_empty() {
            self.by_id.insert(id.clone(), number);
        }
        self.principals.push(Principal {
            arn,
            name,
            is_user,
            source: entity.source,
            instance_profiles: entity.instance_profiles,
            number,
            id,
            tags: Some(tags),
            policies,
            groups,
            boundary,
            missing,
            trust,
            takes_session_tags,
        });
    }

    /// What is known of Identity Center.
    pub fn identity_center(&self) -> &IdentityCenter {
        &self.center
    }

    /// A policy document.
    pub fn get(&self, doc: DocId) -> Option<&Doc> {
        self.docs.get(doc.0 as usize)
    }

    pub(super) fn docs(&self) -> &[Doc] {
        &self.docs
    }

    /// A statement.
    pub fn statement(&self, hit: Hit) -> Option<&Statement> {
        self.get(hit.doc)?.policy.statements.get(hit.statement as usize)
    }

    /// Where a statement stands.
    pub fn source(&self, hit: Hit) -> Option<Source> {
        let doc = self.get(hit.doc)?;
        Some(place(doc.origin, doc.policy.statements.get(hit.statement as usize)?.position))
    }

    /// A group.
    pub fn group(&self, group: GroupId) -> Option<&Group> {
        self.groups.get(group.0 as usize)
    }

    pub(super) fn all_groups(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        (0..).map(GroupId).zip(&self.groups)
    }

    pub(super) fn policies_of(group: &Group) -> &[DocId] {
        &group.policies
    }

    /// A user or role.
    pub fn principal_of(&self, id: PrincipalId) -> Option<&Principal> {
        self.principals.get(id.0 as usize)
    }

    /// The role with an ARN, as [`Self::find`] finds it.
    pub fn role(&self, arn: &str) -> Option<PrincipalId> {
        self.find(arn).filter(|id| self.principal_of(*id).is_some_and(|principal| !principal.is_user))
    }

    /// Accounts of which pages are missing.
    pub fn incomplete_accounts(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .accounts
            .iter()
            .filter(|(_, account)| account.is_incomplete)
            .map(|(number, _)| &**number)
            .collect();
        found.sort_unstable();
        found
    }

    /// Every user and role, users first, in the order of the inputs.
    pub fn principals(&self) -> impl Iterator<Item = (PrincipalId, &Principal)> {
        (0..).map(PrincipalId).zip(&self.principals)
    }

    /// The accounts of which there is an export, by their number.
    pub fn accounts(&self) -> BTreeSet<&str> {
        self.accounts.keys().map(|account| &**account).collect()
    }

    /// What is known of an account.
    pub fn account(&self, account: &str) -> Option<&Account> {
        self.accounts.get(account)
    }

    pub(super) fn by_arn(&self, arn: &str) -> Option<PrincipalId> {
        self.by_arn.get(arn).copied()
    }

    pub(super) fn by_id(&self, id: &str) -> Option<PrincipalId> {
        self.by_id.get(id).copied()
    }

    /// The user or role with this ARN; a role also by an ARN without its path, as identity mappings write it, or by
    /// the ARN of a session.
    pub fn find(&self, arn: &str) -> Option<PrincipalId> {
        self.by_arn(arn).or_else(|| {
            let entity = EntityArn::new(arn);
            let name = role_name(arn)?;
            // A path that is written must be the right one.
            if arn.split_once(":role/").is_some_and(|(_, path)| path.contains('/')) {
                return None;
            }
            self.by_name.get(&(entity.account, name.into(), false)).copied()
        })
    }

    /// Who calls. The name of a session is looked at where the ARN is that of a role.
    ///
    /// # Errors
    /// For what cannot call.
    pub fn caller(&self, text: &str, session: Option<&str>) -> Result<Caller<'_>, NotACaller> {
        if !text.starts_with("arn:") {
            let is_service = text.contains('.') && !text.contains([':', '/', ' ']);
            return if is_service { Ok(Caller::Service(text.into())) } else { Err(NotACaller::NotAnArn) };
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let (service, resource) = match parts.as_slice() {
            [_, _, service, _, _, resource] => (*service, *resource),
            _ => return Err(NotACaller::NotAnArn),
        };
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let session = match (service, kind) {
            ("iam", "user") => None,
            ("iam", "role") => session,
            ("sts", "assumed-role") => rest.rsplit_once('/').map(|(_, session)| session),
            ("iam", "oidc-provider" | "saml-provider") => return Ok(Caller::Provider(text.into())),
            ("iam", "group") => return Err(NotACaller::Group),
            ("iam", "root") => return Err(NotACaller::Root),
            ("sts", "federated-user") => return Err(NotACaller::FederatedUser),
            ("iam" | "sts", _) => return Err(NotACaller::Resource),
            _ => return Err(NotACaller::NotAnArn),
        };
        let session: Option<Box<str>> = session.map(Into::into);
        let principal = self.find(text).and_then(|id| self.principal_of(id));
        if let Some(principal) = principal {
            return Ok(Caller::Known { principal, session });
        }
        let arn = EntityArn::new(text);
        let is_own_arn = kind != "assumed-role";
        let name = if is_own_arn { arn.name() } else { role_name(text).unwrap_or("") };
        let has_export = self.accounts.contains_key(&arn.account);
        Ok(Caller::Stranger(Box::new(Stranger {
            name: name.into(),
            is_user: kind == "user",
            arn,
            session,
            is_own_arn,
            has_export,
        })))
    }
}

fn attach(
    attached: &[Box<str>],
    managed: &FxHashMap<Box<str>, DocId>,
    policies: &mut Vec<DocId>,
    missing: &mut Vec<Leaf>,
) {
    for arn in attached {
        match managed.get(arn) {
            Some(doc) => policies.push(*doc),
            None => missing.push(Leaf::Policy(arn.clone())),
        }
    }
}

/// Each ARN once: where it stands twice and differs, the later one counts.
fn once<T>(
    all: Vec<T>,
    what: impl Fn(&T) -> (Box<str>, Source),
    same: impl Fn(&T, &T) -> bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(all.len());
    let mut places: FxHashMap<Box<str>, usize> = FxHashMap::default();
    for item in all {
        let (arn, source) = what(&item);
        let before = places.get(&arn).and_then(|place| kept.get_mut(*place));
        let Some(before) = before else {
            places.insert(arn, kept.len());
            kept.push(item);
            continue;
        };
        if !same(before, &item) {
            diagnostics.push(Diagnostic::at(
                Code::IamEntityReplaced,
                source,
                format!("`{arn}` stands in the IAM exports twice, and they differ; this later one counts"),
            ));
            *before = item;
        }
    }
    kept
}

fn entities_of(page: &Page) -> usize {
    page.users.len() + page.groups.len() + page.roles.len() + page.policies.len()
}

/// The accounts whose last page says that another follows, with the place of that page.
fn truncated(pages: &[Page]) -> Vec<(Box<str>, Source)> {
    let mut open: Vec<(BTreeSet<&str>, Source)> = Vec::new();
    for page in pages {
        let entities = page.users.iter().chain(&page.groups).chain(&page.roles);
        let own = entities.map(|entity| &*entity.arn.account);
        let own = own.chain(page.policies.iter().map(|policy| &*policy.arn.account));
        let accounts: BTreeSet<&str> = own.filter(|account| *account != "aws").collect();
        if entities_of(page) == 0 {
            continue;
        }
        // A page of AWS's own policies alone goes on with whatever was begun.
        open.retain(|(before, _)| !accounts.is_empty() && before.is_disjoint(&accounts));
        if page.is_truncated {
            open.push((accounts, page.source));
        }
    }
    let all = open
        .iter()
        .flat_map(|(accounts, source)| accounts.iter().map(|account| ((*account).into(), *source)));
    all.collect()
}
