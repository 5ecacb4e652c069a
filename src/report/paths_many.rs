//! The ways of many starts: how many they are, a line each, and what most of them rest on.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::aligned::Aligned;
use super::paths::{SHOWN, in_words};
use super::phrases::counted;
use super::words;
use crate::ask::paths::{From, Overview, Reach, SINKS, Step, Traced};
use crate::decide::cluster::Cluster;

/// How many of the bindings are listed that many ways rest on.
const MOST_SHARED: usize = 5;

/// One of many ways, in a line.
#[derive(Clone, Debug)]
pub struct Brief {
    /// Who starts.
    pub from: String,
    /// In how many steps.
    pub depth: u16,
    steps: Vec<Step>,
    /// The bindings that the steps rest on, with their places.
    bindings: Vec<(String, String)>,
}

/// A way in a line.
pub fn brief(cluster: &Cluster, traced: &Traced<'_, '_>, reach: &Reach) -> Brief {
    let hops = traced.hops(reach);
    let power = traced.power(reach);
    let grounds = hops.iter().flat_map(|hop| &hop.grounds).chain(power.iter().map(|(_, ground)| ground));
    let policy = cluster.graph().policy();
    let mut bindings: Vec<(String, String)> = Vec::new();
    for binding in grounds.filter_map(|ground| ground.grant.as_ref()).map(|grant| grant.applied.binding) {
        let text = format!("{} of {}", words::binding(policy, binding), words::role_ref(policy, binding));
        bindings.push((text, words::place(policy, binding.source).to_string()));
    }
    bindings.sort_unstable();
    bindings.dedup();
    let steps = hops.iter().map(|hop| hop.step).collect();
    Brief { from: traced.from().title.clone(), depth: reach.depth, steps, bindings }
}

/// How many get to a target, where they are many.
///
/// # Errors
/// If writing fails.
pub fn counts(out: &mut dyn Write, to: &str, certain: usize, possible: usize) -> io::Result<()> {
    let starts = counted(certain, "start");
    let reach = if certain == 1 { "reaches" } else { "reach" };
    let more = match possible {
        0 => String::new(),
        some => format!("; {some} more may, if conditions hold"),
    };
    writeln!(out, "{starts} {reach} {}{more}", in_words(to))
}

/// Many ways, a line each, and the bindings that most of them rest on.
///
/// # Errors
/// If writing fails.
pub fn briefs(out: &mut dyn Write, briefs: &[Brief]) -> io::Result<()> {
    Aligned::write(out, 0, |lines| {
        lines.bare(0, format_args!("all {}, by the number of steps:", briefs.len()))?;
        for own in briefs {
            let steps: Vec<&str> = own.steps.iter().map(|step| step.id()).collect();
            let steps = if steps.is_empty() { "by its own rights".to_owned() } else { steps.join(", ") };
            lines.line(1, format_args!("{:>2}  {}", own.depth, own.from), steps)?;
        }
        Ok(())
    })?;
    let mut counts: BTreeMap<&(String, String), usize> = BTreeMap::new();
    for binding in briefs.iter().flat_map(|own| &own.bindings) {
        *counts.entry(binding).or_default() += 1;
    }
    let mut counts: Vec<(&(String, String), usize)> =
        counts.into_iter().filter(|(_, own)| *own > 1).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    Aligned::write(out, 0, |lines| {
        lines.bare(
            0,
            "most of these ways rest on these bindings; `--without` shows what is left without one:",
        )?;
        for ((text, place), count) in counts.iter().take(MOST_SHARED) {
            lines.line(1, format_args!("{count} of {}  {text}", briefs.len()), place)?;
        }
        Ok(())
    })
}

/// One line a start: the sinks that it reaches, and those that it may reach.
///
/// # Errors
/// If writing fails.
pub fn table(out: &mut dyn Write, rows: &[(From, Overview)]) -> io::Result<()> {
    let width = rows.iter().map(|(from, _)| from.title.chars().count()).max().unwrap_or(0).clamp(5, 90);
    Aligned::write(out, 0, |lines| {
        let head: Vec<String> = SINKS.iter().map(|head| format!("{head:>18}")).collect();
        lines.bare(0, format_args!("{:width$}{}{:>9}", "start", head.concat(), "reached"))?;
        let (certain, only_possible): (Vec<_>, Vec<_>) =
            rows.iter().partition(|(_, overview)| overview.reaches_a_sink());
        let shown = only_possible.iter().take(SHOWN);
        for (from, overview) in certain.iter().chain(shown) {
            let depths: Vec<String> = overview
                .sinks
                .iter()
                .map(|(sink, depth)| match depth {
                    Some(depth) => depth.to_string(),
                    None if overview.possible.contains(sink) => "?".to_owned(),
                    None => "-".to_owned(),
                })
                .map(|depth| format!("{depth:>18}"))
                .collect();
            let title = &from.title;
            let reached = overview.reached.map_or_else(|| "all".to_owned(), |count| count.to_string());
            lines.bare(0, format_args!("{title:width$}{}{:>9}", depths.concat(), reached))?;
        }
        if only_possible.len() > SHOWN {
            let more = only_possible.len() - SHOWN;
            lines.bare(
                0,
                format_args!("and {more} more that may reach a sink if conditions hold; -o json lists them"),
            )?;
        }
        lines.bare(0, "")?;
        lines.bare(0, "a number: in so many steps   ? if conditions hold   - not found; `--arn`, `--as` or `--to` shows the steps")
    })
}
