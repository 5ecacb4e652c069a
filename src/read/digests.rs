//! The SHA-256 of the input files, so that it can be shown later which files an answer came from.

use std::fmt::Write;
use std::io::{ErrorKind, Read};
use std::path::Path;

use rustc_hash::FxHashSet;
use sha2::{Digest as _, Sha256};

use crate::model::source::{FileId, Sources};

/// An input file and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The name of the file, as every place shows it.
    pub file: String,
    /// Its SHA-256 in hexadecimal; `None` for what is no file, such as standard input, or can be read no longer.
    pub sha256: Option<String>,
}

/// Hashes the input files, each once, in the order of the inputs. What is built in is none of them.
pub fn digests(sources: &Sources, is_builtin: impl Fn(FileId) -> bool) -> Vec<Digest> {
    let mut found: Vec<Digest> = Vec::new();
    let mut known: FxHashSet<&str> = FxHashSet::default();
    for number in 0..sources.len() {
        let id = FileId(u32::try_from(number).unwrap_or(u32::MAX));
        let file = sources.file(id);
        if is_builtin(id) || !known.insert(file) {
            continue;
        }
        found.push(Digest { file: file.to_owned(), sha256: digest(Path::new(file)) });
    }
    found
}

/// The hash of a file, read piece by piece.
fn digest(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut file = std::fs::File::open(path).ok()?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Some(hex(&hash.finalize())),
            Ok(length) => hash.update(piece.get(..length)?),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
