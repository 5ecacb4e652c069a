//! Answers for people: aligned, short, every hop with its place.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::decide::answer::{Answer, Doubt, NearMiss};
use crate::decide::cluster::versions::OtherVersions;
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::evaluate::Grant;
use crate::decide::near::NearSubject;
use crate::identity::{IdentityDoubt, IdentityError, Mapped, MappingKind, PlaceholderValues};
use crate::model::attributes::Attributes;
use crate::model::diagnostic::{Code, Diagnostic, Severity};
use crate::model::rbac::RoleKind;
use crate::model::source::{FileId, Source, Sources};
use crate::model::ternary::Ternary;
use crate::model::version::KubernetesVersion;
use crate::read::Completeness;

use super::access;
use super::aligned::Aligned;
use super::near;
use super::phrases;
use super::visible::visible;
use super::words::{self, Hop};

const BOLD: Style = Style::new().bold();

/// The colour of an answer.
pub fn style(ternary: Ternary) -> Style {
    let colour = match ternary {
        Ternary::Yes => AnsiColor::Green,
        Ternary::No => AnsiColor::Red,
        Ternary::Unknown => AnsiColor::Yellow,
    };
    colour.on_default().bold()
}

/// Who asks, in the first line of an answer.
pub fn asker(who: &Who, arn: Option<&str>) -> String {
    match (arn, &who.is) {
        (Some(arn), _) => arn.to_owned(),
        (None, WhoIs::User(user)) if user.username.is_empty() => format!("group {}", user.groups.join(", ")),
        (None, WhoIs::User(user)) => user.username.clone(),
        (None, _) => "nobody".to_owned(),
    }
}

/// The first line: the answer, what was asked, by whom.
///
/// # Errors
/// If writing fails.
pub fn headline(out: &mut dyn Write, ternary: Ternary, asked: &str, asker: &str) -> io::Result<()> {
    let style = style(ternary);
    writeln!(out, "{style}{ternary}{style:#} - {} as {}", visible(asked), visible(asker))
}

/// Writes hops with their places aligned.
///
/// # Errors
/// If writing fails.
pub fn hops(out: &mut dyn Write, hops: &[Hop], indent: usize) -> io::Result<()> {
    Aligned::write(out, indent, |lines| {
        hops.iter().try_for_each(|hop| lines.line(hop.depth, &hop.text, &hop.place))
    })
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

/// How many names of a list are shown.
const NAMES_SHOWN: usize = 8;

/// Names in quotes: the first of them, and how many more there are.
pub fn some_of(names: &[String]) -> String {
    let shown = quoted(names.get(..NAMES_SHOWN).unwrap_or(names));
    match names.len().checked_sub(NAMES_SHOWN) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

/// The hops from an ARN to a user.
pub fn identity_hops(cluster: &Cluster, who: &Who) -> Vec<Hop> {
    let sources = cluster.sources();
    let hop = |depth, text, place| Hop { depth, text, place };
    match &who.is {
        WhoIs::User(user) => {
            vec![hop(
                0,
                format!("user `{}`, groups {}", user.username, quoted_or_none(&user.groups)),
                String::new(),
            )]
        }
        WhoIs::Mapped(mapped) => mapped_hops(sources, mapped),
        WhoIs::Error(_) => Vec::new(),
    }
}

fn quoted_or_none(texts: &[String]) -> String {
    if texts.is_empty() { "none".to_owned() } else { quoted(texts) }
}

fn mapped_hops(sources: &Sources, mapped: &Mapped) -> Vec<Hop> {
    let provenance = &mapped.provenance;
    let user = mapped.user_info();
    let mut hops = vec![
        Hop {
            depth: 0,
            text: format!("{} `{}`", access::kind(provenance.kind), provenance.arn),
            place: match provenance.kind {
                MappingKind::ClusterCreator => String::new(),
                _ => sources.show(provenance.source).to_string(),
            },
        },
        Hop {
            depth: 1,
            text: format!("user `{}`, groups {}", user.username, quoted_or_none(&user.groups)),
            place: String::new(),
        },
    ];
    hops.extend(access::hops(sources, mapped));
    for note in &mapped.notes {
        let place = note.source.map(|source| sources.show(source).to_string()).unwrap_or_default();
        hops.push(Hop { depth: 1, text: note.text.clone(), place });
    }
    hops
}

/// The reasons of an answer, below its first line.
///
/// # Errors
/// If writing fails.
pub fn reasons(
    out: &mut dyn Write,
    cluster: &Cluster,
    asked: &Attributes<'_>,
    answer: &Answer<'_>,
    indent: usize,
) -> io::Result<()> {
    let graph = cluster.graph();
    if answer.is_master {
        let text = phrases::BYPASSES_RBAC.to_owned();
        hops(out, &[Hop { depth: 0, text, place: String::new() }], indent)?;
    }
    if let Some((first, rest)) = answer.grants.split_first() {
        hops(out, &words::hops_for(graph, first, Some(asked)), indent)?;
        also(out, cluster, rest, indent)?;
    }
    let (mut unread, mut said) = (Vec::new(), false);
    for doubt in &answer.doubts {
        match doubt {
            Doubt::Unread(source) if said => unread.push(*source),
            _ => doubt_text(out, cluster, asked, doubt, indent)?,
        }
        said |= matches!(doubt, Doubt::Unread(_));
    }
    if let Some(others) = other_unread(cluster, &unread) {
        writeln!(out, "{:indent$}{}", "", visible(&others))?;
    }
    if answer.ternary != Ternary::Yes {
        nearest(out, cluster, answer, indent)?;
    }
    Ok(())
}

fn also(out: &mut dyn Write, cluster: &Cluster, rest: &[Grant<'_>], indent: usize) -> io::Result<()> {
    if rest.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:indent$}also allowed by", "")?;
    let lines: Vec<Hop> = rest
        .iter()
        .map(|grant| {
            let (text, place) = words::grant_line(cluster.graph(), grant);
            Hop { depth: 1, text, place }
        })
        .collect();
    hops(out, &lines, indent)
}

/// What would have to hold, in words.
pub(crate) fn conditions(values: &PlaceholderValues) -> String {
    let mut parts = Vec::new();
    if let Some(name) = &values.session_name {
        parts.push(format!("the session name is `{name}`"));
    }
    if let Some(key) = &values.access_key_id {
        parts.push(format!("the access key ID is `{key}`"));
    }
    if let Some(name) = &values.private_dns_name {
        parts.push(format!("the instance's private DNS name is `{name}`"));
    }
    if let Some(name) = &values.username {
        parts.push(format!("the username is `{name}`"));
    }
    if let Some(group) = &values.group {
        parts.push(format!("a group is `{group}`"));
    }
    if parts.is_empty() { "the placeholders match".to_owned() } else { parts.join(" and ") }
}

/// How many places of documents that could not be read stand in a line.
const UNREAD_SHOWN: usize = 3;

/// The documents that could not be read besides the first, in a line.
pub(super) fn other_unread(cluster: &Cluster, others: &[Source]) -> Option<String> {
    let shown = others.iter().take(UNREAD_SHOWN);
    let places: Vec<String> = shown.map(|source| cluster.sources().show(*source).to_string()).collect();
    let documents = phrases::counted(others.len(), "more document");
    let rest = if others.len() > UNREAD_SHOWN { ", ...; -o json lists all" } else { "" };
    (!others.is_empty()).then(|| format!("and {documents} that may allow this: {}{rest}", places.join(", ")))
}

fn unread_sentence(cluster: &Cluster, source: Source) -> String {
    let told = cluster.summary().unread.iter().find(|unread| unread.source == source);
    match told.filter(|unread| !unread.sentence.is_empty()) {
        Some(unread) if unread.more.is_empty() => {
            format!("{}; it may allow this", unread.sentence)
        }
        Some(unread) => format!("{}; they may allow this", unread.sentence),
        None => format!("{}, and may allow this; fix or render it, or leave its file out", phrases::UNREAD),
    }
}

/// Why an answer is unknown, in a sentence.
pub fn doubt_sentence(cluster: &Cluster, doubt: &Doubt<'_>) -> String {
    let policy = cluster.graph().policy();
    match doubt {
        Doubt::MissingRole(applied) => {
            if applied.role.is_some() {
                return format!(
                    "{}; load the ClusterRoles that it selects, or use --complete if there are none",
                    words::not_in_inputs(cluster.graph(), applied)
                );
            }
            let kind = applied.binding.role_ref.kind;
            let missing = if cluster.completeness() == Completeness::Complete && kind == RoleKind::Role {
                "which is not in the inputs, as they have no Roles at all; export `roles` as well"
            } else {
                "which is not in the inputs; load it, or use --complete if it does not exist"
            };
            let likely = near::likely_role(cluster, applied);
            format!("{}, {missing}{likely}", words::missing_role(policy, applied))
        }
        Doubt::Aggregates(applied) => format!(
            "{}; load those for this type, or use --complete if there are none",
            words::not_in_inputs(cluster.graph(), applied)
        ),
        Doubt::Contested(applied) => format!(
            "{}; which one that was is unknown: leave one of them out",
            words::contested(policy, applied)
        ),
        Doubt::UnknownScope(_) => {
            "only a RoleBinding allows this, and the scope of this type is unknown: if it is cluster-scoped, the RoleBinding does not apply; load its CRD".to_owned()
        }
        Doubt::NodeAuthorizer(rule) => {
            let may = if rule.is_some() {
                "; ClusterRole `system:node` lists this request, so it may be allowed"
            } else {
                ""
            };
            format!(
                "the Node authorizer decides what a node may do, from live objects that are not in the inputs{may}"
            )
        }
        Doubt::SomeNames(_) => "allowed only for some object names, and the name is not known".to_owned(),
        Doubt::SomeNamespaces { namespace, count, .. } => {
            let others = near::others(*count);
            format!(
                "allowed in namespace `{}`{others}, but the namespace is not known",
                policy.names.text(*namespace)
            )
        }
        Doubt::NothingRead => phrases::NOTHING_READ.to_owned(),
        Doubt::SourceForm(form, _) => format!("{}: {}", phrases::SOURCE_FORM, form.sentence),
        Doubt::Unread(source) => unread_sentence(cluster, *source),
        Doubt::AccessPolicy(doubt) => access::doubt(doubt),
        Doubt::NoIdentity => {
            format!(
                "{}, so the user of this ARN is unknown; load ConfigMap `kube-system/aws-auth`, or use --as and --as-group",
                phrases::NO_MAPPINGS
            )
        }
        Doubt::RandomMapping(_) => {
            format!("{}, with different answers", phrases::RANDOM_MAPPING)
        }
        Doubt::OtherType(name, _) => format!(
            "the resource type is unknown and was checked as written; if it is `{name}`, which rules mention, the request may be allowed: ask for that name, or load its CRD"
        ),
        Doubt::Unfilled(provenance, _) => {
            let user = match provenance.username.text.as_str() {
                "" => String::new(),
                user => format!(" to user `{user}`"),
            };
            format!(
                "{}; if it maps this ARN{user}, the request may be allowed",
                phrases::unfilled_entry(&provenance.arn)
            )
        }
        Doubt::UnfilledName(written, name, _) => {
            format!("{}; if it becomes `{name}`, the request may be allowed", phrases::unfilled_name(written))
        }
        Doubt::Unrendered(_) => {
            format!("{}; render or decrypt them first", phrases::UNRENDERED)
        }
        Doubt::Identity(doubt, grant) => {
            let then = if grant.is_some() { "; as one user that it could be, this is allowed" } else { "" };
            format!("{}{then}", doubt.text)
        }
        Doubt::Session { user, values, grant } => {
            let effect = if grant.is_some() || user.in_group(crate::model::user::SYSTEM_MASTERS) {
                "the request is allowed"
            } else {
                "the answer is still unknown"
            };
            format!(
                "if {}, the user is `{}` with groups {}, and {effect}; give --session-name",
                conditions(values),
                user.username,
                quoted_or_none(&user.groups)
            )
        }
    }
}

fn doubt_text(
    out: &mut dyn Write,
    cluster: &Cluster,
    asked: &Attributes<'_>,
    doubt: &Doubt<'_>,
    indent: usize,
) -> io::Result<()> {
    let policy = cluster.graph().policy();
    let place = match doubt {
        Doubt::MissingRole(applied) | Doubt::Aggregates(applied) | Doubt::Contested(applied) => {
            words::place(policy, applied.binding.source.at_line(applied.binding.role_ref_line)).to_string()
        }
        Doubt::NodeAuthorizer(Some(rule)) => words::rule_place(policy, rule).to_string(),
        Doubt::SourceForm(form, _) => policy.sources.show(form.source).to_string(),
        Doubt::Unread(source) | Doubt::Unrendered(source) => policy.sources.show(*source).to_string(),
        Doubt::Unfilled(provenance, _) => policy.sources.show(provenance.source).to_string(),
        Doubt::AccessPolicy(doubt) => policy.sources.show(doubt.source).to_string(),
        Doubt::Identity(doubt, _) => identity_place(&policy.sources, doubt),
        _ => String::new(),
    };
    hops(out, &[Hop { depth: 0, text: doubt_sentence(cluster, doubt), place }], indent)?;
    if let Doubt::SourceForm(_, Some(grant)) = doubt {
        hops(out, &words::hops_for(cluster.possible_graph(), grant, Some(asked)), indent + 2)?;
    }
    if let Doubt::Session { grant: Some(grant), .. }
    | Doubt::RandomMapping(Some(grant))
    | Doubt::Identity(_, Some(grant))
    | Doubt::OtherType(_, Some(grant))
    | Doubt::Unfilled(_, Some(grant))
    | Doubt::UnfilledName(_, _, Some(grant))
    | Doubt::SomeNames(grant)
    | Doubt::UnknownScope(grant)
    | Doubt::SomeNamespaces { grant, .. } = doubt
    {
        hops(out, &words::hops_for(cluster.graph(), grant, Some(asked)), indent + 2)?;
    }
    Ok(())
}

fn nearest(out: &mut dyn Write, cluster: &Cluster, answer: &Answer<'_>, indent: usize) -> io::Result<()> {
    if answer.near.is_empty() {
        if answer.doubts.is_empty() {
            writeln!(out, "{:indent$}no similar rule found", "")?;
        }
        return Ok(());
    }
    if let [only @ NearMiss::NoUsername(_)] = answer.near.as_slice() {
        let (text, place) = near::near_sentence(cluster, only);
        return hops(out, &[Hop { depth: 0, text, place }], indent);
    }
    writeln!(out, "{:indent$}nearest", "")?;
    hops(out, &near::lines(cluster, answer), indent)
}

/// Why an ARN has no user, with what came nearest.
///
/// # Errors
/// If writing fails.
pub fn identity_error(
    out: &mut dyn Write,
    cluster: &Cluster,
    error: &IdentityError,
    indent: usize,
) -> io::Result<()> {
    // What is not known is said as the reason of the answer.
    if matches!(error, IdentityError::NoMappings | IdentityError::Unknown { .. }) {
        return Ok(());
    }
    let mut lines =
        vec![Hop { depth: 0, text: format!("{error}: this ARN cannot log in"), place: String::new() }];
    if !error.is_refusal() {
        lines = vec![Hop { depth: 0, text: error.to_string(), place: String::new() }];
    }
    match error {
        IdentityError::NotMapped { nearest, unrendered, .. } => {
            lines.extend(nearest.iter().map(|nearest| Hop {
                depth: 1,
                text: nearest.to_string(),
                place: cluster.sources().show(nearest.source).to_string(),
            }));
            lines.extend(unrendered.iter().map(|source| Hop {
                depth: 1,
                text: "these mappings have unfilled placeholders or are encrypted, and may map this ARN; render or decrypt them first"
                    .to_owned(),
                place: cluster.sources().show(*source).to_string(),
            }));
        }
        IdentityError::NoInstanceId { provenance, .. } => {
            let place = cluster.sources().show(provenance.source).to_string();
            lines.push(Hop {
                depth: 1,
                text: "only a session whose name is an EC2 instance ID can log in through this entry"
                    .to_owned(),
                place,
            });
        }
        _ => {}
    }
    hops(out, &lines, indent)
}

fn doubt_line(sources: &Sources, doubt: &IdentityDoubt) -> Hop {
    Hop { depth: 1, text: doubt.text.clone(), place: identity_place(sources, doubt) }
}

/// Where the reason stands why it is unknown who somebody is; empty for what stands nowhere.
fn identity_place(sources: &Sources, doubt: &IdentityDoubt) -> String {
    doubt.source.map(|source| sources.show(source).to_string()).unwrap_or_default()
}

/// Who an ARN could be, where the inputs do not tell.
///
/// # Errors
/// If writing fails.
pub fn candidates(
    out: &mut dyn Write,
    cluster: &Cluster,
    error: &IdentityError,
    indent: usize,
) -> io::Result<()> {
    let sources = cluster.sources();
    let line = |mapped: &Mapped, why: &str| {
        let user = mapped.user_info();
        let text = format!("{why}user `{}`, groups {}", user.username, quoted_or_none(&user.groups));
        Hop { depth: 1, text, place: sources.show(mapped.provenance.source).to_string() }
    };
    let lines: Vec<Hop> = match error {
        IdentityError::NoMappings => vec![Hop { depth: 0, text: error.to_string(), place: String::new() }],
        IdentityError::NotMapped { unfilled, elsewhere, .. } => {
            let why = |mapped: &Mapped| format!("if `{}` maps this ARN: ", mapped.provenance.arn);
            let unfilled = unfilled.iter().map(|mapped| line(mapped, &why(mapped)));
            unfilled.chain(elsewhere.iter().map(|doubt| doubt_line(sources, doubt))).collect()
        }
        IdentityError::Unknown { doubts, could_be, .. } => {
            let head = Hop { depth: 0, text: phrases::UNKNOWN_USER.to_owned(), place: String::new() };
            let lines = std::iter::once(head).chain(doubts.iter().map(|doubt| doubt_line(sources, doubt)));
            lines
                .chain(could_be.iter().flatten().map(|mapped| line(mapped, "if this one is in force: ")))
                .collect()
        }
        IdentityError::RandomMapping { candidates } => {
            candidates.iter().flatten().map(|mapped| line(mapped, "")).collect()
        }
        _ => Vec::new(),
    };
    hops(out, &lines, indent)
}

/// The versions in words: `1.29 to 1.33`, `1.29, 1.31`.
fn ranges(versions: &[KubernetesVersion]) -> String {
    let mut ranges: Vec<(KubernetesVersion, KubernetesVersion)> = Vec::new();
    for version in versions {
        match ranges.last_mut() {
            Some((_, last)) if last.minor() + 1 == version.minor() => *last = *version,
            _ => ranges.push((*version, *version)),
        }
    }
    let range = |(first, last): &(KubernetesVersion, KubernetesVersion)| {
        if first == last { first.to_string() } else { format!("{first} to {last}") }
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// Whether the answer rests on a default rule that other versions lack, in a sentence.
pub fn other_versions(
    cluster: &Cluster,
    who: &Who,
    attributes: &Attributes<'_>,
    answer: &Answer<'_>,
) -> Option<String> {
    Some(match cluster.other_versions(&who.certain()?, attributes, answer)? {
        OtherVersions::Lack(versions) => {
            let later = versions.iter().any(|version| *version > cluster.version());
            format!(
                "this rests on default rules alone, which the defaults of Kubernetes {} do not have{}",
                ranges(&versions),
                if later { "; a cluster that is upgraded keeps them" } else { "" }
            )
        }
        OtherVersions::Kept(versions, namespace, name) => {
            let role = match namespace {
                None => format!("ClusterRole `{name}`"),
                Some(namespace) => format!("Role `{namespace}/{name}`"),
            };
            format!(
                "a default rule of {role} in Kubernetes {} allows this, and a cluster that was upgraded from there keeps it; export the cluster's own roles to be sure",
                ranges(&versions)
            )
        }
    })
}

/// How many diagnostics are worth reading before anything else.
const DIAGNOSTICS_SHOWN: usize = 5;

/// From how many diagnostics of one kind in one file on only the first is written, where there are more than a few.
const FOLDED: usize = 3;

/// Writes diagnostics, worst first: the first few and a summary of the rest, or all of them. What stands in a file that
/// says something about the asker comes before everything else, and many of one kind in a file are one line.
///
/// # Errors
/// If writing fails.
pub fn diagnostics(
    out: &mut dyn Write,
    sources: &Sources,
    diagnostics: &[Diagnostic],
    concerned: &BTreeSet<FileId>,
    all: bool,
) -> io::Result<()> {
    let file = |diagnostic: &Diagnostic| diagnostic.source.map(|source| source.file);
    let is_concerned =
        |diagnostic: &Diagnostic| file(diagnostic).is_some_and(|file| concerned.contains(&file));
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (!all && !is_concerned(diagnostic), diagnostic.severity()));
    let mut alike: FxHashMap<(Code, Option<FileId>), usize> = FxHashMap::default();
    if !all && sorted.len() > DIAGNOSTICS_SHOWN {
        for diagnostic in &sorted {
            *alike.entry((diagnostic.code, file(diagnostic))).or_default() += 1;
        }
        alike.retain(|_, count| *count >= FOLDED);
        let mut said = FxHashSet::default();
        sorted.retain(|diagnostic| {
            let key = (diagnostic.code, file(diagnostic));
            !alike.contains_key(&key) || said.insert(key)
        });
    }
    let shown = if all { sorted.len() } else { DIAGNOSTICS_SHOWN };
    for diagnostic in sorted.iter().take(shown) {
        let severity = diagnostic.severity();
        let style = match severity {
            Severity::Error => AnsiColor::Red.on_default().bold(),
            Severity::Warning => AnsiColor::Yellow.on_default().bold(),
            Severity::Note => BOLD,
        };
        write!(out, "{style}{}{style:#}[{}]", severity.as_str(), diagnostic.code.as_str())?;
        if let Some(source) = diagnostic.source {
            write!(out, " {}", visible(&sources.show(source).to_string()))?;
        }
        write!(out, ": {}", visible(&diagnostic.message))?;
        if let Some(count) = alike.get(&(diagnostic.code, file(diagnostic))) {
            write!(out, " (and {} more of this kind in the file)", count - 1)?;
        }
        writeln!(out)?;
    }
    let rest: Vec<&&Diagnostic> = sorted.iter().skip(shown).collect();
    if !rest.is_empty() {
        let number =
            |diagnostic: &Diagnostic| alike.get(&(diagnostic.code, file(diagnostic))).copied().unwrap_or(1);
        let count = |severity| -> usize {
            let of_it = rest.iter().filter(|diagnostic| diagnostic.severity() == severity);
            of_it.map(|diagnostic| number(diagnostic)).sum()
        };
        let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
            .into_iter()
            .filter(|severity| count(*severity) > 0)
            .map(|severity| match count(severity) {
                1 => format!("1 {}", severity.as_str()),
                more => format!("{more} {}s", severity.as_str()),
            })
            .collect();
        writeln!(out, "{} not shown; use --diagnostics all to see them", parts.join(", "))?;
    }
    Ok(())
}

/// The subjects that nearly name somebody, below the reasons of an answer.
///
/// # Errors
/// If writing fails.
pub fn near_subjects(
    out: &mut dyn Write,
    cluster: &Cluster,
    subjects: &[NearSubject<'_>],
    indent: usize,
) -> io::Result<()> {
    if subjects.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:indent$}nearly named", "")?;
    let lines: Vec<Hop> = subjects
        .iter()
        .map(|subject| {
            let (text, place) = near::subject_sentence(cluster, subject);
            Hop { depth: 1, text, place }
        })
        .collect();
    hops(out, &lines, indent)
}
