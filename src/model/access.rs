//! Access policies of EKS as far as every room speaks of them: the scope of an association, and what is associated.

use crate::model::source::Source;
use crate::model::ternary::Ternary;

/// Where an access policy holds for a principal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessScope {
    /// In the whole cluster.
    Cluster,
    /// In namespaces of these names or patterns; `None` for one that the inputs do not tell.
    Namespaces(Vec<Option<String>>),
    /// The inputs do not tell.
    Unknown,
}

impl AccessScope {
    /// Whether a request in this namespace (empty: outside namespaces) lies in the scope.
    pub fn holds(&self, namespace: &str) -> Ternary {
        match self {
            Self::Cluster => Ternary::Yes,
            Self::Unknown => Ternary::Unknown,
            // What is made outside namespaces lies in none of them, whatever the patterns are.
            Self::Namespaces(_) if namespace.is_empty() => Ternary::No,
            Self::Namespaces(patterns) => Ternary::any(patterns.iter().map(|pattern| match pattern {
                Some(pattern) => namespace_matches(pattern, namespace),
                None => Ternary::Unknown,
            })),
        }
    }
}

/// Whether a namespace pattern of an association matches a namespace.
///
/// AWS documents a name, and a name with one `*` at its end. For any other wildcard the answer is unknown where a
/// shell's pattern would match, and no where it would not.
pub fn namespace_matches(pattern: &str, namespace: &str) -> Ternary {
    if pattern.is_empty() {
        return Ternary::No;
    }
    if is_documented_pattern(pattern) {
        return match pattern.strip_suffix('*') {
            Some(prefix) => namespace.starts_with(prefix),
            None => pattern == namespace,
        }
        .into();
    }
    // Nothing can be called as a pattern is: that text stands for what the pattern may match.
    if pattern == namespace || glob_matches(pattern, namespace) { Ternary::Unknown } else { Ternary::No }
}

/// Whether a namespace pattern is of a form that AWS documents, and can match anything.
pub fn is_documented_pattern(pattern: &str) -> bool {
    let special = |text: &str| text.contains(['*', '?', '[', ']', '{', '}', '\\']);
    !pattern.is_empty()
        && (!special(pattern)
            || pattern.strip_suffix('*').is_some_and(|prefix| !prefix.is_empty() && !special(prefix)))
}

/// `*` for any run, `?` for one character, `[...]` for one of several; braces and backslashes may mean anything.
fn glob_matches(pattern: &str, text: &str) -> bool {
    if pattern.contains(['{', '}', '\\']) {
        return true;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Whether what is left of the text can be what is left of the pattern, from the back.
    let mut fits = vec![false; text.len() + 1];
    if let Some(last) = fits.last_mut() {
        *last = true;
    }
    let mut at = pattern.len();
    while at > 0 {
        at -= 1;
        let mut next = vec![false; text.len() + 1];
        let mut start = at;
        if pattern.get(at) == Some(&']')
            && let Some(open) =
                pattern.get(..at).and_then(|before| before.iter().rposition(|char| *char == '['))
        {
            start = open;
        }
        let one = pattern.get(start..=at).unwrap_or_default();
        for from in (0..=text.len()).rev() {
            let here = text.get(from);
            let after = fits.get(from + 1).copied().unwrap_or(false);
            let value = match one {
                ['*'] => {
                    fits.get(from).copied().unwrap_or(false) || next.get(from + 1).copied().unwrap_or(false)
                }
                ['?'] => here.is_some() && after,
                ['[', inside @ .., ']'] => here.is_some_and(|char| class_holds(inside, *char)) && after,
                [own] => here == Some(own) && after,
                _ => false,
            };
            if let Some(slot) = next.get_mut(from) {
                *slot = value;
            }
        }
        fits = next;
        at = start;
    }
    fits.first().copied().unwrap_or(false)
}

/// Whether a bracket expression holds a character.
fn class_holds(inside: &[char], char: char) -> bool {
    let (negated, members) = match inside {
        ['!' | '^', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut rest = members;
    let mut found = false;
    while let Some((first, after)) = rest.split_first() {
        if let ['-', last, tail @ ..] = after {
            found |= (*first..=*last).contains(&char);
            rest = tail;
        } else {
            found |= *first == char;
            rest = after;
        }
    }
    found != negated
}

/// An access policy that is associated with the principal of an access entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// The ARN of the policy as written, with what the inputs do not tell in angle brackets.
    pub policy_arn: String,
    /// The name of the policy, the last part of its ARN; `None` where the inputs do not tell it.
    pub policy: Option<String>,
    /// The scope. Several where the policy is associated more than once and the inputs do not tell which association
    /// came last: only that one counts.
    pub scopes: Vec<AccessScope>,
    /// Whether it certainly is this principal's.
    pub is_certain: bool,
    /// Where the association stands.
    pub source: Source,
}

impl Association {
    /// Whether a request in this namespace (empty: outside namespaces) lies in the scope.
    pub fn holds(&self, namespace: &str) -> Ternary {
        let holds = Ternary::whichever(self.scopes.iter().map(|scope| scope.holds(namespace)));
        if self.is_certain { holds } else { holds.and(Ternary::Unknown) }
    }

    /// The name of the policy as people read it.
    pub fn title(&self) -> &str {
        self.policy.as_deref().unwrap_or(&self.policy_arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ternary::{No, Unknown, Yes};

    #[test]
    fn namespace_patterns() {
        let rows = [
            ("a_name_is_itself", "dev", "dev", Yes),
            ("a_name_is_no_prefix", "dev", "dev-a", No),
            ("case_counts", "Dev-*", "dev-a", No),
            ("a_last_star_is_any_rest", "dev-*", "dev-a", Yes),
            ("the_dash_belongs_to_the_prefix", "dev-*", "devops", No),
            ("a_last_star_is_no_rest_too", "dev-*", "dev-", Yes),
            ("a_star_alone_is_not_documented", "*", "dev", Unknown),
            ("a_first_star_is_not_documented", "*-dev", "a-dev", Unknown),
            ("a_first_star_that_no_glob_would_match", "*-dev", "dev-a", No),
            ("a_star_inside", "a*b", "axxb", Unknown),
            ("a_star_inside_that_does_not_fit", "a*b", "axxc", No),
            ("two_stars", "a*b*", "axbx", Unknown),
            ("a_question_mark", "dev-?", "dev-a", Unknown),
            ("a_question_mark_is_one_character", "dev-?", "dev-ab", No),
            ("a_class", "[ab]c", "bc", Unknown),
            ("a_class_without_it", "[ab]c", "cc", No),
            ("a_class_with_a_range", "dev-[0-9]", "dev-7", Unknown),
            ("a_class_negated", "dev-[!0-9]", "dev-7", No),
            ("braces_may_mean_anything", "{a,b}", "a", Unknown),
            ("nothing_matches_nothing", "", "dev", No),
        ];
        for (name, pattern, namespace, expected) in rows {
            assert_eq!(namespace_matches(pattern, namespace), expected, "{name}");
        }
    }

    #[test]
    fn a_scope_of_namespaces_holds_nowhere_outside_them() {
        let scope = |patterns: &[Option<&str>]| {
            AccessScope::Namespaces(patterns.iter().map(|pattern| pattern.map(str::to_owned)).collect())
        };
        assert_eq!(scope(&[Some("*")]).holds(""), No);
        assert_eq!(scope(&[None]).holds(""), No);
        assert_eq!(scope(&[None]).holds("dev"), Unknown);
        assert_eq!(scope(&[None, Some("dev")]).holds("dev"), Yes);
        assert_eq!(scope(&[]).holds("dev"), No);
        assert_eq!((AccessScope::Cluster.holds(""), AccessScope::Unknown.holds("")), (Yes, Unknown));
    }

    #[test]
    fn of_two_scopes_of_one_policy_only_the_last_counts() {
        let dev = AccessScope::Namespaces(vec![Some("dev".to_owned())]);
        let association = Association {
            policy_arn: String::new(),
            policy: None,
            scopes: vec![dev, AccessScope::Cluster],
            is_certain: true,
            source: Source::default(),
        };
        assert_eq!((association.holds("dev"), association.holds("prod")), (Yes, Unknown));
    }
}
