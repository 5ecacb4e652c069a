//! The house: which module may know of which, and the list of all codes of diagnostics.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rbacsim::diagnostic::Code;

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

/// The first part of a path in the crate: `graph` of `graph/aggregation`.
fn module(name: &str) -> &str {
    name.split('/').next().unwrap()
}

/// The modules of the library that code names: `crate::load::…`, `rbacsim::load::…`, and those in braces after them.
fn named(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in ["crate::", "rbacsim::"] {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with(|sign: char| sign.is_alphanumeric() || sign == '_') {
                continue;
            }
            let rest = &code[at + start.len()..];
            let word = |text: &str| -> String {
                text.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect()
            };
            match rest.strip_prefix('{') {
                Some(braces) => {
                    let inside = braces.split("};").next().unwrap();
                    found.extend(inside.split(',').map(|part| word(part.trim())));
                }
                None => {
                    found.insert(word(rest));
                }
            }
        }
    }
    found
}

/// What each module may not name; `crates` likewise for crates and parts of std.
const FORBIDDEN: [(&str, &[&str]); 20] = [
    // The vocabulary knows nothing but itself.
    (
        "names",
        &["load", "identity", "graph", "evaluate", "answer", "report", "document", "diagnostic", "policy"],
    ),
    (
        "source",
        &["load", "identity", "graph", "evaluate", "answer", "report", "document", "diagnostic", "names"],
    ),
    ("attributes", &["load", "identity", "graph", "evaluate", "answer", "report", "document"]),
    ("user", &["load", "identity", "graph", "evaluate", "answer", "report", "document"]),
    ("ternary", &["load", "identity", "graph", "evaluate", "answer", "report", "document"]),
    ("version", &["load", "identity", "graph", "evaluate", "answer", "report", "document"]),
    ("diagnostic", &["load", "identity", "graph", "evaluate", "answer", "report", "document"]),
    ("rbac", &["load", "identity", "graph", "evaluate", "answer", "report", "document"]),
    ("policy", &["load", "identity", "graph", "evaluate", "answer", "report", "document"]),
    ("document", &["load", "identity", "graph", "evaluate", "answer", "report", "rbac", "policy"]),
    ("identity", &["load", "graph", "evaluate", "answer", "report", "rbac", "policy"]),
    // What was loaded is not yet asked.
    (
        "load",
        &["graph", "evaluate", "answer", "report", "cluster", "operations", "question", "matrix", "who_can"],
    ),
    // The core neither reads nor shows.
    (
        "graph",
        &[
            "load",
            "identity",
            "answer",
            "report",
            "cluster",
            "document",
            "catalogue",
            "operations",
            "question",
        ],
    ),
    (
        "evaluate",
        &[
            "load",
            "identity",
            "answer",
            "report",
            "cluster",
            "document",
            "catalogue",
            "operations",
            "question",
        ],
    ),
    ("answer", &["load", "report", "cluster", "document", "catalogue", "operations", "question"]),
    ("operations", &["load", "identity", "graph", "evaluate", "answer", "report", "policy", "rbac"]),
    ("catalogue", &["load", "identity", "graph", "evaluate", "answer", "report", "policy"]),
    ("question", &["load", "identity", "graph", "evaluate", "answer", "report", "policy"]),
    ("matrix", &["report", "document"]),
    ("who_can", &["report", "document"]),
];

/// What is so all the same, and why.
const EXCEPTIONS: [&str; 1] = [
    // The statements of a matrix are sentences, in the words of every other answer.
    "matrix/statement names report",
];

#[test]
fn modules_know_only_what_they_may() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (name, code) in &sources {
        let own = module(name);
        let used = named(code);
        for (_, forbidden) in FORBIDDEN.iter().filter(|(module, _)| *module == own) {
            wrong.extend(
                forbidden
                    .iter()
                    .filter(|other| used.contains(**other))
                    .map(|other| format!("{name} names {other}")),
            );
        }
        // Nothing depends on how answers are shown but the command line.
        if !["report", "cli", "main", "lib"].contains(&own) && used.contains("report") {
            wrong.push(format!("{name} names report"));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert_eq!(wrong, EXCEPTIONS);
    for (module_name, _) in FORBIDDEN {
        assert!(sources.iter().any(|(name, _)| module(name) == module_name), "no module {module_name}");
    }
}

/// A crate or a part of std, and who alone may name it.
const ALONE: [(&str, &[&str]); 9] = [
    ("std::fs", &["load", "cli/review", "cli/matrix"]),
    ("std::process", &["main", "cli"]),
    ("clap", &["cli", "main"]),
    ("anstream", &["cli", "main"]),
    ("libyaml_safer", &["document/yaml"]),
    ("serde_yaml", &["operations/table"]),
    ("walkdir", &["load"]),
    ("comfy_table", &["report"]),
    ("petgraph", &["graph"]),
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
        let is_binary = matches!(module(&name), "cli" | "main");
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
        if !["graph", "evaluate", "rbac", "names", "policy", "answer", "attributes"].contains(&module(&name))
        {
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
