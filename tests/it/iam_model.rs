//! A second, slow reading of the rules of IAM: yes or no where the whole request is known. Plain loops over the JSON of
//! exports; no index, no compiled pattern, no verdict with reasons.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a request carries, by key in lower case.
pub(crate) type Given = BTreeMap<String, Vec<String>>;

/// The entities of some exports.
pub(crate) struct Model<'v> {
    pub(crate) exports: &'v [Value],
}

/// Who asks, as what is found of it.
struct Caller<'v> {
    entity: &'v Value,
    is_user: bool,
    /// Of a role session its name.
    session: String,
}

/// One question.
struct Request<'r, 'v> {
    caller: &'r Caller<'v>,
    role: &'v Value,
    action: &'r str,
    given: &'r Given,
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn part(arn: &str, number: usize) -> &str {
    arn.splitn(6, ':').nth(number).unwrap_or("")
}

/// Whether a pattern matches the whole of a text; what stands behind `\0` is no wildcard.
fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|skipped| like(rest, &text[skipped..])),
        Some(('\0', rest)) => !text.is_empty() && rest[0] == text[0] && like(&rest[1..], &text[1..]),
        Some(('?', rest)) => !text.is_empty() && like(rest, &text[1..]),
        Some((char, rest)) => text.first() == Some(char) && like(rest, &text[1..]),
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    like(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

fn literal(text: &str) -> String {
    text.chars().flat_map(|char| ['\0', char]).collect()
}

/// The six parts of an ARN or a pattern of one, or fewer.
fn arn_like(pattern: &str, arn: &str, complete: bool) -> bool {
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            // An inserted colon divides as well.
            '\0' => match chars.next() {
                Some(':') if parts.len() < 5 => parts.push(std::mem::take(&mut part)),
                Some(other) => part.extend(['\0', other]),
                None => {}
            },
            ':' if parts.len() < 5 => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    while complete && parts.len() < 6 {
        parts.push("*".to_owned());
    }
    let own: Vec<&str> = arn.splitn(6, ':').collect();
    parts.len() == 6 && own.len() == 6 && parts.iter().zip(own).all(|(part, own)| glob(part, own))
}

impl<'v> Model<'v> {
    fn all(&self, key: &str) -> Vec<&'v Value> {
        self.exports.iter().flat_map(|export| list(&export[key])).collect()
    }

    fn entity(&self, arn: &str) -> Option<&'v Value> {
        let all = self.all("UserDetailList").into_iter().chain(self.all("RoleDetailList"));
        all.into_iter().find(|entity| entity["Arn"] == arn)
    }

    fn caller(&self, arn: &str) -> Caller<'v> {
        if part(arn, 2) == "sts" {
            let (role, session) =
                part(arn, 5).strip_prefix("assumed-role/").unwrap().split_once('/').unwrap();
            let found = self
                .all("RoleDetailList")
                .into_iter()
                .find(|entity| entity["RoleName"] == role && part(&text(&entity["Arn"]), 4) == part(arn, 4));
            return Caller { entity: found.unwrap(), is_user: false, session: session.to_owned() };
        }
        Caller { entity: self.entity(arn).unwrap(), is_user: true, session: String::new() }
    }

    /// Whether somebody may become a role, where everything that the request carries is given.
    pub(crate) fn may(&self, caller: &str, role: &str, action: &str, given: &Given) -> bool {
        let caller = &self.caller(caller);
        let request = Request { caller, role: self.entity(role).unwrap(), action, given };
        let trust = statements(&request.role["AssumeRolePolicyDocument"]);
        let trusts = |effect: &str, kind: &dyn Fn(&Value) -> bool| {
            trust.iter().any(|(statement, variables)| {
                statement["Effect"] == effect
                    && request.is_action(statement)
                    && kind(statement)
                    && request.conditions(statement, *variables)
            })
        };
        let identity = self.identity(caller);
        let own = |effect: &str, documents: &[&Value]| {
            documents.iter().flat_map(|document| statements(document)).any(|(statement, variables)| {
                statement["Effect"] == effect
                    && request.is_action(statement)
                    && request.is_resource(statement, variables)
                    && request.conditions(statement, variables)
            })
        };
        let boundary = self.boundary(caller);
        let allowed = own("Allow", &identity);
        let within = boundary.is_none_or(|document| own("Allow", &[document]));
        let arn = text(&caller.entity["Arn"]);
        let role_arn = text(&request.role["Arn"]);
        let exact = |statement: &Value| request.is_principal(statement, &["exact"]);
        let by_role = |statement: &Value| request.is_principal(statement, &["role"]);
        let account = |statement: &Value| request.is_principal(statement, &["account"]);
        let anyone = |statement: &Value| request.is_principal(statement, &["anyone"]);
        let any =
            |statement: &Value| request.is_principal(statement, &["exact", "role", "account", "anyone"]);
        let granted = if part(&arn, 4) == part(&role_arn, 4) {
            trusts("Allow", &exact)
                || trusts("Allow", &anyone)
                || (trusts("Allow", &by_role) && within)
                || (trusts("Allow", &account) && allowed && within)
        } else {
            trusts("Allow", &any) && allowed && within
        };
        let mut all = identity;
        all.extend(boundary);
        granted && !trusts("Deny", &any) && !own("Deny", &all)
    }

    /// The policies of a caller: inline, attached, and those of its groups.
    fn identity(&self, caller: &Caller<'v>) -> Vec<&'v Value> {
        let mut documents = Vec::new();
        let mut holders = vec![caller.entity];
        for group in list(&caller.entity["GroupList"]) {
            let account = part(&text(&caller.entity["Arn"]), 4).to_owned();
            holders.extend(
                self.all("GroupDetailList")
                    .into_iter()
                    .filter(|other| other["GroupName"] == *group && part(&text(&other["Arn"]), 4) == account),
            );
        }
        for holder in holders {
            for kind in ["UserPolicyList", "GroupPolicyList", "RolePolicyList"] {
                documents.extend(list(&holder[kind]).into_iter().map(|policy| &policy["PolicyDocument"]));
            }
            for attached in list(&holder["AttachedManagedPolicies"]) {
                documents.push(self.managed(&attached["PolicyArn"]));
            }
        }
        documents
    }

    fn boundary(&self, caller: &Caller<'v>) -> Option<&'v Value> {
        let arn = &caller.entity["PermissionsBoundary"]["PermissionsBoundaryArn"];
        (!arn.is_null()).then(|| self.managed(arn))
    }

    fn managed(&self, arn: &Value) -> &'v Value {
        let policy = self.all("Policies").into_iter().find(|policy| policy["Arn"] == *arn).unwrap();
        let default = &policy["DefaultVersionId"];
        let versions = list(&policy["PolicyVersionList"]);
        &versions.into_iter().find(|version| version["VersionId"] == *default).unwrap()["Document"]
    }
}

/// The statements of a document, each with whether variables are such.
fn statements(document: &Value) -> Vec<(&Value, bool)> {
    let variables = document["Version"] == "2012-10-17";
    list(&document["Statement"]).into_iter().map(|statement| (statement, variables)).collect()
}

impl Request<'_, '_> {
    fn is_action(&self, statement: &Value) -> bool {
        let matches =
            |pattern: &Value| glob(&text(pattern).to_ascii_lowercase(), &self.action.to_ascii_lowercase());
        match statement.get("NotAction") {
            Some(not) => !list(not).into_iter().any(matches),
            None => list(&statement["Action"]).into_iter().any(matches),
        }
    }

    fn is_resource(&self, statement: &Value, variables: bool) -> bool {
        let arn = text(&self.role["Arn"]);
        let matches = |pattern: &Value| {
            self.inserted(&text(pattern), variables).is_some_and(|pattern| arn_like(&pattern, &arn, true))
        };
        match statement.get("NotResource") {
            Some(not) => !list(not).into_iter().any(matches),
            None => list(&statement["Resource"]).into_iter().any(matches),
        }
    }

    fn is_principal(&self, statement: &Value, kinds: &[&str]) -> bool {
        let principal = &statement["Principal"];
        if principal == "*" {
            return kinds.contains(&"anyone");
        }
        list(&principal["AWS"]).into_iter().any(|entry| {
            let entry = text(entry);
            let own = text(&self.caller.entity["Arn"]);
            let account = part(&own, 4);
            let kind = if entry == "*" {
                "anyone"
            } else if entry == account || entry == format!("arn:{}:iam::{account}:root", part(&own, 1)) {
                "account"
            } else if entry == own
                || Some(entry.as_str()) == self.caller.entity["UserId"].as_str()
                || Some(entry.as_str()) == self.caller.entity["RoleId"].as_str()
            {
                if self.caller.is_user { "exact" } else { "role" }
            } else if !self.caller.is_user
                && entry
                    == format!(
                        "arn:{}:sts::{account}:assumed-role/{}/{}",
                        part(&own, 1),
                        text(&self.caller.entity["RoleName"]),
                        self.caller.session
                    )
            {
                "exact"
            } else {
                "nobody"
            };
            kinds.contains(&kind)
        })
    }

    fn tag(entity: &Value, key: &str) -> Option<Vec<String>> {
        let tag = list(&entity["Tags"]).into_iter().find(|tag| text(&tag["Key"]).to_lowercase() == key)?;
        Some(vec![text(&tag["Value"])])
    }

    /// The values of a key; `None` where the request does not carry it.
    fn values(&self, key: &str) -> Option<Vec<String>> {
        let key = key.to_lowercase();
        if let Some(given) = self.given.get(&key) {
            return (!given.is_empty()).then(|| given.clone());
        }
        let caller = self.caller;
        let own = text(&caller.entity["Arn"]);
        let one = |text: String| Some(vec![text]);
        if let Some(tag) = key.strip_prefix("aws:principaltag/") {
            return Self::tag(caller.entity, tag);
        }
        let tag = key.strip_prefix("aws:resourcetag/").or_else(|| key.strip_prefix("iam:resourcetag/"));
        if let Some(tag) = tag {
            return Self::tag(self.role, tag);
        }
        match key.as_str() {
            "aws:principalarn" => one(own),
            "aws:principalaccount" => one(part(&own, 4).to_owned()),
            "aws:principaltype" => one(if caller.is_user { "User" } else { "AssumedRole" }.to_owned()),
            "aws:username" if caller.is_user => one(text(&caller.entity["UserName"])),
            "aws:userid" if caller.is_user => one(text(&caller.entity["UserId"])),
            "aws:userid" => one(format!("{}:{}", text(&caller.entity["RoleId"]), caller.session)),
            "aws:resourceaccount" => one(part(&text(&self.role["Arn"]), 4).to_owned()),
            "aws:principalisawsservice" | "aws:viaawsservice" => one("false".to_owned()),
            "aws:securetransport" => one("true".to_owned()),
            _ => None,
        }
    }

    /// A text with its variables put in as literal text; `None` where one has no value.
    fn inserted(&self, written: &str, variables: bool) -> Option<String> {
        let mut made = String::new();
        let mut rest = written;
        while let Some(start) = rest.find("${").filter(|_| variables) {
            let Some(end) = rest[start..].find('}') else { break };
            made.push_str(&rest[..start]);
            let inside = &rest[start + 2..start + end];
            rest = &rest[start + end + 1..];
            if ["*", "?", "$"].contains(&inside) {
                made.push_str(&literal(inside));
                continue;
            }
            let (key, default) = match inside.split_once(',') {
                Some((key, default)) => (key, Some(default.trim().trim_matches('\'').to_owned())),
                None => (inside, None),
            };
            let value = match self.values(key.trim()) {
                Some(values) => values[0].clone(),
                None => default?,
            };
            made.push_str(&literal(&value));
        }
        made.push_str(rest);
        Some(made)
    }

    fn conditions(&self, statement: &Value, variables: bool) -> bool {
        let operators = statement["Condition"].as_object().into_iter().flatten();
        operators
            .flat_map(|(operator, keys)| {
                keys.as_object().into_iter().flatten().map(move |(key, values)| (operator, key, values))
            })
            .all(|(operator, key, values)| self.condition(operator, key, values, variables))
    }

    fn condition(&self, operator: &str, key: &str, wanted: &Value, variables: bool) -> bool {
        let operator = operator.to_lowercase();
        let (set, operator) = operator.split_once(':').unwrap_or(("", &operator));
        let found = self.values(key);
        if operator == "null" {
            let absent = if found.is_none() { "true" } else { "false" };
            return list(wanted).into_iter().any(|wanted| text(wanted).to_lowercase() == absent);
        }
        let (operator, if_exists) =
            operator.strip_suffix("ifexists").map_or((operator, false), |operator| (operator, true));
        let positive = operator.replacen("not", "", 1);
        let negated = positive != operator;
        let Some(found) = found else {
            return match set {
                "foranyvalue" => false,
                "forallvalues" => true,
                _ => if_exists || negated,
            };
        };
        let one = |value: &String| {
            let matches = list(wanted)
                .into_iter()
                .any(|wanted| self.matches(&positive, value, &text(wanted), variables));
            matches != negated
        };
        match set {
            "forallvalues" => found.iter().all(one),
            _ => found.iter().any(one),
        }
    }

    fn matches(&self, operator: &str, value: &str, wanted: &str, variables: bool) -> bool {
        let has_text = operator.starts_with("string") || operator.starts_with("arn");
        let Some(wanted) = self.inserted(wanted, variables && has_text) else { return false };
        let plain = |text: &str| text.replace('\0', "");
        match operator {
            "stringequals" => value == plain(&wanted),
            "stringequalsignorecase" => value.to_lowercase() == plain(&wanted).to_lowercase(),
            "stringlike" => glob(&wanted, value),
            "arnequals" | "arnlike" => arn_like(&wanted, value, false),
            "bool" => value.to_lowercase() == wanted.to_lowercase(),
            _ if operator.starts_with("numeric") => {
                let (Ok(value), Ok(wanted)) = (value.parse::<f64>(), wanted.parse::<f64>()) else {
                    return false;
                };
                match &operator["numeric".len()..] {
                    "lessthan" => value < wanted,
                    "lessthanequals" => value <= wanted,
                    "greaterthan" => value > wanted,
                    "greaterthanequals" => value >= wanted,
                    _ => (value - wanted).abs() < f64::EPSILON,
                }
            }
            "ipaddress" => {
                let number = |text: &str| -> u32 {
                    text.split('.').fold(0, |sum, byte| sum * 256 + byte.parse::<u32>().unwrap())
                };
                let (network, bits) = wanted.split_once('/').unwrap_or((&wanted, "32"));
                let bits: u32 = bits.parse().unwrap();
                (0..bits).all(|bit| number(network) >> (31 - bit) & 1 == number(value) >> (31 - bit) & 1)
            }
            other => panic!("{other}"),
        }
    }
}
