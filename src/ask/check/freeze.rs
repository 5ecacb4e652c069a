//! Freezing: the `only` lists of a file written anew from who can today.

use super::file::{Asserts, Place, Test};
use crate::ask::who_can::who_can;
use crate::decide::cluster::Cluster;

/// The text of a file with every `only` list as it is today; a test with neither `only`, `includes` nor `excludes` gets
/// one. What else stands in the file stays, comments too. With how many lists were written.
///
/// # Errors
/// If a question cannot be asked.
pub fn freeze(cluster: &Cluster, text: &str, tests: &[Test]) -> Result<(String, usize), String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut written = 0;
    // From the last to the first, so that the lines of those before stay where they are.
    for test in tests.iter().rev() {
        let Asserts::Who { asked, listed } = &test.asserts else { continue };
        let is_open = listed.includes.is_empty() && listed.excludes.is_empty();
        if listed.only.is_none() && !is_open {
            continue;
        }
        let mut all: Vec<String> = Vec::new();
        for place in &test.places {
            let question = super::question(cluster, &asked.text, place)
                .map_err(|why| format!("line {}: `{}`: {why}", asked.line, asked.text))?;
            let mut found = who_can(cluster, &question);
            for title in super::holders(cluster, &mut found).0 {
                if !all.contains(&title) {
                    all.push(title);
                }
            }
            debug_assert!(*place != Place::All || test.places.len() == 1, "all namespaces are one place");
        }
        replace(&mut lines, test, asked.line, &all);
        written += 1;
    }
    let mut text = lines.join("\n");
    text.push('\n');
    Ok((text, written))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

/// Puts a list in place of the `only` of a test, or behind its question.
fn replace(lines: &mut Vec<String>, test: &Test, asked: u32, all: &[String]) {
    let start = test.line.saturating_sub(1) as usize;
    let deep = lines.get(start).map_or(0, |line| indent(line));
    let is_of_test = |line: &str| {
        line.trim().is_empty() || line.trim_start().starts_with('#') || {
            let spaces = line.len() - line.trim_start().len();
            spaces >= deep
        }
    };
    let end = (start + 1..lines.len()).find(|at| lines.get(*at).is_some_and(|line| !is_of_test(line)));
    let end = end.unwrap_or(lines.len());
    let key = |line: &str| line.trim_start_matches([' ', '-']).starts_with("only:");
    let found = (start..end).find(|at| lines.get(*at).is_some_and(|line| key(line) && indent(line) == deep));
    let mut list = vec![format!("{}only:", " ".repeat(deep))];
    if all.is_empty() {
        list = vec![format!("{}only: []", " ".repeat(deep))];
    }
    let entry = |title: &String| {
        let (kind, name) = title.split_once(": ").unwrap_or(("user", title));
        let is_plain = name.chars().all(|char| char.is_ascii_alphanumeric() || "-_./@".contains(char))
            && name.starts_with(|char: char| char.is_ascii_alphabetic());
        let name = if is_plain { name.to_owned() } else { format!("{name:?}") };
        format!("{}  - {{{kind}: {name}}}", " ".repeat(deep))
    };
    list.extend(all.iter().map(entry));
    let (from, to) = match found {
        None => (asked as usize, asked as usize),
        Some(at) => {
            // What belongs to it stands deeper, or is an item at the same depth.
            let belongs = |line: &str| {
                let spaces = line.len() - line.trim_start().len();
                !line.trim().is_empty()
                    && (spaces > deep || (spaces == deep && line.trim_start().starts_with("- ")))
            };
            let rest = (at + 1..end).find(|next| lines.get(*next).is_some_and(|line| !belongs(line)));
            (at, rest.unwrap_or(end))
        }
    };
    if from <= to && to <= lines.len() {
        // A dash before the key stays: the test begins there.
        if let (Some(first), Some(line)) =
            (list.first_mut(), lines.get(from).filter(|_| found == Some(start)))
        {
            let dash: String = line.chars().take(deep).collect();
            *first = format!("{dash}{}", first.trim_start());
        }
        lines.splice(from..to, list);
    }
}
