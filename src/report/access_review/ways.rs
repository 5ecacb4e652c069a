//! The ways of a review: to which sinks its identities get by steps, in words and as pictures, and one picture of all ways
//! to cluster-admin.

use std::collections::BTreeMap;

use crate::ask::access_review::AccessReview;
use crate::ask::matrix::reachable::start_of;
use crate::ask::paths::{From, Overview, Reach, Search, Target, Traced};
use crate::report::paths::{self, in_steps};
use crate::report::paths_graph::Picture;
use crate::report::phrases::{counted, counted_as};

use super::cards::Card;
use super::title;

/// How many bytes of pictures of ways the cards have together.
const MOST_PICTURES: usize = 300_000;
/// How long one may be: a longer one is read better by itself.
const LONGEST_PICTURE: usize = 30_000;
/// How many starts are searched for pictures of cards.
const MOST_SEARCHES: usize = 100;
/// How many starts are searched for the picture of all ways to cluster-admin.
const MOST_TRACED: usize = 40;
/// How many boxes that picture has: with more nobody finds the way.
const MOST_BOXES: usize = 36;

const ADMIN: &str = "cluster-admin";

/// Where identities of a card get by steps: those of which it is the same.
#[derive(Clone, Debug)]
pub struct Ways {
    /// The identities, as numbers of rows.
    pub rows: Vec<usize>,
    /// To which sinks, in how many steps.
    pub said: String,
    /// The ways of the first of them, drawn; none where that is too much for a page.
    pub svg: Option<String>,
}

/// The ways to cluster-admin of all identities of a review.
#[derive(Clone, Debug)]
pub struct ToAdmin {
    /// How many there are, in words.
    pub said: String,
    /// What ways need that is not in the inputs; empty where nothing is missing.
    pub missing: String,
    /// Each way that is drawn, in a line.
    pub ways: Vec<String>,
    /// The picture; none where nobody gets there by steps.
    pub svg: Option<String>,
    /// What the picture leaves out; empty where it has all.
    pub left_out: String,
}

/// Where each identity of a review gets.
#[derive(Debug)]
pub struct Found<'c> {
    search: Search<'c>,
    starts: Vec<(From, Overview)>,
}

impl<'c> Found<'c> {
    /// Looks for everybody's ways.
    pub fn of(review: &AccessReview<'c>) -> Self {
        let mut search = Search::new(review.matrix.cluster());
        let froms: Vec<From> = review.rows.iter().map(|row| start_of(&row.holder)).collect();
        let overviews = search.overviews(&froms, None);
        Self { search, starts: froms.into_iter().zip(overviews).collect() }
    }

    /// The ways of each card.
    pub fn cards(&mut self, review: &AccessReview<'c>, cards: &[Card]) -> Vec<Vec<Ways>> {
        let (mut left, mut searches) = (MOST_PICTURES, MOST_SEARCHES);
        let mut all = Vec::new();
        for card in cards {
            let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for number in &card.rows {
                let said = self.starts.get(*number).map(|(_, overview)| said(overview)).unwrap_or_default();
                if !said.is_empty() {
                    groups.entry(said).or_default().push(*number);
                }
            }
            let mut groups: Vec<(String, Vec<usize>)> = groups.into_iter().collect();
            groups.sort_by_key(|(_, rows)| rows.first().copied());
            let ways = groups.into_iter().map(|(said, rows)| {
                let is_drawn = left > 0 && searches > 0;
                let first = rows.first().filter(|_| is_drawn);
                let svg = first.and_then(|number| {
                    searches -= 1;
                    let name = review.rows.get(*number).map_or("", title);
                    let svg = self.picture(*number)?.svg(&format!("Ways of {name} to sinks"));
                    (svg.len() <= LONGEST_PICTURE && svg.len() <= left).then_some(svg)
                });
                left -= svg.as_ref().map_or(0, String::len);
                Ways { rows, said, svg }
            });
            all.push(ways.collect());
        }
        all
    }

    /// The ways of an identity to sinks: the certain ones, and to others those that depend on conditions.
    fn picture(&mut self, number: usize) -> Option<Picture> {
        let (from, overview) = self.starts.get(number)?;
        let mut picture = Picture::default();
        let traced = if overview.possible.is_empty() {
            self.search.traced(from, None)
        } else {
            self.search.traced_with_possible(from, None)
        };
        for reach in traced.sinks().iter().filter(|reach| reach.depth > 0) {
            picture.add(&traced, reach);
        }
        for sink in possible_sinks(overview) {
            if let Some(own) = traced.possibly_to(&Target::Sink(sink)) {
                picture.add(&traced, &own.reach);
            }
        }
        Some(picture)
    }

    /// All ways to cluster-admin, with their picture.
    pub fn to_admin(&mut self, review: &AccessReview<'c>) -> ToAdmin {
        let mut certain: Vec<(u16, usize)> = Vec::new();
        let mut possible: Vec<usize> = Vec::new();
        for ((_, overview), number) in self.starts.iter().zip(0usize..) {
            match overview.depth(ADMIN) {
                Some(0) => {}
                Some(depth) => certain.push((depth, number)),
                None if overview.possible.contains(&ADMIN) => possible.push(number),
                None => {}
            }
        }
        certain
            .sort_by_key(|(depth, number)| (*depth, self.starts.get(*number).map(|(from, _)| &from.title)));
        let order = certain.iter().map(|(_, number)| *number).chain(possible.iter().copied());
        let mut picture = Picture::default();
        let mut ways = Vec::new();
        for number in order.take(MOST_TRACED) {
            let Some((from, _)) = self.starts.get(number) else { continue };
            let target = Target::Sink(ADMIN);
            let traced = self.search.traced_to(from, &target, None);
            let certain = traced.to(&target);
            let is_certain = certain.is_some();
            let reach = certain.or_else(|| traced.possibly_to(&target).map(|own| own.reach.clone()));
            let Some(reach) = reach else { continue };
            let mut more = picture.clone();
            more.add(&traced, &reach);
            if more.boxes() <= MOST_BOXES {
                picture = more;
                ways.push(line(&traced, &reach, is_certain));
            }
        }
        let drawn = ways.len();
        let all = certain.len() + possible.len();
        let left_out = if drawn < all {
            format!(
                "{drawn} of {all} are drawn, the nearest first, as many as a picture can show; the cards have the others, and \
                 `rbacsim paths --to {ADMIN} -o html` lists all of them"
            )
        } else {
            String::new()
        };
        let svg = (!picture.is_empty()).then(|| picture.bundled_svg(&format!("Ways to {ADMIN}")));
        let missing = match paths::missing(review.matrix.cluster()).as_slice() {
            [] => String::new(),
            missing => {
                format!("The inputs have no {}, so ways through these are missing.", missing.join(", no "))
            }
        };
        ToAdmin { said: heading(&certain, possible.len()), missing, ways, svg, left_out }
    }
}

/// How many get to cluster-admin by steps.
fn heading(certain: &[(u16, usize)], possible: usize) -> String {
    let mut parts = Vec::new();
    if let (Some((low, _)), Some((high, _))) = (certain.first(), certain.last()) {
        let steps = if low == high { in_steps(*low) } else { format!("in {low} to {high} steps") };
        let who = counted_as(certain.len(), "identity gets", "identities get");
        parts.push(format!("{who} to {ADMIN} {steps}"));
    }
    if possible > 0 {
        let more = if parts.is_empty() { "" } else { "more " };
        let who = counted_as(possible, &format!("{more}identity"), &format!("{more}identities"));
        parts.push(format!("{who} may get there if conditions hold"));
    }
    if parts.is_empty() {
        parts.push(format!("no way to {ADMIN} found for those who are not {ADMIN} already"));
    }
    parts.join("; ")
}

/// A way in a line: who, by which steps, through whom.
fn line(traced: &Traced<'_, '_>, reach: &Reach, is_certain: bool) -> String {
    let hops = traced.hops(reach);
    let steps: Vec<String> =
        hops.iter().map(|hop| format!("{} \u{2192} {}", hop.step, hop.becomes)).collect();
    let end = match (traced.power(reach), hops.last()) {
        (Some((who, _)), _) => format!(", and {who} has {}", reach.identity),
        _ => String::new(),
    };
    let how = if is_certain { "" } else { ", if conditions hold" };
    format!("{} {}{how}: {}{end}", traced.from().title, in_steps(reach.depth), steps.join(", "))
}

/// The sinks that are reached only if conditions hold.
fn possible_sinks(overview: &Overview) -> impl Iterator<Item = &'static str> {
    // Whoever may become cluster-admin may have the rest.
    let admin = overview.possible.contains(&ADMIN);
    overview.possible.iter().copied().filter(move |sink| !admin || *sink == ADMIN)
}

/// Where somebody gets by steps, in words; empty for nowhere.
fn said(overview: &Overview) -> String {
    let admin = overview.depth(ADMIN);
    if admin == Some(0) {
        return String::new();
    }
    let mut by_steps: Vec<(u16, &str)> = Vec::new();
    for (sink, depth) in &overview.sinks {
        // Whoever is cluster-admin has the others at once.
        let counts = |depth: u16| depth > 0 && (*sink == ADMIN || admin.is_none_or(|admin| depth < admin));
        by_steps.extend(depth.filter(|depth| counts(*depth)).map(|depth| (depth, *sink)));
    }
    by_steps.sort_by_key(|(depth, sink)| (*sink != ADMIN, *depth));
    let mut parts: Vec<String> = by_steps
        .iter()
        .map(|(depth, sink)| format!("{sink} in {}", counted((*depth).into(), "step")))
        .collect();
    let possible: Vec<&str> = possible_sinks(overview).collect();
    if !possible.is_empty() {
        parts.push(format!("if conditions hold {}", possible.join(", ")));
    }
    parts.join("; ")
}
