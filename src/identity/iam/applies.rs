//! Whether a statement applies to a request: its resources and its conditions.

use crate::model::ternary::Ternary;

use super::caller::Caller;
use super::context::{Asking, Target};
use super::key::Key;
use super::known::Known;
use super::logic::{Hit, Leaf, Logic, OpenKey};
use super::names::{ALL, names};
use super::pattern::{ArnGlob, ArnText};
use super::policy::{ResourcePattern, Statement};
use super::some_arn::SomeArn;

fn match_resource<'p>(
    pattern: &'p ResourcePattern,
    arn: &ArnText<'_>,
    asking: &Asking<'_>,
) -> Result<bool, Vec<&'p Key>> {
    let template = match pattern {
        ResourcePattern::Fixed(glob) => return Ok(glob.matches(arn)),
        ResourcePattern::Variable(template) => template,
    };
    let resolved = template.resolve(&|key| asking.look(key));
    if resolved.matches_nothing {
        return Ok(false);
    }
    if resolved.unknown.is_empty() {
        return Ok(ArnGlob::new(&resolved.elements).matches(arn));
    }
    if ResourcePattern::lenient(&resolved.elements, arn) { Err(resolved.unknown) } else { Ok(false) }
}

/// The same for a resource of which only a part is known; then there may be no key that would tell.
fn match_some<'p>(
    pattern: &'p ResourcePattern,
    some: &SomeArn,
    asking: &Asking<'_>,
) -> Result<bool, Vec<&'p Key>> {
    let matched = match pattern {
        ResourcePattern::Fixed(glob) => some.matched_by(glob),
        ResourcePattern::Variable(template) => {
            let resolved = template.resolve(&|key| asking.look(key));
            if resolved.matches_nothing {
                return Ok(false);
            }
            if !resolved.unknown.is_empty() {
                return Err(resolved.unknown);
            }
            some.matched_by(&ArnGlob::new(&resolved.elements))
        }
    };
    match matched {
        Ternary::Unknown => Err(Vec::new()),
        decided => Ok(decided.is_yes()),
    }
}

fn open_keys(keys: &[&Key], asking: &Asking<'_>) -> Box<[OpenKey]> {
    let open = |key: &&Key| OpenKey {
        key: key.as_str().into(),
        of_session: matches!(asking.look(key), Known::Unknown { of_session: true, .. }),
    };
    keys.iter().map(open).collect()
}

/// "And" over the conditions of a statement.
pub(super) fn conditions<L: Logic>(hit: Hit, statement: &Statement, asking: &Asking<'_>) -> L {
    let mut all = L::certain(true);
    for (number, condition) in (0u32..).zip(&statement.conditions) {
        all = all.and(|| {
            let mut because = Vec::new();
            match condition.holds(asking, &mut because) {
                Ternary::Unknown if because.is_empty() => L::open(|| Leaf::Operator(hit, number)),
                Ternary::Unknown => L::open(|| {
                    let keys = open_keys(&because, asking);
                    Leaf::Condition { hit, condition: number, keys }
                }),
                value => L::certain(value.is_yes()),
            }
        });
    }
    all
}

fn resource<L: Logic>(hit: Hit, statement: &Statement, asking: &Asking<'_>) -> L {
    let arn = ArnText::new(asking.target.arn());
    let mut found = L::certain(false);
    for pattern in &statement.resource.patterns {
        let matched = match (&asking.target, &arn) {
            (Target::Some(some), _) => match_some(pattern, some, asking),
            (_, Some(arn)) => match_resource(pattern, arn, asking),
            (_, None) => Ok(false),
        };
        found = found.or(|| match matched {
            Ok(matches) => L::certain(matches),
            Err(keys) => L::open(|| Leaf::Resource { hit, keys: open_keys(&keys, asking) }),
        });
    }
    if statement.resource.not { found.not() } else { found }
}

/// Whether a statement of a trust policy names the caller.
pub(super) fn is_named(hit: Hit, statement: &Statement, caller: &Caller<'_>) -> bool {
    let principals = &statement.principal;
    match caller {
        Caller::Service(name) => principals.services.iter().any(|service| **service == **name),
        Caller::Provider(arn) => principals.federated.iter().any(|provider| **provider == **arn),
        _ => names::<Ternary>(hit, statement, &ALL, caller) != Ternary::No,
    }
}

/// Whether a statement of an identity policy is about the role.
pub(super) fn is_resource(hit: Hit, statement: &Statement, asking: &Asking<'_>) -> bool {
    resource::<Ternary>(hit, statement, asking) != Ternary::No
}

/// Whether a statement of an identity policy or boundary applies.
pub(super) fn applies<L: Logic>(hit: Hit, statement: &Statement, asking: &Asking<'_>) -> L {
    let resource: L = resource(hit, statement, asking);
    resource.and(|| conditions(hit, statement, asking)).of_statement(hit)
}
