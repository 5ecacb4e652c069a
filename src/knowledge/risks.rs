//! The catalogue of risks: what each needs, how much it matters where, why, and what mends it.

use std::sync::LazyLock;

use crate::model::finding::Level;
use crate::model::version::KubernetesVersion;

const TABLE: &str = include_str!("risks/table.txt");

/// How a risk is judged.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On effective access: its needs are asked of each identity.
    Effective,
    /// A result of the search for paths.
    Path,
    /// Of objects as they are written.
    Shape,
    /// Of identity mappings.
    Mapping,
    /// Of rights joined with workloads, namespaces or service accounts.
    Objects,
    /// Of an audit log.
    Usage,
    /// Not worth a finding.
    Drop,
}

impl Verdict {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "effective" => Self::Effective,
            "path" => Self::Path,
            "shape" => Self::Shape,
            "mapping" => Self::Mapping,
            "objects" => Self::Objects,
            "usage" => Self::Usage,
            "drop" => Self::Drop,
            _ => return None,
        })
    }
}

/// With which names a question is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// With any name.
    Any,
    /// Limited to names counts too, and is told as that.
    Some,
    /// One of these.
    These(Vec<&'static str>),
}

/// Where a question is asked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// In the scope under test.
    Scope,
    /// In the cluster alone.
    Cluster,
    /// In `kube-system`.
    KubeSystem,
    /// The namespace under test itself, in that namespace and with its name.
    Own,
}

/// One question, with alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Verbs, each an alternative.
    pub verbs: Vec<&'static str>,
    /// The API group.
    pub group: &'static str,
    /// Resources, each an alternative.
    pub resources: Vec<&'static str>,
    /// With which names.
    pub names: Names,
    /// Where.
    pub at: At,
}

/// Of every list one ask must be allowed.
pub type All = Vec<Vec<Ask>>;

/// A risk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The stable code.
    pub code: &'static str,
    /// How it is judged.
    pub verdict: Verdict,
    /// Its name.
    pub title: &'static str,
    /// Per scope how much it matters.
    pub severity: Vec<(&'static str, Level)>,
    /// The sink that it is.
    pub sink: Option<&'static str>,
    /// The steps of paths that it is.
    pub steps: Vec<&'static str>,
    /// What must be loaded to judge it.
    pub inputs: &'static str,
    /// Alternatives of what it needs.
    pub needs: Vec<All>,
    /// Where this holds another risk says it.
    pub not: All,
    /// URLs, one of which suffices.
    pub urls: Vec<&'static str>,
    /// The version from which it is asked.
    pub from: Option<&'static str>,
    /// Up to a version these verbs are asked instead.
    pub until: Option<(&'static str, Vec<&'static str>)>,
    /// Why it is a risk.
    pub why: &'static str,
    /// What mends it.
    pub fix: &'static str,
    /// Where guides speak of it.
    pub refs: Vec<(&'static str, &'static str)>,
}

impl Risk {
    /// How much it matters in a scope; `None` for no finding there.
    pub fn severity_in(&self, scope: &str) -> Option<Level> {
        self.severity.iter().find(|(own, _)| *own == scope).map(|(_, level)| *level)
    }

    /// Whether it is asked in a version.
    pub fn applies_to(&self, version: KubernetesVersion) -> bool {
        self.from.is_none_or(|from| from.parse().is_ok_and(|from: KubernetesVersion| version >= from))
    }

    /// The verbs that are asked instead of its own in a version.
    pub fn verbs_in(&self, version: KubernetesVersion) -> Option<&[&'static str]> {
        let (until, verbs) = self.until.as_ref()?;
        until.parse().is_ok_and(|until: KubernetesVersion| version <= until).then_some(verbs)
    }
}

/// Every risk, in the order of the catalogue.
pub fn all() -> &'static [Risk] {
    static ALL: LazyLock<Vec<Risk>> = LazyLock::new(read);
    &ALL
}

/// A risk by its code.
pub fn risk(code: &str) -> Option<&'static Risk> {
    all().iter().find(|risk| risk.code == code)
}

fn read() -> Vec<Risk> {
    let mut risks: Vec<Risk> = Vec::new();
    // What does not read is left out; the tests hold that there is none.
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix(' ') {
            None => risks.extend(head(line)),
            Some(line) => {
                if let (Some(risk), Some((key, value))) =
                    (risks.last_mut(), line.split_once(' ').or(Some((line, ""))))
                {
                    field(risk, key, value);
                }
            }
        }
    }
    risks
}

fn head(line: &'static str) -> Option<Risk> {
    let mut words = line.split(' ');
    let (code, verdict) = (words.next()?, Verdict::of(words.next()?)?);
    let severity = words
        .map(|word| word.split_once('=').and_then(|(scope, level)| Some((scope, Level::of(level)?))))
        .collect::<Option<_>>()?;
    Some(Risk {
        code,
        verdict,
        title: "",
        severity,
        sink: None,
        steps: Vec::new(),
        inputs: "",
        needs: Vec::new(),
        not: Vec::new(),
        urls: Vec::new(),
        from: None,
        until: None,
        why: "",
        fix: "",
        refs: Vec::new(),
    })
}

fn field(risk: &mut Risk, key: &'static str, value: &'static str) {
    match key {
        "title" => risk.title = value,
        "sink" => risk.sink = Some(value),
        "step" => risk.steps = value.split(',').collect(),
        "inputs" => risk.inputs = value,
        "or" => risk.needs.push(Vec::new()),
        "need" => {
            if risk.needs.is_empty() {
                risk.needs.push(Vec::new());
            }
            if let Some(last) = risk.needs.last_mut() {
                last.push(asks(value));
            }
        }
        "not" => risk.not.push(asks(value)),
        "url" => risk.urls.push(value),
        "from" => risk.from = Some(value),
        "until" => {
            risk.until = value.split_once(' ').map(|(until, verbs)| (until, verbs.split(',').collect()));
        }
        "why" => risk.why = value,
        "fix" => risk.fix = value,
        "refs" => risk.refs = value.split("; ").filter_map(|part| part.split_once('=')).collect(),
        _ => {}
    }
}

fn asks(text: &'static str) -> Vec<Ask> {
    text.split(" | ").filter_map(ask).collect()
}

fn ask(text: &'static str) -> Option<Ask> {
    let mut words = text.split(' ');
    let verbs = words.next()?.split(',').collect();
    let group = words.next().map(|group| if group == "core" { "" } else { group })?;
    let resources = words.next()?.split(',').collect();
    let mut ask = Ask { verbs, group, resources, names: Names::Any, at: At::Scope };
    for word in words {
        match word.split_once('=') {
            None if word == "some" => ask.names = Names::Some,
            Some(("names", names)) => ask.names = Names::These(names.split(',').collect()),
            Some(("at", "cluster")) => ask.at = At::Cluster,
            Some(("at", "kube-system")) => ask.at = At::KubeSystem,
            Some(("at", "own")) => ask.at = At::Own,
            _ => return None,
        }
    }
    Some(ask)
}
