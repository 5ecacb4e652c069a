//! What of a folder is read: `--exclude`, `.rbacsimignore`, folders of tools, links.

use std::fs;
use std::path::Path;

use rbacsim::read::{Defaults, Exclude, Input, LoadOptions, Loaded, load};
use tempfile::TempDir;

/// A folder with these files; each holds a Role that is named by its path.
fn tree(files: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in files {
        let name = file.replace(['/', '.'], "-").to_lowercase();
        write(
            folder.path(),
            file,
            &format!(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: {name}, namespace: ns}}\nrules: []\n"
            ),
        );
    }
    folder
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn loaded(folder: &Path, exclude: &[&str]) -> Loaded {
    let globs: Vec<String> = exclude.iter().map(|glob| (*glob).to_owned()).collect();
    let exclude = Exclude::new(&globs).unwrap();
    let options = LoadOptions { defaults: Defaults::Never, exclude, ..LoadOptions::default() };
    load(&[Input::Path(folder.to_owned())], &options).unwrap()
}

/// The names of the Roles that were read.
fn read(folder: &Path, exclude: &[&str]) -> Vec<String> {
    let policy = loaded(folder, exclude).policy;
    let mut names: Vec<String> =
        policy.roles.iter().map(|role| policy.names.text(role.name).to_owned()).collect();
    names.sort();
    names
}

#[test]
fn exclude_has_the_syntax_of_gitignore() {
    let tree = tree(&["a.yaml", "b/a.yaml", "b/c/d.yaml", "tests/x.yaml", "b/tests/y.yaml"]);
    let rows: [(&[&str], &[&str]); 9] = [
        (&[], &["a-yaml", "b-a-yaml", "b-c-d-yaml", "b-tests-y-yaml", "tests-x-yaml"]),
        (&["tests"], &["a-yaml", "b-a-yaml", "b-c-d-yaml"]),
        (&["tests/"], &["a-yaml", "b-a-yaml", "b-c-d-yaml"]),
        (&["/tests"], &["a-yaml", "b-a-yaml", "b-c-d-yaml", "b-tests-y-yaml"]),
        (&["b/**"], &["a-yaml", "tests-x-yaml"]),
        (&["a.yaml"], &["b-c-d-yaml", "b-tests-y-yaml", "tests-x-yaml"]),
        (&["a.yaml", "!/b/a.yaml"], &["b-a-yaml", "b-c-d-yaml", "b-tests-y-yaml", "tests-x-yaml"]),
        (&["*.yaml"], &[]),
        (&["# tests"], &["a-yaml", "b-a-yaml", "b-c-d-yaml", "b-tests-y-yaml", "tests-x-yaml"]),
    ];
    for (exclude, expected) in rows {
        assert_eq!(read(tree.path(), exclude), expected, "{exclude:?}");
    }
}

#[test]
fn a_file_that_is_named_itself_can_be_excluded() {
    let tree = tree(&["a.yaml"]);
    let file = tree.path().join("a.yaml");
    assert_eq!(read(&file, &[]).len(), 1);
    let exclude = Exclude::new(&["a.yaml".to_owned()]).unwrap();
    // Only paths below where the program runs are compared, so this one, which is not, is read.
    let options = LoadOptions { exclude, defaults: Defaults::Never, ..LoadOptions::default() };
    assert_eq!(load(&[Input::Path(file)], &options).unwrap().policy.roles.len(), 1);
    let here = Input::Path("testdata/quickstart/roles.yaml".into());
    let exclude = Exclude::new(&["roles.yaml".to_owned()]).unwrap();
    let options = LoadOptions { exclude, defaults: Defaults::Never, ..LoadOptions::default() };
    assert_eq!(load(&[here], &options).unwrap().policy.roles.len(), 0);
}

#[test]
fn an_ignore_file_holds_for_its_folder_and_below() {
    let tree = tree(&["a.yaml", "b/a.yaml", "b/c/a.yaml", "d/a.yaml"]);
    write(tree.path(), "b/.rbacsimignore", "# generated\nc/\n");
    assert_eq!(read(tree.path(), &[]), ["a-yaml", "b-a-yaml", "d-a-yaml"]);
    write(tree.path(), ".rbacsimignore", "a.yaml\n");
    write(tree.path(), "d/.rbacsimignore", "!a.yaml\n");
    assert_eq!(read(tree.path(), &[]), ["d-a-yaml"]);
    // The command line wins.
    assert_eq!(read(tree.path(), &["!/a.yaml"]), ["a-yaml", "d-a-yaml"]);
}

#[test]
fn folders_of_tools_are_never_walked() {
    let tree = tree(&[
        "a.yaml",
        ".git/x.yaml",
        "b/.git/x.yaml",
        "node_modules/x.yaml",
        ".terraform/m/x.yaml",
        ".github/x.yaml",
    ]);
    assert_eq!(read(tree.path(), &[]), ["-github-x-yaml", "a-yaml"]);
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    let error = Exclude::new(&["[z-a]".to_owned()]).unwrap_err();
    assert!(error.starts_with("`[z-a]` is not a pattern of .gitignore"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_that_loop_or_lead_nowhere_leave_nothing_open() {
    use std::os::unix::fs::symlink;
    let tree = tree(&["a.yaml", "b/c.yaml"]);
    symlink(tree.path(), tree.path().join("b/up")).unwrap();
    symlink("up", tree.path().join("b/again")).unwrap();
    symlink("gone.yaml", tree.path().join("b/dangling.yaml")).unwrap();
    symlink("self.yaml", tree.path().join("b/self.yaml")).unwrap();
    let loaded = loaded(tree.path(), &[]);
    assert_eq!(loaded.policy.roles.len(), 2);
    assert_eq!(loaded.summary.unread, []);
}
