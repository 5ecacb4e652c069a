//! Policy rules that match less than they seem to: misspelt words, types of other groups, names that no request
//! carries, stars that are none.

use super::subjects::is_in_namespaces;
use super::{Linter, did_you_mean, nearest, quoted};
use crate::identity::is_template;
use crate::knowledge::catalogue::{Catalogue, Resource, is_known_url_verb, known_resource_verbs};
use crate::knowledge::operations;
use crate::model::diagnostic::{Code, Severity};
use crate::model::names::Name;
use crate::model::rbac::{PolicyRule, Role, Scope};

/// A finding about a rule: code, severity, sentence, detail.
type Found = (Code, Severity, String, String);

/// A rule as texts.
struct Texts<'c> {
    verbs: Vec<&'c str>,
    groups: Vec<&'c str>,
    resources: Vec<&'c str>,
    names: Vec<&'c str>,
    urls: Vec<&'c str>,
}

impl Linter<'_> {
    pub(super) fn rules(&mut self) {
        for role in &self.policy.roles {
            if self.is_default_role(role) {
                continue;
            }
            for placed in self.policy.rules_of(role) {
                let rule = self.texts(&self.policy.rule(*placed));
                if rule.all().any(is_template) {
                    continue;
                }
                let mut found = Vec::new();
                Self::stars(&rule, &mut found);
                self.types(role, &rule, &mut found);
                self.verbs(&rule, &mut found);
                self.object_names(role, &rule, &mut found);
                self.scopes(role, &rule, &mut found);
                for (code, severity, message, detail) in found {
                    let place = self.of_role(role, placed.line);
                    let message = format!("{}: {message}", self.title_of_role(role));
                    self.add(code, severity, &place, message, &detail);
                }
            }
        }
    }

    fn texts(&self, rule: &PolicyRule<'_>) -> Texts<'_> {
        let texts = |list: &[Name]| list.iter().map(|name| self.text(*name)).collect();
        Texts {
            verbs: texts(rule.verbs),
            groups: texts(rule.api_groups),
            resources: texts(rule.resources),
            names: texts(rule.resource_names),
            urls: texts(rule.non_resource_urls),
        }
    }

    /// Stars that are no wildcards.
    fn stars(rule: &Texts<'_>, found: &mut Vec<Found>) {
        let mut literal = |what: &str, text: &str, hint: &str| {
            let message = format!(
                "`{text}` in `{what}` is compared as text, star and all, and so matches nothing; {hint}"
            );
            found.push((Code::LiteralStar, Severity::Warning, message, format!("{what} {text}")));
        };
        for resource in &rule.resources {
            let rest = resource.strip_prefix("*/").unwrap_or(resource);
            if rest == "*" && *resource != "*" {
                literal("resources", resource, "write `*`, which covers subresources too");
            } else if rest != "*" && rest.contains('*') {
                literal("resources", resource, "list the resources, each subresource as `pods/log`");
            }
        }
        for group in rule.groups.iter().filter(|group| **group != "*" && group.contains('*')) {
            literal("apiGroups", group, "write the whole name of each group");
        }
        for verb in rule.verbs.iter().filter(|verb| **verb != "*" && verb.contains('*')) {
            literal("verbs", verb, "list the verbs");
        }
        // The names of signers end in `/*` for all of a domain.
        let of_signers = rule.resources.contains(&"signers");
        for name in rule.names.iter().filter(|name| name.contains('*') && !of_signers) {
            literal("resourceNames", name, "list the names, or leave `resourceNames` out");
        }
        for url in rule.urls.iter().filter(|url| url.strip_suffix('*').unwrap_or(url).contains('*')) {
            literal("nonResourceURLs", url, "a star counts only at the end");
        }
    }

    /// Types and subresources that are not there, or in another group.
    fn types(&self, role: &Role, rule: &Texts<'_>, found: &mut Vec<Found>) {
        let catalogue = self.cluster.catalogue();
        if rule.groups.contains(&"*") || !rule.groups.iter().all(|group| catalogue.is_served(group)) {
            // A CRD outside the inputs may define anything in another group.
            return;
        }
        for resource in rule.resources.iter().filter(|resource| !resource.contains('*')) {
            let (plural, part) = resource.split_once('/').unwrap_or((resource, ""));
            let known: Vec<&Resource> =
                rule.groups.iter().filter_map(|group| catalogue.find(group, plural)).collect();
            if known.is_empty() {
                self.unknown_type(role, rule, plural, found);
                continue;
            }
            if part.is_empty() || known.iter().any(|known| known.has_subresource(part)) {
                continue;
            }
            let near = known.iter().find_map(|known| Catalogue::near_subresource(known, part));
            let near = near.map(|near| format!("{plural}/{}", near.name));
            let severity = if near.is_some() { Severity::Warning } else { Severity::Note };
            let message = format!("`{plural}` has no subresource `{part}`{}", did_you_mean(near.as_deref()));
            found.push((Code::UnknownSubresource, severity, message, (*resource).to_owned()));
        }
    }

    fn unknown_type(&self, role: &Role, rule: &Texts<'_>, plural: &str, found: &mut Vec<Found>) {
        let catalogue = self.cluster.catalogue();
        let groups = quoted(rule.groups.iter().copied());
        let elsewhere: Vec<&str> = catalogue
            .iter()
            .filter(|known| known.plural == plural && known.discovered)
            .map(|known| &*known.group)
            .collect();
        if let Some(first) = elsewhere.first() {
            // Manifests for old clusters too have the group of both.
            let is_covered = self.policy.rules_of(role).iter().any(|placed| {
                let other = self.texts(&self.policy.rule(*placed));
                other.resources.contains(&plural)
                    && other.groups.iter().any(|group| elsewhere.contains(group) || *group == "*")
            });
            let severity = if is_covered { Severity::Note } else { Severity::Warning };
            let message = format!(
                "`{plural}` is not in API group {groups} but in `{first}`, so the rule does not match it"
            );
            found.push((Code::WrongApiGroup, severity, message, format!("{plural} {groups}")));
            return;
        }
        if rule.groups.iter().any(|group| catalogue.is_built_in(group, plural)) {
            let message = format!(
                "Kubernetes {} does not serve `{plural}` in API group {groups}",
                self.cluster.version()
            );
            found.push((Code::UnknownResource, Severity::Note, message, plural.to_owned()));
            return;
        }
        let same_group: Vec<&Resource> =
            catalogue.iter().filter(|known| rule.groups.iter().any(|group| known.group == *group)).collect();
        let spelled = |known: &&Resource| {
            let lower = plural.to_lowercase();
            lower == known.singular
                || lower == known.plural
                || known.short_names.contains(&lower.clone().into())
        };
        let near =
            same_group.iter().copied().find(spelled).map(|known| known.plural.to_string()).or_else(|| {
                nearest(plural, same_group.iter().map(|known| &*known.plural)).map(str::to_owned)
            });
        let severity = if near.is_some() { Severity::Warning } else { Severity::Note };
        let message = format!("no type `{plural}` is in API group {groups}{}", did_you_mean(near.as_deref()));
        found.push((Code::UnknownResource, severity, message, plural.to_owned()));
    }

    /// Verbs that are none, and rules of which no verb is served.
    fn verbs(&self, rule: &Texts<'_>, found: &mut Vec<Found>) {
        let catalogue = self.cluster.catalogue();
        if !rule.urls.is_empty() {
            for verb in rule.verbs.iter().filter(|verb| !is_known_url_verb(verb) && !verb.contains('*')) {
                let message = format!(
                    "`{verb}` is no verb of a URL; URLs have `get`, `post`, `put`, `patch`, `delete`, `head`"
                );
                found.push((Code::UnknownVerb, Severity::Warning, message, (*verb).to_owned()));
            }
            return;
        }
        let is_known = |verb: &str| {
            known_resource_verbs().any(|known| known == verb)
                || verb == "*"
                || catalogue.asks_for(verb)
                || verb.contains(':')
        };
        let are_known = rule.groups.iter().all(|group| catalogue.is_served(group));
        for verb in rule.verbs.iter().filter(|verb| !is_known(verb) && !verb.contains('*')) {
            let near = nearest(verb, known_resource_verbs().filter(|known| *known != "*"));
            let hint = if operations::is_operation(verb) || *verb == "describe" {
                "; it is a command of kubectl, which sends other requests".to_owned()
            } else {
                match *verb {
                    "read" | "view" => "; did you mean `get`, `list` and `watch`?".to_owned(),
                    "write" | "edit" => "; did you mean `create`, `update` and `patch`?".to_owned(),
                    _ => did_you_mean(near),
                }
            };
            // Other authorizers ask for verbs of their own about types of their own.
            let severity = if are_known || !hint.is_empty() { Severity::Warning } else { Severity::Note };
            let message = format!("`{verb}` is no verb of the API{hint}");
            found.push((Code::UnknownVerb, severity, message, (*verb).to_owned()));
        }
        if rule.verbs.contains(&"*") || !rule.verbs.iter().any(|verb| is_known(verb)) {
            return;
        }
        for resource in rule.resources.iter().filter(|resource| !resource.contains('*')) {
            let (plural, part) = resource.split_once('/').unwrap_or((resource, ""));
            let known: Vec<&Resource> =
                rule.groups.iter().filter_map(|group| catalogue.find(group, plural)).collect();
            let serves = |known: &Resource, verb: &str| match part {
                "" => known.verbs.contains(verb) || known.special_verbs.contains(verb),
                part => known.subresource(part).is_none_or(|sub| sub.verbs.contains(verb)),
            };
            let is_served = known.iter().any(|known| rule.verbs.iter().any(|verb| serves(known, verb)));
            if known.is_empty() || is_served {
                continue;
            }
            let served: Vec<&str> = known
                .iter()
                .flat_map(|known| match known.subresource(part) {
                    Some(sub) => sub.verbs.iter().collect::<Vec<_>>(),
                    None => known.verbs.union(known.special_verbs).iter().collect(),
                })
                .collect();
            let message = format!(
                "the API serves none of {} on `{resource}`, only {}",
                quoted(rule.verbs.iter().copied()),
                quoted(served)
            );
            let detail = format!("{resource} {}", rule.verbs.join(","));
            found.push((Code::VerbNotServed, Severity::Warning, message, detail));
        }
    }

    /// Names of objects beside verbs whose requests carry none.
    fn object_names(&self, role: &Role, rule: &Texts<'_>, found: &mut Vec<Found>) {
        if rule.names.is_empty() {
            return;
        }
        // `create` on a subresource carries the name of the object.
        let plain: Vec<&str> =
            rule.resources.iter().copied().filter(|resource| !resource.contains('/')).collect();
        if plain.is_empty() {
            return;
        }
        // Another rule of the role may allow it without names.
        let is_covered = |verb: &str| {
            plain.iter().all(|resource| {
                self.policy.rules_of(role).iter().any(|placed| {
                    let other = self.texts(&self.policy.rule(*placed));
                    other.names.is_empty()
                        && other.verbs.iter().any(|own| *own == verb || *own == "*")
                        && other.resources.iter().any(|own| own == resource || *own == "*")
                        && rule
                            .groups
                            .iter()
                            .all(|group| other.groups.contains(group) || other.groups.contains(&"*"))
                })
            })
        };
        let dead: Vec<&str> = ["create", "deletecollection"]
            .into_iter()
            .filter(|verb| rule.verbs.contains(verb) && !is_covered(verb))
            .collect();
        if !dead.is_empty() {
            let message = format!(
                "{} on {} never counts, because `resourceNames` is set and these requests carry no name",
                quoted(dead.iter().copied()),
                quoted(plain.iter().copied())
            );
            let detail = format!("{} {}", plain.join(","), dead.join(","));
            found.push((Code::NamesWithCreate, Severity::Warning, message, detail));
        }
        let listing: Vec<&str> = ["list", "watch"]
            .into_iter()
            .filter(|verb| rule.verbs.contains(verb) && !is_covered(verb))
            .collect();
        if !listing.is_empty() {
            let message = format!(
                "{} on {} counts only with `--field-selector metadata.name=NAME`, because `resourceNames` is set",
                quoted(listing.iter().copied()),
                quoted(plain.iter().copied())
            );
            let detail = format!("{} {}", plain.join(","), listing.join(","));
            found.push((Code::NamesWithList, Severity::Note, message, detail));
        }
    }

    /// Types of the cluster in a role of a namespace.
    fn scopes(&self, role: &Role, rule: &Texts<'_>, found: &mut Vec<Found>) {
        if role.scope == Scope::Cluster {
            return;
        }
        let catalogue = self.cluster.catalogue();
        let outside: Vec<&str> = rule
            .resources
            .iter()
            .copied()
            .filter(|resource| {
                let mut groups = rule.groups.iter();
                !resource.contains('*')
                    && !groups
                        .any(|group| is_in_namespaces(catalogue, group, resource, rule.verbs.iter().copied()))
            })
            .collect();
        if outside.is_empty() {
            return;
        }
        let message = format!(
            "{} {} cluster-scoped, and a Role grants nothing outside its namespace",
            quoted(outside.iter().copied()),
            if outside.len() == 1 { "is" } else { "are" }
        );
        found.push((Code::ClusterScopedInRole, Severity::Warning, message, outside.join(",")));
    }
}

impl<'c> Texts<'c> {
    fn all(&self) -> impl Iterator<Item = &'c str> + '_ {
        let lists = [&self.verbs, &self.groups, &self.resources, &self.names, &self.urls];
        lists.into_iter().flatten().copied()
    }
}
