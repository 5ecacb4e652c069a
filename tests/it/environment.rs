//! The flags of the inputs by environment, what shells complete, and the manual.

use std::process::{Command, Output, Stdio};

const QUICKSTART: &str = "testdata/quickstart";

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null());
    command.env("NO_COLOR", "1").envs(environment.iter().copied()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const ASKED: [&str; 7] =
    ["can-i", "list", "pods", "-n", "prod", "--arn", "arn:aws:sts::111122223333:assumed-role/dev/alice"];

fn asked<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ASKED.iter().chain(more).copied().collect()
}

#[test]
fn a_variable_stands_for_the_flag_of_its_name() {
    let by_flag = run(&asked(&["-f", QUICKSTART]), &[]);
    let by_variable = run(&ASKED, &[("RBACSIM_FILENAME", QUICKSTART)]);
    assert!(text(&by_flag).starts_with("yes"), "{}", text(&by_flag));
    assert_eq!(text(&by_flag), text(&by_variable));
    assert_eq!(by_flag.status.code(), by_variable.status.code());
}

#[test]
fn paths_in_a_variable_stand_as_in_path() {
    let both = std::env::join_paths([QUICKSTART, "testdata/iam"]).unwrap();
    let both = both.to_str().unwrap();
    let by_flags = run(&asked(&["-f", QUICKSTART, "-f", "testdata/iam", "-v"]), &[]);
    let by_variable = run(&asked(&["-v"]), &[("RBACSIM_FILENAME", both)]);
    assert_eq!(text(&by_flags), text(&by_variable));
    assert_ne!(text(&by_variable), text(&run(&asked(&["-f", QUICKSTART, "-v"]), &[])));
}

#[test]
fn a_flag_wins_over_its_variable() {
    let nowhere = [("RBACSIM_FILENAME", "testdata/nowhere")];
    assert_eq!(run(&ASKED, &nowhere).status.code(), Some(2));
    assert_eq!(run(&asked(&["-f", QUICKSTART]), &nowhere).status.code(), Some(0));
    // Of the flags that say what to read, one is enough.
    let by_folder = run(&asked(&["-k", "testdata/none"]), &nowhere);
    assert!(!error(&by_folder).contains("nowhere"), "{}", error(&by_folder));
    // What is said of two sides leaves no room for more.
    let sides = run(&["diff", QUICKSTART, QUICKSTART], &nowhere);
    assert_eq!(sides.status.code(), Some(0), "{}", error(&sides));
    let partial = run(&asked(&["-f", QUICKSTART, "--partial"]), &[("RBACSIM_COMPLETE", "true")]);
    assert_eq!(partial.status.code(), Some(0), "{}", error(&partial));
}

#[test]
fn a_switch_in_a_variable_is_true_or_false() {
    let noted = |value| run(&asked(&["-f", QUICKSTART, "-v"]), &[("RBACSIM_COMPLETE", value)]);
    assert!(text(&noted("true")).contains("treated as complete"));
    assert!(text(&noted("false")).contains("treated as partial"));
    let wrong = noted("maybe");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(error(&wrong).contains("RBACSIM_COMPLETE is `maybe`; set it to true or to false"));
}

#[test]
fn a_list_in_a_variable_holds_one_value_a_line() {
    let settings = [("RBACSIM_SET", "ONE=1\nTWO=2")];
    let output = run(&asked(&["-f", QUICKSTART]), &settings);
    for name in ["--set ONE:", "--set TWO:"] {
        assert!(error(&output).contains(name), "{}", error(&output));
    }
}

#[test]
fn what_is_wrong_in_a_variable_names_it() {
    let output = run(&asked(&["-f", QUICKSTART]), &[("RBACSIM_KUBERNETES_VERSION", "1.2")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("the environment sets RBACSIM_KUBERNETES_VERSION"), "{}", error(&output));
}

#[test]
fn a_variable_for_charts_alone_is_no_error() {
    let output = run(&asked(&["-f", QUICKSTART]), &[("RBACSIM_HELM_VALUES", "values.yaml")]);
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
}

#[test]
fn the_recorded_command_has_the_flags_of_the_environment() {
    let output = run(&["report", "-o", "markdown"], &[("RBACSIM_FILENAME", QUICKSTART)]);
    assert!(text(&output).contains(&format!("--filename={QUICKSTART}")), "{}", text(&output));
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completion", shell], &[]);
        assert_eq!(output.status.code(), Some(0));
        for command in ["can-i", "who-can", "matrix", "paths", "report"] {
            assert!(text(&output).contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn the_manual_has_a_page_for_rbacsim_and_one_for_each_command() {
    let own = run(&["man"], &[]);
    assert!(text(&own).contains(".TH rbacsim 1"), "{}", text(&own));
    assert!(text(&run(&["man", "can-i"], &[])).contains(".TH rbacsim-can-i 1"));
    let none = run(&["man", "can-fly"], &[]);
    assert_eq!(none.status.code(), Some(2));
    assert!(error(&none).contains("no command `can-fly`"), "{}", error(&none));
}
