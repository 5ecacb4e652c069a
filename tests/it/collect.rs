//! The script that `rbacsim collect` prints, run with the real AWS CLI against a stand-in for the EKS API.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::access_entries::EntryList;
use rbacsim::model::diagnostic::Severity;

use crate::access_entries::cluster;
use crate::recorded::{data, skipped};

/// The stand-in, ended when the test is over.
struct StandIn(Child);

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl StandIn {
    fn start(program: &Path, port: u16, mode: &str) -> Self {
        let mut command = Command::new("python3");
        command.arg(program).args([&port.to_string(), mode]);
        let stand_in = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let answers = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        for _ in 0..200 {
            if answers() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(answers(), "the stand-in does not answer");
        stand_in
    }
}

fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

/// What the script gathers of the cluster `shop` in a mode, what it says, and its exit code. Nothing of Kubernetes
/// answers, so the objects of the cluster are missing.
fn collect(program: &Path, mode: &str) -> (String, String, Option<i32>) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _stand_in = StandIn::start(program, port, mode);
    let script =
        Command::new(env!("CARGO_BIN_EXE_rbacsim")).args(["collect", "--cluster", "shop"]).output().unwrap();
    let mut sh = Command::new("sh");
    sh.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "us-west-2"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("KUBECONFIG", "/dev/null"),
    ] {
        sh.env(name, value);
    }
    let mut running = sh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), &script.stdout).unwrap();
    let output = running.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn the_script_gathers_what_the_eks_api_tells_and_says_what_is_missing() {
    let stand_in =
        data().map(|data| data.join("eks-access/collect/fake_eks.py")).filter(|path| path.is_file());
    let Some(stand_in) = stand_in else {
        skipped("../shared/data/eks-access/collect");
        return;
    };
    if !["aws", "jq", "python3"].into_iter().all(has) {
        skipped("aws, jq and python3");
        return;
    }
    let (stream, said, code) = collect(&stand_in, "API_AND_CONFIG_MAP");
    assert_eq!(code, Some(3), "{said}");
    // The list comes in three pages; one entry vanishes between the list and the look at it.
    assert!(said.contains("missing: the access entry of arn:aws:iam::111122223333:role/gone"), "{said}");
    let read: Cluster = cluster(&[("export.json", &stream)]);
    let bad = read.diagnostics().iter().filter(|one| one.severity() != Severity::Note);
    assert_eq!(bad.count(), 0, "{:?}", read.diagnostics());
    let access = read.identities().access().unwrap();
    assert!(matches!(access.list(), EntryList::Complete(Some(_))), "{stream}");
    assert_eq!((access.cluster(), access.entries().len()), (Some("shop"), 5));
    let odd = "arn:aws:sts::111122223333:assumed-role/admin/x1";
    let odd = read.identify(odd, None);
    assert!(odd.shown().is_some(), "a path with quotes, backslashes and braces: {stream}");
    let user = read.identify("arn:aws:iam::111122223333:user/a+b=c,d@example.com", None);
    assert!(user.shown().is_some());

    let (stream, said, code) = collect(&stand_in, "CONFIG_MAP");
    assert_eq!(code, Some(3), "{said}");
    let read = cluster(&[("export.json", &stream)]);
    let access = read.identities().access().unwrap();
    assert!(!access.reads_entries() && access.entries().is_empty(), "{stream}");
}
