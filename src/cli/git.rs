//! Files of a revision, read from the Git repository: no checkout, and nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rbacsim::read::{Exclude, Input};

use super::Failure;

mod extracted;

pub(crate) use extracted::Extracted;

fn git(arguments: &[&str]) -> Result<Vec<u8>, Failure> {
    let output = Command::new("git")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `git`: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("git {}: {}", arguments.join(" "), said.trim()).into())
}

/// Whether a file is one that a directory is searched for.
fn is_wanted(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| matches!(extension, "yaml" | "yml" | "json"))
}

/// The ignore files of a revision by their paths: those among the files, and those of the folders above.
fn ignore_files(commit: &str, listed: &[(String, String)], paths: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    const NAME: &str = ".rbacsimignore";
    let mut wanted: BTreeSet<PathBuf> = paths
        .iter()
        .flat_map(|path| path.ancestors().map(|folder| folder.join(NAME)).collect::<Vec<_>>())
        .collect();
    wanted.extend(listed.iter().map(|(path, _)| PathBuf::from(path)).filter(|path| path.ends_with(NAME)));
    let text = |path: PathBuf| {
        let place = format!("{commit}:./{}", path.display());
        let bytes = git(&["cat-file", "blob", &place]).ok()?;
        Some((path, String::from_utf8_lossy(&bytes).into_owned()))
    };
    wanted.into_iter().filter_map(text).collect()
}

/// The commit that a revision names.
fn commit(revision: &str) -> Result<String, Failure> {
    if revision.starts_with('-') || revision.is_empty() {
        return Err(format!("`{revision}` is no revision").into());
    }
    let commit = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")])
        .map_err(|_| format!("`{revision}` is no revision of this Git repository; a shallow clone may lack it (actions/checkout: fetch-depth: 0)"))?;
    Ok(String::from_utf8_lossy(&commit).trim().to_owned())
}

/// A revision as it stands behind the name of a file.
fn short(revision: &str) -> String {
    revision.chars().take(40).collect()
}

/// What stood at paths in a revision: files as they were, directories searched as always. A path that was not there then
/// is left out.
pub(crate) fn inputs(revision: &str, paths: &[PathBuf], exclude: &Exclude) -> Result<Vec<Input>, Failure> {
    let commit = commit(revision)?;
    let mut arguments = vec!["ls-tree", "-r", "-z", &commit, "--"];
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    arguments.extend(names.iter().map(String::as_str));
    let listed = git(&arguments)?;
    let mut files: Vec<(String, String)> = Vec::new();
    for entry in String::from_utf8_lossy(&listed).split('\0').filter(|entry| !entry.is_empty()) {
        // MODE TYPE HASH, a tab, and the path from here.
        let Some((head, path)) = entry.split_once('\t') else { continue };
        let mut head = head.split(' ');
        let (Some(mode), Some("blob"), Some(hash)) = (head.next(), head.next(), head.next()) else {
            continue;
        };
        // A link to a file has the path of that file for a text.
        let is_link = mode == "120000";
        if !is_link {
            files.push((path.to_owned(), hash.to_owned()));
        }
    }
    let ignored = ignore_files(&commit, &files, paths);
    let text_of = |path: &Path| ignored.get(path.strip_prefix("./").unwrap_or(path)).cloned();
    let is_read = |path: &str| {
        let path = Path::new(path);
        paths.iter().any(|root| {
            let root = root.strip_prefix("./").unwrap_or(root);
            let is_below = root == Path::new(".") || root.as_os_str().is_empty() || path.starts_with(root);
            is_below
                && (root == path || is_wanted(&path.display().to_string()))
                && !exclude.leaves_out_of_tree(root, path, &text_of)
        })
    };
    let mut entries: Vec<(String, String)> = files.into_iter().filter(|(path, _)| is_read(path)).collect();
    // As directories are walked: name by name, folder by folder.
    entries.sort_by(|(a, _), (b, _)| Path::new(a).cmp(Path::new(b)));
    let contents = contents(&entries)?;
    let short = short(revision);
    let inputs = entries.into_iter().zip(contents);
    Ok(inputs.map(|((path, _), bytes)| Input::Text { name: format!("{path} at {short}"), bytes }).collect())
}

/// The contents of blobs, in one run of git.
fn contents(entries: &[(String, String)]) -> Result<Vec<Vec<u8>>, Failure> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut child = Command::new("git")
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run `git`: {error}"))?;
    let wanted: String = entries.iter().flat_map(|(_, hash)| [hash.as_str(), "\n"]).collect();
    let mut input = child.stdin.take().ok_or("git takes no input")?;
    // Both pipes may fill up: one is written while the other is read.
    let output = std::thread::scope(|scope| {
        let writer = scope.spawn(move || input.write_all(wanted.as_bytes()));
        let output = child.wait_with_output();
        let written = writer.join().unwrap_or(Ok(()));
        output.and_then(|output| written.map(|()| output))
    })?;
    let mut rest = output.stdout.as_slice();
    let mut contents = Vec::with_capacity(entries.len());
    for (path, _) in entries {
        let broken = || format!("git gives no contents of `{path}`");
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
        let head = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        let length: usize =
            head.rsplit(' ').next().and_then(|length| length.parse().ok()).ok_or_else(broken)?;
        let start = end + 1;
        contents.push(rest.get(start..start + length).ok_or_else(broken)?.to_vec());
        rest = rest.get(start + length + 1..).unwrap_or_default();
    }
    Ok(contents)
}
