//! Somebody who cannot do something and can become somebody who can, for people and machines.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::aligned::Aligned;
use super::paths::in_steps;
use crate::ask::indirect::Indirect;
use crate::ask::paths::Step;

/// Whom somebody can become that can, in one line.
pub fn line(indirect: &Indirect) -> String {
    let Indirect { identity, depth, last, .. } = indirect;
    let by = last.map_or_else(String::new, |step| format!(" (by {step})"));
    format!(
        "but it can become {identity} {}{by}, and then it can; `rbacsim paths --to {}` shows how",
        in_steps(*depth),
        target(identity)
    )
}

/// How `--to` takes an identity.
fn target(identity: &str) -> String {
    match identity.strip_prefix("ServiceAccount ") {
        Some(account) => account.to_owned(),
        None if identity.contains(' ') => format!("'{identity}'"),
        None => identity.to_owned(),
    }
}

/// The same as JSON.
pub fn document(indirect: &Indirect) -> Value {
    json!({
        "from": indirect.from,
        "identity": indirect.identity,
        "depth": indirect.depth,
        "last": indirect.last.map(Step::id),
    })
}

/// Everybody who can get there, in a table.
///
/// # Errors
/// If writing fails.
pub fn table(out: &mut dyn Write, found: &[Indirect]) -> io::Result<()> {
    Aligned::write(out, 0, |lines| {
        if found.is_empty() {
            return lines.bare(0, "indirectly: nobody else, as far as steps are certain");
        }
        lines.bare(0, format_args!("indirectly: {} more can become somebody who can", found.len()))?;
        for own in found {
            let by = own.last.map_or("", Step::id);
            let text = format!("{}, as {}", in_steps(own.depth), own.identity);
            lines.line(1, &own.from, format_args!("{text}  {by}"))?;
        }
        Ok(())
    })
}
