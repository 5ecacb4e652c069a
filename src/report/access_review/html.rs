//! The access review as one page: no network, works from a mail attachment, saves the decisions as a file.

use std::io::{self, Write};

use crate::report::matrix_html::harmless;

use super::Document;

const PAGE: &str = include_str!("page.html");

/// Writes the page.
///
/// # Errors
/// If writing fails.
pub fn write(out: &mut dyn Write, document: &Document<'_, '_>) -> io::Result<()> {
    let (before, after) = PAGE.split_once("@DATA@").unwrap_or((PAGE, ""));
    out.write_all(before.as_bytes())?;
    out.write_all(harmless(&super::page::document(document).to_string()).as_bytes())?;
    out.write_all(after.as_bytes())?;
    out.flush()
}
