//! One JSON text into the tree.

use super::{ReadError, Tree};

/// Reads the one JSON value that `source` holds into `tree`, which is reset first.
pub fn read<'s>(source: &'s str, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    tree.reset(source);
    Ok(())
}
