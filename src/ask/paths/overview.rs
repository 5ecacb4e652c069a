//! What each start reaches, in numbers: starts that can do the same are searched once.
//!
//! Two starts are alike if they pass the same checks wherever that makes a difference. Which roles give them the checks
//! matters only where roles are handed on or changed on the way; then each class of identities is searched by itself.

use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::checks::{Bits, CUSTOM, Check, OF_APPLIES};
use super::closure::{Closure, Fact, NEVER, Round, Start, Told};
use super::identities::{Class, Crowd, Identities};
use super::listing::{sinks, sinks_until};
use super::world::{CLUSTER, EVERY, Place, Space, World, kind_of};
use super::{From, Search, nothing};

/// What one start reaches, in numbers.
#[derive(Clone, Debug)]
pub struct Overview {
    /// How many identities, nodes and powers; `None` for whoever reaches cluster-admin, and with it everything.
    pub reached: Option<usize>,
    /// The sinks in order of name, each with its depth.
    pub sinks: Vec<(&'static str, Option<Round>)>,
    /// Sinks that are reached only if conditions hold.
    pub possible: Vec<&'static str>,
}

impl Overview {
    /// The depth of a sink.
    pub fn depth(&self, sink: &str) -> Option<Round> {
        self.sinks.iter().find(|(name, _)| *name == sink).and_then(|(_, depth)| *depth)
    }

    /// Whether a sink is reached, for certain or if conditions hold.
    pub fn may_reach(&self, sink: &str) -> bool {
        self.depth(sink).is_some() || self.possible.contains(&sink)
    }

    /// Whether any sink is reached.
    pub fn reaches_a_sink(&self) -> bool {
        self.sinks.iter().any(|(_, depth)| depth.is_some())
    }
}

impl Default for Overview {
    fn default() -> Self {
        Self { reached: Some(0), sinks: nothing().sinks, possible: Vec::new() }
    }
}

/// What is known of all who are alike.
#[derive(Clone, Debug)]
struct Known {
    overview: Overview,
    members: Members,
}

/// The service accounts and users reached: who is one of them does not count itself.
#[derive(Clone, Debug)]
struct Members {
    accounts: Numbers,
    others: Numbers,
}

/// A set of numbers: few as a list, many as bits.
#[derive(Clone, Debug)]
enum Numbers {
    Few(Box<[u32]>),
    Many(Box<[u64]>),
}

impl Numbers {
    fn of(mut few: Vec<u32>) -> Self {
        let most = few.iter().max().map_or(0, |number| *number as usize + 1);
        if few.len() * 32 < most {
            few.sort_unstable();
            return Self::Few(few.into());
        }
        let mut many = vec![0u64; most.div_ceil(64)];
        for number in few {
            if let Some(word) = many.get_mut(number as usize / 64) {
                *word |= 1 << (number % 64);
            }
        }
        Self::Many(many.into())
    }

    fn contain(&self, number: u32) -> bool {
        match self {
            Self::Few(few) => few.binary_search(&number).is_ok(),
            Self::Many(many) => {
                many.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
            }
        }
    }
}

impl Members {
    fn of(closure: &Closure, until: Round) -> Self {
        let accounts = closure.accounts.filled().iter().copied();
        let accounts = accounts.filter(|number| closure.accounts.get(*number).round <= until).collect();
        let others = closure.others.iter().filter(|(_, own)| own.round <= until);
        let others = others.map(|(number, _)| *number).collect();
        Self { accounts: Numbers::of(accounts), others: Numbers::of(others) }
    }

    fn contain(&self, fact: Fact) -> bool {
        match fact {
            Fact::Account(number) => self.accounts.contain(number),
            Fact::Other(number) => self.others.contain(number),
            _ => false,
        }
    }
}

/// What makes starts alike: per place the checks that make a difference there, and the roles that answer some only with a
/// name.
type Likeness = Box<[(Place, Bits, u32)]>;
/// In how many steps at most, and whether the start is in `system:masters`.
type Terms = (bool, Option<Round>);

/// What was found already, and room to find more.
#[derive(Debug, Default)]
pub(super) struct Overviews {
    known: Vec<Known>,
    of_class: FxHashMap<(Class, Terms), usize>,
    /// `None` where those who are alike do not reach the same.
    of_alike: FxHashMap<(Likeness, Terms), Option<usize>>,
    room: Option<Box<Closure>>,
    knows_crowds: bool,
}

impl Clone for Overviews {
    fn clone(&self) -> Self {
        Self {
            known: self.known.clone(),
            of_class: self.of_class.clone(),
            of_alike: self.of_alike.clone(),
            room: None,
            knows_crowds: self.knows_crowds,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Search<'_> {
    /// Whether somebody is more than the roles that are bound to it: then it is searched by itself.
    pub(super) fn is_special(&self, start: Start) -> bool {
        let account = match start.fact {
            Some(Fact::Account(number)) => self.world.outside.of_account.contains_key(&number),
            _ => false,
        };
        account || start.iam.is_some()
    }

    /// The sinks that a start reaches; the room in which they were looked for goes back when it has been read.
    pub(super) fn look(&mut self, start: Start, most: Option<Round>, told: (Told, bool)) -> Box<Closure> {
        let (world, identities) = (&mut self.world, &mut self.identities);
        let mut room =
            self.overviews.room.take().unwrap_or_else(|| Box::new(Closure::new(world, identities)));
        room.look(world, identities, start, most, told);
        room
    }

    /// Gives the room of a search back, for the next one.
    pub(super) fn give_back(&mut self, room: Box<Closure>) {
        self.overviews.room = Some(room);
    }

    /// Which crowds become cluster-admin, if conditions hold: looked at once, if any role could reach one.
    fn know_crowds(&mut self) {
        if std::mem::replace(&mut self.overviews.knows_crowds, true) {
            return;
        }
        let checks = [
            Check::WriteWebhooks,
            Check::WriteMutations,
            Check::RunByOperator,
            Check::CreateCertificates,
            Check::ChangeCertificates,
        ];
        let any = checks.into_iter().fold(0, |all, check| all | check.bit());
        let reaches = |own: &super::checks::Answers| own.any & any != 0 && !own.is_everything();
        if !self.world.answers.iter().any(reaches) {
            return;
        }
        let (world, identities) = (&mut self.world, &mut self.identities);
        let mut room = Closure::new(world, identities);
        for crowd in [Crowd::Accounts, Crowd::Everybody] {
            if room.is_admin_crowd(world, identities, crowd) {
                identities.admin_crowds.push(crowd);
            }
        }
        self.overviews.room = Some(Box::new(room));
    }

    /// What whoever is root on a node reaches.
    pub fn overview_of_node(&mut self, node: &str) -> Overview {
        let names = &self.world.policy().names;
        let Some(number) = self.world.nodes.iter().position(|own| names.text(*own) == node) else {
            return Overview::default();
        };
        let class = self.identities.class_of(&self.world, &[]);
        let fact = u32::try_from(number).ok().map(Fact::Node);
        let start = Start { class, fact, is_master: false, iam: None, is_user: false };
        let closure = self.look(start, None, (Told::Sinks, false));
        let overview = overview(&closure);
        self.overviews.room = Some(closure);
        overview
    }

    /// What somebody reaches, in numbers: identities with equal rights are searched once.
    pub fn overview(&mut self, from: &From, most: Option<Round>) -> Overview {
        let Some(start) = self.start(from) else { return Overview::default() };
        if most.is_none() {
            self.know_crowds();
        }
        self.overview_of(start, most)
    }

    fn overview_of(&mut self, start: Start, most: Option<Round>) -> Overview {
        if self.is_special(start) {
            let closure = self.look(start, most, (Told::Sinks, most.is_none()));
            let own = overview(&closure);
            self.overviews.room = Some(closure);
            let is_itself = matches!(start.fact, Some(Fact::Account(_) | Fact::Other(_)));
            let reached = own.reached.map(|reached| reached.saturating_sub(usize::from(is_itself)));
            return Overview { reached, ..own };
        }
        let number = self.number_of_known(start, most);
        let Some(known) = self.overviews.known.get(number) else { return Overview::default() };
        let is_itself = start.fact.is_some_and(|fact| known.members.contain(fact));
        let reached = known.overview.reached.map(|reached| reached - usize::from(is_itself));
        Overview { reached, ..known.overview.clone() }
    }

    /// The same of many, in their order, on every core. Service accounts are looked at first: what they reach shortens the
    /// search from those who may become them.
    pub fn overviews(&mut self, froms: &[From], most: Option<Round>) -> Vec<Overview> {
        let is_account = |from: &From| from.title.starts_with("ServiceAccount ");
        let starts: Vec<Option<Start>> = froms.iter().map(|from| self.start(from)).collect();
        if most.is_none() {
            self.know_crowds();
        }
        let mut order: Vec<usize> = (0..froms.len()).collect();
        order.sort_by_key(|index| !froms.get(*index).is_some_and(is_account));
        let groups = self.alike(&starts, &order);
        let mut found = vec![Overview::default(); froms.len()];
        self.spread(
            groups,
            |search, members| -> Vec<(usize, Overview)> {
                let overview = |(index, start): (usize, Start)| (index, search.overview_of(start, most));
                members.into_iter().map(overview).collect()
            },
            |overviews| {
                for (index, overview) in overviews {
                    if let Some(own) = found.get_mut(index) {
                        *own = overview;
                    }
                }
                ControlFlow::Continue(())
            },
        );
        found
    }

    /// Starts that may be searched together, with their positions; those that are special each alone.
    fn alike(&self, starts: &[Option<Start>], order: &[usize]) -> Vec<Vec<(usize, Start)>> {
        let mut groups: Vec<Vec<(usize, Start)>> = Vec::new();
        let mut of_class: FxHashMap<(Class, bool), usize> = FxHashMap::default();
        let mut of_alike: FxHashMap<(Likeness, bool), usize> = FxHashMap::default();
        for index in order.iter().copied() {
            let Some(start) = starts.get(index).copied().flatten() else { continue };
            let next = groups.len();
            let number = if self.is_special(start) {
                next
            } else {
                *of_class.entry((start.class, start.is_master)).or_insert_with(|| {
                    match likeness(&self.world, &self.identities, start.class) {
                        Some(alike) => *of_alike.entry((alike, start.is_master)).or_insert(next),
                        None => next,
                    }
                })
            };
            match groups.get_mut(number) {
                Some(group) => group.push((index, start)),
                None => groups.push(vec![(index, start)]),
            }
        }
        groups
    }

    /// What is known of whoever is like a start, by number.
    fn number_of_known(&mut self, start: Start, most: Option<Round>) -> usize {
        let terms = (start.is_master, most);
        if let Some(known) = self.overviews.of_class.get(&(start.class, terms)) {
            return *known;
        }
        let alike = likeness(&self.world, &self.identities, start.class).map(|alike| (alike, terms));
        let known = alike.as_ref().and_then(|alike| self.overviews.of_alike.get(alike).copied());
        let number = match known {
            Some(Some(number)) => number,
            not_shared => {
                let closure = self.look(Start { fact: None, ..start }, most, (Told::Sinks, most.is_none()));
                if most.is_none() && closure.admin.round != NEVER {
                    self.identities.admin_classes.insert(start.class);
                }
                let until = closure.certain_until.unwrap_or(NEVER - 1);
                let members = Members::of(&closure, until);
                let number = self.overviews.known.len();
                self.overviews.known.push(Known { overview: overview(&closure), members });
                if let (None, Some(alike)) = (not_shared, alike) {
                    let is_shared = !closure.hands_on_roles();
                    self.overviews.of_alike.insert(alike, is_shared.then_some(number));
                }
                self.overviews.room = Some(closure);
                number
            }
        };
        self.overviews.of_class.insert((start.class, terms), number);
        number
    }
}

/// What makes a class like others; `None` where it matters which roles it holds.
fn likeness(world: &World<'_>, identities: &Identities, class: Class) -> Option<Likeness> {
    let held = identities.held(class)?;
    if world.is_thorough || held.is_personal() {
        return None;
    }
    let mut alike: Vec<(Place, Bits, u32)> = Vec::new();
    let counts = if held.applies() { !0 } else { !OF_APPLIES };
    // Pairs are in order of place, those of the cluster first.
    let (mut wide, mut here) = (0, (CLUSTER, 0));
    let pairs = || held.pairs.iter().map(|pair| identities.pair_at(*pair));
    let mut close = |(place, bits): (Place, Bits), wide: &mut Bits| {
        if place == CLUSTER || place == EVERY {
            *wide |= bits;
        }
        if bits != 0 {
            alike.push((place, bits, u32::MAX));
        }
    };
    for (role, place) in pairs() {
        if here.0 != place {
            close(here, &mut wide);
            here = (place, 0);
        }
        let Some(answers) = world.answers(role) else { continue };
        here.1 |= answers.any & counts & different(world, place, wide);
    }
    close(here, &mut wide);
    for (role, place) in pairs() {
        let Some(answers) = world.answers(role) else { continue };
        if answers.named_bits & counts & different(world, place, wide) != 0 {
            alike.push((place, 0, role));
        }
    }
    Some(alike.into())
}

/// The checks that make a difference in a place, for whoever passes others everywhere.
fn different(world: &World<'_>, place: Place, wide: Bits) -> Bits {
    let all = |checks: &[Check]| checks.iter().fold(0, |all, check| all | check.bit());
    let missing =
        Check::ALL.into_iter().filter(|check| CUSTOM & check.bit() != 0 && !world.is_installed(*check));
    let none = missing.fold(0, |all, check| all | check.bit());
    let Some(space) = world.space(place) else {
        return if place == CLUSTER { !none } else { !none & !wide };
    };
    // Asked in the cluster alone.
    let mut same = none | wide | IN_CLUSTER;
    if place != world.kube_system {
        same |= all(&[Check::ChangeConfigMaps, Check::DeleteConfigMaps, Check::CreateConfigMaps]);
    }
    let tells_workloads = !world.policy().inventory.workloads.is_empty();
    let in_pods = all(&[Check::ChangePods, Check::Exec, Check::AddContainers]);
    let on_workloads = |check: &Check| kind_of(*check).is_some();
    if tells_workloads {
        let is_absent = |check: &Check| space.workloads.iter().all(|(own, _)| own != check);
        let absent = Check::ALL.into_iter().filter(on_workloads).filter(is_absent);
        same |= absent.fold(0, |all, check| all | check.bit());
    }
    if space.pods.is_empty() {
        same |= all(&[Check::Attach, Check::MovePods]) | if tells_workloads { in_pods } else { 0 };
    }
    let exists = |number: &u32| world.accounts.get(*number as usize).is_some_and(|account| account.exists);
    if space.accounts.iter().all(exists) {
        same |= Check::CreateAccounts.bit();
    }
    if wide & all(&[Check::CreatePods, Check::CreateWorkloads]) != 0 {
        same |= same_for_whoever_runs_pods(world, space);
    }
    !same
}

/// The checks that make no difference in a namespace to whoever runs pods everywhere, and so has every service account
/// and, if some namespace lets it, every node in one step.
fn same_for_whoever_runs_pods(world: &World<'_>, space: &Space) -> Bits {
    let all = |checks: &[Check]| checks.iter().fold(0, |all, check| all | check.bit());
    let on_workloads = Check::ALL.into_iter().filter(|check| kind_of(*check).is_some());
    let mut same = on_workloads.fold(0, |all, check| all | check.bit());
    same |= all(&[
        Check::CreateTokens,
        Check::ReadSecrets,
        Check::CreateSecrets,
        Check::Attach,
        Check::MovePods,
        Check::RunByOperator,
    ]);
    if !space.pods.iter().any(|number| world.pods.get(*number as usize).is_some_and(|pod| pod.opens)) {
        same |= all(&[Check::ChangePods, Check::Exec]);
    }
    if space.pods.is_empty() {
        same |= Check::AddContainers.bit();
    }
    if world.lets_privileged_somewhere {
        same |= Check::CreateClaims.bit();
        if space.pods.is_empty() {
            same |= Check::ChangeNamespaces.bit();
        }
    }
    same
}

/// The checks that are asked in the cluster alone.
const IN_CLUSTER: Bits = Check::ReachKubelets.bit()
    | Check::CreateVolumes.bit()
    | Check::CreateCertificates.bit()
    | Check::ApproveCertificates.bit()
    | Check::ApproveSigners.bit()
    | Check::SignSigners.bit()
    | Check::ChangeCertificates.bit()
    | Check::WriteWebhooks.bit()
    | Check::WriteValidations.bit()
    | Check::ChangeDefinitions.bit()
    | Check::WriteMutations.bit()
    | Check::BindMutations.bit()
    | Check::ChangeNodes.bit()
    | Check::WriteDrivers.bit();

fn overview(closure: &Closure) -> Overview {
    let until = closure.certain_until.unwrap_or(NEVER - 1);
    let accounts = closure.accounts.filled().iter().map(|number| closure.accounts.get(*number));
    let nodes = closure.nodes.filled().iter().map(|number| closure.nodes.get(*number));
    let others = [closure.any_node, closure.lost_node, closure.admin];
    let maps = [&closure.others, &closure.logins, &closure.iam].into_iter().flat_map(|map| map.iter());
    let own = closure.start.iam;
    let maps = maps.filter(|(number, reached)| reached.round > 0 || own != Some(**number));
    let maps = maps.map(|(_, reached)| *reached).chain(closure.namespace_admins.values().copied());
    let reached = accounts.chain(nodes).chain(others).chain(maps).filter(|own| own.round <= until).count();
    let reached = (closure.admin.round > until).then_some(reached);
    let certain = sinks(closure);
    let all = sinks_until(closure, NEVER - 1);
    let possible =
        all.iter().zip(&certain).filter(|((_, all), (_, certain))| all.is_some() && certain.is_none());
    let possible = possible.map(|((name, _), _)| *name).collect();
    Overview { reached, sinks: certain, possible }
}
