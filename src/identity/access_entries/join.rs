//! From facts to entries: what several files say of one principal is joined, and where they differ both places are named.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use facts::{
    association, bare, by_policy, content, dedup, differ, differ_groups, key_of_told, merge, merge_groups,
    normalise, only_associated,
};

use super::change::key_of_caller;
use super::entry::{Entry, key_of};
use super::facts::{AssociationFact, AuthenticationMode, EntryFact, Facts, Form, Standing};
use super::refused::{self, Checks};
use super::told::Told;
use super::{AccessEntries, EntryList};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::Source;

mod cluster;
mod facts;

/// What was said with the question, and what other rooms know.
pub struct JoinOptions<'a> {
    /// The cluster that is meant.
    pub cluster: Option<&'a str>,
    /// The authentication mode, whatever files say of it.
    pub mode: Option<AuthenticationMode>,
    /// Who created the cluster.
    pub creator: Option<&'a str>,
    /// The principals that are taken to have no entry, whatever the inputs lack.
    pub without: &'a [String],
    /// The principals whose entries are only supposed, so that a list of what there is does not hold them.
    pub supposed: &'a [String],
    /// Whether what was declared is everything.
    pub is_complete: bool,
    /// Whether only service-linked roles may have a policy.
    pub is_service_linked_only: &'a dyn Fn(&str) -> bool,
    /// A place as people write it.
    pub show: &'a dyn Fn(Source) -> String,
}

impl AccessEntries {
    /// Joins facts. `None` where neither the inputs nor the question say anything of access entries.
    pub fn join(mut facts: Facts, options: &JoinOptions<'_>) -> (Option<Self>, Vec<Diagnostic>) {
        if facts.is_empty() && options.mode.is_none() && options.creator.is_none() {
            return (None, Vec::new());
        }
        let mut join = Join { options, diagnostics: Vec::new() };
        let mut access = Self {
            cluster: None,
            mode: None,
            mode_source: None,
            entries: Vec::new(),
            by_key: FxHashMap::default(),
            patterns: Vec::new(),
            list: EntryList::Absent,
            recreated: FxHashSet::default(),
            without: options.without.iter().map(|arn| key_of_caller(arn)).collect(),
            creator: options.creator.map(key_of_caller),
            several: Vec::new(),
            arns: std::mem::take(&mut facts.arns),
        };
        access.arns.sort_unstable();
        access.arns.dedup();
        follow_references(&mut facts);
        match join.choose_cluster(&mut facts) {
            Ok(cluster) => access.cluster = cluster,
            Err(several) => {
                access.several = several;
                return (Some(access), join.diagnostics);
            }
        }
        let place = Join::account(&facts.clusters);
        let (account, partition) = match &place {
            Some((account, partition)) => (Some(account.as_str()), Some(partition.as_str())),
            None => (None, None),
        };
        let within = |told: &mut Told| *told = std::mem::take(told).within(account, partition);
        for entry in &mut facts.entries {
            within(&mut entry.principal);
            entry.policies.iter_mut().flatten().for_each(|policy| within(&mut policy.principal));
        }
        facts.associations.iter_mut().for_each(|association| within(&mut association.principal));

        let observed = facts.entries.iter().filter(|entry| entry.standing == Standing::Observed);
        let reported = observed.map(|entry| entry.source).min();
        (access.mode, access.mode_source) = join.mode(&facts.clusters, reported);
        access.list = join.list(&facts);
        join.entries(facts, account, &mut access);
        join.diagnostics.sort_by_key(|diagnostic| diagnostic.source);
        (Some(access), join.diagnostics)
    }
}

/// Puts the names of clusters in place of references to them, where the inputs hold what is referred to.
fn follow_references(facts: &mut Facts) {
    let unnamed: BTreeSet<&String> = facts
        .clusters
        .iter()
        .filter(|cluster| cluster.name.is_none())
        .filter_map(|cluster| cluster.object.as_ref())
        .collect();
    // Several clusters without a name are told apart by what refers to them.
    let several = unnamed.len() > 1;
    for cluster in &mut facts.clusters {
        if several && cluster.name.is_none() {
            cluster.name.clone_from(&cluster.object);
        }
    }
    let names: FxHashMap<&String, &String> = facts
        .clusters
        .iter()
        .filter_map(|cluster| Some((cluster.object.as_ref()?, cluster.name.as_ref()?)))
        .collect();
    let follow = |cluster: &mut Option<String>, object: &Option<String>| {
        if cluster.is_none()
            && let Some(object) = object
        {
            *cluster = names.get(object).map(|name| (*name).clone());
        }
    };
    facts.entries.iter_mut().for_each(|entry| follow(&mut entry.cluster, &entry.cluster_object));
    facts.associations.iter_mut().for_each(|one| follow(&mut one.cluster, &one.cluster_object));
}

struct Join<'a> {
    options: &'a JoinOptions<'a>,
    diagnostics: Vec<Diagnostic>,
}

impl Join<'_> {
    fn report(&mut self, code: Code, source: Source, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::at(code, source, message));
    }

    fn show(&self, source: Source) -> String {
        (self.options.show)(source)
    }

    fn entries(&mut self, facts: Facts, account: Option<&str>, access: &mut AccessEntries) {
        let checks = Checks { account, is_service_linked_only: self.options.is_service_linked_only };
        let mut order: Vec<String> = Vec::new();
        let mut groups: FxHashMap<String, Vec<EntryFact>> = FxHashMap::default();
        let mut unknown: Vec<Source> = Vec::new();
        for mut fact in facts.entries {
            if let Some(why) = checks.entry(&fact) {
                let message = format!(
                    "EKS would refuse the access entry of `{}`: {why}; it grants nothing",
                    fact.principal
                );
                self.report(Code::AccessEntryRefused, fact.source, message);
                continue;
            }
            refused::odd(&fact, &mut self.diagnostics);
            if fact.principal.is_open() {
                unknown.push(fact.source);
            }
            normalise(&mut fact);
            let key = match fact.principal.text() {
                Some(arn) => key_of(arn),
                None => key_of_told(&fact.principal, fact.source),
            };
            let group = groups.entry(key.clone()).or_default();
            if group.is_empty() {
                order.push(key);
            }
            group.push(fact);
        }
        let mut associations: FxHashMap<String, Vec<AssociationFact>> = FxHashMap::default();
        let mut open: Vec<AssociationFact> = Vec::new();
        let separate: BTreeSet<(Form, Standing)> =
            facts.associations.iter().map(|fact| (fact.form, fact.standing)).collect();
        for fact in facts.associations {
            if let Some(why) = checks.association(&fact) {
                let message = format!(
                    "EKS would refuse the association of `{}`: {why}; it grants nothing",
                    fact.principal
                );
                self.report(Code::AccessEntryRefused, fact.source, message);
                continue;
            }
            refused::idle_namespaces(&fact, &mut self.diagnostics);
            if fact.principal.is_open() {
                unknown.push(fact.source);
            }
            let Some(arn) = fact.principal.text() else {
                open.push(fact);
                continue;
            };
            let key = key_of(arn);
            if !groups.contains_key(&key) {
                groups.insert(key.clone(), vec![only_associated(&fact)]);
                order.push(key.clone());
            }
            associations.entry(key).or_default().push(fact);
        }
        let is_listed: Option<FxHashSet<String>> =
            matches!(access.list, EntryList::Complete(Some(_))).then(|| {
                let observed = |key: &&String| {
                    let facts = groups.get(*key).map(Vec::as_slice).unwrap_or_default();
                    facts.iter().any(|fact| fact.standing == Standing::Observed)
                };
                let supposed = self.options.supposed.iter().map(|arn| key_of(arn));
                order.iter().filter(observed).cloned().chain(supposed).collect()
            });
        for key in order {
            let Some(group) = groups.remove(&key) else { continue };
            let own = associations.remove(&key).unwrap_or_default();
            if let Some(listed) = &is_listed
                && !listed.contains(&key)
                && group.iter().all(|fact| fact.principal.text().is_some())
            {
                if let Some(fact) = group.first() {
                    let message = format!(
                        "an access entry of `{}` is declared here, and the list of entries that EKS reports does not hold it; it does not exist",
                        fact.principal
                    );
                    self.report(Code::AccessEntryDrift, fact.source, message);
                }
                continue;
            }
            let mut entry = self.entry(key, &group, own, &separate);
            self.of_type(&mut entry, &group);
            let number = access.entries.len();
            if entry.principal.text().is_some() {
                access.by_key.insert(entry.key.clone(), number);
            } else {
                access.patterns.push(number);
            }
            access.entries.push(entry);
        }
        Self::spread(&open, access);
        self.untold_principals(&unknown);
        self.recreated(&facts.principals, access);
    }

    /// Says that the principals of some entries and associations are not told.
    fn untold_principals(&mut self, unknown: &[Source]) {
        if let Some(first) = unknown.iter().min() {
            let message = if unknown.len() == 1 {
                "the inputs do not tell the principal of this access entry or association; it may belong to any that it fits"
                    .to_owned()
            } else {
                format!(
                    "the inputs do not tell the principals of {} access entries and associations, the first of them here; each may belong to any that it fits",
                    unknown.len()
                )
            };
            self.report(Code::UnknownPrincipal, *first, message);
        }
    }

    /// An association of which the principal is not known may be that of every entry that it fits.
    fn spread(open: &[AssociationFact], access: &mut AccessEntries) {
        for fact in open {
            let fitting = access.entries.iter_mut().filter(|entry| {
                fact.principal.to_string() == entry.principal.to_string()
                    || fact.principal.could_be_principal(&entry.key)
            });
            let mut found = false;
            for entry in fitting {
                found = true;
                // What the account of the deployment leaves open is taken to fit.
                let is_certain = !fact.principal.is_open()
                    || entry.key == key_of_told(&fact.principal, entry.source())
                        && fact.source.file == entry.source().file
                        && !fact.principal.is_nameless();
                let mut association = association(fact);
                association.is_certain = is_certain;
                entry.policies.push(association);
                entry.has_all_policies |= is_certain;
            }
            if !found {
                let mut entry = Entry {
                    policies: vec![association(fact)],
                    has_all_policies: !fact.is_one_of_several,
                    ..bare(fact.principal.clone(), fact.source)
                };
                entry.is_observed = fact.standing == Standing::Observed;
                access.patterns.push(access.entries.len());
                access.entries.push(entry);
            }
        }
    }

    /// The principals that were made after their entry: EKS compares the id that it stored, so that it is dead.
    fn recreated(&mut self, principals: &[super::PrincipalFact], access: &mut AccessEntries) {
        for principal in principals {
            let key = key_of(&principal.arn);
            let entry = access.by_key.get(&key).and_then(|number| access.entries.get(*number));
            let Some(entry) = entry else { continue };
            if entry.created_at.is_some_and(|created| created < principal.created_at) {
                let message = format!(
                    "the access entry of `{}` was made before the principal itself ({}), so it belongs to one that was deleted and matches nobody; make the entry anew",
                    entry.principal,
                    self.show(principal.source)
                );
                self.report(Code::PrincipalRecreated, entry.source(), message);
                access.recreated.insert(key);
            }
        }
    }

    /// One entry from all that is said of its principal.
    fn entry(
        &mut self,
        key: String,
        facts: &[EntryFact],
        associations: Vec<AssociationFact>,
        separate: &BTreeSet<(Form, Standing)>,
    ) -> Entry {
        let mut observed: Vec<&EntryFact> =
            facts.iter().filter(|fact| fact.standing == Standing::Observed).collect();
        let declared: Vec<&EntryFact> =
            facts.iter().filter(|fact| fact.standing == Standing::Declared).collect();
        // Of two reports the later one counts.
        observed.sort_by_key(|fact| std::cmp::Reverse(fact.modified_at));
        let tells = |facts: &[&EntryFact]| facts.iter().any(|fact| !fact.is_listed_only);
        let first = observed
            .iter()
            .chain(&declared)
            .find(|fact| !fact.is_listed_only)
            .or_else(|| observed.first())
            .or_else(|| declared.first());
        let Some(first) = first else { return bare(Told::unknown("?"), Source::default()) };
        let mut entry = bare(first.principal.clone(), first.source);
        entry.key = key;
        entry.is_observed = !observed.is_empty();
        entry.is_conditional = observed.is_empty() && declared.iter().all(|fact| fact.is_conditional);
        entry.created_at = observed.iter().find_map(|fact| fact.created_at);
        entry.places = std::iter::once(first.source).chain(facts.iter().map(|fact| fact.source)).collect();
        dedup(&mut entry.places);
        if tells(&observed) {
            let telling: Vec<&EntryFact> =
                observed.iter().copied().filter(|fact| !fact.is_listed_only).collect();
            self.settle(&mut entry, &telling, true);
            let told: Vec<&EntryFact> =
                declared.iter().copied().filter(|fact| !fact.is_listed_only).collect();
            self.drift(&entry, first, &told);
        } else {
            let telling: Vec<&EntryFact> =
                declared.iter().copied().filter(|fact| !fact.is_listed_only).collect();
            self.settle(&mut entry, &telling, false);
        }
        self.policies(&mut entry, &observed, &declared, associations, separate);
        entry
    }

    /// The fields of an entry, from facts of one standing, the one that counts first.
    fn settle(&mut self, entry: &mut Entry, facts: &[&EntryFact], observed: bool) {
        let Some((first, others)) = facts.split_first() else { return };
        entry.kind = first.kind.clone();
        entry.username = first.username.clone();
        entry.groups = first.groups.clone();
        for other in others {
            let later = observed && first.modified_at.is_some() && first.modified_at != other.modified_at;
            let differs = merge(&mut entry.kind, &other.kind, later)
                | merge(&mut entry.username, &other.username, later)
                | merge_groups(&mut entry.groups, &other.groups, later);
            let place = self.show(first.source);
            if !observed && first.form == other.form && first.source.file == other.source.file {
                let message = format!(
                    "`{}` has an access entry at {place} as well; EKS takes one for a principal and refuses the second{}",
                    entry.principal,
                    if differs { ", and which that is the file does not tell" } else { "" },
                );
                self.report(Code::DuplicateAccessEntry, other.source, message);
            } else if differs && !later {
                let message = format!(
                    "the access entry of `{}` is also defined, differently, at {place}; neither is known to be the later one, so what differs is unknown",
                    entry.principal
                );
                self.report(Code::AccessEntryConflict, other.source, message);
            }
        }
    }

    /// Names what is declared otherwise than EKS reports it.
    fn drift(&mut self, entry: &Entry, first: &EntryFact, declared: &[&EntryFact]) {
        for other in declared {
            let mut what = Vec::new();
            if differ(&entry.kind, &other.kind) {
                what.push("type");
            }
            if differ(&entry.username, &other.username) {
                what.push("username");
            }
            if differ_groups(&entry.groups, &other.groups) {
                what.push("groups");
            }
            if !what.is_empty() {
                let message = format!(
                    "the access entry of `{}` is declared here with other {} than EKS reports ({}); what EKS reports counts",
                    entry.principal,
                    what.join(" and "),
                    self.show(first.source)
                );
                self.report(Code::AccessEntryDrift, other.source, message);
            }
        }
    }

    fn policies(
        &mut self,
        entry: &mut Entry,
        observed: &[&EntryFact],
        declared: &[&EntryFact],
        associations: Vec<AssociationFact>,
        separate: &BTreeSet<(Form, Standing)>,
    ) {
        let nested = |facts: &[&EntryFact]| -> (bool, Vec<AssociationFact>) {
            let lists = facts.iter().filter_map(|fact| fact.policies.as_ref());
            (lists.clone().next().is_some(), lists.flatten().cloned().collect())
        };
        let (own_observed, own_declared): (Vec<_>, Vec<_>) =
            associations.into_iter().partition(|fact| fact.standing == Standing::Observed);
        let (mut read, mut seen) = nested(observed);
        read |= own_observed.iter().any(|fact| !fact.is_one_of_several);
        seen.extend(own_observed);
        let (mut is_declared, mut wanted) = nested(declared);
        is_declared |= !own_declared.is_empty();
        wanted.extend(own_declared);
        // A form that keeps associations apart, and shows some, shows all of those that it has.
        let shows_none = |facts: &[&EntryFact]| {
            facts.iter().any(|fact| {
                fact.form.has_separate_associations() && separate.contains(&(fact.form, fact.standing))
            })
        };
        read |= shows_none(observed);
        is_declared |= shows_none(declared);
        let uses_declared = !read && seen.is_empty();
        let used = if uses_declared { &wanted } else { &seen };
        entry.has_all_policies = if uses_declared { is_declared } else { read };
        entry.policies = by_policy(used);
        if !uses_declared
            && is_declared
            && by_policy(&wanted).iter().map(content).collect::<BTreeSet<_>>()
                != entry.policies.iter().map(content).collect::<BTreeSet<_>>()
        {
            let place = declared.first().map(|fact| fact.source).or(wanted.first().map(|fact| fact.source));
            let reported = seen.first().map_or(entry.source(), |fact| fact.source);
            if let Some(place) = place {
                let message = format!(
                    "other access policies are declared for `{}` here than EKS reports ({}); what EKS reports counts",
                    entry.principal,
                    self.show(reported)
                );
                self.report(Code::AccessEntryDrift, place, message);
            }
        }
    }

    /// What EKS refuses only now that the type of the entry is known.
    fn of_type(&mut self, entry: &mut Entry, facts: &[EntryFact]) {
        let Some(kind) = entry.kind.given().cloned() else { return };
        for fact in facts.iter().flat_map(|fact| fact.policies.iter().flatten()) {
            if let Some(why) = Checks::association_of_type(&kind, fact) {
                let message = format!(
                    "EKS would refuse the association of `{}`: {why}; it grants nothing",
                    entry.principal
                );
                self.report(Code::AccessEntryRefused, fact.source, message);
                entry.policies.retain(|policy| policy.source != fact.source);
            }
        }
    }
}

pub(super) fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
