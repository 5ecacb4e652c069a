//! Answers for people: aligned, short, every hop with its place.

use std::io::{self, Write};

use crate::decide::answer::{Answer, Doubt, NearMiss};
use crate::decide::cluster::versions::OtherVersions;
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::evaluate::Grant;
use crate::decide::near::NearSubject;
use crate::identity::{IdentityDoubt, IdentityError, Mapped, MappingKind};
use crate::model::attributes::Attributes;
use crate::model::source::Sources;
use crate::model::ternary::Ternary;
use crate::model::version::KubernetesVersion;
use anstyle::{AnsiColor, Style};

use super::access;
use super::aligned::Aligned;
use super::near;
use super::phrases;
use super::visible::visible;
use super::words::{self, Hop};

mod doubts;

pub(crate) use doubts::conditions;
pub use doubts::doubt_sentence;
use doubts::doubt_text;
pub(super) use doubts::other_unread;

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
        let may_be_mapped =
            matches!(error, IdentityError::NotMapped { elsewhere, .. } if !elsewhere.is_empty());
        let text = if may_be_mapped { phrases::UNKNOWN_USER.to_owned() } else { error.to_string() };
        lines = vec![Hop { depth: 0, text, place: String::new() }];
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
