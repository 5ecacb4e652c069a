//! The intrinsic functions of `CloudFormation`, as far as a template alone tells what they make.

use std::cell::Cell;

use crate::document::Node;
use crate::identity::access_entries::{HoleOf, Setting, Told};

/// Functions nested deeper than this are not looked into.
const MAX_DEPTH: usize = 40;

/// So many functions are looked into for one value: they may refer to each other in a circle, and more than once.
const MOST: u32 = 10_000;

/// A template, as functions look things up in it.
pub(super) struct Template<'t> {
    parameters: Option<Node<'t>>,
    mappings: Option<Node<'t>>,
    resources: Option<Node<'t>>,
    /// How many functions may still be looked into for the present value.
    budget: Cell<u32>,
}

impl<'t> Template<'t> {
    pub(super) fn of(node: Node<'t>) -> Self {
        Self {
            parameters: node.get("Parameters"),
            mappings: node.get("Mappings"),
            resources: node.get("Resources"),
            budget: Cell::new(MOST),
        }
    }

    /// Whether a mapping is a function rather than a value.
    pub(super) fn is_function(node: Node<'_>) -> bool {
        let mut pairs = node.pairs();
        let first = pairs.next().map(|(key, _)| key.text());
        pairs.next().is_none() && first.is_some_and(|key| key == "Ref" || key.starts_with("Fn::"))
    }

    /// Whether a value takes the property away.
    pub(super) fn is_no_value(node: Node<'_>) -> bool {
        node.get("Ref").is_some_and(|name| name.text() == "AWS::NoValue")
    }

    /// A text, with holes where the template does not tell it.
    pub(super) fn told(&self, node: Node<'_>) -> Told {
        self.budget.set(MOST);
        self.value(node, 0)
    }

    /// A list of texts; unknown if any of them is.
    pub(super) fn texts(&self, node: Node<'_>) -> Setting<Vec<String>> {
        let items: Option<Vec<String>> = self.items(node).into_iter().collect();
        items.map_or(Setting::Unknown, Setting::Given)
    }

    /// The items of a list, `None` for those that are not told.
    pub(super) fn items(&self, node: Node<'_>) -> Vec<Option<String>> {
        self.budget.set(MOST);
        if let Some(list) = self.list(node, 0) {
            return list.iter().map(|item| item.text().map(str::to_owned)).collect();
        }
        vec![None]
    }

    fn list(&self, node: Node<'_>, depth: usize) -> Option<Vec<Told>> {
        if depth > MAX_DEPTH {
            return None;
        }
        if node.is_sequence() {
            let mut items = Vec::new();
            for item in node.items().filter(|item| !Self::is_no_value(*item)) {
                // A parameter that is a list spreads where one item stands.
                match self.list_of_parameter(item) {
                    Some(list) => items.extend(list),
                    None => items.push(self.value(item, depth + 1)),
                }
            }
            return Some(items);
        }
        if let Some(split) = node.get("Fn::Split") {
            let mut parts = split.items();
            let (separator, text) = (parts.next()?.text(), self.value(parts.next()?, depth + 1));
            return Some(text.text()?.split(separator).map(Told::known).collect());
        }
        if let Some(sides) = node.get("Fn::If") {
            let mut sides = sides.items().skip(1);
            let (one, other) = (self.list(sides.next()?, depth + 1)?, self.list(sides.next()?, depth + 1)?);
            return (one == other).then_some(one);
        }
        if let Some(keys) = node.get("Fn::FindInMap") {
            let found = self.in_map(keys, depth)?;
            return self.list(found, depth + 1);
        }
        self.list_of_parameter(node)
    }

    /// The default of a parameter that is a list.
    fn list_of_parameter(&self, node: Node<'_>) -> Option<Vec<Told>> {
        let parameter = self.parameters?.get(node.get("Ref")?.text())?;
        let kind = parameter.get("Type")?.text();
        if kind != "CommaDelimitedList" && !kind.starts_with("List<") {
            return None;
        }
        let default = parameter.get("Default")?;
        Some(default.text().split(',').map(|item| Told::known(item.trim())).collect())
    }

    fn value(&self, node: Node<'_>, depth: usize) -> Told {
        if node.scalar().is_some() {
            let text = node.text();
            return if text.contains("{{resolve:") { Told::unknown(text) } else { Told::known(text) };
        }
        let budget = self.budget.get();
        if depth > MAX_DEPTH || budget == 0 || !Self::is_function(node) {
            return Told::nameless();
        }
        self.budget.set(budget - 1);
        let Some((key, argument)) = node.pairs().next() else { return Told::nameless() };
        let known = match key.text() {
            "Ref" => Some(self.reference(argument.text(), depth)),
            "Fn::Join" => self.join(argument, depth),
            "Fn::Sub" => self.sub(argument, depth),
            "Fn::GetAtt" => Some(self.attribute(argument, depth)),
            "Fn::If" => {
                let mut sides = argument.items().skip(1).map(|side| self.value(side, depth + 1));
                sides.next().zip(sides.next()).and_then(|(one, other)| (one == other).then_some(one))
            }
            "Fn::Select" => {
                let mut parts = argument.items();
                let index = parts.next().and_then(|index| index.text().parse::<usize>().ok());
                let list = parts.next().and_then(|list| self.list(list, depth + 1));
                index.zip(list).and_then(|(index, list)| list.into_iter().nth(index))
            }
            "Fn::FindInMap" => self.in_map(argument, depth).map(|found| self.value(found, depth + 1)),
            "Fn::ImportValue" => {
                let name = self.value(argument, depth + 1);
                Some(Told::unknown(format!("Fn::ImportValue {name}")))
            }
            _ => None,
        };
        known.unwrap_or_else(|| Told::unknown(key.text()))
    }

    fn reference(&self, name: &str, depth: usize) -> Told {
        let pseudo = match name {
            "AWS::AccountId" => Some(HoleOf::Account),
            "AWS::Partition" => Some(HoleOf::Partition),
            "AWS::Region" => Some(HoleOf::Region),
            _ => None,
        };
        if let Some(of) = pseudo {
            return Told::hole(of, name);
        }
        let parameter = self.parameters.and_then(|parameters| parameters.get(name));
        if let Some(default) = parameter.and_then(|parameter| parameter.get("Default"))
            && !parameter
                .and_then(|parameter| parameter.get("Type"))
                .is_some_and(|kind| kind.text().starts_with("AWS::SSM::"))
        {
            return Told::known(default.text());
        }
        // What a reference to a cluster gives is its name.
        let resource = self.resources.and_then(|resources| resources.get(name));
        let kind = resource.and_then(|resource| resource.get("Type")).map(Node::text);
        if kind == Some("AWS::EKS::Cluster")
            && let Some(own) =
                resource.and_then(|resource| resource.get("Properties")).and_then(|own| own.get("Name"))
        {
            return self.value(own, depth + 1);
        }
        Told::unknown(name)
    }

    fn join(&self, argument: Node<'_>, depth: usize) -> Option<Told> {
        let mut parts = argument.items();
        let separator = parts.next()?.text();
        let list = self.list(parts.next()?, depth + 1)?;
        let mut joined = Told::default();
        for (item, index) in list.into_iter().zip(0usize..) {
            if index > 0 && !separator.is_empty() {
                joined.push(Told::known(separator));
            }
            joined.push(item);
        }
        Some(joined)
    }

    fn sub(&self, argument: Node<'_>, depth: usize) -> Option<Told> {
        let (text, own) = if argument.is_sequence() {
            let mut parts = argument.items();
            (parts.next()?.text(), parts.next())
        } else {
            (argument.text(), None)
        };
        let mut told = Told::default();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, after) = rest.split_at(start);
            told.push(Told::known(before));
            let Some(end) = after.find('}') else {
                told.push(Told::known(after));
                return Some(told);
            };
            let name = after.get(2..end).unwrap_or_default().trim();
            rest = after.get(end + 1..).unwrap_or_default();
            if let Some(literal) = name.strip_prefix('!') {
                told.push(Told::known(format!("${{{literal}}}")));
            } else if let Some(value) = own.and_then(|own| own.get(name)) {
                told.push(self.value(value, depth + 1));
            } else if let Some((id, attribute)) = name.split_once('.') {
                told.push(self.attribute_of(id, attribute, depth));
            } else {
                told.push(self.reference(name, depth + 1));
            }
        }
        told.push(Told::known(rest));
        Some(told)
    }

    fn attribute(&self, argument: Node<'_>, depth: usize) -> Told {
        if argument.is_sequence() {
            let parts: Vec<&str> = argument.items().map(Node::text).collect();
            return match parts.as_slice() {
                [id, attribute] => self.attribute_of(id, attribute, depth),
                _ => Told::unknown("Fn::GetAtt"),
            };
        }
        let text = argument.text();
        let (id, attribute) = text.split_once('.').unwrap_or((text, ""));
        self.attribute_of(id, attribute, depth)
    }

    /// The ARN of a role or user of the template, where it has a name of its own; `CloudFormation` invents any other.
    fn attribute_of(&self, id: &str, attribute: &str, depth: usize) -> Told {
        self.arn_of(id, depth)
            .filter(|_| attribute == "Arn")
            .unwrap_or_else(|| Told::unknown(format!("{id}.{attribute}")))
    }

    fn arn_of(&self, id: &str, depth: usize) -> Option<Told> {
        let resource = self.resources?.get(id)?;
        let (kind, name_key) = match resource.get("Type")?.text() {
            "AWS::IAM::Role" => ("role", "RoleName"),
            "AWS::IAM::User" => ("user", "UserName"),
            _ => return None,
        };
        let properties = resource.get("Properties")?;
        let name = self.value(properties.get(name_key)?, depth + 1);
        let path =
            properties.get("Path").map_or_else(|| Told::known("/"), |path| self.value(path, depth + 1));
        let mut arn = Told::known("arn:");
        arn.push(Told::hole(HoleOf::Partition, "AWS::Partition"));
        arn.push(Told::known(":iam::"));
        arn.push(Told::hole(HoleOf::Account, "AWS::AccountId"));
        arn.push(Told::known(format!(":{kind}")));
        arn.push(path);
        arn.push(name);
        Some(arn)
    }

    fn in_map(&self, keys: Node<'_>, depth: usize) -> Option<Node<'t>> {
        let mut place = self.mappings?;
        let mut count = 0;
        for key in keys.items().take(3) {
            let key = self.value(key, depth + 1);
            place = place.get(key.text()?)?;
            count += 1;
        }
        (count == 3).then_some(place)
    }
}
