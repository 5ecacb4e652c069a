//! The SHA-256 of the input files, so that it can be shown later which files an answer came from.

use std::fmt::Write;
use std::path::Path;

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
    for number in 0..sources.len() {
        let id = FileId(u32::try_from(number).unwrap_or(u32::MAX));
        let file = sources.file(id);
        if is_builtin(id) || found.iter().any(|known| known.file == file) {
            continue;
        }
        let path = Path::new(file);
        let bytes = if path.is_file() { std::fs::read(path).ok() } else { None };
        found.push(Digest { file: file.to_owned(), sha256: bytes.map(|bytes| hex(&Sha256::digest(bytes))) });
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
