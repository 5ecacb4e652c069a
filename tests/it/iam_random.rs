//! Random accounts: the evaluator against the slow reading of the same rules.

use std::collections::BTreeSet;

use rbacsim::identity::iam::{self, Context, Lens, Reach};
use rbacsim::model::ternary::Ternary;
use serde_json::{Value, json};

use self::random::Random;
use crate::iam::link;
use crate::iam_model::{Given, Model};

#[path = "../../benches/support/random.rs"]
pub(crate) mod random;

const A: &str = "111122223333";
const B: &str = "444455556666";
const TARGET: &str = "arn:aws:iam::111122223333:role/team/admin";
const USERS: [&str; 3] = [
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws:iam::111122223333:user/team/bob",
    "arn:aws:iam::444455556666:user/carol",
];
const ROLES: [&str; 3] = [
    "arn:aws:iam::111122223333:role/dev",
    "arn:aws:iam::111122223333:role/team/ops",
    "arn:aws:iam::444455556666:role/dev",
];
const SESSIONS: [&str; 2] = ["alice", "s-1"];

/// A made-up account, or two.
struct Maker {
    random: Random,
    /// How often a condition is put to a statement, of a hundred.
    conditions: usize,
}

impl Maker {
    fn some(&mut self, from: &[&str]) -> Value {
        if self.random.percent(70) {
            return json!(self.random.pick(from));
        }
        json!((0..=self.random.below(3)).map(|_| *self.random.pick(from)).collect::<Vec<_>>())
    }

    fn action(&mut self, statement: &mut Value) {
        const ACTIONS: [&str; 8] = [
            "sts:AssumeRole",
            "sts:AssumeRole",
            "STS:assume*",
            "*",
            "sts:*",
            "s3:*",
            "sts:AssumeRol?",
            "iam:PassRole",
        ];
        let key = if self.random.percent(12) { "NotAction" } else { "Action" };
        statement[key] = self.some(&ACTIONS);
    }

    fn resource(&mut self, statement: &mut Value) {
        const RESOURCES: [&str; 14] = [
            TARGET,
            TARGET,
            "*",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::*:role/team/adm?n",
            "arn:aws:iam::111122223333:role/admin",
            "arn:aws:iam::111122223333:role/Team/admin",
            "arn:aws:iam::${aws:PrincipalAccount}:role/team/admin",
            "arn:aws:iam::${aws:ResourceAccount}:role/team/*",
            "arn:aws:iam::111122223333:role/team/${aws:PrincipalTag/team}",
            "arn:aws:iam::111122223333:role/${aws:username}/admin",
            "arn:aws:iam::111122223333:role/team/${aws:PrincipalTag/none, 'admin'}",
            "arn:aws:iam::111122223333",
            "arn:aws:iam::111122223333:role/team/${*}",
        ];
        let key = if self.random.percent(15) { "NotResource" } else { "Resource" };
        statement[key] = self.some(&RESOURCES);
    }

    fn principal(&mut self, statement: &mut Value) {
        const PRINCIPALS: [&str; 18] = [
            A,
            "arn:aws:iam::111122223333:root",
            B,
            "arn:aws:iam::444455556666:root",
            "*",
            USERS[0],
            USERS[1],
            USERS[2],
            ROLES[0],
            ROLES[1],
            ROLES[2],
            "arn:aws:sts::111122223333:assumed-role/dev/alice",
            "arn:aws:sts::111122223333:assumed-role/ops/s-1",
            "AIDAALICE",
            "AROAOPS",
            "AIDAGONE",
            "arn:aws:iam::111122223333:user/bob",
            "arn:aws:iam::111122223333:role/*",
        ];
        statement["Principal"] = if self.random.percent(5) {
            json!("*")
        } else if self.random.percent(8) {
            json!({ "Service": "ec2.amazonaws.com", "AWS": self.some(&PRINCIPALS) })
        } else {
            json!({ "AWS": self.some(&PRINCIPALS) })
        };
    }

    fn condition(&mut self) -> Value {
        const TEXTS: [&str; 8] = [
            "StringEquals",
            "StringLike",
            "StringNotEquals",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "stringequalsIfExists",
            "StringNotEqualsIfExists",
            "ForAnyValue:StringLike",
        ];
        let texts: &[&str] = &[
            "alice",
            "al*",
            "${aws:username}",
            "red",
            "${aws:PrincipalTag/team}",
            "a?ice",
            "${aws:PrincipalTag/none}",
            "*",
            "A*",
            "${aws:PrincipalTag/team, 'red'}",
            "${*}",
        ];
        let (operators, keys, values): (&[&str], &[&str], &[&str]) = match self.random.below(9) {
            0 => (
                &["ArnLike", "ArnEquals", "ArnNotLike", "StringLike", "StringNotLike"],
                &["aws:PrincipalArn", "aws:principalarn"],
                &[
                    USERS[0],
                    "arn:aws:iam::*:user/*",
                    "arn:aws:iam::111122223333:role/*",
                    "*",
                    "arn:*:dev",
                    ROLES[1],
                    "arn:aws:iam::${aws:PrincipalAccount}:*",
                ],
            ),
            1 => (&TEXTS, &["aws:PrincipalTag/team", "aws:ResourceTag/team", "iam:ResourceTag/Team"], texts),
            2 => (&TEXTS, &["sts:RoleSessionName", "sts:ExternalId", "aws:RequestTag/team"], texts),
            3 => (
                &["Bool", "BoolIfExists", "Null"],
                &["aws:MultiFactorAuthPresent", "aws:SecureTransport", "aws:username"],
                &["true", "false", "True"],
            ),
            4 => (
                &[
                    "NumericLessThan",
                    "NumericGreaterThanEquals",
                    "NumericNotEquals",
                    "NumericEqualsIfExists",
                    "NumericLessThanEquals",
                ],
                &["aws:MultiFactorAuthAge"],
                &["300", "3600", "-1", "no number"],
            ),
            5 => (
                &["IpAddress", "NotIpAddress", "IpAddressIfExists"],
                &["aws:SourceIp"],
                &["10.0.0.0/8", "10.1.2.3", "192.0.2.128/25"],
            ),
            6 => (
                &[
                    "ForAnyValue:StringEquals",
                    "ForAllValues:StringEquals",
                    "ForAllValues:StringNotLike",
                    "ForAnyValue:StringNotEquals",
                ],
                &["aws:TagKeys"],
                &["team", "cost", "t*"],
            ),
            7 => (
                &["StringLike", "StringNotEquals"],
                &["aws:userid", "aws:PrincipalType", "aws:PrincipalAccount"],
                &["AIDAALICE", "AROADEV:*", "AROADEV:alice", "User", A, "*:s-1"],
            ),
            _ => (
                &["StringEquals", "Null"],
                &["aws:username", "aws:SourceIdentity", "aws:CalledVia"],
                &["alice", "true", "false"],
            ),
        };
        let operator = *self.random.pick(operators);
        let key = *self.random.pick(keys);
        json!({ operator: { key: self.some(values) } })
    }

    fn statement(&mut self, trust: bool) -> Value {
        let effect = if self.random.percent(if trust { 12 } else { 10 }) { "Deny" } else { "Allow" };
        let mut statement = json!({ "Effect": effect });
        self.action(&mut statement);
        if trust {
            self.principal(&mut statement);
        } else {
            self.resource(&mut statement);
        }
        if self.random.percent(self.conditions) {
            statement["Condition"] = self.condition();
            if self.random.percent(20) {
                let more = self.condition();
                for (operator, keys) in more.as_object().unwrap() {
                    statement["Condition"][operator] = keys.clone();
                }
            }
        }
        statement
    }

    fn document(&mut self, trust: bool) -> Value {
        let statements: Vec<Value> = (0..=self.random.below(2)).map(|_| self.statement(trust)).collect();
        let statements = if statements.len() == 1 && self.random.percent(30) {
            statements[0].clone()
        } else {
            json!(statements)
        };
        match self.random.below(8) {
            0 => json!({ "Statement": statements }),
            1 => json!({ "Version": "2008-10-17", "Statement": statements }),
            _ => json!({ "Version": "2012-10-17", "Statement": statements }),
        }
    }

    fn tags(&mut self) -> Value {
        match self.random.below(4) {
            0 => json!([{ "Key": "Team", "Value": "red" }]),
            1 => json!([{ "Key": "team", "Value": "admin" }]),
            2 => json!([{ "Key": "team", "Value": "al*" }]),
            _ => json!([]),
        }
    }

    fn entity(&mut self, arn: &str, kind: &str, id: &str) -> Value {
        let name = arn.rsplit('/').next().unwrap();
        let inline: Vec<Value> = (0..self.random.below(2))
            .map(|number| json!({ "PolicyName": format!("p{number}"), "PolicyDocument": self.document(false) }))
            .collect();
        let mut entity = json!({
            "Arn": arn, format!("{kind}Name"): name, format!("{kind}Id"): id, "Tags": self.tags(),
            format!("{kind}PolicyList"): inline, "AttachedManagedPolicies": [],
        });
        let account = arn.split(':').nth(4).unwrap().to_owned();
        let managed = |name: &str| json!({ "PolicyArn": format!("arn:aws:iam::{account}:policy/{name}") });
        if self.random.percent(50) {
            entity["AttachedManagedPolicies"] = json!([managed("attached")]);
        }
        if kind != "Group" && self.random.percent(25) {
            entity["PermissionsBoundary"] =
                json!({ "PermissionsBoundaryArn": managed("limit")["PolicyArn"] });
        }
        entity
    }

    fn export(&mut self, account: &str) -> Value {
        let of = |arn: &&&str| arn.split(':').nth(4) == Some(account);
        let mut users = Vec::new();
        for arn in USERS.iter().filter(of) {
            let id = format!("AIDA{}", arn.rsplit('/').next().unwrap().to_uppercase());
            let mut user = self.entity(arn, "User", &id);
            user["GroupList"] = if self.random.percent(50) { json!(["devs"]) } else { json!([]) };
            users.push(user);
        }
        let mut roles = Vec::new();
        let target = (account == A).then_some(TARGET);
        for arn in ROLES.iter().filter(of).copied().chain(target) {
            let id = format!("AROA{}", arn.rsplit('/').next().unwrap().to_uppercase());
            let mut role = self.entity(arn, "Role", &id);
            role["AssumeRolePolicyDocument"] = self.document(true);
            roles.push(role);
        }
        let group = self.entity(&format!("arn:aws:iam::{account}:group/devs"), "Group", "AGPADEVS");
        let mut policy = |name: &str| {
            json!({
                "Arn": format!("arn:aws:iam::{account}:policy/{name}"), "DefaultVersionId": "v2",
                "PolicyVersionList": [
                    { "VersionId": "v1", "IsDefaultVersion": false, "Document": self.document(false) },
                    { "VersionId": "v2", "IsDefaultVersion": true, "Document": self.document(false) },
                ],
            })
        };
        let policies = [policy("attached"), policy("limit")];
        json!({
            "UserDetailList": users, "GroupDetailList": [group], "RoleDetailList": roles, "Policies": policies,
        })
    }
}

fn world(seed: u64, conditions: usize) -> (Maker, [Value; 2]) {
    let mut maker = Maker { random: Random::new(seed), conditions };
    let exports = [maker.export(A), maker.export(B)];
    (maker, exports)
}

/// Everybody who may call, a role by its sessions.
fn callers() -> Vec<String> {
    let mut callers: Vec<String> = USERS.iter().map(|&arn| arn.to_owned()).collect();
    for role in ROLES {
        let name = role.rsplit('/').next().unwrap();
        let account = role.split(':').nth(4).unwrap();
        callers
            .extend(SESSIONS.map(|session| format!("arn:aws:sts::{account}:assumed-role/{name}/{session}")));
    }
    callers
}

/// Values of what a request carries beside who asks whom; an empty list is an absent key.
const OPEN: [(&str, &[&[&str]]); 9] = [
    ("sts:rolesessionname", &[&["alice"], &["red"], &["other"], &["alx"]]),
    ("sts:externalid", &[&[], &["alice"], &["red"], &["other"]]),
    ("aws:requesttag/team", &[&[], &["red"], &["other"]]),
    ("aws:multifactorauthpresent", &[&[], &["true"], &["false"]]),
    ("aws:multifactorauthage", &[&[], &["-1"], &["0"], &["300"], &["3600"], &["9999"]]),
    ("aws:sourceip", &[&[], &["10.1.2.3"], &["10.9.9.9"], &["192.0.2.200"], &["192.0.2.1"]]),
    ("aws:tagkeys", &[&[], &["team"], &["cost", "team"], &["other"], &["team", "other"]]),
    ("aws:sourceidentity", &[&[], &["alice"], &["other"]]),
    ("aws:calledvia", &[&[]]),
];

fn context(given: &Given) -> Context {
    let mut context = Context::new();
    for (key, values) in given {
        if values.is_empty() {
            context.absent(key);
        }
        for value in values {
            context.add(key, value.as_str());
        }
    }
    context
}

fn given(choice: impl Iterator<Item = (&'static str, &'static [&'static str])>) -> Given {
    choice
        .map(|(key, values)| (key.to_owned(), values.iter().map(|&value| value.to_owned()).collect()))
        .collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn whole_requests_are_decided_as_by_the_slow_reading() {
    let (mut yes, mut no) = (0, 0);
    for seed in 0..1500 {
        let (mut maker, exports) = world(seed, 45);
        let data = link(&exports.iter().collect::<Vec<_>>());
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        let model = Model { exports: &exports };
        for caller in callers() {
            for role in [TARGET, ROLES[0]] {
                let given = given(OPEN.iter().map(|(key, values)| (*key, *maker.random.pick(values))));
                let right = model.may(&caller, role, iam::ASSUME_ROLE, &given);
                let found = lens.may(&caller, role, None, &context(&given).complete()).unwrap();
                assert_eq!(
                    found.value,
                    Ternary::from(right),
                    "seed {seed}: {caller} {role} {given:?} {found:?}\n{}",
                    serde_json::to_string_pretty(&exports).unwrap()
                );
                if right { yes += 1 } else { no += 1 }
            }
        }
    }
    eprintln!("random questions of IAM: {yes} yes, {no} no");
    assert!(yes > 2000 && no > 2000, "{yes} {no}");
}

/// The keys of the conditions of some exports, in lower case.
fn keys_in(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if key == "Condition" {
                    let keys =
                        value.as_object().unwrap().values().flat_map(|keys| keys.as_object().unwrap().keys());
                    found.extend(keys.map(|key| key.to_lowercase()));
                } else {
                    keys_in(value, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys_in(item, found)),
        _ => {}
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn open_requests_are_never_decided_against_the_slow_reading() {
    let (mut count, mut exactly) = ([0; 3], 0);
    for seed in 10_000..10_700 {
        let (_, exports) = world(seed, 30);
        let data = link(&exports.iter().collect::<Vec<_>>());
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        let model = Model { exports: &exports };
        let mut keys = BTreeSet::new();
        keys_in(&json!(exports), &mut keys);
        let open: Vec<_> = OPEN.iter().filter(|(key, _)| keys.contains(*key)).collect();
        let combinations: usize = open.iter().map(|(_, values)| values.len()).product();
        if combinations > 400 {
            continue;
        }
        for (asked, sessions) in
            USERS.iter().map(|user| (*user, vec![(*user).to_owned()])).chain(ROLES.iter().map(|role| {
                let (name, account) = (role.rsplit('/').next().unwrap(), role.split(':').nth(4).unwrap());
                let session = |session: &str| format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
                (*role, [SESSIONS[0], SESSIONS[1], "other"].map(session).to_vec())
            }))
        {
            let mut seen = [false; 2];
            for caller in &sessions {
                for number in 0..combinations {
                    let mut rest = number;
                    let mut given = given(open.iter().map(|(key, values)| {
                        let values_here = values[rest % values.len()];
                        rest /= values.len();
                        (*key, values_here)
                    }));
                    // Whatever nobody looks at has some value.
                    given.entry("sts:rolesessionname".to_owned()).or_insert_with(|| vec!["some".to_owned()]);
                    seen[usize::from(model.may(caller, TARGET, iam::ASSUME_ROLE, &given))] = true;
                }
            }
            let right = match seen {
                [true, true] => Ternary::Unknown,
                [_, is_yes] => Ternary::from(is_yes),
            };
            let found = lens.may(asked, TARGET, None, &Context::new()).unwrap();
            count[right as usize] += 1;
            exactly += usize::from(found.value == right);
            assert!(
                found.value == right || found.value == Ternary::Unknown,
                "seed {seed}: {asked} is {right:?}: {found:?}\n{}",
                serde_json::to_string_pretty(&exports).unwrap()
            );
        }
    }
    let [no, conditional, yes] = count;
    let all: usize = count.iter().sum();
    eprintln!(
        "random open questions of IAM: {yes} yes, {no} no, {conditional} conditional; {exactly} of {all} exactly"
    );
    assert!(yes > 60 && no > 60 && conditional > 60, "{count:?}");
    assert!(exactly * 100 > all * 97, "{exactly} of {all}");
}

#[test]
fn whoever_is_not_looked_at_could_not_become_the_role() {
    for seed in 20_000..20_600 {
        let (_, exports) = world(seed, 30);
        let data = link(&exports.iter().collect::<Vec<_>>());
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        let reach = Reach::new(&lens, false);
        for role in ROLES.iter().chain([&TARGET]) {
            let id = data.find(role).unwrap();
            let found: BTreeSet<_> = reach.callers(id).iter().map(|edge| edge.caller).collect();
            for (caller, principal) in data.principals().filter(|(caller, _)| *caller != id) {
                let verdict = lens.may(&principal.arn.text, role, None, &Context::new()).unwrap();
                assert_eq!(
                    found.contains(&caller),
                    verdict.value != Ternary::No,
                    "seed {seed} {role} {caller:?}"
                );
            }
        }
    }
}
