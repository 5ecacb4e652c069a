//! Programs that render manifests: `kubectl kustomize`, `kustomize build` and `helm template`, run without a shell.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A program that takes longer is stopped.
const LONGEST: Duration = Duration::from_secs(120);

/// How often to look whether a program is done.
const PAUSE: Duration = Duration::from_millis(5);

/// What a program printed.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) text: Vec<u8>,
    /// The command, as people would type it.
    pub(super) command: String,
    /// What tells where an object comes from.
    pub(super) origins: Origins,
    /// The revision whose files were rendered; `None` for the files as they are.
    pub(super) revision: Option<Revision>,
}

impl Printed {
    /// What was rendered is of a revision.
    pub(super) fn of_revision(mut self, revision: Revision) -> Self {
        self.command = revision.shown(&self.command);
        self.revision = Some(revision);
        self
    }
}

/// A revision whose files stand in a folder apart.
#[derive(Clone, Debug)]
pub struct Revision {
    /// As people see it.
    pub name: String,
    /// The folder that stands for the top of the repository.
    pub root: PathBuf,
    /// The top of the repository itself.
    pub top: PathBuf,
    /// What stands for the current directory: the root, or a folder below it.
    pub here: PathBuf,
}

impl Revision {
    /// A text that names paths of that folder, as if they were those of the repository.
    pub(super) fn shown(&self, text: &str) -> String {
        let (here, root) = (self.here.display(), self.root.display());
        let text = text
            .replace(&format!("{here}/"), "")
            .replace(&here.to_string(), ".")
            .replace(&root.to_string(), &self.top.display().to_string());
        match text.split_once('\n') {
            Some((first, rest)) => format!("at {}: {first}\n{rest}", self.name),
            None => format!("{text} at {}", self.name),
        }
    }

    /// The path of a file of that folder as people see it: from where they are, or whole.
    pub(super) fn path(&self, path: &Path) -> Option<String> {
        let shown = match path.strip_prefix(&self.here) {
            Ok(below) => below.to_owned(),
            Err(_) => self.top.join(path.strip_prefix(&self.root).ok()?),
        };
        Some(format!("{} at {}", shown.display(), self.name))
    }
}

/// How the output tells which file an object comes from.
#[derive(Debug)]
pub(super) enum Origins {
    /// Kustomize's annotation, with paths relative to this folder.
    Annotated(PathBuf),
    /// Helm's comment `# Source: CHART/templates/FILE`, of the chart in this folder.
    Commented(PathBuf),
    /// Nothing tells.
    None,
}

/// What `kubectl kustomize` or `kustomize build` prints for a folder.
///
/// # Errors
/// What the program said, or that there is none.
pub(super) fn kustomize(folder: &Path) -> Result<Printed, String> {
    let shown = folder.display();
    let missing = format!("-k {shown} needs kubectl or kustomize on PATH, and neither was found");
    let candidates = [("kubectl", "kustomize"), ("kustomize", "build")];
    for (program, word) in candidates {
        // A kustomization of our own asks for the origin of every object; that of the user stays as it is.
        let wrapped = Wrapper::around(folder).map(|wrapper| {
            let run = run(program, &[word.as_ref(), wrapper.folder.as_ref()]);
            (run, wrapper.folder.clone())
        });
        let command = format!("{program} {word} {shown}");
        match wrapped {
            Some((Ok(run), folder)) if run.status.success() => {
                let origins = Origins::Annotated(folder);
                return Ok(Printed { text: run.stdout, command, origins, revision: None });
            }
            // What took too long would take as long again.
            Some((Err(Failed::TooLong), _)) => return Err(Failed::TooLong.of(&command)),
            _ => {}
        }
        match run(program, &[word.as_ref(), folder.as_ref()]) {
            Err(Failed::NotFound) => {}
            Err(failed) => return Err(failed.of(&command)),
            Ok(run) if run.status.success() => {
                return Ok(Printed { text: run.stdout, command, origins: Origins::None, revision: None });
            }
            Ok(run) => return Err(run.complaint(&command)),
        }
    }
    Err(missing)
}

/// What `helm template` prints for a chart.
///
/// # Errors
/// What the program said, or that there is none.
pub(super) fn helm(chart: &Path, values: &[PathBuf]) -> Result<Printed, String> {
    let mut args: Vec<&std::ffi::OsStr> = vec!["template".as_ref(), chart.as_ref()];
    for file in values {
        args.extend([std::ffi::OsStr::new("--values"), file.as_ref()]);
    }
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let command = format!("helm {}", words.join(" "));
    match run("helm", &args) {
        Err(Failed::NotFound) => {
            Err(format!("--helm-chart {} needs helm on PATH, and it was not found", chart.display()))
        }
        Err(failed) => Err(failed.of(&command)),
        Ok(run) if run.status.success() => Ok(Printed {
            text: run.stdout,
            command,
            origins: Origins::Commented(chart.to_owned()),
            revision: None,
        }),
        Ok(run) => Err(run.complaint(&command)),
    }
}

/// What became of a program.
struct Run {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Run {
    /// The words of a program that failed, as they are.
    fn complaint(&self, command: &str) -> String {
        let said = String::from_utf8_lossy(&self.stderr);
        let said = if said.trim().is_empty() { "it printed nothing" } else { said.trim_end() };
        format!("`{command}` failed ({}):\n{said}", self.status)
    }
}

enum Failed {
    NotFound,
    TooLong,
    Told(String),
}

impl Failed {
    fn of(&self, command: &str) -> String {
        match self {
            Self::NotFound => format!("`{command}` failed: the program was not found"),
            Self::TooLong => format!(
                "`{command}` did not end within {} seconds and was stopped; run it yourself and give what it prints: {command} | rbacsim ... -f -",
                LONGEST.as_secs()
            ),
            Self::Told(error) => format!("`{command}` failed: {error}"),
        }
    }
}

fn run(program: &str, args: &[&std::ffi::OsStr]) -> Result<Run, Failed> {
    run_within(LONGEST, program, args)
}

fn run_within(longest: Duration, program: &str, args: &[&std::ffi::OsStr]) -> Result<Run, Failed> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failed::NotFound,
        _ => Failed::Told(error.to_string()),
    })?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let stdout = scope.spawn(move || read_all(out));
        let stderr = scope.spawn(move || read_all(err));
        let begun = Instant::now();
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Err(error) => break Err(Failed::Told(error.to_string())),
                Ok(None) if begun.elapsed() > longest => break Err(Failed::TooLong),
                Ok(None) => std::thread::sleep(PAUSE),
            }
        };
        if status.is_err() {
            // It may have ended in between; what it printed no longer matters.
            let _ = child.kill();
            let _ = child.wait();
        }
        let status = status?;
        let text = |thread: std::thread::ScopedJoinHandle<'_, Vec<u8>>| thread.join().unwrap_or_default();
        Ok(Run { status, stdout: text(stdout), stderr: text(stderr) })
    })
}

fn read_all(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // A pipe that breaks ends the text; the program's status tells whether it is whole.
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}

/// A folder with a kustomization that takes another in and asks for the origin of its objects; removed when dropped.
struct Wrapper {
    _own: TempDir,
    folder: PathBuf,
}

impl Wrapper {
    fn around(folder: &Path) -> Option<Self> {
        let target = folder.canonicalize().ok()?;
        let own = tempfile::Builder::new().prefix("rbacsim-").tempdir().ok()?;
        let wrapper = Self { folder: own.path().canonicalize().ok()?, _own: own };
        // Kustomize takes no absolute path.
        let mut relative = PathBuf::new();
        wrapper.folder.components().skip(1).for_each(|_| relative.push(".."));
        relative.extend(target.components().skip(1));
        let text = serde_json::json!({
            "resources": [relative.to_str()?],
            "buildMetadata": ["originAnnotations"],
        });
        std::fs::write(wrapper.folder.join("kustomization.yaml"), text.to_string()).ok()?;
        Some(wrapper)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let run = run_within(Duration::from_millis(20), "sleep", &["600".as_ref()]);
        assert!(matches!(run, Err(Failed::TooLong)));
        let said = Failed::TooLong.of("kubectl kustomize prod");
        assert!(said.contains("`kubectl kustomize prod` did not end within 120 seconds"), "{said}");
        assert!(run_within(LONGEST, "sleep", &["0".as_ref()]).is_ok_and(|run| run.status.success()));
    }
}
