//! The difference written as text, as the comment of a pull request, and as findings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::ask::diff::Diff;
use crate::model::source::Source;
use crate::report::aligned::DIM;
use crate::report::phrases::counted_as;
use crate::report::visible::visible;

use super::{Line, Summary, few, few_by, places};

/// The first line: what opens, who gains and who loses.
pub fn headline(summary: &Summary) -> String {
    match super::ways::headline(&summary.ways) {
        Some(opens) => format!("{opens}; {}", of_access(summary)),
        None => of_access(summary),
    }
}

fn of_access(summary: &Summary) -> String {
    let identities = |count: usize| counted_as(count, "identity", "identities");
    let (gaining, losing) = (summary.gaining.len(), summary.losing.len());
    let verb =
        |count: usize, one: &str, several: &str| if count == 1 { one.to_owned() } else { several.to_owned() };
    let gain = format!("{} {} access", identities(gaining), verb(gaining, "gains", "gain"));
    let lose = format!("{} {} access", identities(losing), verb(losing, "loses", "lose"));
    let text = match (gaining, losing) {
        (0, 0) if summary.unknown.is_empty() && summary.identities.is_empty() => {
            match summary.objects.len() {
                0 => return "no change of access".to_owned(),
                count => {
                    let titles: Vec<String> =
                        summary.objects.iter().map(|object| object.title.clone()).collect();
                    let objects = counted_as(count, "object differs", "objects differ");
                    return format!("no change of access, though {objects}: {}", few(&titles, 4));
                }
            }
        }
        (0, 0) => "nobody gains or loses access".to_owned(),
        (_, 0) => gain,
        (0, _) => lose,
        (_, _) => format!("{gain}, {lose}"),
    };
    if summary.is_sensitive { format!("{text}; sensitive access is among what is gained") } else { text }
}

/// Writes the difference for people.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    writeln!(out, "{}", visible(&headline(summary)))?;
    for (heading, lines) in super::ways::opened(&summary.ways) {
        let style = AnsiColor::Red.on_default().bold();
        writeln!(out, "\n{style}{heading}{style:#}")?;
        list(out, &lines)?;
    }
    for group in &summary.groups {
        let place = if group.place.is_empty() {
            String::new()
        } else {
            format!("  {DIM}{}{DIM:#}", visible(&group.place))
        };
        writeln!(out, "\n{}{place}", visible(&group.cause.text))?;
        for line in &group.lines {
            let (sign, colour) = if line.is_gained { ("+", AnsiColor::Green) } else { ("-", AnsiColor::Red) };
            let style = colour.on_default();
            let verb = match (line.is_gained, line.holders.len()) {
                (true, 1) => "gains",
                (true, _) => "gain",
                (false, 1) => "loses",
                (false, _) => "lose",
            };
            let who = visible(&few(&line.holders, 5));
            writeln!(out, "  {style}{sign}{style:#} {who} {verb} {}:", visible(&places(&line.places)))?;
            let shown = 8;
            for access in line.access.iter().take(shown) {
                writeln!(out, "      {}", visible(access))?;
            }
            if line.access.len() > shown {
                writeln!(out, "      and {} more", line.access.len() - shown)?;
            }
            let bold = Style::new().bold();
            for (what, means) in line.sensitive.iter().filter(|_| line.is_gained).take(5) {
                writeln!(out, "      {bold}sensitive{bold:#}: {what}: {means}")?;
            }
        }
    }
    let mut section = |heading: &str, lines: &[String]| -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{heading}")?;
        list(out, lines)
    };
    for (heading, lines) in super::ways::closed(&summary.ways) {
        section(&heading, &lines)?;
    }
    section("identities", &summary.identities)?;
    section("unknown", &summary.unknown)?;
    section("both sides", &summary.general)
}

/// Lines below a heading, and how many are left out.
fn list(out: &mut dyn Write, lines: &[String]) -> io::Result<()> {
    const SHOWN: usize = 20;
    for line in lines.iter().take(SHOWN) {
        writeln!(out, "  {}", visible(line))?;
    }
    if lines.len() > SHOWN {
        writeln!(out, "  and {} more", lines.len() - SHOWN)?;
    }
    Ok(())
}

/// How many characters a comment may have: GitHub takes 65,536.
pub const MOST: usize = 60_000;

/// A text in Markdown in which nothing is taken for markup, links or mentions.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let shown = visible(text);
    let mut in_code = false;
    for char in shown.chars() {
        match char {
            '`' => in_code = !in_code,
            '<' | '>' | '*' | '_' | '[' | ']' | '|' | '#' | '@' | '\\' | '~' if !in_code => out.push('\\'),
            _ => {}
        }
        out.push(char);
    }
    if in_code {
        out.push('`');
    }
    out
}

/// The difference as a comment: most important first, cut where it would be too long, and then what was left out.
pub fn markdown(summary: &Summary) -> String {
    let mut text = format!("### rbacsim: {}\n", plain(&headline(summary)));
    // Room for the last sentence.
    let room = MOST - 400;
    let mut left_out = 0;
    let mut add = |text: &mut String, more: &str| {
        if left_out > 0 || text.chars().count() + more.chars().count() > room {
            left_out += 1;
        } else {
            text.push_str(more);
        }
    };
    for (heading, lines) in super::ways::opened(&summary.ways) {
        let mut head = format!("\n⚠️ **{}**\n\n", plain(&heading));
        for line in lines {
            add(&mut text, &format!("{head}- {}\n", plain(&line)));
            head.clear();
        }
    }
    for group in &summary.groups {
        let place = if group.place.is_empty() {
            String::new()
        } else {
            format!(" (`{}`)", group.place.replace('`', "'"))
        };
        let mut head = format!("\n**{}**{place}\n\n", plain(&group.cause.text));
        for line in &group.lines {
            let verb = match (line.is_gained, line.holders.len()) {
                (true, 1) => "gains",
                (true, _) => "gain",
                (false, 1) => "loses",
                (false, _) => "lose",
            };
            let sign = if line.is_gained { "➕" } else { "➖" };
            let who = few(&line.holders, 5);
            let access = few_by(&line.access, 8, "; ");
            let mut entry = format!(
                "- {sign} {} {verb} {}: {}\n",
                plain(&who),
                plain(&places(&line.places)),
                plain(&access)
            );
            for (what, means) in line.sensitive.iter().filter(|_| line.is_gained).take(5) {
                let _ = writeln!(entry, "  - ⚠️ **{}**: {means}", plain(what));
            }
            add(&mut text, &format!("{head}{entry}"));
            head.clear();
        }
    }
    let mut sections = super::ways::closed(&summary.ways);
    sections.extend([
        ("Identities".to_owned(), summary.identities.clone()),
        ("Unknown".to_owned(), summary.unknown.clone()),
        ("Both sides".to_owned(), summary.general.clone()),
    ]);
    for (heading, lines) in &sections {
        let mut head = format!("\n**{heading}**\n\n");
        for line in lines {
            add(&mut text, &format!("{head}- {}\n", plain(line)));
            head.clear();
        }
    }
    if left_out > 0 {
        let _ = write!(
            text,
            "\n{} left out here, because a comment cannot be longer; `rbacsim diff` shows all.\n",
            counted_as(left_out, "line is", "lines are")
        );
    }
    text
}

/// The groups as findings: one for each change, at the place where it stands.
pub fn findings(
    summary: &Summary,
    diff: &Diff<'_>,
) -> (Vec<crate::model::finding::Finding>, crate::model::source::Sources) {
    use crate::model::diagnostic::{Code, Severity};
    use crate::model::finding::{Finding, Level};
    let mut sources = crate::model::source::Sources::default();
    let mut files: BTreeMap<String, crate::model::source::FileId> = BTreeMap::new();
    let mut found = Vec::new();
    for (heading, lines) in super::ways::opened(&summary.ways) {
        let message = format!("{heading}: {}", few_by(&lines, 3, "; "));
        let help = crate::knowledge::codes::explanation(Code::PathOpened).mend;
        found.push(Finding {
            detail: format!("{heading} {}", lines.join("; ")),
            ..Finding::new(Code::PathOpened.as_str(), Level::from(Severity::Warning), message, help)
        });
    }
    for group in &summary.groups {
        let matrix = if group.cause.is_new { &diff.new } else { &diff.old };
        let own = matrix.cluster().sources();
        let source = group.cause.source.map(|source| {
            let name = own.file(source.file);
            // What a revision of Git held stood at the same path.
            let name = name.rsplit_once(" at ").map_or(name, |(path, _)| path).to_owned();
            let file = *files.entry(name.clone()).or_insert_with(|| sources.add_file(&name));
            Source { file, path: crate::model::source::PathId::default(), ..source }
        });
        for is_gained in [true, false] {
            let lines: Vec<&Line> = group.lines.iter().filter(|line| line.is_gained == is_gained).collect();
            let Some(first) = lines.first() else { continue };
            let is_sensitive = is_gained && lines.iter().any(|line| !line.sensitive.is_empty());
            let code = if is_gained { Code::AccessGained } else { Code::AccessLost };
            let verb = match (is_gained, first.holders.len()) {
                (true, 1) => "gains",
                (true, _) => "gain",
                (false, 1) => "loses",
                (false, _) => "lose",
            };
            let what = format!(
                "{} {verb} {}: {}",
                few(&first.holders, 3),
                places(&first.places),
                few_by(&first.access, 3, "; ")
            );
            let more = match lines.len() {
                1 => String::new(),
                count => format!("; and {} more", count - 1),
            };
            let severity = Level::from(if is_sensitive { Severity::Warning } else { Severity::Note });
            let message = format!("{}: {what}{more}", group.cause.text);
            let help = crate::knowledge::codes::explanation(code).mend;
            found.push(Finding {
                source,
                detail: format!("{} {}", group.cause.text, code.as_str()),
                ..Finding::new(code.as_str(), severity, message, help)
            });
        }
    }
    (found, sources)
}
