//! A way from a start to what it reaches, step by step: who does what, by which right, and what it gives.

use super::behind::Behind;
use super::checks::Check;
use super::closure::trace::Way;
use super::closure::{Closure, Fact, Round};
use super::outside::Condition;
use super::step::{Step, Steps};
use super::world::{CLUSTER, EVERY, FIRST, Place};
use super::{From, Gets, Of, Paths, Reach, Search};
use crate::decide::evaluate::Grant;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::rbac::{Role, Scope};
use crate::model::user::UserInfo;

/// Everything that one start reaches, with the ways there.
#[derive(Debug)]
pub struct Traced<'s, 'c> {
    pub(super) search: &'s Search<'c>,
    pub(super) closure: Option<Closure>,
    pub(super) from: From,
    /// What is reached for certain.
    pub paths: Paths,
    /// What is reached if conditions hold.
    pub possible: Vec<Possible>,
    /// Whether whoever is cluster-admin gets to what was asked for.
    pub(super) admin_gets: Gets,
}

/// Something that is reached if conditions hold.
#[derive(Clone, Debug)]
pub struct Possible {
    /// What, and in how many steps.
    pub reach: Reach,
    /// What must hold, of every step on the way.
    pub conditions: Vec<Condition>,
}

/// A right that a step takes.
#[derive(Clone, Debug)]
pub struct Ground<'c> {
    /// What is asked, such as `create pods in namespace ci`.
    pub asked: String,
    /// The binding and the rule that allow it, where a loaded binding does.
    pub grant: Option<Grant<'c>>,
    /// The role that allows it, where an earlier step bound or changed it.
    pub role: Option<&'c Role>,
    /// Whether an earlier step changed the role.
    pub is_changed: bool,
}

/// One step of a way.
#[derive(Clone, Debug)]
pub struct Hop<'c> {
    /// The kind of step.
    pub step: Step,
    /// Who takes it; of several who together can, the first.
    pub by: String,
    /// What it gives.
    pub becomes: String,
    /// What it is done to, where that says more: a pod, a Secret, a role.
    pub object: String,
    /// The rights that it takes.
    pub grounds: Vec<Ground<'c>>,
    /// What must hold for it; nothing where it is certain.
    pub conditions: Vec<Condition>,
    /// What earlier steps gave on which it rests; nothing where the start takes it alone.
    pub uses: Vec<String>,
}

/// Something that a way is to lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A sink by its name.
    Sink(&'static str),
    /// What is printed so: a service account, a user, a node, the admin of a namespace.
    Printed(String),
    /// An IAM ARN.
    Arn(String),
}

impl Target {
    /// Reads what a user writes: a sink, `NS/NAME` for a service account, an ARN, or anything as it is printed.
    pub fn read(text: &str) -> Self {
        if let Some(sink) = super::SINKS.into_iter().find(|sink| *sink == text) {
            return Self::Sink(sink);
        }
        let arn = text.strip_prefix("IAM ").unwrap_or(text);
        if arn.starts_with("arn:") {
            return Self::Arn(arn.to_owned());
        }
        match text.split_once('/') {
            Some((namespace, name)) if !text.contains(' ') => {
                Self::Printed(format!("ServiceAccount {namespace}/{name}"))
            }
            _ => Self::Printed(text.to_owned()),
        }
    }
}

impl<'c> Traced<'_, 'c> {
    /// The reach that a target is, if it is reached; being cluster-admin, where that has it at once.
    pub fn to(&self, target: &Target) -> Option<Reach> {
        let reached = |name: &str| self.paths.reached.iter().find(|reach| reach.identity == name).cloned();
        let by_admin = || reached("cluster-admin").filter(|_| matches!(self.admin_gets, Gets::Certainly(_)));
        let sink = match target {
            Target::Arn(arn) => {
                let outside = &self.search.world.outside;
                let number = outside.find(self.search.world.cluster, arn)?;
                let own = outside.arns.get(number as usize)?;
                return reached(&format!("IAM {}", own.text)).or_else(by_admin);
            }
            // A start is no way to itself.
            Target::Printed(name) if *name == self.from.title => return None,
            Target::Printed(name) => return reached(name).or_else(by_admin),
            Target::Sink(sink) => *sink,
        };
        let (_, depth) = self.paths.sinks.iter().find(|(name, _)| *name == sink)?;
        let depth = (*depth)?;
        let own = match sink {
            "cluster-admin" => None,
            "node" => {
                let mut nodes = self.paths.reached.iter();
                nodes.find(|reach| reach.identity.starts_with("node ")).cloned()
            }
            sink => {
                let trace = self.closure.as_ref()?.trace.as_ref()?;
                let is_right = trace.rights.contains_key(sink);
                let of = Of::Right(super::SINKS.into_iter().find(|name| *name == sink)?);
                is_right.then(|| Reach { identity: sink.to_owned(), depth, last: Steps::default(), of })
            }
        };
        own.filter(|own| own.depth == depth).or_else(|| reached("cluster-admin"))
    }

    /// The sinks that are reached for certain. Whoever is cluster-admin has every other sink at once: of those only what
    /// comes earlier counts besides.
    pub fn sinks(&self) -> Vec<Reach> {
        let sinks = self.paths.sinks.iter();
        let admin = sinks.clone().find(|(sink, _)| *sink == "cluster-admin").and_then(|(_, depth)| *depth);
        let mut found: Vec<Reach> = Vec::new();
        for (sink, depth) in sinks {
            let counts = depth
                .is_some_and(|depth| *sink == "cluster-admin" || admin.is_none_or(|admin| depth < admin));
            let reach = self.to(&Target::Sink(sink)).filter(|_| counts);
            found.extend(reach.filter(|own| found.iter().all(|known| known.identity != own.identity)));
        }
        found
    }

    /// The same among what is possible; a node is any.
    pub fn possibly_to(&self, target: &Target) -> Option<&Possible> {
        if matches!(target, Target::Printed(name) if *name == self.from.title) {
            return None;
        }
        let mut all = self.possible.iter();
        all.find(|own| self.is(target, &own.reach)).or_else(|| {
            let is_it = matches!(target, Target::Sink(_)) || self.admin_gets != Gets::Never;
            self.possible.iter().find(|own| is_it && own.reach.identity == "cluster-admin")
        })
    }

    /// Whether a reach is what was asked for.
    fn is(&self, target: &Target, reach: &Reach) -> bool {
        let name = reach.identity.as_str();
        match target {
            Target::Arn(arn) => {
                let outside = &self.search.world.outside;
                let number = outside.find(self.search.world.cluster, arn);
                let own = number.and_then(|number| outside.arns.get(number as usize));
                own.is_some_and(|own| name.strip_prefix("IAM ") == Some(&own.text))
            }
            Target::Printed(printed) => name == printed,
            Target::Sink("node") => name.starts_with("node "),
            Target::Sink(sink) => name == *sink,
        }
    }

    /// The same, or what has it at once.
    pub(super) fn could_be(&self, target: &Target, reach: &Reach) -> bool {
        self.is(target, reach) || reach.identity == "cluster-admin"
    }

    /// Says of what is reached by uncertain steps how many steps it takes, and what must hold.
    pub(super) fn find_possible(&mut self, beyond: Vec<Reach>, most: Option<Round>) {
        let mut found: Vec<Possible> = Vec::new();
        if let Some(closure) = &self.closure {
            let mut behind = Behind::new(self.search, closure);
            for mut reach in beyond {
                let ends = self.ends(&reach);
                reach.depth = ends.iter().map(|fact| behind.depth(*fact)).max().unwrap_or(0);
                if most.is_none_or(|most| reach.depth <= most) {
                    let conditions = behind.conditions(&ends);
                    found.push(Possible { reach, conditions });
                }
            }
        }
        found.sort_by(|a, b| {
            let is_sink = |own: &Possible| matches!(own.reach.of, Of::Everything(_) | Of::Right(_));
            let key = |own: &Possible| (!is_sink(own), own.conditions.len(), own.reach.depth);
            key(a).cmp(&key(b)).then_with(|| a.reach.identity.cmp(&b.reach.identity))
        });
        self.possible = found;
    }

    fn conditions_of(&self, fact: Fact) -> Vec<Condition> {
        let closure = self.closure.as_ref();
        closure
            .map(|closure| closure.conditions_of(&self.search.world, fact).into_owned())
            .unwrap_or_default()
    }

    /// Who starts.
    pub fn from(&self) -> &From {
        &self.from
    }

    /// The ids of the steps of a way.
    pub fn steps(&self, reach: &Reach) -> Vec<Step> {
        self.way(reach).into_iter().map(|(_, step)| step).collect()
    }

    /// The way to something, step by step.
    pub fn hops(&self, reach: &Reach) -> Vec<Hop<'c>> {
        let way = self.way(reach);
        way.into_iter().filter_map(|(fact, _)| self.hop(fact)).collect()
    }

    /// By what the last identity of a way has the power or the right to which it leads.
    pub fn power(&self, reach: &Reach) -> Option<(String, Ground<'c>)> {
        let closure = self.closure.as_ref()?;
        let trace = closure.trace.as_ref()?;
        let place = match reach.of {
            Of::Everything(place) => place,
            Of::Right(sink) => {
                let way = trace.rights.get(sink)?;
                return Some((self.show_who(way.who), self.grounds(way).into_iter().next()?));
            }
            Of::Fact(_) => return None,
        };
        if place == CLUSTER && trace.order(Fact::ClusterAdmin).is_some() {
            return None;
        }
        let way = trace.powers.get(&place)?;
        Some((self.show_who(way.who), self.grounds(way).into_iter().next()?))
    }

    fn way(&self, reach: &Reach) -> Vec<(Fact, Step)> {
        let Some(closure) = &self.closure else { return Vec::new() };
        let Some(trace) = &closure.trace else { return Vec::new() };
        let (world, identities) = (&self.search.world, &self.search.identities);
        let ends = self.ends(reach);
        let facts = closure.way_to(world, identities, &ends);
        facts.into_iter().filter_map(|fact| Some((fact, trace.derivation(fact)?.step))).collect()
    }

    /// The facts on which a reach rests.
    fn ends(&self, reach: &Reach) -> Vec<Fact> {
        let Some(closure) = &self.closure else { return Vec::new() };
        let Some(trace) = &closure.trace else { return Vec::new() };
        let (world, identities) = (&self.search.world, &self.search.identities);
        match reach.of {
            Of::Fact(fact) => vec![fact],
            Of::Everything(CLUSTER) if trace.order(Fact::ClusterAdmin).is_some() => {
                vec![Fact::ClusterAdmin]
            }
            Of::Right(sink) => {
                trace.rights.get(sink).map(|way| closure.facts_of(world, identities, way)).unwrap_or_default()
            }
            Of::Everything(place) => trace
                .powers
                .get(&place)
                .map(|way| closure.facts_of(world, identities, way))
                .unwrap_or_default(),
        }
    }

    fn hop(&self, fact: Fact) -> Option<Hop<'c>> {
        let closure = self.closure.as_ref()?;
        let derivation = closure.trace.as_ref()?.derivation(fact)?;
        let (world, identities) = (&self.search.world, &self.search.identities);
        let (ways, object) = closure.told(world, identities, fact);
        let mut uses: Vec<String> = derivation.uses.iter().map(|fact| self.show(*fact)).collect();
        for way in &ways {
            for fact in closure.facts_of(world, identities, way) {
                let shown = self.show(fact);
                if !uses.contains(&shown) {
                    uses.push(shown);
                }
            }
        }
        Some(Hop {
            uses,
            step: derivation.step,
            by: match ways.first() {
                Some(way) => self.show_who(way.who),
                None => derivation.uses.first().map(|fact| self.show(*fact)).unwrap_or_default(),
            },
            becomes: self.show(fact),
            object,
            grounds: ways.iter().flat_map(|way| self.grounds(way)).collect(),
            conditions: self.conditions_of(fact),
        })
    }

    /// A fact as people read it.
    fn show(&self, fact: Fact) -> String {
        let (world, identities) = (&self.search.world, &self.search.identities);
        match fact {
            Fact::Account(number) | Fact::Made(number) => world
                .accounts
                .get(number as usize)
                .map_or_else(String::new, |own| format!("ServiceAccount {}/{}", own.namespace, own.name)),
            Fact::Other(number) => self.search.show_other(number),
            Fact::Node(number) => {
                let name =
                    world.nodes.get(number as usize).map_or("", |name| world.policy().names.text(*name));
                format!("node {name}")
            }
            Fact::Iam(number) => {
                let text = world.outside.arns.get(number as usize).map_or("", |arn| &arn.text);
                format!("IAM {text}")
            }
            Fact::Login(number) => self.search.show_login(number),
            Fact::AnyNode => "node *".to_owned(),
            Fact::LostNode => "node ?".to_owned(),
            Fact::ClusterAdmin => "cluster-admin".to_owned(),
            Fact::Grant(pair) => {
                let (role, place) = identities.pair_at(pair);
                if place == EVERY {
                    return world
                        .show_role(role, FIRST)
                        .replace(&format!(" in {}", world.namespace(FIRST)), " in every namespace");
                }
                world.show_role(role, place)
            }
            Fact::Changed(role) => {
                format!("{}, which then says everything", world.show_role(role, world.home(role)))
            }
            Fact::ChangedIn(place) if place == EVERY => "every Role, which then says everything".to_owned(),
            Fact::ChangedIn(place) => {
                format!("every Role in {}, which then says everything", world.namespace(place))
            }
        }
    }

    fn show_who(&self, who: u32) -> String {
        let fact = self.closure.as_ref().and_then(|closure| closure.found.get(who as usize)?.fact);
        match fact.filter(|_| who != 0) {
            Some(fact) => self.show(fact),
            None => self.from.title.clone(),
        }
    }

    /// The user that an identity is.
    pub(super) fn user(&self, who: u32) -> Option<UserInfo> {
        match self.closure.as_ref()?.found.get(who as usize)?.fact.filter(|_| who != 0) {
            None => self.from.user.clone(),
            Some(fact) => self.search.user_of(fact),
        }
    }

    pub(super) fn ground(&self, way: &Way) -> Ground<'c> {
        let world = &self.search.world;
        let (role, at) = self.search.identities.pair_at(way.pair);
        let (text, grant) = self.granted(way, role, at);
        let loaded = world.policy().roles.get(role as usize);
        Ground {
            asked: text,
            grant: if way.is_granted || way.is_changed { None } else { grant },
            role: loaded.filter(|_| way.is_granted || way.is_changed),
            is_changed: way.is_changed,
        }
    }

    /// The request of a way that its role allows, and the grant that does.
    fn granted(&self, way: &Way, role: u32, at: Place) -> (String, Option<Grant<'c>>) {
        let world = &self.search.world;
        let names = &world.policy().names;
        let graph = world.cluster.graph();
        let (verbs, resources) = way.check.asked(world.cluster.version());
        let name = if way.name == Name::UNKNOWN { "" } else { names.text(way.name) };
        let namespace = world.namespace(way.place);
        let asker = self.user(way.who).map(|user| graph.asker(&user));
        let mut first: Option<String> = None;
        for (group, resource) in resources {
            for verb in verbs {
                let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
                let attributes = Attributes::Resource(ResourceAttributes {
                    verb,
                    group,
                    resource,
                    subresource,
                    name,
                    namespace,
                });
                let text = match way.check {
                    Check::Everything if namespace.is_empty() => "everything in the cluster".to_owned(),
                    Check::Everything => format!("everything in namespace {namespace}"),
                    _ => attributes.to_string(),
                };
                let Some(asker) = &asker else {
                    first.get_or_insert(text);
                    continue;
                };
                let found = graph.grants(asker, &attributes).allowing.into_iter().find(|grant| {
                    let place = match grant.applied.binding.scope {
                        Scope::Cluster => CLUSTER,
                        Scope::Namespace(namespace) => world.place(namespace),
                    };
                    place == at && grant.applied.role_number() == Some(role as usize)
                });
                if found.is_some() {
                    return (text, found);
                }
                first.get_or_insert(text);
            }
        }
        (first.unwrap_or_default(), None)
    }
}
