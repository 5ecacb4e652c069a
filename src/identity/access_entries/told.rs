//! What a file tells of a field: a value, that EKS fills it in, or nothing that can be read offline.

use std::fmt;

use super::super::arn::{Sections, fold};

/// A field as far as a file tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// The file leaves it to EKS.
    #[default]
    Default,
    /// The value.
    Given(T),
    /// The value exists, and the file does not hold it: a reference, a secret, something only known after apply.
    Unknown,
}

impl<T> Setting<T> {
    /// The value, if the file tells it.
    pub fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            _ => None,
        }
    }

    /// Whether there is a value that the file does not hold.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

/// How people read what has no name.
const NAMELESS: &str = "unknown";

/// What stands in a text in place of something that the file does not hold.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoleOf {
    /// The partition in which the template is deployed.
    Partition,
    /// The account in which the template is deployed.
    Account,
    /// The region in which the template is deployed.
    Region,
    /// Anything.
    Anything,
}

impl HoleOf {
    /// Whether such a thing can be called so.
    fn allows(self, value: &str) -> bool {
        match self {
            Self::Account => value.len() <= 12 && value.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Partition => value.starts_with("aws") && !value.contains([':', '/']),
            Self::Region => !value.contains([':', '/']),
            Self::Anything => true,
        }
    }
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// What the file does not hold, and how it speaks of it.
    Hole(HoleOf, String),
}

/// A text as far as a file tells it. Displays with `${...}` for what it does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pieces: Vec<Piece>,
}

impl Told {
    /// A text that is wholly known.
    pub fn known(text: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Text(text.into())] }
    }

    /// A text of which nothing is known but how the file speaks of it.
    pub fn unknown(label: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Hole(HoleOf::Anything, label.into())] }
    }

    /// A text of which a file tells nothing, not even what it refers to: two of these need not be the same.
    pub fn nameless() -> Self {
        Self::unknown(NAMELESS)
    }

    /// Whether a part has no name, so that two that read alike need not be the same.
    pub fn is_nameless(&self) -> bool {
        let is_function = |label: &str| label.starts_with("Fn::") && !label.contains(' ');
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Hole(_, label) if label == NAMELESS || is_function(label)))
    }

    /// A hole of a certain kind.
    pub fn hole(of: HoleOf, label: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Hole(of, label.into())] }
    }

    /// Adds another text to the end.
    pub fn push(&mut self, more: Self) {
        for piece in more.pieces {
            match (self.pieces.last_mut(), piece) {
                (Some(Piece::Text(last)), Piece::Text(text)) => last.push_str(&text),
                (_, piece) => self.pieces.push(piece),
            }
        }
    }

    /// The text, if all of it is known.
    pub fn text(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether a part could be anything: more than the partition, account or region of the deployment.
    pub fn is_open(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Hole(HoleOf::Anything, _)))
    }

    /// The text with the account and partition filled in, where they are known from elsewhere.
    #[must_use]
    pub fn within(self, account: Option<&str>, partition: Option<&str>) -> Self {
        let mut filled = Self::default();
        for piece in self.pieces {
            let value = match &piece {
                Piece::Hole(HoleOf::Account, _) => account,
                Piece::Hole(HoleOf::Partition, _) => partition,
                _ => None,
            };
            filled.push(match value {
                Some(value) => Self::known(value),
                None => Self { pieces: vec![piece] },
            });
        }
        filled
    }

    /// What follows the last slash, if that is known.
    pub fn last_part(&self) -> Option<&str> {
        match self.pieces.last() {
            Some(Piece::Text(text)) => match text.rsplit_once('/') {
                Some((_, name)) => Some(name),
                None => (self.pieces.len() == 1).then_some(text.as_str()),
            },
            _ => None,
        }
        .filter(|name| !name.is_empty())
    }

    /// Whether it can be this text, both without regard to case.
    fn could_be(&self, text: &str) -> bool {
        let text = fold(text);
        // Where in the text the pieces so far can end: each piece moves every place on.
        let mut ends = vec![false; text.len() + 1];
        if let Some(first) = ends.first_mut() {
            *first = true;
        }
        for piece in &self.pieces {
            let mut next = vec![false; text.len() + 1];
            let mut reach = |end: usize| {
                if let Some(slot) = next.get_mut(end) {
                    *slot = true;
                }
            };
            for (start, _) in ends.iter().enumerate().filter(|(_, is_end)| **is_end) {
                let rest = text.get(start..).unwrap_or_default();
                match piece {
                    Piece::Text(own) => {
                        let own = fold(own);
                        if rest.starts_with(&own) {
                            reach(start + own.len());
                        }
                    }
                    Piece::Hole(of, _) => {
                        for (length, char) in rest.char_indices() {
                            let end = length + char.len_utf8();
                            if rest.get(..end).is_some_and(|value| of.allows(value)) {
                                reach(start + end);
                            }
                        }
                    }
                }
            }
            ends = next;
        }
        ends.last().copied().unwrap_or(false)
    }

    /// Whether it can be the ARN of an entry for the caller of this canonical ARN: a role may have any path.
    pub(in super::super) fn could_be_principal(&self, canonical: &str) -> bool {
        if self.could_be(canonical) {
            return true;
        }
        let Some(sections) = Sections::split(canonical) else { return false };
        let Some(name) = sections.resource.strip_prefix("role/") else { return false };
        // The path of a role plays no part: what stands before the last slash is laid over the rest of the ARN alone.
        let shown: Vec<(Option<char>, &Piece)> = self
            .pieces
            .iter()
            .flat_map(|piece| match piece {
                Piece::Text(text) => text.chars().map(|char| (Some(char), piece)).collect::<Vec<_>>(),
                Piece::Hole(..) => vec![(None, piece)],
            })
            .collect();
        let find = |part: &str| {
            let part: Vec<char> = part.chars().collect();
            shown.windows(part.len()).position(|window| {
                window
                    .iter()
                    .zip(&part)
                    .all(|((char, _), own)| char.is_some_and(|char| char.eq_ignore_ascii_case(own)))
            })
        };
        let Some(start) = find(":role/") else {
            // What kind of principal it is lies in a hole, and its name may lie there as well.
            return self.is_open() && self.could_be_tail(name);
        };
        let rebuilt = |parts: &[(Option<char>, &Piece)]| {
            let mut told = Self::default();
            for (char, piece) in parts {
                match char {
                    Some(char) => told.push(Self::known(*char)),
                    None => told.push(Self { pieces: vec![(*piece).clone()] }),
                }
            }
            told
        };
        let head = rebuilt(shown.get(..start + 6).unwrap_or_default());
        let tail = shown.get(start + 6..).unwrap_or_default();
        let last = tail.iter().rposition(|(char, _)| *char == Some('/')).map_or(0, |slash| slash + 1);
        let before = canonical.strip_suffix(name).unwrap_or(canonical);
        let own = rebuilt(tail.get(last..).unwrap_or_default());
        head.could_be(before) && (own.could_be(name) || (own.is_open() && own.could_be_tail(name)))
    }

    /// Whether what follows the last hole that can be anything ends this name: a slash may lie in the hole.
    fn could_be_tail(&self, name: &str) -> bool {
        let after = self.pieces.iter().rposition(|piece| matches!(piece, Piece::Hole(HoleOf::Anything, _)));
        let tail = after.and_then(|at| self.pieces.get(at + 1..)).unwrap_or_default();
        let mut text = String::new();
        for piece in tail {
            match piece {
                Piece::Text(own) => text.push_str(own),
                Piece::Hole(..) => return true,
            }
        }
        let text = text.rsplit('/').next().unwrap_or_default();
        fold(name).ends_with(&fold(text))
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Hole(_, label) => write!(f, "${{{label}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "arn:aws:iam::111122223333:role/dev";

    fn told(parts: &[&str]) -> Told {
        let mut told = Told::default();
        for part in parts {
            told.push(match *part {
                "@account" => Told::hole(HoleOf::Account, "AWS::AccountId"),
                "@partition" => Told::hole(HoleOf::Partition, "AWS::Partition"),
                "@any" => Told::unknown("Any"),
                text => Told::known(text),
            });
        }
        told
    }

    #[test]
    fn principals_that_are_not_wholly_told() {
        let rows: &[(&str, &[&str], bool)] = &[
            ("the_account_can_be_any", &["arn:aws:iam::", "@account", ":role/dev"], true),
            ("the_partition_too", &["arn:", "@partition", ":iam::", "@account", ":role/dev"], true),
            ("the_name_counts", &["arn:aws:iam::", "@account", ":role/ops"], false),
            ("a_path_plays_no_part", &["arn:aws:iam::", "@account", ":role/team/dev"], true),
            ("a_name_that_is_not_told", &["arn:aws:iam::111122223333:role/", "@any"], true),
            ("an_account_that_differs", &["arn:aws:iam::444455556666:role/", "@any"], false),
            ("a_name_of_which_the_end_is_told", &["arn:aws:iam::111122223333:role/", "@any", "-ops"], false),
            ("a_name_of_which_the_beginning_is_told", &["arn:aws:iam::111122223333:role/d", "@any"], true),
            ("a_user_is_no_role", &["arn:aws:iam::", "@account", ":user/dev"], false),
            ("nothing_is_told", &["@any"], true),
        ];
        for (name, parts, expected) in rows {
            assert_eq!(told(parts).could_be_principal(DEV), *expected, "{name}");
        }
    }

    #[test]
    fn the_name_of_a_policy_is_what_follows_the_last_slash() {
        let cdk = told(&["arn:", "@partition", ":eks::aws:cluster-access-policy/AmazonEKSViewPolicy"]);
        assert_eq!(cdk.last_part(), Some("AmazonEKSViewPolicy"));
        assert_eq!(told(&["@any"]).last_part(), None);
        assert_eq!(told(&["arn:aws:eks::aws:cluster-access-policy/", "@any"]).last_part(), None);
        assert_eq!(
            told(&["arn:aws:eks::aws:cluster-access-policy/Amazon", "@any", "Policy"]).last_part(),
            None
        );
    }

    #[test]
    fn accounts_from_elsewhere_are_filled_in() {
        let told = told(&["arn:aws:iam::", "@account", ":role/dev"]);
        assert_eq!(told.clone().within(Some("111122223333"), None).text(), Some(DEV));
        assert_eq!(told.to_string(), "arn:aws:iam::${AWS::AccountId}:role/dev");
    }
}
