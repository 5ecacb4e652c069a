//! The answers of a cluster: of what is certain, weighed against what may be.

use super::who::certain;
use super::{Cluster, Who, WhoIs, aggregated};
use crate::decide::answer::{Answer, Doubt, NearMiss};
use crate::decide::evaluate::Asker;
use crate::identity::{IdentityError, Mapped};
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::policy::Completeness;
use crate::model::ternary::Ternary;
use crate::model::user::UserInfo;

impl Cluster {
    /// Answers for somebody about a type that may not be known: what rules say of what it may really be makes a
    /// "no" unknown, because a CRD outside the inputs may define it so.
    pub fn answer_for_type<'g>(&'g self, who: &Who, attributes: &Attributes<'_>) -> Answer<'g> {
        let mut answer = self.answer(who, attributes);
        let Attributes::Resource(asked) = attributes else { return answer };
        if answer.ternary == Ternary::Yes && self.scope_decides(who, asked) {
            answer.ternary = Ternary::Unknown;
            let grants = std::mem::take(&mut answer.grants);
            answer.doubts.extend(grants.into_iter().next().map(Doubt::UnknownScope));
            return answer;
        }
        if answer.ternary != Ternary::No || who.error().is_some() {
            return answer;
        }
        for (group, resource) in self.possible_types(asked.group, asked.resource) {
            let there = self.answer(who, &Attributes::Resource(self.as_type(asked, group, &resource)));
            if there.ternary != Ternary::No {
                answer.ternary = Ternary::Unknown;
                let name = format!("{resource}.{group}");
                answer.doubts.push(Doubt::OtherType(name, there.grants.first().copied()));
            }
        }
        answer
    }

    /// Answers for somebody, with every reason.
    pub fn answer<'g>(&'g self, who: &Who, attributes: &Attributes<'_>) -> Answer<'g> {
        let own = self.certain_answer(who, attributes);
        match self.possible() {
            Some(possible) if own.ternary != Ternary::Yes => {
                self.weigh(own, &possible.certain_answer(who, attributes))
            }
            _ => own,
        }
    }

    /// The answer of what is certain alone.
    fn certain_answer<'g>(&'g self, who: &Who, attributes: &Attributes<'_>) -> Answer<'g> {
        match &who.is {
            WhoIs::User(user) if self.refuses_as_anonymous(user, attributes) => {
                Answer { near: vec![NearMiss::ClosedToAnonymous], ..Answer::no() }
            }
            WhoIs::User(user) => self.graph.answer(user, attributes, self.coverage()),
            WhoIs::Error(error) => self.answer_without_user(who, error, attributes),
            WhoIs::Mapped(mapped) => {
                if let Some(group) = self.refused_by_aggregated(who, attributes) {
                    return aggregated::refused(group);
                }
                let shown = mapped.user_info();
                let mut answer = self.graph.answer_as(&certain(mapped), &shown, attributes, self.coverage());
                if answer.ternary != Ternary::Yes {
                    answer.doubts.extend(self.access_doubts(mapped, attributes));
                    if !answer.doubts.is_empty() {
                        answer.ternary = Ternary::Unknown;
                    }
                }
                if answer.ternary == Ternary::No {
                    answer.doubts.extend(self.unfilled_names(mapped, attributes));
                    if !answer.doubts.is_empty() {
                        answer.ternary = Ternary::Unknown;
                    }
                }
                if answer.ternary != Ternary::Yes && mapped.is_symbolic() {
                    answer.doubts.extend(self.session_doubts(who, mapped, attributes));
                    if !answer.doubts.is_empty() {
                        answer.ternary = Ternary::Unknown;
                    }
                }
                answer
            }
        }
    }

    /// Whether somebody is certainly allowed a request, whatever the scope of its type.
    pub(crate) fn is_allowed(&self, asker: &Asker, attributes: &Attributes<'_>) -> bool {
        if !self.graph.authorize(asker, attributes).is_allowed() {
            return false;
        }
        match attributes {
            Attributes::Resource(asked) if self.scope_is_open(asked) => {
                let outside = Attributes::Resource(ResourceAttributes { namespace: "", ..*asked });
                self.graph.authorize(asker, &outside).is_allowed()
            }
            _ => true,
        }
    }

    /// A request as one for another type: of a cluster-scoped one it carries no namespace.
    pub(crate) fn as_type<'a>(
        &self,
        asked: &ResourceAttributes<'a>,
        group: &'a str,
        resource: &'a str,
    ) -> ResourceAttributes<'a> {
        let in_cluster = self.catalogue.is_namespaced(group, resource) == Some(false);
        let namespace = if in_cluster { "" } else { asked.namespace };
        ResourceAttributes { group, resource, namespace, ..*asked }
    }

    /// Whether nothing tells the scope of a type, and the request carries a namespace: if the type is cluster-scoped,
    /// the request would carry none. Of inputs that are complete a CRD would be there: requests are taken as they are. The
    /// types of a group that Kubernetes serves are all known.
    pub(crate) fn scope_is_open(&self, asked: &ResourceAttributes<'_>) -> bool {
        let resource = asked.resource.split('/').next().unwrap_or_default();
        self.completeness == Completeness::Partial
            && !asked.namespace.is_empty()
            && resource != "*"
            && !self.catalogue.is_served(asked.group)
            && self.catalogue.is_namespaced(asked.group, resource).is_none()
    }

    /// Whether what is allowed in the namespace of a request would not be if the type were cluster-scoped.
    fn scope_decides(&self, who: &Who, asked: &ResourceAttributes<'_>) -> bool {
        let outside = ResourceAttributes { namespace: "", ..*asked };
        self.scope_is_open(asked) && self.ternary(who, &Attributes::Resource(outside)) != Ternary::Yes
    }

    /// Yes, no or unknown without the reasons; what [`Cluster::answer_for_type`] says.
    pub fn ternary_for_type(&self, who: &Who, attributes: &Attributes<'_>) -> Ternary {
        let ternary = self.ternary(who, attributes);
        let Attributes::Resource(asked) = attributes else { return ternary };
        if ternary == Ternary::Yes && self.scope_decides(who, asked) {
            return Ternary::Unknown;
        }
        if ternary != Ternary::No || who.error().is_some() {
            return ternary;
        }
        let is_refused = |(group, resource): &(&str, String)| {
            self.ternary(who, &Attributes::Resource(self.as_type(asked, group, resource))) == Ternary::No
        };
        if self.possible_types(asked.group, asked.resource).iter().all(is_refused) {
            ternary
        } else {
            Ternary::Unknown
        }
    }

    /// Yes, no or unknown without the reasons; what [`Cluster::answer`] says.
    ///
    /// What comes nearest to a "no" is looked for in every namespace in which somebody is bound: asked in each of
    /// thousands, that would be millions of looks.
    pub fn ternary(&self, who: &Who, attributes: &Attributes<'_>) -> Ternary {
        let own = self.certain_ternary(who, attributes);
        match self.possible() {
            Some(possible) if own != Ternary::Yes => {
                possible.certain_ternary(who, attributes).min(Ternary::Unknown)
            }
            _ => own,
        }
    }

    fn certain_ternary(&self, who: &Who, attributes: &Attributes<'_>) -> Ternary {
        match &who.is {
            WhoIs::User(user) if self.refuses_as_anonymous(user, attributes) => Ternary::No,
            WhoIs::User(user) => self.ternary_of(user, user, attributes),
            WhoIs::Mapped(mapped) => {
                if self.refused_by_aggregated(who, attributes).is_some() {
                    return Ternary::No;
                }
                let ternary = self.ternary_of(&certain(mapped), &mapped.user_info(), attributes);
                if ternary != Ternary::No {
                    return ternary;
                }
                let doubt = !self.access_doubts(mapped, attributes).is_empty()
                    || !self.unfilled_names(mapped, attributes).is_empty()
                    || (mapped.is_symbolic() && !self.session_doubts(who, mapped, attributes).is_empty());
                if doubt { Ternary::Unknown } else { ternary }
            }
            WhoIs::Error(error) => self.ternary_without_user(who, error, attributes),
        }
    }

    /// The answer of the graph for a user that is only partly known.
    pub(super) fn ternary_of(
        &self,
        certain: &UserInfo,
        shown: &UserInfo,
        attributes: &Attributes<'_>,
    ) -> Ternary {
        self.graph.ternary(shown, &self.graph.asker(certain), attributes, self.coverage())
    }

    /// What [`Cluster::answer_without_user`] says, without the reasons.
    fn ternary_without_user(&self, who: &Who, error: &IdentityError, attributes: &Attributes<'_>) -> Ternary {
        let of = |mapped: &Mapped| {
            let is = WhoIs::Mapped(Box::new(mapped.clone()));
            self.ternary(&Who { identity: who.identity.clone(), is }, attributes)
        };
        match error {
            IdentityError::RandomMapping { candidates } => {
                let answers: Vec<Ternary> = candidates
                    .iter()
                    .map(|candidate| match candidate {
                        Ok(mapped) => of(mapped),
                        Err(error) => self.ternary_without_user(who, error, attributes),
                    })
                    .collect();
                let likeliest = answers.iter().copied().max().unwrap_or(Ternary::No);
                if Ternary::whichever(answers) == likeliest { likeliest } else { Ternary::Unknown }
            }
            IdentityError::NotMapped { unfilled, unrendered, elsewhere, .. } => {
                let is_open = !elsewhere.is_empty() || unrendered.is_some();
                let may = is_open || unfilled.iter().any(|mapped| of(mapped) != Ternary::No);
                if may { Ternary::Unknown } else { Ternary::No }
            }
            IdentityError::Unknown { .. } => self.answer_without_user(who, error, attributes).ternary,
            _ if error.is_refusal() => Ternary::No,
            _ => Ternary::Unknown,
        }
    }

    fn answer_without_user<'g>(
        &'g self,
        who: &Who,
        error: &IdentityError,
        attributes: &Attributes<'_>,
    ) -> Answer<'g> {
        if let IdentityError::RandomMapping { candidates } = error {
            let mut answers = Vec::new();
            for candidate in candidates {
                let is = match candidate {
                    Ok(mapped) => WhoIs::Mapped(Box::new(mapped.clone())),
                    Err(error) => WhoIs::Error(Box::new(error.clone())),
                };
                answers.push(self.answer(&Who { identity: who.identity.clone(), is }, attributes));
            }
            let ternary = Ternary::whichever(answers.iter().map(|answer| answer.ternary));
            let mut answer =
                answers.into_iter().max_by_key(|answer| answer.ternary).unwrap_or_else(Answer::no);
            if ternary != answer.ternary {
                answer.ternary = Ternary::Unknown;
                let grants = std::mem::take(&mut answer.grants);
                answer.doubts.push(Doubt::RandomMapping(grants.into_iter().next()));
            }
            return answer;
        }
        if let IdentityError::Unknown { doubts, could_be, is_exhaustive } = error {
            return self.answer_for_anybody(who, doubts, could_be, *is_exhaustive, attributes);
        }
        let mut answer = Answer::no();
        if let IdentityError::NotMapped { unfilled, unrendered, elsewhere, .. } = error {
            if !elsewhere.is_empty() {
                answer.ternary = Ternary::Unknown;
                answer.doubts.extend(elsewhere.iter().cloned().map(|doubt| Doubt::Identity(doubt, None)));
            }
            if let Some(source) = unrendered {
                answer.ternary = Ternary::Unknown;
                answer.doubts.push(Doubt::Unrendered(*source));
            }
            for mapped in unfilled {
                let is = WhoIs::Mapped(Box::new(mapped.clone()));
                let then = self.answer(&Who { identity: who.identity.clone(), is }, attributes);
                if then.ternary != Ternary::No {
                    answer.ternary = Ternary::Unknown;
                    let grant = then.grants.first().copied();
                    answer.doubts.push(Doubt::Unfilled(Box::new(mapped.provenance.clone()), grant));
                }
            }
            return answer;
        }
        if !error.is_refusal() {
            answer.ternary = Ternary::Unknown;
            answer.doubts.push(Doubt::NoIdentity);
        }
        answer
    }
}
