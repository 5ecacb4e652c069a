//! Everyone who can do something, for people.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};

use crate::ask::naming::naming;
use crate::ask::system::LeftOut;
use crate::ask::who_can::{GrantRef, IdentityAccess, Named, SubjectAccess, WhoCan, grants_of};
use crate::decide::answer::Doubt;
use crate::decide::cluster::{Cluster, WhoIs};
use crate::decide::evaluate::Grant;
use crate::model::rbac::Authorizer;
use crate::model::ternary::Ternary;

use super::aligned::Aligned;
use super::notes::Basis;
use super::phrases::{self, counted, counted_as};
use super::visible::visible;
use super::words::Hop;
use super::{eks_doors, iam, json, people as of_people, text, words};

/// ``Group `developers` ``, ``ServiceAccount `prod/app` ``.
fn title(subject: &Named) -> String {
    match subject.kind {
        "ServiceAccount" => format!("ServiceAccount `{}/{}`", subject.namespace, subject.name),
        kind => format!("{kind} `{}`", subject.name),
    }
}

/// The first line: how many can do what.
fn summary(found: &WhoCan<'_>, asked: &str) -> String {
    let mut more = Vec::new();
    if !found.in_namespaces.is_empty() {
        more.push(counted(found.in_namespaces.len(), "subject"));
    }
    if !found.identities_in.is_empty() {
        more.push(counted_as(found.identities_in.len(), "IAM identity", "IAM identities"));
    }
    let more = if more.is_empty() {
        String::new()
    } else {
        format!("; {} only in some namespaces", more.join(" and "))
    };
    format!("{}{more}", everywhere(found, asked))
}

fn everywhere(found: &WhoCan<'_>, asked: &str) -> String {
    let subjects = found.subjects.iter().filter(|can| !can.subject.is_masters()).count();
    let identities = found.identities.iter().filter(|can| !can.is_in_masters()).count();
    let besides = "besides Group `system:masters`";
    match (subjects, identities) {
        (0, 0) => format!("no one {besides} can {asked}"),
        (0, _) => format!(
            "{} can {asked}, but no single subject {besides}",
            counted_as(identities, "IAM identity", "IAM identities")
        ),
        _ => {
            let identities = match identities {
                0 => String::new(),
                _ => format!(" and {}", counted_as(identities, "IAM identity", "IAM identities")),
            };
            format!("{}{identities} {besides} can {asked}", counted(subjects, "subject"))
        }
    }
}

/// The limit to some names of objects, behind a title.
fn limit(names: Option<&[String]>) -> String {
    names.map_or(String::new(), |names| format!(", only named {}", text::some_of(names)))
}

/// The binding and the rule of a grant, a line each; with the namespace where it is not plain.
fn grant_lines(
    lines: &mut Aligned<'_>,
    cluster: &Cluster,
    grant: &Grant<'_>,
    depth: usize,
) -> io::Result<()> {
    let graph = cluster.graph();
    let policy = graph.policy();
    let bound = grant.applied.binding;
    let number = grant.rule.position + 1;
    let place = words::subject_place(graph, grant);
    if grant.authorizer() == Authorizer::AccessPolicy {
        lines.line(depth, words::binding(policy, bound), place)?;
    } else {
        let text = format_args!("{} of {}", words::binding(policy, bound), words::role_ref(policy, bound));
        lines.line(depth, text, place)?;
    }
    if let Some(role) = grant.applied.role {
        for step in graph.provenance(role, &grant.rule) {
            let place = words::place(policy, step.from.source);
            lines.line(depth + 1, words::aggregation(policy, &step), place)?;
        }
    }
    lines.line(
        depth + 1,
        format_args!("rule {number}: {}", words::rule(policy, &grant.rule.rule)),
        words::rule_place(policy, &grant.rule),
    )
}

fn all_grants(
    lines: &mut Aligned<'_>,
    cluster: &Cluster,
    grants: &[GrantRef<'_>],
    depth: usize,
) -> io::Result<()> {
    grants
        .iter()
        .filter_map(|grant| grant.grant(cluster))
        .try_for_each(|grant| grant_lines(lines, cluster, &grant, depth))
}

/// What access policies grant an identity: what subjects have stands with these.
fn policy_grants(
    lines: &mut Aligned<'_>,
    cluster: &Cluster,
    identity: &IdentityAccess<'_>,
    depth: usize,
) -> io::Result<()> {
    let grants = grants_of(identity);
    let of_policies = grants.iter().filter(|grant| grant.authorizer() == Authorizer::AccessPolicy);
    of_policies.into_iter().try_for_each(|grant| grant_lines(lines, cluster, grant, depth))
}

/// An IAM identity and its place; `any_session` says that the answer holds for every session name.
fn identity_line(cluster: &Cluster, can: &IdentityAccess<'_>, any_session: bool) -> (String, String) {
    let mut text = format!("IAM {}", can.arn);
    let mut place = String::new();
    if let WhoIs::Mapped(mapped) = &can.who.is {
        text = format!("{text} ({}, user `{}`)", mapped.provenance.kind.as_str(), mapped.username);
        if can.who.only_instances() {
            text.push_str(", only sessions whose name is an EC2 instance ID");
        } else if any_session && mapped.is_symbolic() {
            text.push_str(", any session");
        }
        place = cluster.sources().show(mapped.provenance.source).to_string();
    }
    text.push_str(&limit(can.names.as_deref()));
    (text, place)
}

/// Writes the first line.
///
/// # Errors
/// If writing fails.
pub(super) fn headline(out: &mut dyn Write, asked: &str, found: &WhoCan<'_>) -> io::Result<()> {
    let style = text::style(found.ternary());
    writeln!(out, "{style}{}{style:#}", visible(&summary(found, asked)))
}

/// Writes what stands below the table of those who can: who needs no mapping, and what is unknown.
///
/// # Errors
/// If writing fails.
pub(super) fn rest(out: &mut dyn Write, cluster: &Cluster, found: &WhoCan<'_>) -> io::Result<()> {
    let (people, unknown) = (People::of(cluster, found), unknown_identities(cluster, found));
    Aligned::write(out, 0, |lines| {
        people.through_eks(lines)?;
        unknown_access(lines, cluster, found, &unknown, false)
    })?;
    writeln!(out)
}

/// Writes everyone who can with every grant and its place, for people.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, cluster: &Cluster, asked: &str, found: &WhoCan<'_>) -> io::Result<()> {
    headline(out, asked, found)?;
    let mut behind: Vec<Vec<&IdentityAccess<'_>>> = Vec::new();
    behind.resize_with(found.subjects.len(), Vec::new);
    for identity in &found.identities {
        for index in &identity.through {
            behind.get_mut(*index).into_iter().for_each(|behind| behind.push(identity));
        }
    }
    let unknown = unknown_identities(cluster, found);
    let people = People::of(cluster, found);
    Aligned::write(out, 0, |lines| {
        for (can, behind) in found.subjects.iter().zip(&behind) {
            section(lines, format_args!("{}{}", title(&can.subject), limit(can.names.as_deref())))?;
            if can.subject.is_masters() {
                lines.bare(1, phrases::EVERY_REQUEST)?;
            }
            all_grants(lines, cluster, &can.grants, 1)?;
            for identity in behind {
                let (text, place) = identity_line(cluster, identity, true);
                lines.line(1, text, place)?;
                people.write(lines, &identity.arn)?;
                policy_grants(lines, cluster, identity, 2)?;
            }
        }
        let mut together = found.identities.iter().filter(|identity| identity.through.is_empty()).peekable();
        if together.peek().is_some() {
            section(lines, "through access policies, or through several subjects together")?;
        }
        for identity in together {
            let (text, place) = identity_line(cluster, identity, true);
            lines.line(1, text, place)?;
            people.write(lines, &identity.arn)?;
            for grant in grants_of(identity) {
                grant_lines(lines, cluster, &grant, 2)?;
            }
        }
        for account in &found.accounts {
            section(lines, format_args!("every IAM principal of account {account} (mapAccounts)"))?;
        }
        single_namespaces(lines, cluster, found, &people)?;
        people.through_eks(lines)?;
        unknown_access(lines, cluster, found, &unknown, true)
    })?;
    writeln!(out)
}

/// The people who can become each identity, in lines: made once, for they are written twice.
struct People<'f> {
    of: BTreeMap<&'f str, Vec<Hop>>,
    eks_doors: Vec<Hop>,
}

impl<'f> People<'f> {
    fn of(cluster: &Cluster, found: &'f WhoCan<'_>) -> Self {
        let some = found.identities_in.iter().map(|(identity, _)| identity);
        let all = found.identities.iter().chain(some).filter(|can| !can.people.is_empty());
        let of = all.map(|can| {
            let mut lines = of_people::assumable_by_lines(cluster, &can.people, 2);
            let worth = naming(&can.who, &can.people).map(|naming| of_people::naming_sentences(&naming));
            let line = |text| Hop { depth: 2, text, place: String::new() };
            lines.extend(worth.into_iter().flatten().map(line));
            (can.arn.as_str(), lines)
        });
        Self { of: of.collect(), eks_doors: eks_doors::lines(cluster, &found.eks_doors, 1) }
    }

    fn write(&self, lines: &mut Aligned<'_>, arn: &str) -> io::Result<()> {
        let people = self.of.get(arn).into_iter().flatten();
        people.into_iter().try_for_each(|line| lines.line(line.depth, &line.text, &line.place))
    }

    /// Who needs no mapping.
    fn through_eks(&self, lines: &mut Aligned<'_>) -> io::Result<()> {
        if self.eks_doors.is_empty() {
            return Ok(());
        }
        section(lines, eks_doors::TITLE)?;
        self.eks_doors.iter().try_for_each(|line| lines.line(line.depth, &line.text, &line.place))
    }
}

fn section(lines: &mut Aligned<'_>, title: impl Display) -> io::Result<()> {
    lines.bare(0, "")?;
    lines.bare(0, title)
}

fn single_namespaces(
    lines: &mut Aligned<'_>,
    cluster: &Cluster,
    found: &WhoCan<'_>,
    people: &People<'_>,
) -> io::Result<()> {
    if found.in_namespaces.is_empty() && found.identities_in.is_empty() {
        return Ok(());
    }
    section(lines, "only in some namespaces")?;
    for can in &found.in_namespaces {
        let namespaces = words::joined(can.namespaces.iter());
        lines.bare(
            1,
            format_args!("{}{} in {namespaces}", title(&can.subject), limit(can.names.as_deref())),
        )?;
        all_grants(lines, cluster, &can.grants, 2)?;
    }
    for (identity, namespaces) in &found.identities_in {
        let (text, place) = identity_line(cluster, identity, true);
        lines.line(1, format_args!("{text} in {}", words::joined(namespaces.iter())), place)?;
        people.write(lines, &identity.arn)?;
        policy_grants(lines, cluster, identity, 2)?;
    }
    Ok(())
}

/// In how many lines before a reason is not said again.
const LATELY: usize = 8;

/// The IAM identities whose answer is unknown, and why, line by line.
fn unknown_identities(cluster: &Cluster, found: &WhoCan<'_>) -> Vec<Hop> {
    let mut lines = said_before(cluster, found);
    let before = lines.len();
    for identity in &found.unknown_identities {
        let (text, place) = identity_line(cluster, identity, false);
        lines.push(Hop { depth: 1, text, place });
        for doubt in identity.answers.iter().flat_map(|answer| &answer.doubts) {
            let text = text::doubt_sentence(cluster, doubt);
            if !lines.iter().rev().take(LATELY).any(|line| line.text == text) {
                lines.push(Hop { depth: 2, text, place: String::new() });
            }
        }
    }
    lines.split_off(before)
}

/// The document that could not be read, which may be the reason of an identity as well, and a line without text for
/// each that comes between it and the identities; no more of those than matter.
fn said_before(cluster: &Cluster, found: &WhoCan<'_>) -> Vec<Hop> {
    let Some(source) = found.unread.first() else { return Vec::new() };
    let graph = cluster.graph();
    let of_grant =
        |grant: Grant<'_>| 2 + grant.applied.role.map_or(0, |role| graph.provenance(role, &grant.rule).len());
    let of_subject = |can: &SubjectAccess<'_>| {
        let grants = can.grants.iter().take(LATELY).filter_map(|grant| grant.grant(cluster));
        1 + grants.map(of_grant).sum::<usize>()
    };
    let between =
        found.unresolved.len() + found.unknown_subjects.iter().take(LATELY).map(of_subject).sum::<usize>();
    let hop = |text| Hop { depth: 1, text, place: String::new() };
    let mut lines = vec![hop(text::doubt_sentence(cluster, &Doubt::Unread(*source)))];
    lines.resize_with(1 + between.min(LATELY), || hop(String::new()));
    lines
}

fn unknown_access(
    lines: &mut Aligned<'_>,
    cluster: &Cluster,
    found: &WhoCan<'_>,
    unknown: &[Hop],
    is_wide: bool,
) -> io::Result<()> {
    let policy = cluster.graph().policy();
    let nothing = found.unresolved.is_empty()
        && found.unknown_subjects.is_empty()
        && found.in_source_form.is_empty()
        && unknown.is_empty();
    let lacks_entries = found.lacks_entries && found.ternary() == Ternary::Unknown;
    if nothing && found.unread.is_empty() && !found.nothing_read && !lacks_entries {
        return Ok(());
    }
    section(lines, phrases::UNKNOWN)?;
    if found.nothing_read {
        lines.bare(1, phrases::NOTHING_READ)?;
    }
    if lacks_entries {
        lines.bare(1, phrases::ENTRIES_MAY_LACK)?;
    }
    if let Some((first, rest)) = found.unread.split_first() {
        let sentence = text::doubt_sentence(cluster, &Doubt::Unread(*first));
        lines.line(1, sentence, words::place(policy, *first))?;
        if let Some(others) = text::other_unread(cluster, rest) {
            lines.bare(1, others)?;
        }
    }
    for unresolved in &found.unresolved {
        let names = words::joined(unresolved.subjects.iter().map(title));
        let none = if unresolved.subjects.is_empty() { "no subjects" } else { "" };
        let why = words::not_in_inputs(cluster.graph(), &unresolved.binding);
        let bound = unresolved.binding.binding;
        lines.line(
            1,
            format_args!("{none}{names}: {why}"),
            words::place(policy, bound.source.at_line(bound.role_ref_line)),
        )?;
    }
    for (named, form) in &found.in_source_form {
        let sentence = format!("{}: {}: {}", title(named), phrases::SOURCE_FORM, form.sentence);
        lines.line(1, sentence, words::place(policy, form.source))?;
    }
    for can in &found.unknown_subjects {
        let title = title(&can.subject);
        lines.bare(1, format_args!("{title}: {}", phrases::QUESTION_LEAVES_OPEN))?;
        if is_wide {
            all_grants(lines, cluster, &can.grants, 2)?;
        }
    }
    unknown.iter().try_for_each(|hop| lines.line(hop.depth, &hop.text, &hop.place))
}

/// Who was left out as part of the system, in a sentence.
pub fn left_out(left_out: &LeftOut) -> Option<String> {
    let LeftOut { subjects, identities, bound_by_inputs } = left_out;
    let mut counts = Vec::new();
    if *subjects > 0 {
        counts.push(counted(*subjects, "subject"));
    }
    if *identities > 0 {
        counts.push(counted_as(*identities, "IAM identity of nodes", "IAM identities of nodes"));
    }
    let also = if bound_by_inputs.is_empty() {
        String::new()
    } else {
        format!(", of which bindings of the inputs name {}", bound_by_inputs.join(", "))
    };
    (!counts.is_empty()).then(|| format!("left out as part of the system: {}{also}", counts.join(" and ")))
}

/// Who cannot because EKS lets nobody in without credentials, in a sentence.
fn closed_out(found: &WhoCan<'_>) -> Option<String> {
    let names = words::joined(found.closed_out.iter().map(title));
    (!found.closed_out.is_empty()).then(|| {
        format!(
            "bindings would allow {names} this, but EKS answers requests without credentials with 401 before RBAC is asked"
        )
    })
}

/// What the list rests on.
pub fn basis(cluster: &Cluster, found: &WhoCan<'_>) -> Basis {
    let mut basis = Basis::of_all(cluster);
    let notes = &mut basis.lines;
    if cluster.identities().is_empty() {
        notes.push(format!("{}, so no IAM identities are listed", phrases::NO_MAPPINGS));
    }
    notes.extend(closed_out(found));
    notes.extend(cluster.identities().doubts().iter().map(|doubt| json::identity_doubt(cluster, doubt)));
    let all = found.identities.iter().chain(&found.unknown_identities);
    let mut all = all.chain(found.identities_in.iter().map(|(identity, _)| identity));
    if !found.eks_doors.is_empty() || all.any(|identity| !identity.people.is_empty()) {
        notes.extend(iam::basis(cluster));
    }
    if !found.eks_doors.is_empty() {
        notes.push(eks_doors::note(cluster));
    }
    basis
}
