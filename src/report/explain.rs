//! What a code means, for `explain` and for the list of all codes in the documentation.

use std::fmt::Write as _;

use crate::knowledge::codes::{self, Example};
use crate::knowledge::risks;
use crate::model::diagnostic::Code;

use super::findings;

/// A text, each line so far to the right.
fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

/// What a code means; `None` for what is not a code.
pub fn text(code: &str) -> Option<String> {
    if !codes::is_code(code) {
        return None;
    }
    let rule = findings::rule(code);
    let mut text = String::new();
    let known = Code::ALL.iter().find(|known| known.as_str() == code);
    let severity = match (known, risks::risk(code)) {
        (Some(known), _) => known.severity().as_str().to_owned(),
        (None, Some(risk)) => {
            let levels: Vec<String> =
                risk.severity.iter().map(|(scope, level)| format!("{level} ({scope})")).collect();
            levels.join(", ")
        }
        (None, None) => String::new(),
    };
    let _ = writeln!(text, "{code}: {}\n\nseverity: {severity}", rule.title);
    let _ = writeln!(text, "effect: {}\nmend: {}", rule.effect, rule.mend);
    if let Some(known) = known {
        let explained = codes::explanation(*known);
        let mut example = |title: &str, example: &Option<Example>| {
            if let Some(example) = example {
                let _ = write!(text, "\n{title}:\n{}", indented(&example.text));
            }
        };
        example("example", &explained.bad);
        example("instead", &explained.good);
    }
    if let Some(risk) = risks::risk(code) {
        let mut lines = Vec::new();
        for all in &risk.needs {
            for alternatives in all {
                let asks: Vec<String> = alternatives
                    .iter()
                    .map(|ask| {
                        let group = if ask.group.is_empty() { "core" } else { ask.group };
                        format!("{} on {} ({group})", ask.verbs.join("|"), ask.resources.join("|"))
                    })
                    .collect();
                lines.push(asks.join(", or "));
            }
        }
        if !lines.is_empty() {
            let _ = write!(text, "\nexample: an identity with\n{}", indented(&lines.join("\n")));
        }
    }
    Some(text)
}

/// The list of all codes, as Markdown.
pub fn list() -> String {
    let mut text = String::from(
        "# Codes\n\nWhat `rbacsim lint` finds, and what the other commands say of the inputs on standard error. `rbacsim explain CODE`\nshows an example of each. Generated from the program.\n\n| code | severity | what | effect | mend |\n| --- | --- | --- | --- | --- |\n",
    );
    let cell = |text: &str| text.replace('|', "\\|").replace("{{", "&#123;&#123;");
    for code in Code::ALL {
        let rule = findings::rule(code.as_str());
        let _ = writeln!(
            text,
            "| `{code}` | {} | {} | {} | {} |",
            code.severity().as_str(),
            cell(&rule.title),
            cell(&rule.effect),
            cell(&rule.mend),
            code = code.as_str()
        );
    }
    text.push_str("\n## Risks\n\nWhat `rbacsim risk` finds.\n\n| code | what | why | mend |\n| --- | --- | --- | --- |\n");
    for risk in risks::all() {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            risk.code,
            cell(risk.title),
            cell(risk.why),
            cell(risk.fix)
        );
    }
    text
}
