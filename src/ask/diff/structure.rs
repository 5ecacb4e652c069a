//! Which objects differ, and whom that can touch: names and rules of the old side are found among those of the new one,
//! so that everything is compared as numbers.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Known;
use crate::ask::matrix::holder::HolderKind;
use crate::decide::cluster::Cluster;
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Authorizer, Binding, PolicyRule, RoleRef, RuleId, Scope, Subject};
use crate::model::source::Source;

/// An object that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectChange {
    /// ``RoleBinding `prod/oncall` ``.
    pub title: String,
    /// Where it stands in the old inputs.
    pub old: Option<Source>,
    /// Where it stands in the new ones.
    pub new: Option<Source>,
}

/// What differs between two clusters, object by object.
#[derive(Clone, Debug, Default)]
pub struct Structure {
    /// Roles and bindings that differ, by title.
    pub objects: Vec<ObjectChange>,
    /// Principals whose bindings, or the rules behind them, differ.
    pub(crate) touched: FxHashSet<Known>,
    /// The subjects among them.
    pub(crate) touched_subjects: FxHashSet<(HolderKind, String)>,
    /// Whether something differs that touches everybody: the version, the scope of a type, what could not be read.
    pub(crate) touches_all: bool,
    /// What that is, in words.
    pub general: Vec<String>,
}

/// The names of the old side as those of the new one.
struct Translation {
    names: Vec<Name>,
}

impl Translation {
    fn of(old: &Policy, new: &Policy) -> Self {
        let mut fresh = u32::try_from(new.names.len()).unwrap_or(u32::MAX);
        let names = old.names.iter().map(|(_, text)| {
            let found = new.names.lookup(text);
            if found != Name::UNKNOWN {
                return found;
            }
            // No name of the new side has this number.
            fresh += 1;
            Name::from_raw(fresh)
        });
        Self { names: names.collect() }
    }

    fn name(&self, name: Name) -> Name {
        self.names.get(name.index()).copied().unwrap_or(name)
    }

    fn scope(&self, scope: Scope) -> Scope {
        match scope {
            Scope::Cluster => Scope::Cluster,
            Scope::Namespace(name) => Scope::Namespace(self.name(name)),
        }
    }

    fn role_ref(&self, role_ref: RoleRef) -> RoleRef {
        RoleRef { name: self.name(role_ref.name), ..role_ref }
    }

    fn subject(&self, subject: Subject) -> Subject {
        match subject {
            Subject::User(name) => Subject::User(self.name(name)),
            Subject::Group(name) => Subject::Group(self.name(name)),
            Subject::Caller(name) => Subject::Caller(self.name(name)),
            Subject::ServiceAccount { namespace, name } => {
                Subject::ServiceAccount { namespace: self.name(namespace), name: self.name(name) }
            }
        }
    }

    /// The rules of the old side as those of the new one, where it has an equal one.
    fn rules(&self, old: &Policy, new: &Policy) -> Vec<Option<RuleId>> {
        let mut lists: [Vec<Name>; 5] = Default::default();
        let translate = |(_, rule): (RuleId, PolicyRule<'_>)| {
            let own =
                [rule.verbs, rule.api_groups, rule.resources, rule.resource_names, rule.non_resource_urls];
            for (list, own) in lists.iter_mut().zip(own) {
                list.clear();
                list.extend(own.iter().map(|name| self.name(*name)));
            }
            let [verbs, api_groups, resources, resource_names, non_resource_urls] = &lists;
            new.rules.find(&PolicyRule { verbs, api_groups, resources, resource_names, non_resource_urls })
        };
        old.rules.iter().map(translate).collect()
    }
}

/// Whether two lists hold the same, in whatever order.
fn same_set<T: Ord + Copy>(one: impl Iterator<Item = T>, other: impl Iterator<Item = T>) -> bool {
    let (mut one, mut other): (Vec<T>, Vec<T>) = (one.collect(), other.collect());
    if one == other {
        return true;
    }
    one.sort_unstable();
    one.dedup();
    other.sort_unstable();
    other.dedup();
    one == other
}

fn title(policy: &Policy, kind: &str, scope: Scope, name: Name) -> String {
    let text = |name| policy.names.text(name);
    match scope {
        Scope::Cluster => format!("{kind} `{}`", text(name)),
        Scope::Namespace(namespace) => format!("{kind} `{}/{}`", text(namespace), text(name)),
    }
}

impl Structure {
    /// Compares two clusters.
    pub(super) fn of(old: &Cluster, new: &Cluster) -> Self {
        let (old_policy, new_policy) = (old.graph().policy(), new.graph().policy());
        let translation = Translation::of(old_policy, new_policy);
        let rules = translation.rules(old_policy, new_policy);
        let mut structure = Self::default();
        structure.roles(old_policy, new_policy, &translation, &rules);
        structure.bindings(old, new, &translation, &rules);
        structure.touched_users(old);
        structure.touched_users(new);
        structure.world(old, new);
        structure.objects.sort();
        structure.objects.dedup();
        structure
    }

    fn roles(&mut self, old: &Policy, new: &Policy, names: &Translation, rules: &[Option<RuleId>]) {
        let by_name: FxHashMap<(Scope, Name), usize> =
            new.roles.iter().zip(0..).map(|(role, number)| ((role.scope, role.name), number)).collect();
        let mut found = vec![false; new.roles.len()];
        for role in &old.roles {
            let key = (names.scope(role.scope), names.name(role.name));
            let other = by_name.get(&key).copied().and_then(|number| {
                if let Some(found) = found.get_mut(number) {
                    *found = true;
                }
                new.roles.get(number)
            });
            let is_same = other.is_some_and(|other| {
                let own =
                    old.rules_of(role).iter().map(|placed| rules.get(placed.rule.index()).copied().flatten());
                let theirs = new.rules_of(other).iter().map(|placed| Some(placed.rule));
                let labels = role.labels.iter().map(|(key, value)| (names.name(*key), names.name(*value)));
                let selectors = |policy: &Policy, role: &crate::model::rbac::Role| -> Vec<String> {
                    let all = role.aggregation.iter().flatten().flatten();
                    all.map(|one| {
                        let values: Vec<&str> =
                            one.values.iter().map(|value| policy.names.text(*value)).collect();
                        format!("{} {:?} {values:?}", policy.names.text(one.key), one.operator)
                    })
                    .collect()
                };
                same_set(own, theirs)
                    && same_set(labels, other.labels.iter().copied())
                    && role.aggregation.is_some() == other.aggregation.is_some()
                    && (role.aggregation.is_none() || selectors(old, role) == selectors(new, other))
            });
            if !is_same {
                self.objects.push(ObjectChange {
                    title: title(old, role.kind().as_str(), role.scope, role.name),
                    old: Some(role.source),
                    new: other.map(|other| other.source),
                });
            }
        }
        for (role, _) in new.roles.iter().zip(found).filter(|(_, found)| !found) {
            self.objects.push(ObjectChange {
                title: title(new, role.kind().as_str(), role.scope, role.name),
                old: None,
                new: Some(role.source),
            });
        }
    }

    fn bindings(&mut self, old: &Cluster, new: &Cluster, names: &Translation, rules: &[Option<RuleId>]) {
        let (old_policy, new_policy) = (old.graph().policy(), new.graph().policy());
        // One name may have several bindings: those of access policies, and those whose roleRefs differ.
        let key = |scope: Scope, binding: &Binding, role_ref: RoleRef, name: Name| {
            (scope, name, role_ref, binding.authorizer() == Authorizer::Rbac)
        };
        let all: Vec<_> = new.graph().bindings().collect();
        let by_name: FxHashMap<_, usize> = all
            .iter()
            .zip(0..)
            .map(|(applied, number)| {
                let binding = applied.binding;
                (key(binding.scope, binding, binding.role_ref, binding.name), number)
            })
            .collect();
        let mut found = vec![false; all.len()];
        for applied in old.graph().bindings() {
            let binding = applied.binding;
            let role_ref = names.role_ref(binding.role_ref);
            let key = key(names.scope(binding.scope), binding, role_ref, names.name(binding.name));
            let number = by_name.get(&key).copied().filter(|number| found.get(*number) == Some(&false));
            let other = number.and_then(|number| {
                if let Some(found) = found.get_mut(number) {
                    *found = true;
                }
                all.get(number)
            });
            let Some(other) = other else {
                self.touch_binding(old, binding, true);
                continue;
            };
            let own = old_policy.subjects_of(binding).iter().map(|placed| names.subject(placed.subject));
            let theirs = new_policy.subjects_of(other.binding).iter().map(|placed| placed.subject);
            let has_same_subjects = same_set(own, theirs);
            if !has_same_subjects {
                self.objects.push(ObjectChange {
                    title: title(old_policy, binding.kind(), binding.scope, binding.name),
                    old: Some(binding.source),
                    new: Some(other.binding.source),
                });
            }
            let granted = |id: &RuleId| rules.get(id.index()).copied().flatten();
            let has_same_rules = applied.role.is_some() == other.role.is_some()
                && applied.is_contested == other.is_contested
                && same_set(
                    old.graph().rules_granted(&applied).iter().map(granted),
                    new.graph().rules_granted(other).iter().map(|id| Some(*id)),
                );
            if !has_same_subjects || !has_same_rules {
                self.touch_subjects(old, binding);
                self.touch_subjects(new, other.binding);
            }
        }
        for (applied, _) in all.iter().zip(found).filter(|(_, found)| !found) {
            self.touch_binding(new, applied.binding, false);
        }
    }

    fn touch_binding(&mut self, cluster: &Cluster, binding: &Binding, is_old: bool) {
        let policy = cluster.graph().policy();
        let source = Some(binding.source);
        self.objects.push(ObjectChange {
            title: title(policy, binding.kind(), binding.scope, binding.name),
            old: source.filter(|_| is_old),
            new: source.filter(|_| !is_old),
        });
        self.touch_subjects(cluster, binding);
    }

    fn touch_subjects(&mut self, cluster: &Cluster, binding: &Binding) {
        let policy = cluster.graph().policy();
        let text = |name: Name| policy.names.text(name).to_owned();
        for placed in policy.subjects_of(binding) {
            match placed.subject {
                Subject::User(name) => {
                    self.touched.insert((b'u', text(name)));
                }
                Subject::Group(name) => {
                    self.touched.insert((b'g', text(name)));
                    self.touched_subjects.insert((HolderKind::Group, text(name)));
                }
                Subject::Caller(name) => {
                    self.touched.insert((b'c', text(name)));
                }
                Subject::ServiceAccount { namespace, name } => {
                    let username = format!("system:serviceaccount:{}:{}", text(namespace), text(name));
                    self.touched.insert((b'u', username));
                }
            }
        }
    }

    /// The users and service accounts that bindings of a side name and that are touched: RBAC compares usernames, so a
    /// User and a ServiceAccount may be one.
    fn touched_users(&mut self, cluster: &Cluster) {
        let policy = cluster.graph().policy();
        let mut wanted: FxHashMap<Subject, (HolderKind, String)> = FxHashMap::default();
        for (_, username) in self.touched.iter().filter(|(kind, _)| *kind == b'u') {
            let name = policy.names.lookup(username);
            wanted.insert(Subject::User(name), (HolderKind::User, username.clone()));
            let Some((namespace, name)) =
                username.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
            else {
                continue;
            };
            let subject = Subject::ServiceAccount {
                namespace: policy.names.lookup(namespace),
                name: policy.names.lookup(name),
            };
            wanted.insert(subject, (HolderKind::ServiceAccount, format!("{namespace}/{name}")));
        }
        if wanted.is_empty() {
            return;
        }
        let bindings = policy.bindings.iter().filter(|binding| binding.authorizer() == Authorizer::Rbac);
        for placed in bindings.flat_map(|binding| policy.subjects_of(binding)) {
            if let Some(known) = wanted.remove(&placed.subject) {
                self.touched_subjects.insert(known);
            }
        }
    }

    /// What touches everybody.
    fn world(&mut self, old: &Cluster, new: &Cluster) {
        let mut general = Vec::new();
        if old.version() != new.version() {
            general.push(format!("the Kubernetes version was {} and is {}", old.version(), new.version()));
        }
        if old.platform() != new.platform() {
            general.push("one side shows an EKS cluster and the other does not".to_owned());
        }
        if old.completeness() != new.completeness() {
            general.push("one side is treated as complete and the other as partial".to_owned());
        }
        let (before, after) = (old.catalogue(), new.catalogue());
        for known in before.iter().filter(|known| known.from_crd.is_some()) {
            let other = after.find(&known.group, &known.plural);
            if other.is_some_and(|other| other.namespaced != known.namespaced) {
                general.push(format!(
                    "type `{}` is namespaced on one side and not on the other",
                    known.full_name()
                ));
            }
        }
        self.touches_all = !general.is_empty();
        let unread = |cluster: &Cluster| !cluster.summary().unread.is_empty();
        match (unread(old), unread(new)) {
            (true, false) => general.push("a document could not be read before, and can be now".to_owned()),
            (false, true) => general.push(
                "a document can no longer be read, or has placeholders; what it grants is unknown".to_owned(),
            ),
            _ => {}
        }
        match (old.coverage().nothing_read, new.coverage().nothing_read) {
            (true, false) => general.push(
                "the old side holds no Role and no binding, so all that the new one grants counts as gained"
                    .to_owned(),
            ),
            (false, true) => general.push(
                "the new side holds no Role and no binding, so all that the old one granted counts as lost"
                    .to_owned(),
            ),
            _ => {}
        }
        self.general = general;
    }
}
