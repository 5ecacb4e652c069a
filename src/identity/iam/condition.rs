//! The conditions of a statement: operators, and what holds where a value is not known.

use std::net::IpAddr;

use crate::model::ternary::Ternary;

use super::context::Asking;
use super::key::Key;
use super::known::Known;
use super::pattern::{self, ArnGlob, ArnText, Element, Template};

/// A condition: an operator, a key, and the values it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The operator as it is written.
    pub operator: Box<str>,
    /// The key.
    pub key: Key,
    /// The values as they are written.
    pub values: Box<[Box<str>]>,
    test: Test,
    negated: bool,
    if_exists: bool,
    quantifier: Quantifier,
    wanted: Box<[Wanted]>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Quantifier {
    None,
    Any,
    All,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Test {
    /// Text, with or without wildcards.
    Text,
    TextIgnoringCase,
    Arn,
    Bool,
    Number(Order),
    Date(Order),
    Address,
    Binary,
    Null,
    /// No operator of IAM's.
    Unheard,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A value of a condition, as its test compares it.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Text(Template),
    Exactly(Box<str>),
    Number(f64),
    Instant(jiff::Timestamp),
    Network(IpAddr, u8),
    /// Nothing that a request could carry.
    Never,
}

impl Condition {
    /// Compiles a condition; `variables` where the version of the policy has them.
    pub(super) fn new(operator: &str, key: &str, values: Vec<Box<str>>, variables: bool) -> Self {
        let lower = operator.to_ascii_lowercase();
        let (quantifier, name) = match lower.split_once(':') {
            Some(("foranyvalue", name)) => (Quantifier::Any, name),
            Some(("forallvalues", name)) => (Quantifier::All, name),
            Some(_) => (Quantifier::None, ""),
            None => (Quantifier::None, &*lower),
        };
        let (name, if_exists) = name.strip_suffix("ifexists").map_or((name, false), |name| (name, true));
        let (test, negated, wildcards) = test(name);
        let wanted = values.iter().map(|value| wanted(test, value, wildcards, variables)).collect();
        Self {
            operator: operator.into(),
            key: Key::new(key),
            values: values.into(),
            test,
            negated,
            if_exists,
            quantifier,
            wanted,
        }
    }

    /// Whether IAM knows the operator.
    pub fn is_known(&self) -> bool {
        self.test != Test::Unheard
    }

    /// Whether it wants the value not to be one of those given.
    pub fn is_negated(&self) -> bool {
        self.negated
    }

    /// The test without its modifiers, and whether an absent key is enough.
    pub fn if_exists(&self) -> bool {
        self.if_exists
    }

    /// Whether it asks only if the key is there.
    pub fn is_null_test(&self) -> bool {
        self.test == Test::Null
    }

    /// Whether it holds; the keys because of which that cannot be told are added.
    pub(super) fn holds<'c>(&'c self, asking: &Asking<'_>, because: &mut Vec<&'c Key>) -> Ternary {
        let known = asking.look(&self.key);
        if self.test == Test::Unheard {
            return Ternary::Unknown;
        }
        if self.test == Test::Null {
            return self.null(&known, because);
        }
        match (&known, self.quantifier) {
            (Known::Absent, quantifier) => Ternary::from(match quantifier {
                Quantifier::Any => false,
                Quantifier::All => true,
                Quantifier::None => self.if_exists || self.negated,
            }),
            (Known::One(value), _) => self.one(value, asking, because),
            (Known::Several(_), Quantifier::None) => {
                because.push(&self.key);
                Ternary::Unknown
            }
            (Known::Several(values), Quantifier::Any) => {
                Ternary::any(values.iter().map(|value| self.one(value, asking, because)))
            }
            (Known::Several(values), Quantifier::All) => {
                Ternary::all(values.iter().map(|value| self.one(value, asking, because)))
            }
            (Known::Unknown { beginning, optional, .. }, _) => {
                let before = because.len();
                let value = self.some_value(beginning, *optional, asking, because);
                if value == Ternary::Unknown {
                    because.insert(before, &self.key);
                } else {
                    because.truncate(before);
                }
                value
            }
        }
    }

    fn null<'c>(&'c self, known: &Known<'_>, because: &mut Vec<&'c Key>) -> Ternary {
        let wants = |absent: &str| self.values.iter().any(|value| value.eq_ignore_ascii_case(absent));
        let (if_absent, if_present) = (wants("true"), wants("false"));
        match known {
            Known::Absent => if_absent.into(),
            Known::One(_) | Known::Several(_) | Known::Unknown { optional: false, .. } => if_present.into(),
            Known::Unknown { .. } if if_absent == if_present => if_absent.into(),
            Known::Unknown { .. } => {
                because.push(&self.key);
                Ternary::Unknown
            }
        }
    }

    /// Whether it holds for one value of the request.
    fn one<'c>(&'c self, value: &str, asking: &Asking<'_>, because: &mut Vec<&'c Key>) -> Ternary {
        let mut found = Ternary::No;
        for wanted in &self.wanted {
            found = found.or(self.compare(value, wanted, asking, because));
            if found == Ternary::Yes {
                break;
            }
        }
        match (self.negated, found) {
            (true, Ternary::Yes) => Ternary::No,
            (true, Ternary::No) => Ternary::Yes,
            _ => found,
        }
    }

    fn compare<'c>(
        &self,
        value: &str,
        wanted: &'c Wanted,
        asking: &Asking<'_>,
        because: &mut Vec<&'c Key>,
    ) -> Ternary {
        match (self.test, wanted) {
            (Test::Text | Test::TextIgnoringCase | Test::Arn, Wanted::Text(template)) => {
                if let Some(elements) = template.fixed() {
                    return self.compare_text(value, elements).into();
                }
                let resolved = template.resolve(&|key| asking.look(key));
                if resolved.matches_nothing {
                    return Ternary::No;
                }
                if resolved.unknown.is_empty() {
                    return self.compare_text(value, &resolved.elements).into();
                }
                if !pattern::matches(&self.folded(&resolved.elements), &self.fold(value)) {
                    return Ternary::No;
                }
                because.extend(resolved.unknown);
                Ternary::Unknown
            }
            (Test::Bool, Wanted::Exactly(wanted)) => value.eq_ignore_ascii_case(wanted).into(),
            (Test::Binary, Wanted::Exactly(wanted)) => (*value == **wanted).into(),
            (Test::Number(order), Wanted::Number(wanted)) => number(value)
                .and_then(|value| value.partial_cmp(wanted))
                .is_some_and(|ordering| order.holds(ordering))
                .into(),
            (Test::Date(order), Wanted::Instant(wanted)) => {
                instant(value).is_some_and(|value| order.holds(value.cmp(wanted))).into()
            }
            (Test::Address, Wanted::Network(network, bits)) => {
                value.parse::<IpAddr>().is_ok_and(|value| is_within(value, *network, *bits)).into()
            }
            _ => Ternary::No,
        }
    }

    fn compare_text(&self, value: &str, elements: &[Element]) -> bool {
        match self.test {
            Test::Arn => {
                let wanted = ArnGlob::new(elements);
                wanted.is_whole() && ArnText::new(value).is_some_and(|value| wanted.matches(&value))
            }
            Test::TextIgnoringCase => pattern::matches(&self.folded(elements), &self.fold(value)),
            _ => pattern::matches(elements, value),
        }
    }

    fn fold(&self, value: &str) -> String {
        if self.test == Test::TextIgnoringCase { value.to_lowercase() } else { value.to_owned() }
    }

    fn folded(&self, elements: &[Element]) -> Vec<Element> {
        if self.test != Test::TextIgnoringCase {
            return elements.to_vec();
        }
        let mut folded = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                Element::Char(char) => folded.extend(char.to_lowercase().map(Element::Char)),
                other => folded.push(*other),
            }
        }
        folded
    }

    /// Whether it holds whatever the value is, or for none, or for some only.
    fn some_value<'c>(
        &'c self,
        beginning: &str,
        optional: bool,
        asking: &Asking<'_>,
        because: &mut Vec<&'c Key>,
    ) -> Ternary {
        let (mut may_match, mut may_miss) = (false, true);
        for wanted in &self.wanted {
            let (matches_some, matches_all) = self.reach(wanted, beginning, asking, because);
            may_match |= matches_some;
            may_miss &= !matches_all;
        }
        let (may_hold, may_fail) = if self.negated { (may_miss, may_match) } else { (may_match, may_miss) };
        let (yes, no) = match self.quantifier {
            Quantifier::Any => (may_hold, may_fail || optional),
            Quantifier::All => (may_hold || optional, may_fail),
            Quantifier::None if !optional => (may_hold, may_fail),
            Quantifier::None if self.if_exists || self.negated => (true, may_fail),
            Quantifier::None => (may_hold, true),
        };
        match (yes, no) {
            (true, false) => Ternary::Yes,
            (false, true) => Ternary::No,
            _ => Ternary::Unknown,
        }
    }

    /// Whether a wanted value matches some value that begins so, and whether it matches all of them.
    fn reach<'c>(
        &self,
        wanted: &'c Wanted,
        beginning: &str,
        asking: &Asking<'_>,
        because: &mut Vec<&'c Key>,
    ) -> (bool, bool) {
        let template = match wanted {
            Wanted::Never => return (false, false),
            Wanted::Text(template) => template,
            _ => return (true, false),
        };
        let resolved = template.resolve(&|key| asking.look(key));
        if resolved.matches_nothing {
            return (false, false);
        }
        if self.test == Test::Arn {
            let may_match = ArnGlob::new(&resolved.elements).is_whole() || !resolved.unknown.is_empty();
            because.extend(resolved.unknown);
            return (may_match, false);
        }
        let elements = self.folded(&resolved.elements);
        let beginning = self.fold(beginning);
        let matches_some = pattern::could_match_beginning(&elements, &beginning);
        let matches_all = resolved.unknown.is_empty()
            && elements.last() == Some(&Element::Any)
            && pattern::matches(&elements, &beginning);
        if matches_some {
            because.extend(resolved.unknown);
        }
        (matches_some, matches_all)
    }

    /// Values that would do, as far as they can be written down: for what a caller chooses.
    pub(super) fn candidates(&self, asking: &Asking<'_>) -> Vec<String> {
        let texts = self.wanted.iter().filter_map(|wanted| match wanted {
            Wanted::Text(template) => Some(template.resolve(&|key| asking.look(key))),
            _ => None,
        });
        let mut candidates = Vec::new();
        for resolved in texts.filter(|resolved| !resolved.matches_nothing) {
            for filler in ["", "x", "xx"] {
                let text: String = resolved
                    .elements
                    .iter()
                    .map(|element| match element {
                        Element::Char(char) => char.to_string(),
                        Element::One => "x".to_owned(),
                        Element::Any => filler.to_owned(),
                    })
                    .collect();
                candidates.push(text);
            }
        }
        candidates
    }
}

/// The test behind the name of an operator, whether it is negated, and whether values have wildcards.
fn test(name: &str) -> (Test, bool, bool) {
    let (test, negated, wildcards) = match name {
        "stringequals" => (Test::Text, false, false),
        "stringnotequals" => (Test::Text, true, false),
        "stringequalsignorecase" => (Test::TextIgnoringCase, false, false),
        "stringnotequalsignorecase" => (Test::TextIgnoringCase, true, false),
        "stringlike" => (Test::Text, false, true),
        "stringnotlike" => (Test::Text, true, true),
        "arnequals" | "arnlike" => (Test::Arn, false, true),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true, true),
        "bool" => (Test::Bool, false, false),
        "ipaddress" => (Test::Address, false, false),
        "notipaddress" => (Test::Address, true, false),
        "binaryequals" => (Test::Binary, false, false),
        "null" => (Test::Null, false, false),
        _ => {
            let (test, rest): (fn(Order) -> Test, &str) = if let Some(rest) = name.strip_prefix("numeric") {
                (Test::Number, rest)
            } else if let Some(rest) = name.strip_prefix("date") {
                (Test::Date, rest)
            } else {
                return (Test::Unheard, false, false);
            };
            let (order, negated) = match rest {
                "equals" => (Order::Equal, false),
                "notequals" => (Order::Equal, true),
                "lessthan" => (Order::Less, false),
                "lessthanequals" => (Order::LessOrEqual, false),
                "greaterthan" => (Order::Greater, false),
                "greaterthanequals" => (Order::GreaterOrEqual, false),
                _ => return (Test::Unheard, false, false),
            };
            (test(order), negated, false)
        }
    };
    (test, negated, wildcards)
}

fn wanted(test: Test, value: &str, wildcards: bool, variables: bool) -> Wanted {
    match test {
        Test::Text | Test::TextIgnoringCase | Test::Arn => {
            Wanted::Text(Template::parse(value, wildcards, variables))
        }
        Test::Bool | Test::Binary => Wanted::Exactly(value.into()),
        Test::Number(_) => number(value).map_or(Wanted::Never, Wanted::Number),
        Test::Date(_) => instant(value).map_or(Wanted::Never, Wanted::Instant),
        Test::Address => {
            network(value).map_or(Wanted::Never, |(address, bits)| Wanted::Network(address, bits))
        }
        Test::Null | Test::Unheard => Wanted::Never,
    }
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_decimal = text.starts_with(|char: char| char.is_ascii_digit() || "+-.".contains(char))
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if is_decimal { text.parse().ok() } else { None }
}

/// An instant: ISO 8601, a date alone, or seconds since 1970.
fn instant(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    if let Some(seconds) = number(text) {
        // Fractions of a second are kept; what is beyond any calendar is no instant.
        let whole = seconds.floor();
        if whole.abs() > 1e15 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
        return jiff::Timestamp::new(whole as i64, ((seconds - whole) * 1e9) as i32).ok();
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant);
    }
    let utc = jiff::tz::TimeZone::UTC;
    if let Ok(date) = text.parse::<jiff::civil::DateTime>() {
        return date.to_zoned(utc).ok().map(|zoned| zoned.timestamp());
    }
    let date = text.parse::<jiff::civil::Date>().ok()?;
    date.to_zoned(utc).ok().map(|zoned| zoned.timestamp())
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

fn is_within(value: IpAddr, network: IpAddr, bits: u8) -> bool {
    let differ = match (value, network) {
        (IpAddr::V4(value), IpAddr::V4(network)) => {
            u128::from(value.to_bits() ^ network.to_bits()) << (128 - 32)
        }
        (IpAddr::V6(value), IpAddr::V6(network)) => value.to_bits() ^ network.to_bits(),
        _ => return false,
    };
    bits == 0 || differ >> (128 - u32::from(bits)) == 0
}
