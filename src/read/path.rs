//! Paths as inputs write them, made comparable.

use std::path::{Component, Path, PathBuf};

/// A path without `.` and `..`, as far as it can be without them.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
