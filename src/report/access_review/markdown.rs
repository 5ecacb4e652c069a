//! The access review as Markdown: the same in the same order, to be read in a pull request.

use std::io::{self, Write};

use crate::ask::access_review::{Cell, Mark};
use crate::knowledge::capabilities::CAPABILITIES;
use crate::report::markdown::markdown;

use super::{
    Document, basis, decision, grant, groups, headline, kind, leads_to, left_out, names, not_modelled,
    people, sentence, shown, since, title, unknown_folds, unknown_reasons,
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
    let (review, origin) = (document.review, document.origin);
    let name = if origin.title.is_empty() { String::new() } else { format!(": {}", markdown(&origin.title)) };
    writeln!(out, "# Access review{name}\n")?;
    if !origin.date.is_empty() {
        writeln!(out, "Date given: {}\n", markdown(&origin.date))?;
    }
    for line in headline(document) {
        writeln!(out, "- {}", markdown(&line))?;
    }
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
    changes(out, document)?;
    overview(out, document)?;
    picture(out, document)?;
    writeln!(out, "\n## Identities")?;
    for (row, number) in review.rows.iter().zip(0usize..) {
        card(out, document, row, number)?;
    }
    Ok(())
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

fn card(
    out: &mut dyn Write,
    document: &Document<'_, '_>,
    row: &crate::ask::access_review::Row<'_>,
    number: usize,
) -> io::Result<()> {
    let review = document.review;
    writeln!(out, "\n### {} ({})\n", markdown(title(row)), kind(row))?;
    writeln!(out, "{}", markdown(&row.holder.identity))?;
    let groups = groups(row);
    if !row.holder.username.is_empty() {
        let groups =
            if groups.is_empty() { String::new() } else { format!(", groups {}", groups.join(", ")) };
        writeln!(out, "\nuser {}{}", markdown(&row.holder.username), markdown(&groups))?;
    }
    for line in people(review, row) {
        writeln!(out, "\n- behind it: {}", markdown(&line))?;
    }
    writeln!(out)?;
    let shown = shown(row);
    if shown.is_empty() {
        writeln!(out, "- none of the capabilities")?;
    }
    for (capability, cell, place) in shown {
        if cell.mark() == Mark::Unknown {
            continue;
        }
        writeln!(out, "- **{}**", markdown(&sentence(review, capability, cell)))?;
        if row.holder.is_master() {
            writeln!(out, "  - {}", markdown(super::phrases::BYPASSES_RBAC))?;
        }
        let evidence = row.evidence.get(place).map_or(&[][..], Vec::as_slice);
        // A binding once, with the places of its rules: what they say is in the page and in CSV.
        let mut bindings: Vec<(String, Vec<String>)> = Vec::new();
        for [binding, place, rule, rule_place] in evidence.iter().filter_map(|one| grant(review, one)) {
            let binding = format!("{binding} ({place})");
            let rule = format!("{} ({rule_place})", rule.split(':').next().unwrap_or_default());
            match bindings.iter_mut().find(|(known, _)| *known == binding) {
                Some((_, rules)) => rules.push(rule),
                None => bindings.push((binding, vec![rule])),
            }
        }
        for (binding, rules) in bindings {
            writeln!(out, "  - {}: {}", markdown(&binding), markdown(&rules.join(", ")))?;
        }
    }
    for (place, numbers) in unknown_folds(review, row) {
        let names = names(&numbers);
        let names = if numbers.len() == CAPABILITIES.len() {
            format!("all {} capabilities", names.len())
        } else {
            names.join("; ")
        };
        writeln!(out, "- **{}**: {}", markdown(&names), markdown(&place))?;
    }
    for (place, reason, source) in unknown_reasons(review, row) {
        let source = if source.is_empty() { source } else { format!(" ({source})") };
        writeln!(out, "- unknown {}: {}", markdown(&place), markdown(&format!("{reason}{source}")))?;
    }
    for line in leads_to(document, row) {
        writeln!(out, "- leads to: {}", markdown(&line))?;
    }
    if let Some((_, changes)) = document.signed {
        writeln!(out, "- since the review that was signed: {}", markdown(&since(document, number)))?;
        if let Some(last) = changes.rows.get(number).and_then(|since| since.decision.as_ref()) {
            writeln!(out, "- decided then: {}", markdown(&decision(last)))?;
        }
    }
    writeln!(out, "\nDecision: [ ] keep  [ ] change  [ ] remove   by ________  on ________  remark ________")
}
