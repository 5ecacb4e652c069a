//! The house: which room may know of which, and the list of all codes of diagnostics.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rbacsim::model::diagnostic::Code;

/// A file of `src/` as its path in the crate (`load/reader`), with the lines that are code: no comments, no tests.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".rs") else { continue };
        if name.ends_with("/tests") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        sources.push((name.to_owned(), code));
    }
    sources
}

/// The room of a file: `decide` of `decide/graph/aggregation`.
fn room(name: &str) -> &str {
    name.split('/').next().unwrap()
}

/// The paths that code names behind `start`: `decide::graph` of `crate::decide::graph::RbacGraph`, each as far as
/// its modules go, those in braces one by one.
fn named(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in ["crate::", "rbacsim::"] {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with(|sign: char| sign.is_alphanumeric() || sign == '_') {
                continue;
            }
            let rest = &code[at + start.len()..];
            let path: String =
                rest.chars().take_while(|sign| sign.is_alphanumeric() || matches!(sign, '_' | ':')).collect();
            let path = path.trim_end_matches(':');
            match rest[path.len()..].strip_prefix("::{").or_else(|| rest[path.len()..].strip_prefix('{')) {
                Some(braces) => {
                    let inside = braces.split('}').next().unwrap();
                    let parts = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
                    found.extend(
                        parts.map(|part| format!("{path}::{part}").trim_start_matches(':').to_owned()),
                    );
                }
                None => {
                    found.insert(path.to_owned());
                }
            }
        }
    }
    found
}

/// The rooms in the order of the journey: each may name those before it, and none that comes after.
const ROOMS: [&str; 9] =
    ["model", "document", "knowledge", "identity", "read", "decide", "ask", "report", "cli"];

/// What files may not name although it comes before them, as their paths in the crate begin.
const FORBIDDEN: [(&str, &[&str]); 7] = [
    ("document", &["model::rbac", "model::policy"]),
    ("identity", &["model::rbac", "model::policy", "knowledge"]),
    // The core neither reads nor knows who calls or what kubectl says.
    ("decide/graph", &["read", "identity", "knowledge", "document", "decide::answer", "decide::cluster"]),
    ("decide/evaluate", &["read", "identity", "knowledge", "document", "decide::answer", "decide::cluster"]),
    // What a no is worth depends on which types there are, and on nothing else that Kubernetes ships.
    (
        "decide/answer",
        &["read", "knowledge::operations", "knowledge::defaults", "document", "decide::cluster"],
    ),
    ("decide/near", &["read", "knowledge::operations", "document", "decide::answer", "decide::cluster"]),
    ("ask/question", &["read", "identity"]),
];

fn is_within(path: &str, place: &str, separator: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}

#[test]
fn rooms_know_only_those_before_them() {
    let sources = sources();
    let mut wrong = BTreeSet::new();
    for (name, code) in &sources {
        if matches!(room(name), "lib" | "main") {
            continue;
        }
        let place = ROOMS.iter().position(|own| *own == room(name));
        let place = place.unwrap_or_else(|| panic!("{name} stands in no room"));
        for used in named(code) {
            let later = ROOMS[place + 1..].contains(&used.split("::").next().unwrap());
            let forbidden = FORBIDDEN
                .iter()
                .filter(|(files, _)| is_within(name, files, "/"))
                .flat_map(|(_, paths)| *paths)
                .any(|path| is_within(&used, path, "::"));
            if later || forbidden {
                let module: Vec<&str> = used.split("::").take(2).collect();
                wrong.insert(format!("{name} names {}", module.join("::")));
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
    for place in ROOMS.into_iter().chain(FORBIDDEN.map(|(files, _)| files)) {
        assert!(sources.iter().any(|(name, _)| is_within(name, place, "/")), "no {place}");
    }
}

/// The files that code of a file names by `super::` and `crate::`, as far as they are files of the same room.
fn neighbours(name: &str, code: &str, files: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |path: String| {
        // The longest beginning of the path that is a file: what follows are items in it.
        let mut path = path.as_str();
        while !files.contains(path) {
            let Some((shorter, _)) = path.rsplit_once('/') else { return };
            path = shorter;
        }
        if path != name {
            found.insert(path.to_owned());
        }
    };
    for path in named(code) {
        add(path.replace("::", "/"));
    }
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let rest = code[at..].trim_start_matches("super::");
        let ups = (code[at..].len() - rest.len()) / "super::".len();
        let mut base: Vec<&str> = name.split('/').collect();
        base.truncate(base.len().saturating_sub(ups));
        let word = |text: &str| -> String {
            text.trim()
                .chars()
                .take_while(|sign| sign.is_alphanumeric() || matches!(sign, '_' | ':'))
                .collect()
        };
        let inside = rest.strip_prefix('{').and_then(|braces| braces.split('}').next());
        let paths: Vec<String> =
            inside.map_or_else(|| vec![word(rest)], |inside| inside.split(',').map(word).collect());
        for path in paths {
            add(format!("{}/{}", base.join("/"), path.replace("::", "/")));
        }
    }
    found
}

/// No two files name each other, but a file and those in the folder of its name: they are one thing.
#[test]
fn no_two_files_name_each_other() {
    let sources = sources();
    let files: BTreeSet<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
    let names: Vec<(&str, BTreeSet<String>)> =
        sources.iter().map(|(name, code)| (name.as_str(), neighbours(name, code, &files))).collect();
    let mut pairs = Vec::new();
    for (one, of_one) in &names {
        for (other, of_other) in &names {
            if one < other
                && of_one.contains(*other)
                && of_other.contains(*one)
                && !is_within(other, one, "/")
                && room(one) != "cli"
            {
                pairs.push(format!("{one} and {other}"));
            }
        }
    }
    assert_eq!(pairs, [""; 0]);
    assert!(names.iter().map(|(_, of_one)| of_one.len()).sum::<usize>() > 200, "the walk finds the arrows");
}

/// `ls src` is the plan of the house: a folder a room, and `lib.rs` says of each what belongs in it.
#[test]
fn the_ground_floor_has_rooms_and_a_plan() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found: Vec<String> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let mut rooms = ROOMS.map(str::to_owned).to_vec();
    found.sort();
    rooms.sort();
    assert_eq!(found, rooms);
    assert!(found.len() <= 10);
    let plan =
        fs::read_to_string(root.join("lib.rs")).unwrap() + &fs::read_to_string(root.join("main.rs")).unwrap();
    for room in rooms {
        let head = plan.lines().zip(plan.lines().skip(1));
        let described = head
            .filter(|(_, line)| line.trim_start_matches("pub ") == format!("mod {room} {{"))
            .any(|(above, _)| above.starts_with("/// "));
        assert!(described, "{room} is not described");
    }
}

/// A crate or a part of std, and who alone may name it.
const ALONE: [(&str, &[&str]); 11] = [
    ("std::thread", &["read/parallel", "read/programs", "cli/git"]),
    ("std::fs", &["read", "cli/git", "cli/review", "cli/matrix", "cli/findings", "cli/check", "cli/report"]),
    ("std::process", &["main", "cli", "read/programs"]),
    ("clap", &["cli", "main"]),
    ("anstream", &["cli", "main"]),
    ("libyaml_safer", &["document/yaml"]),
    ("serde_yaml", &["knowledge/operations/table"]),
    ("walkdir", &["read"]),
    ("ignore", &["read"]),
    ("comfy_table", &["report"]),
    ("petgraph", &["decide/graph"]),
];

#[test]
fn crates_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for (name, code) in sources() {
        for (tool, alone) in ALONE {
            let uses = code.match_indices(tool).any(|(at, _)| {
                let (before, after) = (&code[..at], &code[at + tool.len()..]);
                !before.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_' || sign == '"')
                    && after.starts_with("::")
            });
            let may = |place: &&str| name == **place || name.starts_with(&format!("{place}/"));
            if uses && !alone.iter().any(may) {
                wrong.push(format!("{name} names {tool}"));
            }
        }
        // The command line is a crate of its own and sees the public interface only; the library does not see it.
        let is_binary = matches!(room(&name), "cli" | "main");
        if is_binary == code.contains("rbacsim::") || name == "main" || !code.contains("use ") {
            continue;
        }
        if !is_binary {
            wrong.push(format!("{name} names the crate from outside"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// The core decides by comparing numbers: it cannot wait, ask the time, or fail.
#[test]
fn the_core_needs_no_world() {
    for (name, code) in sources() {
        let core = [
            "decide/graph",
            "decide/evaluate",
            "decide/answer",
            "model/rbac",
            "model/names",
            "model/policy",
            "model/attributes",
        ];
        if !core.iter().any(|place| is_within(&name, place, "/")) {
            continue;
        }
        for outside in
            ["serde", "std::io", "std::env", "std::time", "std::net", "std::thread", "println!", "Result<"]
        {
            assert!(!code.contains(outside), "{name} names {outside}");
        }
    }
}

#[test]
fn every_file_opens_with_a_sentence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = 0;
    for folder in ["src", "tests", "benches"] {
        for entry in walkdir::WalkDir::new(root.join(folder)) {
            let path = entry.unwrap().into_path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            files += 1;
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//! ") || text.starts_with("#![doc"), "{}", path.display());
            assert!(path.file_name().is_some_and(|name| name != "mod.rs"), "{}", path.display());
        }
    }
    assert!(files > 60);
}

/// Codes are an interface: kebab-case, unique, and never changed. A new one is added to the file.
#[test]
fn codes_of_diagnostics() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cli/codes.list");
    let codes: String = Code::ALL
        .iter()
        .flat_map(|code| {
            [code.severity().as_str().to_owned(), " ".to_owned(), code.as_str().to_owned(), "\n".to_owned()]
        })
        .collect();
    if std::env::var_os("RBACSIM_REWRITE").is_some() {
        fs::write(&path, &codes).unwrap();
    }
    assert_eq!(codes, fs::read_to_string(&path).unwrap(), "RBACSIM_REWRITE=1 writes the list anew");
    let unique: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(unique.len(), Code::ALL.len());
    for code in unique {
        let kebab = code
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert!(kebab, "{code}");
    }
}
