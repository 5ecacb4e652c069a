//! The files of a revision in a folder apart, for programs that render: nothing is written inside the repository.

use std::path::{Component, Path, PathBuf};

use rbacsim::read::{Input, Revision};
use tempfile::TempDir;

use super::super::Failure;
use super::{commit, contents, git, short};

/// What a kustomization or a chart is made of is smaller; nothing larger is written.
const LARGEST: u64 = 16 << 20;

/// The files of a revision; they go when this is dropped.
pub(crate) struct Extracted {
    _folder: TempDir,
    revision: Revision,
}

impl Extracted {
    /// Writes the files of a revision of the repository of the current directory.
    pub(crate) fn of(revision: &str) -> Result<Self, Failure> {
        let commit = commit(revision)?;
        let line = |arguments: &[&str]| -> Result<PathBuf, Failure> {
            let said = git(arguments)?;
            Ok(PathBuf::from(String::from_utf8_lossy(&said).trim_end_matches(['\n', '\r'])))
        };
        let top = line(&["rev-parse", "--show-toplevel"])?;
        let prefix = line(&["rev-parse", "--show-prefix"])?;
        let listed = git(&["ls-tree", "-r", "-l", "-z", "--full-tree", &commit])?;
        let mut files: Vec<(String, String)> = Vec::new();
        let mut links: Vec<(String, String)> = Vec::new();
        for entry in String::from_utf8_lossy(&listed).split('\0').filter(|entry| !entry.is_empty()) {
            // MODE TYPE HASH SIZE, a tab, and the path.
            let Some((head, path)) = entry.split_once('\t') else { continue };
            let mut head = head.split_ascii_whitespace();
            let (Some(mode), Some("blob"), Some(hash), Some(size)) =
                (head.next(), head.next(), head.next(), head.next())
            else {
                continue;
            };
            let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
            if !is_inside || size.parse::<u64>().is_ok_and(|size| size > LARGEST) {
                continue;
            }
            let list = if mode == "120000" { &mut links } else { &mut files };
            list.push((path.to_owned(), hash.to_owned()));
        }
        let folder = tempfile::Builder::new().prefix("rbacsim-").tempdir()?;
        // Programs name files by their whole, real path.
        let root = folder.path().canonicalize()?.join("files");
        std::fs::create_dir_all(root.join(&prefix))?;
        for ((path, _), bytes) in files.iter().zip(contents(&files)?) {
            let path = root.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, bytes)?;
        }
        for ((path, _), bytes) in links.iter().zip(contents(&links)?) {
            link(&root, Path::new(path), Path::new(&*String::from_utf8_lossy(&bytes)))?;
        }
        let here = normal(&root.join(prefix));
        let revision = Revision { name: short(revision), root, top, here };
        Ok(Self { _folder: folder, revision })
    }

    /// A kustomization or a chart as it was; `None` if it was not there.
    pub(crate) fn input(&self, input: &Input) -> Result<Option<Input>, Failure> {
        let input = match input {
            Input::Kustomize(folder) => Input::Kustomize(self.place(folder)?),
            Input::Chart { folder, values } => {
                let values = values.iter().filter_map(|path| match self.place(path) {
                    // Values that were not there then are left out.
                    Ok(place) => place.exists().then_some(place),
                    // Those outside the repository are the same on both sides.
                    Err(_) => Some(path.clone()),
                });
                Input::Chart { folder: self.place(folder)?, values: values.collect() }
            }
            _ => return Ok(None),
        };
        let is_there = match &input {
            Input::Kustomize(folder) | Input::Chart { folder, .. } => folder.is_dir(),
            _ => false,
        };
        let revision = self.revision.clone();
        Ok(is_there.then(|| Input::OfRevision { input: Box::new(input), revision }))
    }

    /// Where a path of the working tree stands among the files of the revision.
    fn place(&self, path: &Path) -> Result<PathBuf, Failure> {
        let Revision { root, top, here, .. } = &self.revision;
        let outside = || {
            format!(
                "`{}` is outside the Git repository `{}`, so --base cannot tell what it was; give a folder inside it",
                path.display(),
                top.display()
            )
        };
        let place = if path.is_absolute() {
            let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            let below = path.strip_prefix(top).or_else(|_| real.strip_prefix(top)).map_err(|_| outside())?;
            root.join(below)
        } else {
            here.join(path)
        };
        let place = normal(&place);
        if place.starts_with(root) { Ok(place) } else { Err(outside().into()) }
    }
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// Makes a link, unless it leads out of the repository.
#[cfg(unix)]
fn link(root: &Path, path: &Path, target: &Path) -> Result<(), Failure> {
    let own = root.join(path);
    let Some(parent) = own.parent() else { return Ok(()) };
    if target.is_absolute() || !normal(&parent.join(target)).starts_with(root) {
        return Ok(());
    }
    std::fs::create_dir_all(parent)?;
    std::os::unix::fs::symlink(target, &own)?;
    Ok(())
}

/// Links are not made where that needs rights of its own.
#[cfg(not(unix))]
fn link(_root: &Path, _path: &Path, _target: &Path) -> Result<(), Failure> {
    Ok(())
}
