//! What `kubectl auth can-i` and real requests came to against a live API server, when the transcripts are there.
//!
//! `can-i` here answers for the request that the API server would really see; the questions where kubectl's own
//! `can-i` misleads are listed, each with the reason, and nothing else may differ.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::trees::recorded;

/// A command and what came of it.
struct Run {
    command: String,
    output: String,
    code: i32,
}

fn runs(path: &Path) -> Vec<Run> {
    let text = fs::read_to_string(path).unwrap();
    let mut runs: Vec<Run> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ kubectl ") {
            runs.push(Run { command: command.to_owned(), output: String::new(), code: -1 });
        } else if let Some(run) = runs.last_mut() {
            let (output, code) = line.split_once("[rc=").unwrap_or((line, ""));
            run.output.push_str(output);
            run.output.push('\n');
            if let Some(code) = code.strip_suffix(']') {
                run.code = code.parse().unwrap();
            }
        }
    }
    assert!(runs.iter().all(|run| run.code >= 0));
    runs
}

/// Asks the same of the same objects; `yes`, `no` or `unknown`, the exit code, and what was said.
fn ask(arguments: &[&str]) -> (String, i32, String) {
    let objects = recorded("kubectl-transcripts/objects-used.yaml").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.arg("can-i").arg("--api-verb").args(arguments).arg("-f").arg(objects).arg("--complete");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (said.split(' ').next().unwrap_or("").trim().to_owned(), output.status.code().unwrap(), said)
}

/// Where kubectl asks for something else than the request would be.
const DIFFERENT: [(&str, &str); 6] = [
    ("get deployments.extensions -n ns1 --as bob", "an unknown type is asked in the group that is written"),
    ("get nodes -n ns1 --as carol", "a cluster-scoped type carries no namespace"),
    ("get namespaces/ns1 --as bob", "a namespace is authorised inside itself"),
    ("get pods/log --as dave", "a subresource, not a pod that is called log"),
    ("get pods/x/log --as dave", "the subresource of pod x, not a pod called x/log"),
    ("create secret/s1 --as dave", "a POST carries no name"),
];

#[test]
fn kubectl_auth_can_i() {
    let Some(folder) = recorded("kubectl-transcripts") else { return };
    let mut answers = Vec::new();
    let mut different = Vec::new();
    for run in runs(&folder.join("kubectl-auth-can-i-v1.32-against-v1.36.2.txt")) {
        let question = run.command.strip_prefix("auth can-i ").unwrap();
        let arguments: Vec<&str> = question.split(' ').collect();
        let is_error = run.output.contains("error: ");
        if question.contains("--no-headers") {
            continue;
        }
        let (answer, code, said) = ask(&arguments);
        if is_error {
            // kubectl exits with 1, which here says "no".
            assert_eq!(code, 2, "{question}: {said}");
            continue;
        }
        if question.contains("-q") {
            assert_eq!((code, answer.as_str()), (run.code, ""), "{question}");
            continue;
        }
        let theirs = if run.code == 0 { "yes" } else { "no" };
        assert_eq!(code, i32::from(answer != "yes"), "{question}: {said}");
        if answer == theirs {
            answers.push(theirs);
            // A type that kubectl does not know is told here too; it is asked where it was written, not in core.
            let unknown = run.output.contains("doesn't have a resource type") && !question.contains("*.");
            assert!(!unknown || said.contains("warning: "), "{question}: {said}");
            // A denial's reason is the server's; here it is the same role that is missing.
            if let Some((_, role)) = run.output.split_once("no - RBAC: role.rbac.authorization.k8s.io \"") {
                let name = role.split('"').next().unwrap();
                assert!(said.contains(name), "{question}: {said}");
            }
        } else {
            different.push(question.to_owned());
        }
    }
    let mut expected: Vec<&str> = DIFFERENT.iter().map(|(question, _)| *question).collect();
    expected.sort_unstable();
    different.sort();
    assert_eq!(different, expected);
    let yes = answers.iter().filter(|answer| **answer == "yes").count();
    assert!(yes >= 15 && answers.len() - yes >= 15, "{yes} of {}", answers.len());
}

/// Real requests, and the question whose answer they are.
const REQUESTS: [(&str, &str); 14] = [
    ("get nodes --as carol", "list nodes --as carol"),
    ("get ns ns1 --as bob", "get namespaces/ns1 --as bob"),
    ("get ns ns2 --as bob", "get namespaces/ns2 --as bob"),
    ("get ns --as bob", "list namespaces --as bob"),
    ("get secrets --as dave -n default", "list secrets --as dave -n default"),
    (
        "get secrets --as dave -n default --field-selector metadata.name=s1",
        "list secrets/s1 --as dave -n default",
    ),
    ("get secret s1 --as dave -n default", "get secrets/s1 --as dave -n default"),
    (
        "get --raw /api/v1/namespaces/default/secrets?watch=1&fieldSelector=metadata.name%3Ds1&timeoutSeconds=1 --as dave",
        "watch secrets/s1 --as dave -n default",
    ),
    ("get --raw /metrics --as carol", "get /metrics --as carol"),
    ("get --raw / --as carol", "get / --as carol"),
    ("get --raw /healthz --as system:anonymous", "get /healthz --as system:anonymous"),
    ("get --raw /api --as system:anonymous", "get /api --as system:anonymous"),
    ("create secret generic s3 -n default --as dave", "create secrets/s3 -n default --as dave"),
    (
        "create clusterrolebinding x --clusterrole=view --user=z --as carol",
        "create clusterrolebindings --as carol",
    ),
];

#[test]
fn real_requests() {
    let Some(folder) = recorded("kubectl-transcripts") else { return };
    let runs = runs(&folder.join("real-requests-v1.36.2.txt"));
    for (command, question) in REQUESTS {
        let run = runs.iter().find(|run| run.command == command).unwrap_or_else(|| panic!("{command}"));
        let (answer, code, said) = ask(&question.split(' ').collect::<Vec<_>>());
        let theirs = if run.code == 0 { "yes" } else { "no" };
        assert_eq!((answer.as_str(), code), (theirs, run.code), "{command}: {said}");
    }
}
