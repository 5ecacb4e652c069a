//! What access leads to, for people: a way step by step, and all that one start reaches.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::aligned::Aligned;
use super::iam;
use super::notes::{self, Basis};
use super::phrases::counted;
use super::words;
use crate::ask::paths::{Condition, Ground, Hop, Possible, Reach, SINKS, Step, Target, Traced};
use crate::decide::cluster::Cluster;

/// How many reaches are listed for people before the rest is counted.
pub(super) const SHOWN: usize = 12;

/// What a step does, for people.
pub(super) fn does(step: Step) -> &'static str {
    match step {
        Step::ImpersonateUser | Step::ImpersonateGroup | Step::ImpersonateServiceAccount => "impersonates",
        Step::CreateToken => "asks for a token of",
        Step::ReadTokenSecret => "reads a token of",
        Step::MintTokenSecret => "makes and reads a Secret with a token of",
        Step::CreatePod => "creates a pod as",
        Step::CreateWorkload => "creates a workload as",
        Step::ChangeWorkload => "changes a workload to run as",
        Step::ChangePod => "changes the image of a running pod of",
        Step::Exec => "executes in a running pod of",
        Step::EphemeralContainer => "adds a container to a running pod of",
        Step::NodeProxy => "executes through the kubelet in a running pod of",
        Step::PrivilegedPod => "runs a privileged pod on",
        Step::PrivilegedEphemeralContainer => "adds a privileged container to a pod on",
        Step::HostPathVolume => "mounts a directory of the node through a volume claim on",
        Step::TokenFromNode => "leads to the token of",
        Step::CreateServiceAccount => "creates",
        Step::BindRole => "binds",
        Step::ChangeBinding => "adds a subject to a binding of",
        Step::ShareRole => "hands on",
        Step::EscalateRole => "writes any rule into",
        Step::EditAwsAuth => "maps any IAM principal to system:masters in aws-auth:",
        Step::Irsa => "gets by its token the credentials of",
        Step::PodIdentity => "gets from EKS Pod Identity the credentials of",
        Step::NodeRole => "gets from the node the credentials of",
        Step::AssumeRole => "assumes",
        Step::MapBack => "logs in to the cluster as",
        Step::EksApi => "lets itself in through the EKS API as",
        Step::Attach => "attaches to a running pod of",
        Step::RunByOperator => "writes a custom resource whose controller runs a pod as",
        Step::ApplyByOperator => "writes a custom resource that is applied as",
        Step::CloudByOperator => "writes a custom resource whose controller calls the EKS API:",
        Step::Csr => "asks for a client certificate of, and approves it:",
        Step::MutateByWebhook => "changes pods by an admission webhook, and gets the token of",
        Step::MutateByPolicy => "changes pods by an admission policy, and gets the token of",
        Step::StealPods => "drives to its node a pod of",
        Step::Driver => "registers a storage driver that opens",
        Step::SessionName => "chooses a session name and logs in as",
        Step::Sign => "signs a client certificate of",
        Step::BootstrapToken => "makes a bootstrap token, and logs in as",
        Step::ApplyCreate => "creates by an apply, under a name that rules allow, a pod as",
        Step::ImpersonateNode => "impersonates a node, and asks for a token of",
        Step::NodeCredential => "uses the credential of the kubelet, and becomes",
        Step::CsrNode => "asks for a client certificate of a node, approves it, and asks for a token of",
        Step::SeeByWebhook => "sees by an admission webhook a token of",
        Step::ConvertCrd => "changes custom resources by a conversion webhook, and acts as",
        Step::NodeLabels => "has its node chosen for a pod of",
        Step::ConstrainedImpersonation => "impersonates, by constrained impersonation,",
    }
}

/// What is reached, in words where it is printed by a sign.
pub(super) fn in_words(identity: &str) -> &str {
    match identity {
        "node *" => "any node (node *)",
        "node ?" => "a node that the inputs do not name (node ?)",
        other => other,
    }
}

/// The lines below a step: what allows it, and where that stands.
pub(super) fn ground_lines(cluster: &Cluster, ground: &Ground<'_>) -> (String, String) {
    let graph = cluster.graph();
    let policy = graph.policy();
    if let Some(grant) = &ground.grant {
        let (text, _) = words::grant_line(graph, grant);
        return (text, words::rule_place(policy, &grant.rule).to_string());
    }
    match ground.role {
        Some(role) if ground.is_changed => {
            (format!("{}, changed in a step above", words::role(policy, role)), String::new())
        }
        Some(role) => (
            format!("{}, bound in a step above", words::role(policy, role)),
            words::place(policy, role.source).to_string(),
        ),
        None => ("a role written in a step above".to_owned(), String::new()),
    }
}

/// A step in a sentence: who does what to become whom.
pub(super) fn deed(hop: &Hop<'_>) -> String {
    let object = if hop.object.is_empty() || hop.becomes.starts_with(&hop.object) {
        String::new()
    } else {
        format!(" ({})", hop.object)
    };
    let becomes = in_words(&hop.becomes);
    let does = match hop.step {
        Step::ImpersonateGroup if hop.becomes == "cluster-admin" => {
            "impersonates anyone in Group system:masters:"
        }
        step => does(step),
    };
    format!("{} {does} {becomes}{object}", hop.by)
}

fn hop_lines(lines: &mut Aligned<'_>, cluster: &Cluster, number: usize, hop: &Hop<'_>) -> io::Result<()> {
    lines.bare(1, format_args!("{number}  {}", hop.step))?;
    lines.bare(3, deed(hop))?;
    for ground in &hop.grounds {
        let (text, place) = ground_lines(cluster, ground);
        lines.bare(4, &ground.asked)?;
        lines.line(5, text, place)?;
    }
    for condition in condition_texts(cluster, &hop.conditions) {
        lines.bare(4, format_args!("if {condition}"))?;
    }
    Ok(())
}

/// What must hold, in words that follow "if"; each once.
pub fn condition_texts(cluster: &Cluster, conditions: &[Condition]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for condition in conditions {
        let own = match condition {
            Condition::Says(text) => vec![text.clone()],
            Condition::Iam(why) => {
                let all = iam::conditions(cluster, why).into_iter();
                all.map(|text| format!("this holds in IAM: {text}")).collect()
            }
            Condition::AccountExists(name) => {
                vec![format!("ServiceAccount {name}, which bindings name, exists; the inputs do not hold it")]
            }
        };
        for text in own {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
    texts
}

/// How many rounds, in words.
pub(super) fn in_steps(depth: u16) -> String {
    if depth == 0 { "by its own rights".to_owned() } else { format!("in {}", counted(depth.into(), "step")) }
}

/// One way, step by step.
///
/// # Errors
/// If writing fails.
pub fn way(out: &mut dyn Write, cluster: &Cluster, traced: &Traced<'_, '_>, reach: &Reach) -> io::Result<()> {
    way_to(out, cluster, traced, reach, None)
}

/// The way to a target, which may be had at once by what is reached.
///
/// # Errors
/// If writing fails.
pub fn way_to(
    out: &mut dyn Write,
    cluster: &Cluster,
    traced: &Traced<'_, '_>,
    reach: &Reach,
    target: Option<&Target>,
) -> io::Result<()> {
    let title = &traced.from().title;
    let with_it = with_it(target, reach);
    let heading = format!("{title} reaches {} {}{with_it}", in_words(&reach.identity), in_steps(reach.depth));
    steps(out, cluster, traced, reach, &heading)
}

/// What is had with what is reached, where that is not what was asked for.
fn with_it(target: Option<&Target>, reach: &Reach) -> String {
    let is_admin = reach.identity == "cluster-admin";
    match target {
        Some(Target::Printed(name)) if is_admin && name != "cluster-admin" => format!(", and with it {name}"),
        Some(Target::Arn(arn)) if is_admin => format!(", and with it IAM {arn}"),
        Some(Target::Sink(sink)) if is_admin && *sink != "cluster-admin" => format!(", and with it {sink}"),
        _ => String::new(),
    }
}

/// A way that depends on conditions.
///
/// # Errors
/// If writing fails.
pub fn possible_way(
    out: &mut dyn Write,
    cluster: &Cluster,
    traced: &Traced<'_, '_>,
    possible: &Possible,
    target: Option<&Target>,
) -> io::Result<()> {
    let conditions = condition_texts(cluster, &possible.conditions).len();
    let if_what = match conditions {
        0 | 1 => "if one thing holds".to_owned(),
        several => format!("if {several} things hold"),
    };
    let (title, reach) = (&traced.from().title, &possible.reach);
    let with_it = with_it(target, reach);
    let (what, depth) = (in_words(&reach.identity), in_steps(reach.depth));
    let heading = format!("{title} may reach {what} {depth}{with_it}, {if_what}");
    steps(out, cluster, traced, reach, &heading)
}

fn steps(
    out: &mut dyn Write,
    cluster: &Cluster,
    traced: &Traced<'_, '_>,
    reach: &Reach,
    heading: &str,
) -> io::Result<()> {
    let hops = traced.hops(reach);
    let power = traced.power(reach);
    Aligned::write(out, 0, |lines| {
        lines.bare(0, heading)?;
        for (hop, number) in hops.iter().zip(1usize..) {
            hop_lines(lines, cluster, number, hop)?;
        }
        if let Some((who, ground)) = &power {
            let (text, place) = ground_lines(cluster, ground);
            lines.bare(1, format_args!("then {who} has {}", reach.identity))?;
            lines.bare(4, &ground.asked)?;
            lines.line(5, text, place)?;
        }
        Ok(())
    })
}

/// Everything that one start reaches.
///
/// # Errors
/// If writing fails.
pub fn one(out: &mut dyn Write, cluster: &Cluster, traced: &Traced<'_, '_>) -> io::Result<()> {
    let paths = &traced.paths;
    let title = &traced.from().title;
    if paths.reached.is_empty() && paths.roles.is_empty() {
        return Aligned::write(out, 0, |lines| {
            lines.bare(0, format_args!("{title} reaches nothing beyond its own rights for certain"))
        });
    }
    for reach in traced.sinks() {
        way(out, cluster, traced, &reach)?;
        writeln!(out)?;
    }
    list(out, "reached", &paths.reached)?;
    list(out, "roles gained", &paths.roles)
}

fn list(out: &mut dyn Write, heading: &str, reaches: &[Reach]) -> io::Result<()> {
    if reaches.is_empty() {
        return Ok(());
    }
    Aligned::write(out, 0, |lines| {
        lines.bare(0, format_args!("{heading}: {}", reaches.len()))?;
        for reach in reaches.iter().take(SHOWN) {
            let last: Vec<&str> = reach.last.iter().map(Step::id).collect();
            lines.line(1, format_args!("{:>2}  {}", reach.depth, reach.identity), last.join(", "))?;
        }
        if reaches.len() > SHOWN {
            lines.bare(1, format_args!("and {} more; -o json lists them", reaches.len() - SHOWN))?;
        }
        Ok(())
    })
}

/// What uncertain steps add: the ways to sinks, then everything in a list.
///
/// # Errors
/// If writing fails.
pub fn possible(out: &mut dyn Write, cluster: &Cluster, traced: &Traced<'_, '_>) -> io::Result<()> {
    if traced.possible.is_empty() {
        return Ok(());
    }
    let mut told: Vec<&str> = Vec::new();
    for sink in SINKS {
        let certain = traced.paths.sinks.iter().any(|(name, depth)| *name == sink && depth.is_some());
        let Some(own) = traced.possibly_to(&Target::Sink(sink)).filter(|_| !certain) else { continue };
        if told.contains(&own.reach.identity.as_str()) {
            continue;
        }
        told.push(&own.reach.identity);
        writeln!(out)?;
        possible_way(out, cluster, traced, own, None)?;
    }
    writeln!(out)?;
    Aligned::write(out, 0, |lines| {
        lines.bare(0, format_args!("possible: {}", traced.possible.len()))?;
        // Accounts that only bindings name are many: those of Kubernetes' own controllers alone are thirty.
        let (absent, others): (Vec<&Possible>, Vec<&Possible>) = traced
            .possible
            .iter()
            .partition(|own| matches!(own.conditions.as_slice(), [Condition::AccountExists(_)]));
        for own in others.iter().take(SHOWN) {
            let conditions = condition_texts(cluster, &own.conditions);
            let text = match conditions.as_slice() {
                [] => String::new(),
                [only] => format!("if {only}"),
                several => format!("if {} things hold", several.len()),
            };
            lines.line(1, format_args!("{:>2}  {}", own.reach.depth, own.reach.identity), text)?;
        }
        if others.len() > SHOWN {
            lines.bare(1, format_args!("and {} more; -o json lists them", others.len() - SHOWN))?;
        }
        if !absent.is_empty() {
            let accounts = counted(absent.len(), "service account");
            let text = format!("{accounts} that bindings name and the inputs do not hold, if they exist");
            lines.bare(1, format_args!("{text}; -o json lists them"))?;
        }
        Ok(())
    })
}

/// What ways need that is not in the inputs.
pub fn missing(cluster: &Cluster) -> Vec<&'static str> {
    let policy = cluster.graph().policy();
    let all = [
        (policy.inventory.workloads.is_empty(), "pods"),
        (policy.namespaces.is_empty(), "Namespaces"),
        (cluster.iam().is_empty(), "IAM data"),
    ];
    all.into_iter().filter_map(|(is_missing, name)| is_missing.then_some(name)).collect()
}

/// What the answer rests on, in the last lines.
pub fn basis(cluster: &Cluster) -> Basis {
    let mut short = notes::short(cluster);
    let mut lines = vec![
        super::notes::inputs(cluster),
        "assumes that no admission policy refuses the requests, that containers can be scheduled and images pulled, that \
         there is an EC2 node, and that whoever edits aws-auth has some IAM principal"
            .to_owned(),
    ];
    let policy = cluster.graph().policy();
    if policy.inventory.workloads.is_empty() {
        lines.push(
            "no pods and workloads in the inputs: ways through running pods, their tokens and nodes are missing; export them as well"
                .to_owned(),
        );
    }
    if policy.namespaces.is_empty() {
        lines.push(
            "no Namespaces in the inputs: whether one lets privileged pods in is unknown; export them as well"
                .to_owned(),
        );
    }
    if cluster.iam().is_empty() {
        lines.push(
            "no IAM data in the inputs: which IAM roles service accounts, nodes and people can assume is unknown; \
             add the output of `aws iam get-account-authorization-details`"
                .to_owned(),
        );
    }
    let missing = missing(cluster);
    if !missing.is_empty() {
        let _ = write!(short, "; without {}, so ways through these are missing", missing.join(", "));
    }
    lines.push(
        "not followed: what pods answer on the network, traffic that is redirected, API groups that are taken over, and \
         changes of IAM policies"
            .to_owned(),
    );
    if cluster.completeness() == crate::model::policy::Completeness::Partial {
        lines.push(
            "inputs treated as partial: RBAC objects that are not in them may open more ways".to_owned(),
        );
    }
    Basis { lines, short }
}
