//! The access review as Markdown: the same in the same order, to be read in a pull request.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::ask::access_review::{Cell, Mark};
use crate::knowledge::capabilities::CAPABILITIES;
use crate::report::markdown::markdown;

use super::cards::{Card, RuleSets, cards, titles, why};
use super::{
    Document, basis, decision, groups, headline, kind, left_out, mapping, names, not_modelled, people,
    sentence, shown, since, title,
};

/// How many capabilities stand in a row of the overview.
const GRAVEST: usize = 4;

/// What a cell shows.
fn sign(cell: &Cell) -> String {
    let sign = match cell.mark() {
        Mark::Everywhere => "all".to_owned(),
        Mark::Namespaces => cell.namespaces.len().to_string(),
        Mark::Named => "names".to_owned(),
        Mark::Unknown => return "?".to_owned(),
        Mark::No => "-".to_owned(),
    };
    if cell.is_open() { format!("{sign} ?") } else { sign }
}

/// Writes the review.
///
/// # Errors
/// If writing fails.
pub fn write(out: &mut dyn Write, document: &Document<'_, '_>) -> io::Result<()> {
    let origin = document.origin;
    let name = if origin.title.is_empty() { String::new() } else { format!(": {}", markdown(&origin.title)) };
    writeln!(out, "# Access review{name}\n")?;
    if !origin.date.is_empty() {
        writeln!(out, "Date given: {}\n", markdown(&origin.date))?;
    }
    for line in headline(document) {
        writeln!(out, "- {}", markdown(&line))?;
    }
    changes(out, document)?;
    writeln!(out, "\n## What was reviewed\n\n- command: {}", markdown(&origin.command))?;
    writeln!(out, "- made by {}, capabilities {}", markdown(&origin.tool), origin.capabilities_sha256)?;
    for line in basis(document) {
        writeln!(out, "- {}", markdown(&line))?;
    }
    writeln!(out, "\n<details><summary>Inputs with their SHA-256 ({})</summary>\n", origin.inputs.len())?;
    writeln!(out, "| input | SHA-256 |\n| --- | --- |")?;
    for input in &origin.inputs {
        let hash = input.sha256.as_deref().unwrap_or("not a file");
        writeln!(out, "| {} | {hash} |", markdown(&input.name))?;
    }
    writeln!(out, "\n</details>")?;
    list(out, "Not in this review", &not_modelled(document))?;
    list(out, "Not on the list", &left_out(document))?;
    overview(out, document)?;
    picture(out, document)?;
    writeln!(out, "\n## Identities")?;
    let cards = cards(document);
    let sets = RuleSets::of(&cards);
    cards.iter().try_for_each(|one| card(out, document, one, &sets))?;
    if !sets.sets.is_empty() {
        writeln!(out, "\n## Rules that several identities have\n")?;
    }
    for (granted, number) in sets.sets.iter().zip(1usize..) {
        writeln!(out, "- **R{number}**: {}", markdown(&granted.rules.join("; ")))?;
        for through in &granted.roles {
            writeln!(out, "  - {}: {}", markdown(&through.role), markdown(&through.rules.join(", ")))?;
        }
    }
    words(out, &cards)
}

fn list(out: &mut dyn Write, title: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {title}\n")?;
    lines.iter().try_for_each(|line| writeln!(out, "- {}", markdown(line)))
}

/// What changed since the review that was signed.
fn changes(out: &mut dyn Write, document: &Document<'_, '_>) -> io::Result<()> {
    let Some((_, changes)) = document.signed else { return Ok(()) };
    let mut lines = changes.measured.clone();
    for ((row, since_then), number) in document.review.rows.iter().zip(&changes.rows).zip(0usize..) {
        if !since_then.is_same() {
            lines.push(format!("{}: {}", row.key, since(document, number)));
        }
    }
    lines.extend(changes.gone.iter().map(|(key, _)| format!("{key}: gone")));
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    list(out, "Changed since the review that was signed", &lines)
}

/// Identities with equal access as one row: the gravest that they may do. The whole picture can be unfolded.
fn overview(out: &mut dyn Write, document: &Document<'_, '_>) -> io::Result<()> {
    let review = document.review;
    writeln!(out, "\n## Who may do what\n\n| who | may, the gravest first | unknown |\n| --- | --- | --- |")?;
    for group in review.groups() {
        let rows: Vec<_> = group.iter().filter_map(|number| review.rows.get(*number)).collect();
        let Some(first) = rows.first() else { continue };
        let who: Vec<String> =
            rows.iter().map(|row| format!("{} ({})", markdown(title(row)), kind(row))).collect();
        let had: Vec<String> = shown(first)
            .into_iter()
            .filter(|(_, cell, _)| cell.mark() != Mark::Unknown)
            .map(|(capability, cell, _)| markdown(&sentence(review, capability, cell)))
            .collect();
        let more = had.len().saturating_sub(GRAVEST);
        let mut may: Vec<String> = had.into_iter().take(GRAVEST).collect();
        if more > 0 {
            may.push(format!("and {more} more"));
        }
        let open = first.cells.iter().filter(|cell| cell.is_open()).count();
        if may.is_empty() {
            let text = if open > 0 { "nothing for certain" } else { "none of the capabilities" };
            may.push(text.to_owned());
        }
        let open = if open > 0 { format!("{open} of {}", CAPABILITIES.len()) } else { String::new() };
        writeln!(out, "| {} | {} | {open} |", who.join(", "), may.join("<br>"))?;
    }
    Ok(())
}

/// Identities with equal access as one row, the capabilities that anybody has across.
fn picture(out: &mut dyn Write, document: &Document<'_, '_>) -> io::Result<()> {
    let review = document.review;
    writeln!(
        out,
        "\n<details><summary>All {} capabilities</summary>\n\n`all` everywhere, a number: in so many namespaces, `names` only objects of certain names, `?` unknown, `-` no\n",
        CAPABILITIES.len()
    )?;
    let is_had = |number: usize| {
        let cells = review.rows.iter().filter_map(|row| row.cells.get(number));
        cells.into_iter().any(|cell| cell.mark() != Mark::No || cell.is_open())
    };
    let columns: Vec<usize> = (0..CAPABILITIES.len()).filter(|number| is_had(*number)).collect();
    let heads = columns.iter().filter_map(|number| CAPABILITIES.get(*number)).map(|one| one.name);
    writeln!(out, "| who | {} |", heads.collect::<Vec<_>>().join(" | "))?;
    writeln!(out, "| --- |{}", " --- |".repeat(columns.len()))?;
    for group in review.groups() {
        let rows: Vec<_> = group.iter().filter_map(|number| review.rows.get(*number)).collect();
        let Some(first) = rows.first() else { continue };
        let names: Vec<String> = rows.iter().map(|row| markdown(title(row))).collect();
        let cells = columns.iter().filter_map(|number| first.cells.get(*number)).map(sign);
        writeln!(out, "| {} | {} |", names.join(", "), cells.collect::<Vec<_>>().join(" | "))?;
    }
    writeln!(out, "\n</details>")?;
    let nobody = CAPABILITIES.iter().zip(0usize..).filter(|(_, number)| !columns.contains(number));
    let nobody: Vec<&str> = nobody.map(|(one, _)| one.name).collect();
    if !nobody.is_empty() {
        writeln!(out, "\nNobody on the list may: {}.", nobody.join("; "))?;
    }
    Ok(())
}

/// What the words mean: the capabilities, and why the findings matter; each once.
fn words(out: &mut dyn Write, cards: &[Card]) -> io::Result<()> {
    writeln!(out, "\n## What the words mean\n")?;
    for one in CAPABILITIES {
        writeln!(out, "- **{}**: {}", markdown(one.name), markdown(one.sentence))?;
    }
    let codes: BTreeSet<&str> =
        cards.iter().flat_map(|card| &card.leads_to).map(|[code, ..]| code.as_str()).collect();
    for code in codes {
        writeln!(out, "- **{code}**: {}", markdown(why(code)))?;
    }
    Ok(())
}

/// How many identities the heading of a card names.
const NAMED: usize = 3;

/// One card: who, what they may by which grants, what is unknown, what it leads to, and a line to decide on for each.
fn card(
    out: &mut dyn Write,
    document: &Document<'_, '_>,
    card: &Card,
    sets: &RuleSets<'_>,
) -> io::Result<()> {
    let review = document.review;
    let rows: Vec<_> =
        card.rows.iter().filter_map(|number| Some((*number, review.rows.get(*number)?))).collect();
    let Some((_, first)) = rows.first() else { return Ok(()) };
    let (named, more) = titles(review, &card.rows, NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut kinds: Vec<&str> = rows.iter().map(|(_, row)| kind(row)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    writeln!(out, "\n### {}{more} ({})\n", markdown(&named.join(", ")), kinds.join(", "))?;
    for statement in &card.statements {
        let names = markdown(&names(&statement.capabilities).join("; "));
        let colon = if statement.is_unknown { ":" } else { "" };
        writeln!(out, "- **{names}**{colon} {}", markdown(&statement.place))?;
        for granted in &statement.grants {
            let set = sets.number(granted);
            let rules = set.map_or_else(|| granted.rules.join("; "), |set| format!("the rules R{set}"));
            writeln!(out, "  - {} gets: {}", markdown(&granted.to), markdown(&rules))?;
            for through in &granted.roles {
                let bindings: Vec<String> =
                    through.bindings.iter().map(|[name, place]| format!("{name} ({place})")).collect();
                let rules =
                    if set.is_some() { String::new() } else { format!(", {}", through.rules.join(", ")) };
                let text = format!("{}{rules}, by {}", through.role, bindings.join(", "));
                writeln!(out, "    - {}", markdown(&text))?;
            }
        }
        if first.holder.is_master() {
            writeln!(out, "  - {}", markdown(super::phrases::BYPASSES_RBAC))?;
        }
    }
    if card.statements.is_empty() {
        writeln!(out, "- none of the capabilities")?;
    }
    for one in &card.unknown {
        let source =
            if one.source.is_empty() { String::new() } else { format!(" ({})", markdown(&one.source)) };
        writeln!(out, "- unknown {}: {}{source}", markdown(&one.scope), markdown(&one.reason))?;
    }
    for [code, severity, said] in &card.leads_to {
        writeln!(out, "- leads to: {code} ({severity}): {}", markdown(said))?;
    }
    let then =
        if document.signed.is_some() { " since the review that was signed | decided then |" } else { "" };
    let rule = if document.signed.is_some() { " --- | --- |" } else { "" };
    writeln!(out, "\n| who | logs in as |{then} keep, change or remove | by | on | remark |")?;
    writeln!(out, "| --- | --- |{rule} --- | --- | --- | --- |")?;
    for (number, row) in rows {
        let user = &row.holder.username;
        let mut parts = Vec::new();
        if !user.is_empty() {
            parts.push(format!("user {user}"));
        }
        let groups = groups(row);
        if !groups.is_empty() {
            parts.push(format!("groups {}", groups.join(", ")));
        }
        let (mapped, source) = mapping(review, row);
        let source = if source.is_empty() { source } else { format!(" ({mapped}, {source})") };
        let behind = people(review, row);
        let behind = if behind.is_empty() {
            String::new()
        } else {
            format!("<br>behind it: {}", markdown(&behind.join("; ")))
        };
        write!(
            out,
            "| {}{behind} | {} |",
            markdown(&row.holder.identity),
            markdown(&format!("{}{source}", parts.join(", ")))
        )?;
        if let Some((_, changes)) = document.signed {
            let last = changes.rows.get(number).and_then(|since| since.decision.as_ref());
            let last = last.map(decision).unwrap_or_default();
            write!(out, " {} | {} |", markdown(&since(document, number)), markdown(&last))?;
        }
        writeln!(out, "  |  |  |  |")?;
    }
    Ok(())
}
