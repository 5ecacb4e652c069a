//! Risks, for people: those of one subject stand together, subjects with the same findings
//! are one entry, and what each code means and how it is mended is said once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::aligned::Aligned;
use super::phrases::counted;
use crate::decide::cluster::Cluster;
use crate::knowledge::risks;
use crate::model::finding::{Finding, Level};

/// How many subjects, objects or namespaces are named before the rest is counted.
const SHOWN: usize = 6;

/// Where something holds: `in the whole cluster`, or the namespaces.
fn place(finding: &Finding) -> String {
    let named = if finding.scope == "named" { "for some names, " } else { "" };
    match (finding.scope, finding.namespaces.as_slice()) {
        ("kube-system", []) => "in kube-system".to_owned(),
        (_, []) => format!("{named}in the whole cluster"),
        (_, [one]) => format!("{named}in {one}"),
        (_, several) if several.len() <= SHOWN => format!("{named}in {}", several.join(", ")),
        (_, several) => format!("{named}in {} namespaces", several.len()),
    }
}

/// What two subjects have in common that are one entry.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    /// The worst first.
    level: std::cmp::Reverse<Level>,
    /// Severity, code, scope, and in how many namespaces.
    findings: Vec<(std::cmp::Reverse<Level>, &'static str, &'static str, usize)>,
}

fn named(texts: &[String]) -> String {
    let rest = texts.len().saturating_sub(SHOWN);
    let first = texts.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if rest == 0 { first } else { format!("{first} and {rest} more; -o json names them") }
}

/// The findings, how many of each level, and what each code means.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, cluster: &Cluster, findings: &[&Finding]) -> io::Result<()> {
    let policy = cluster.graph().policy();
    let source = |finding: &Finding| {
        finding.source.map_or_else(String::new, |source| super::words::place(policy, source).to_string())
    };
    let (of_objects, of_subjects): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().copied().partition(|finding| finding.object.is_some());
    let mut subjects: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in of_subjects {
        subjects.entry(&finding.subject).or_default().push(finding);
    }
    let mut entries: BTreeMap<Alike, Vec<(&str, Vec<&Finding>)>> = BTreeMap::new();
    for (subject, mut own) in subjects {
        own.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.code));
        let level = own.first().map_or(Level::Info, |first| first.severity);
        let findings = own
            .iter()
            .map(|own| (std::cmp::Reverse(own.severity), own.code, own.scope, own.namespaces.len()))
            .collect();
        entries.entry(Alike { level: std::cmp::Reverse(level), findings }).or_default().push((subject, own));
    }
    Aligned::write(out, 0, |lines| {
        for (alike, subjects) in &entries {
            let Some((first, own)) = subjects.first() else { continue };
            let level = alike.level.0;
            match subjects.len() {
                1 => {
                    let at = own.first().map_or_else(String::new, |finding| source(finding));
                    lines.line(0, format_args!("{level}: {first}"), at)?;
                }
                several => {
                    let all: Vec<String> =
                        subjects.iter().map(|(subject, _)| (*subject).to_owned()).collect();
                    lines.bare(0, format_args!("{level}: {several} subjects, each with the same"))?;
                    lines.bare(1, named(&all))?;
                }
            }
            // What holds in the same places is one line.
            let mut by_place: Vec<(String, Vec<(&str, String)>)> = Vec::new();
            for finding in own {
                let place = match (subjects.len(), finding.namespaces.len()) {
                    (1, _) | (_, 0) => place(finding),
                    (_, 1) => "in a namespace of each".to_owned(),
                    (_, several) => format!("in {several} namespaces of each"),
                };
                let title = risks::risk(finding.code).map_or("", |risk| risk.title);
                let text = format!("{} {} {title}", finding.severity, finding.code);
                match by_place.iter_mut().find(|(known, _)| *known == place) {
                    Some((_, texts)) => texts.push((finding.code, text)),
                    None => by_place.push((place, vec![(finding.code, text)])),
                }
            }
            for (place, texts) in by_place {
                lines.bare(1, place)?;
                // Whoever may do everything in a namespace may do the rest there.
                let is_everything = texts.iter().any(|(code, _)| *code == "W02");
                let (told, implied): (Vec<_>, Vec<_>) =
                    texts.into_iter().partition(|(code, _)| !is_everything || matches!(*code, "W02" | "P04"));
                for (_, text) in told {
                    lines.bare(2, text)?;
                }
                if !implied.is_empty() {
                    let codes: Vec<&str> = implied.iter().map(|(code, _)| *code).collect();
                    lines.bare(2, format_args!("and with it {}", codes.join(", ")))?;
                }
            }
            let joined = own.iter().filter(|own| is_told(own));
            for finding in joined.filter(|_| subjects.len() == 1) {
                lines.bare(1, finding.message.split(". ").next().unwrap_or_default())?;
            }
            if let Some(finding) = own.first().filter(|own| subjects.len() == 1 && !own.holders.is_empty()) {
                lines.bare(1, format_args!("held by: {}", named(&finding.holders)))?;
            }
        }
        objects(lines, &of_objects, &source)?;
        meanings(lines, findings)?;
        let count = |level: Level| findings.iter().filter(|finding| finding.severity == level).count();
        let counts: Vec<String> = Level::ALL
            .into_iter()
            .rev()
            .filter(|level| count(*level) > 0)
            .map(|level| format!("{} {level}", count(level)))
            .collect();
        let colon = if counts.is_empty() { "" } else { ": " };
        lines.bare(0, format_args!("{}{colon}{}", counted(findings.len(), "finding"), counts.join(", ")))
    })
}

/// Whether the message of a finding says more than title and place: of those that the search for paths makes.
fn is_told(finding: &Finding) -> bool {
    matches!(finding.code, "I02" | "I09" | "I10" | "I14" | "L02" | "L03" | "L04" | "P03" | "P14")
}

/// Findings about objects, code by code.
fn objects(
    lines: &mut Aligned<'_>,
    findings: &[&Finding],
    source: &dyn Fn(&Finding) -> String,
) -> io::Result<()> {
    let mut by_code: BTreeMap<(std::cmp::Reverse<Level>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_code.entry((std::cmp::Reverse(finding.severity), finding.code)).or_default().push(finding);
    }
    for ((level, code), own) in by_code {
        let title = risks::risk(code).map_or("", |risk| risk.title);
        lines.bare(0, format_args!("{}: {code} {title}", level.0))?;
        for finding in own.iter().take(SHOWN) {
            let what = finding.message.split(". ").next().unwrap_or_default();
            lines.line(1, what, source(finding))?;
        }
        if own.len() > SHOWN {
            lines.bare(1, format_args!("and {} more; -o json lists them", own.len() - SHOWN))?;
        }
    }
    Ok(())
}

/// What each code means and what mends it.
fn meanings(lines: &mut Aligned<'_>, findings: &[&Finding]) -> io::Result<()> {
    let codes: BTreeSet<&str> = findings.iter().map(|finding| finding.code).collect();
    if codes.is_empty() {
        return Ok(());
    }
    lines.bare(0, "")?;
    lines.bare(0, "why, and what to do")?;
    for risk in risks::all().iter().filter(|risk| codes.contains(risk.code)) {
        lines.bare(1, format_args!("{} {}: {}", risk.code, risk.title, risk.why))?;
        if risk.fix != "-" {
            lines.bare(2, format_args!("do: {}", risk.fix))?;
        }
    }
    lines.bare(0, "")
}
