//! The access entries of an EKS cluster as a source of identity, with the authentication mode that decides who is asked.
//!
//! Facts from any number of files are joined into one entry for each principal (`join`), and a caller's entry
//! becomes a user (`resolve`). What no file tells stays unknown and never becomes a "no".

mod change;
mod entry;
mod facts;
mod gap;
mod join;
mod lint;
mod mode;
mod refused;
mod resolve;
pub mod time;
mod told;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::source::Source;

pub use self::entry::Entry;
pub(crate) use self::facts::FactsMark;
pub use self::facts::{
    AssociationFact, AuthenticationMode, ClusterFact, EntryFact, Facts, Form, ListFact, PrincipalFact,
    Standing,
};
pub use self::join::JoinOptions;
pub use self::told::{HoleOf, Piece, Setting, Told};

/// Whether the inputs hold every access entry of the cluster.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum EntryList {
    /// Whoever is not among them has none.
    Complete(Option<Source>),
    /// There may be others.
    Partial,
    /// The inputs hold no entry and no list of them.
    Absent,
}

/// The access configuration of a cluster, as far as the inputs tell it.
#[derive(Clone, Debug)]
pub struct AccessEntries {
    /// The name of the cluster, if any input tells it.
    cluster: Option<String>,
    mode: Option<AuthenticationMode>,
    /// Where the mode stands; `None` where it was given with the question.
    mode_source: Option<Source>,
    entries: Vec<Entry>,
    /// The entry of each principal of which the ARN is known.
    by_key: FxHashMap<String, usize>,
    /// The entries of principals of which the ARN is not wholly known.
    patterns: Vec<usize>,
    list: EntryList,
    /// The principals that were made anew after their entry: it is dead.
    recreated: FxHashSet<String>,
    /// The principals that are taken to have no entry.
    without: FxHashSet<String>,
    /// Who created the cluster, in canonical form, folded; if that was said.
    creator: Option<String>,
    /// The clusters of which the inputs speak, where they are several and none was chosen.
    several: Vec<(String, Source)>,
    /// ARNs of clusters and of what belongs to them, in order.
    arns: Vec<String>,
}

impl AccessEntries {
    /// The name of the cluster, if any input tells it.
    pub fn cluster(&self) -> Option<&str> {
        self.cluster.as_deref()
    }

    /// ARNs of clusters, and of access entries and the like of clusters, that the inputs hold: they tell region and account.
    pub fn arns(&self) -> &[String] {
        &self.arns
    }

    /// The authentication mode; `None` where it is not known.
    pub fn mode(&self) -> Option<AuthenticationMode> {
        self.mode
    }

    /// Where the mode stands; `None` where it was given with the question, or is not known.
    pub fn mode_source(&self) -> Option<Source> {
        self.mode_source
    }

    /// Whether the inputs hold every entry.
    pub fn list(&self) -> EntryList {
        self.list
    }

    /// The entries, in the order in which the inputs first speak of them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries that decide for anybody: none in a mode that reads none, and none that is dead.
    pub fn entries_in_force(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter().filter(|entry| !self.recreated.contains(&entry.key));
        entries.filter(|_| self.reads_entries())
    }

    /// Whether it was said who created the cluster.
    pub fn has_creator(&self) -> bool {
        self.creator.is_some()
    }

    /// Whether `aws-auth` counts at all.
    pub fn reads_aws_auth(&self) -> bool {
        self.mode != Some(AuthenticationMode::Api)
    }

    /// Whether entries count at all.
    pub fn reads_entries(&self) -> bool {
        self.mode != Some(AuthenticationMode::ConfigMap)
    }
}
