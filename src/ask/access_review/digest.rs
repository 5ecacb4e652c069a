//! A hash of all access of somebody: two reviews compare it where no capability tells a difference.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

use crate::ask::matrix::{Holder, Matrix, Scratch};

/// The SHA-256 of a text, in hexadecimal.
pub fn of_text(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The SHA-256 of the rows of a holder in a matrix: where, what, for which names. Which binding or file grants it does not
/// enter, so a role that is renamed or moved leaves it as it was.
pub fn of_access(matrix: &Matrix<'_>, holder: &Holder, scratch: &mut Scratch) -> String {
    let names = &matrix.cluster().graph().policy().names;
    let mut text = String::new();
    let gathered: Result<(), std::convert::Infallible> = matrix.blocks(holder, scratch, |block| {
        block.rows(|column, limited| {
            let Some((cell, verb)) = matrix.universe().column(column) else { return };
            let _ = write!(text, "{}\0{}\0{}\0{verb}", block.namespace, cell.group, cell.resource);
            for (_, name) in limited {
                let _ = write!(text, "\0{}", names.text(*name));
            }
            text.push('\n');
        });
        Ok(())
    });
    let Ok(()) = gathered;
    of_text(&text)
}
