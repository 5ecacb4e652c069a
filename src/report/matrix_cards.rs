//! The access matrix for people where its columns do not fit beside each other: those with equal access together, and
//! below them where they may do what.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::markdown::markdown;
use super::phrases::counted;

/// The signs of a cell.
#[derive(Copy, Clone)]
pub(super) struct Signs {
    pub(super) yes: &'static str,
    pub(super) some: &'static str,
    pub(super) named: &'static str,
    pub(super) no: &'static str,
    pub(super) unknown: &'static str,
    /// Not direct, but by certain steps; how many stands behind it.
    pub(super) reachable: &'static str,
}

pub(super) const UNICODE: Signs =
    Signs { yes: "✔", some: "◐", named: "◆", no: "·", unknown: "?", reachable: "⇢" };
pub(super) const ASCII: Signs =
    Signs { yes: "Y", some: "n", named: "#", no: "-", unknown: "?", reachable: ">" };

/// One access of somebody: the verb, what it is on, and where it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CardAccess {
    pub(super) verb: String,
    pub(super) target: String,
    pub(super) places: Vec<CardPlace>,
}

/// Where an access holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CardPlace {
    /// In every namespace, or where there is none.
    Everywhere,
    /// In these namespaces.
    In(Vec<String>),
    /// For objects of these names, in a namespace, everywhere (`*`) or where there is none.
    Named(Vec<String>, String),
    /// Not directly, but in so many certain steps, there.
    Reachable(u16, Box<Self>),
    /// Unknown besides.
    Unknown,
}

/// Everybody with the same access.
pub(super) struct Card {
    pub(super) names: Vec<String>,
    pub(super) access: Vec<CardAccess>,
}

/// Those with equal access together, in the order of the first of them.
pub(super) fn together(everybody: impl IntoIterator<Item = (String, Vec<CardAccess>)>) -> Vec<Card> {
    let mut cards: Vec<Card> = Vec::new();
    let mut known: BTreeMap<Vec<CardAccess>, usize> = BTreeMap::new();
    for (name, access) in everybody {
        let next = cards.len();
        let at = *known.entry(access.clone()).or_insert(next);
        match cards.get_mut(at) {
            Some(card) => card.names.push(name),
            None => cards.push(Card { names: vec![name], access }),
        }
    }
    cards
}

/// How many names of a list are shown before the rest is counted.
const SHOWN: usize = 8;

/// How cards are written.
#[derive(Copy, Clone)]
pub(super) struct Layout {
    /// For a pull request.
    pub(super) is_markdown: bool,
    /// Whether lists are written whole.
    pub(super) is_wide: bool,
    /// The signs of a cell.
    pub(super) signs: Signs,
}

impl Layout {
    fn some_of(self, texts: &[String]) -> String {
        match texts.len().checked_sub(SHOWN) {
            Some(rest @ 1..) if !self.is_wide => {
                format!("{} +{rest}", texts.get(..SHOWN).unwrap_or_default().join(", "))
            }
            _ => texts.join(", "),
        }
    }

    /// Where an access holds, without a sign.
    pub(super) fn in_words(self, place: &CardPlace) -> String {
        let signs = Signs { yes: "", some: "", named: "", reachable: "", unknown: "", ..self.signs };
        Self { signs, ..self }.place(place)
    }

    fn place(self, place: &CardPlace) -> String {
        // Signs of ASCII say nothing that the words do not.
        let sign = |sign: &str| if sign.is_ascii() { String::new() } else { format!("{sign} ") };
        let Signs { yes, some, named, unknown, .. } = self.signs;
        let (yes, some, named, unknown) = (sign(yes), sign(some), sign(named), sign(unknown));
        match place {
            CardPlace::Everywhere => format!("{yes}everywhere"),
            CardPlace::In(namespaces) => format!("{some}in {}", self.some_of(namespaces)),
            CardPlace::Named(names, namespace) => {
                let place = match namespace.as_str() {
                    "" => String::new(),
                    "*" => " in every namespace".to_owned(),
                    namespace => format!(" in {namespace}"),
                };
                format!("{named}only named {}{place}", self.some_of(names))
            }
            CardPlace::Reachable(steps, place) => {
                let sign = sign(self.signs.reachable);
                let place = self.in_words(place);
                format!("{sign}reachable in {}, {place}", counted((*steps).into(), "step"))
            }
            CardPlace::Unknown => format!("{unknown}unknown"),
        }
    }

    /// A cell of a table: a sign, or where it holds.
    pub(super) fn cell(self, places: &[CardPlace]) -> String {
        match places {
            [] => self.signs.no.to_owned(),
            [CardPlace::Everywhere] => self.signs.yes.to_owned(),
            [CardPlace::Unknown] => self.signs.unknown.to_owned(),
            [CardPlace::Reachable(steps, place)] => {
                let sign = format!("{}{steps}", self.signs.reachable);
                match place.as_ref() {
                    CardPlace::Everywhere => sign,
                    place => format!("{sign} {}", self.in_words(place)),
                }
            }
            [places @ .., CardPlace::Unknown] => {
                format!("{}, else {}", self.cell(places), self.signs.unknown)
            }
            places => places.iter().map(|place| self.place(place)).collect::<Vec<_>>().join("; "),
        }
    }

    fn text(self, text: &str) -> String {
        if self.is_markdown { markdown(text) } else { text.to_owned() }
    }

    /// Writes cards one after the other.
    ///
    /// # Errors
    /// If writing fails.
    pub(super) fn write(self, out: &mut dyn Write, cards: &[Card]) -> io::Result<()> {
        for (card, index) in cards.iter().zip(0usize..) {
            if index > 0 {
                writeln!(out)?;
            }
            self.card(out, card)?;
        }
        Ok(())
    }

    fn card(self, out: &mut dyn Write, card: &Card) -> io::Result<()> {
        let (start, end) = if self.is_markdown { ("**", "**  ") } else { ("", "") };
        let shown = if self.is_wide { card.names.len() } else { SHOWN };
        for name in card.names.iter().take(shown) {
            writeln!(out, "{start}{}{end}", self.text(name))?;
        }
        if card.names.len() > shown {
            writeln!(out, "{start}and {} more with the same access{end}", card.names.len() - shown)?;
        }
        if self.is_markdown {
            writeln!(out)?;
        }
        let lines = self.access(&card.access);
        let width = lines.iter().map(|(place, _)| place.chars().count()).max().unwrap_or(0).min(40);
        for (place, may) in lines {
            if self.is_markdown {
                writeln!(out, "- {}: {}", markdown(&place), markdown(&may))?;
            } else {
                writeln!(out, "  {place:<width$}  {may}")?;
            }
        }
        if card.access.is_empty() {
            writeln!(out, "{}none of it", if self.is_markdown { "- " } else { "  " })?;
        }
        Ok(())
    }

    /// A line for each place with the same verbs.
    fn access(self, access: &[CardAccess]) -> Vec<(String, String)> {
        // For each place and target its verbs; then the targets with the same verbs together.
        let mut targets: Vec<(&CardPlace, &str, Vec<&str>)> = Vec::new();
        for one in access {
            for place in &one.places {
                let known =
                    targets.iter_mut().find(|(own, target, _)| *own == place && *target == one.target);
                match known {
                    Some((_, _, verbs)) => verbs.push(&one.verb),
                    None => targets.push((place, &one.target, vec![&one.verb])),
                }
            }
        }
        let mut lines: BTreeMap<(&CardPlace, String), Vec<String>> = BTreeMap::new();
        let mut order: Vec<(&CardPlace, String)> = Vec::new();
        for (place, target, verbs) in targets {
            let key = (place, folded(&verbs));
            if !lines.contains_key(&key) {
                order.push(key.clone());
            }
            lines.entry(key).or_default().push(target.to_owned());
        }
        order.sort_by_key(|(place, _)| *place);
        let line = |key: &(&CardPlace, String)| {
            let targets = lines.get(key).map_or(&[][..], Vec::as_slice);
            (self.place(key.0), format!("{} {}", key.1, targets.join(", ")))
        };
        order.iter().map(line).collect()
    }
}

const READ: [&str; 3] = ["get", "list", "watch"];
const WRITE: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// What folded verbs stand for.
pub(super) const FOLDED: &str =
    "read = get, list, watch; write = create, update, patch, delete, deletecollection";

/// Verbs with those of reading and of writing folded, where all of them are there.
pub(super) fn folded(verbs: &[&str]) -> String {
    let mut rest: Vec<&str> = verbs.to_vec();
    let mut words = Vec::new();
    for (word, all) in [("read", &READ[..]), ("write", &WRITE[..])] {
        if all.iter().all(|verb| rest.contains(verb)) {
            words.push(word);
            rest.retain(|verb| !all.contains(verb));
        }
    }
    words.extend(rest);
    words.join(", ")
}
