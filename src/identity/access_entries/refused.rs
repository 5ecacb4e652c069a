//! What EKS would not take of an access entry that somebody declared, in its reasons. An entry that EKS reported is
//! always taken as it stands.

use super::super::arn::Sections;
use super::super::template::{PlaceholderKind, unknown_placeholders};
use super::entry::{default_username, is_node_type};
use super::facts::{AssociationFact, EntryFact, Standing};
use super::told::{Setting, Told};
use crate::model::access::AccessScope;
use crate::model::diagnostic::{Code, Diagnostic};

/// The policies that EKS allows on entries for nodes: its own need it for Auto Mode.
const AUTO_NODE_POLICY: &str = "AmazonEKSAutoNodePolicy";

/// How many policies one entry takes.
const MOST_POLICIES: usize = 20;

/// What is asked of a declared entry.
pub(super) struct Checks<'a> {
    /// The account of the cluster, if it is known.
    pub(super) account: Option<&'a str>,
    /// Whether only service-linked roles may have a policy.
    pub(super) is_service_linked_only: &'a dyn Fn(&str) -> bool,
}

/// The warning about an SSO role whose ARN lacks its path: IAM knows no such role.
pub(super) fn sso_without_path(principal: &Told) -> Option<String> {
    let arn = principal.text()?;
    let resource = Sections::split(arn)?.resource;
    let name = resource.rsplit('/').next()?;
    (name.starts_with("AWSReservedSSO_") && !resource.contains("/aws-reserved/sso.amazonaws.com/")).then(|| {
        format!(
            "`{arn}` is an SSO role without its path, which EKS does not find; write `role/aws-reserved/sso.amazonaws.com/REGION/{name}`, as `aws iam get-role` prints it"
        )
    })
}

impl Checks<'_> {
    /// Why EKS would refuse the entry, if so.
    pub(super) fn entry(&self, fact: &EntryFact) -> Option<String> {
        if fact.standing == Standing::Observed {
            return None;
        }
        self.principal(fact).or_else(|| Self::groups(fact)).or_else(|| Self::username(fact)).or_else(|| {
            let policies = fact.policies.iter().flatten();
            policies.into_iter().find_map(|policy| self.association(policy))
        })
    }

    fn principal(&self, fact: &EntryFact) -> Option<String> {
        let arn = fact.principal.text()?;
        let Some(sections) = Sections::split(arn).filter(|_| arn.starts_with("arn:")) else {
            return Some(format!("the principal `{arn}` is not an ARN"));
        };
        let (kind, rest) = sections.resource.split_once('/').unwrap_or((sections.resource, ""));
        match (sections.service, kind) {
            ("iam", "role" | "user") if !rest.is_empty() => {}
            ("iam", "root") if rest.is_empty() => {}
            ("sts", _) => {
                return Some(format!(
                    "`{arn}` is the ARN of an STS session; EKS takes the role or user behind it"
                ));
            }
            _ => return Some(format!("`{arn}` is not the ARN of an IAM role, a user or the root user")),
        }
        if rest.starts_with("aws-service-role/") {
            return Some(format!("`{arn}` is a service-linked role; EKS makes its entry itself"));
        }
        let node = fact.kind.given().filter(|kind| is_node_type(kind))?;
        if kind != "role" {
            return Some(format!("an entry of type {node} needs a role, and `{arn}` is not one"));
        }
        let foreign = self.account.is_some_and(|account| account != sections.account);
        foreign.then(|| {
            format!(
                "an entry of type {node} needs a role of the cluster's own account, and `{arn}` is of another"
            )
        })
    }

    fn groups(fact: &EntryFact) -> Option<String> {
        let groups = fact.groups.given()?;
        if let Some(node) = node_type(fact) {
            let own = |group: &String| matches!(group.as_str(), "system:nodes" | "eks:kube-proxy-windows");
            let given = groups.iter().find(|group| !own(group))?;
            return Some(format!("an entry of type {node} takes no groups, and `{given}` is one"));
        }
        let group = groups.iter().find(|group| group.starts_with("system:"))?;
        let instead =
            if group == "system:masters" { "; associate AmazonEKSClusterAdminPolicy instead" } else { "" };
        Some(format!("the group `{group}` begins with `system:`, which EKS keeps for itself{instead}"))
    }

    fn username(fact: &EntryFact) -> Option<String> {
        let username = fact.username.given()?;
        if let Some(node) = node_type(fact) {
            let default = default_username(node, &fact.principal);
            return (default.as_deref() != Some(username))
                .then(|| format!("an entry of type {node} takes no username, and `{username}` is one"));
        }
        if let Some(prefix) = ["system:", "eks:", "aws:", "amazon:", "iam:"]
            .into_iter()
            .find(|prefix| username.starts_with(prefix))
        {
            return Some(format!(
                "the username `{username}` begins with `{prefix}`, which EKS keeps for itself"
            ));
        }
        let (before, _) = username.split_once("{{SessionName")?;
        (!before.contains(':')).then(|| {
            format!("the username `{username}` has no `:` before the session name, which anybody who assumes the role chooses")
        })
    }

    /// Why EKS would refuse an association, if so.
    pub(super) fn association(&self, fact: &AssociationFact) -> Option<String> {
        if fact.standing == Standing::Observed {
            return None;
        }
        if let AccessScope::Namespaces(namespaces) = &fact.scope
            && namespaces.is_empty()
        {
            return Some(format!("the scope of `{}` is namespaces, and it names none", fact.policy));
        }
        let name = fact.policy.last_part()?;
        (self.is_service_linked_only)(name)
            .then(|| format!("`{name}` can only be associated with a service-linked role"))
    }

    /// Why EKS would refuse an association with a principal of this type, if so.
    pub(super) fn association_of_type(kind: &str, fact: &AssociationFact) -> Option<String> {
        if fact.standing == Standing::Observed || !is_node_type(kind) {
            return None;
        }
        let name = fact.policy.last_part().unwrap_or_default();
        (kind != "EC2" || name != AUTO_NODE_POLICY)
            .then(|| format!("an entry of type {kind} takes no access policy, and `{}` is one", fact.policy))
    }
}

fn node_type(fact: &EntryFact) -> Option<&str> {
    fact.kind.given().filter(|kind| is_node_type(kind)).map(String::as_str)
}

/// What is odd in a declared entry that EKS takes, or of which nobody knows whether it does.
pub(super) fn odd(fact: &EntryFact, diagnostics: &mut Vec<Diagnostic>) {
    if fact.standing == Standing::Observed {
        return;
    }
    let mut report = |code, message: String| diagnostics.push(Diagnostic::at(code, fact.source, message));
    if let Some(message) = sso_without_path(&fact.principal) {
        report(Code::SsoRoleWithoutPath, message);
    }
    for group in fact.groups.given().into_iter().flatten() {
        let prefix = ["eks:", "aws:", "amazon:", "iam:"].into_iter().find(|prefix| group.starts_with(prefix));
        if let Some(prefix) = prefix
            && node_type(fact).is_none()
        {
            let message = format!(
                "the group `{group}` begins with `{prefix}`; whether EKS takes that is not documented"
            );
            report(Code::AccessEntryOddValue, message);
        } else if group.contains("{{") {
            let message = format!(
                "the group `{group}` has a placeholder; what EKS makes of it is not documented, so the groups are not known"
            );
            report(Code::AccessEntryOddValue, message);
        }
    }
    if let Setting::Given(username) = &fact.username {
        let odd = unknown_placeholders(username)
            .map(str::to_owned)
            .chain(
                ["{{AccountID}}", PlaceholderKind::AccessKeyId.as_str()]
                    .into_iter()
                    .filter(|odd| username.contains(odd))
                    .map(str::to_owned),
            )
            .next();
        if let Some(odd) = odd {
            let message = format!(
                "the username `{username}` has the placeholder `{odd}`; what EKS makes of it is not documented, so the username is not known"
            );
            report(Code::AccessEntryOddValue, message);
        }
    }
    let policies = fact.policies.as_deref().unwrap_or_default();
    for policy in policies {
        idle_namespaces(policy, diagnostics);
    }
    let mut report = |code, message: String| diagnostics.push(Diagnostic::at(code, fact.source, message));
    if policies.len() > MOST_POLICIES {
        let message =
            format!("{} policies are associated; EKS takes {MOST_POLICIES} for a principal", policies.len());
        report(Code::OddAssociation, message);
    }
}

/// Says that namespaces beside the scope of the whole cluster count for nothing.
pub(super) fn idle_namespaces(fact: &AssociationFact, diagnostics: &mut Vec<Diagnostic>) {
    if fact.standing == Standing::Declared && fact.has_idle_namespaces {
        let message = format!(
            "`{}` is associated with the whole cluster, and namespaces are given beside it; eksctl refuses that, and otherwise the policy holds in every namespace",
            fact.policy.last_part().map_or_else(|| fact.policy.to_string(), str::to_owned)
        );
        diagnostics.push(Diagnostic::at(Code::OddAssociation, fact.source, message));
    }
}
