//! Who may assume which role: one test per rule, on accounts of a few lines.

use rbacsim::document::{Tree, json};
use rbacsim::identity::iam::{self, Context, IamData, Lens, Near, NotACaller, Verdict};
use rbacsim::model::diagnostic::{Code, Diagnostic};
use rbacsim::model::source::Source;
use rbacsim::model::ternary::Ternary::{self, No, Unknown, Yes};
use serde_json::{Value, json};

pub(crate) const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
pub(crate) const DEV: &str = "arn:aws:iam::111122223333:role/dev";
pub(crate) const ADMIN: &str = "arn:aws:iam::111122223333:role/admin";
pub(crate) const ROOT: &str = "arn:aws:iam::111122223333:root";
const BOB: &str = "arn:aws:iam::444455556666:user/bob";

pub(crate) fn read(exports: &[Value]) -> (IamData, Vec<Diagnostic>) {
    let (mut pages, mut diagnostics) = (Vec::new(), Vec::new());
    for export in exports {
        let text = serde_json::to_string_pretty(export).unwrap();
        let mut tree = Tree::default();
        json::read(&text, &mut tree).unwrap();
        pages.extend(iam::read(tree.root().unwrap(), Source::default(), &mut diagnostics));
    }
    (IamData::link(pages, &mut diagnostics), diagnostics)
}

/// An account: user `alice` in group `devs`, role `dev`, and role `admin` which is to be assumed.
pub(crate) struct World {
    pub(crate) trust: Vec<Value>,
    /// Statements of alice and of dev.
    pub(crate) own: Vec<Value>,
    pub(crate) group: Vec<Value>,
    boundary: Option<Vec<Value>>,
    pub(crate) tags: Vec<(&'static str, &'static str)>,
    pub(crate) role_tags: Vec<(&'static str, &'static str)>,
    /// Statements of the trust policy of dev.
    pub(crate) dev_trust: Vec<Value>,
    version: Option<&'static str>,
    path: &'static str,
}

pub(crate) fn world(trust: impl IntoIterator<Item = Value>) -> World {
    World {
        trust: trust.into_iter().collect(),
        own: Vec::new(),
        group: Vec::new(),
        boundary: None,
        tags: Vec::new(),
        role_tags: Vec::new(),
        dev_trust: vec![trusts(json!({ "AWS": ROOT }))],
        version: Some("2012-10-17"),
        path: "/",
    }
}

fn document(statements: &[Value], version: Option<&str>) -> Value {
    match version {
        Some(version) => json!({ "Version": version, "Statement": statements }),
        None => json!({ "Statement": statements }),
    }
}

fn tags(tags: &[(&str, &str)]) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

impl World {
    pub(crate) fn own(mut self, statements: impl IntoIterator<Item = Value>) -> Self {
        self.own.extend(statements);
        self
    }

    pub(crate) fn boundary(mut self, statements: impl IntoIterator<Item = Value>) -> Self {
        self.boundary = Some(statements.into_iter().collect());
        self
    }

    pub(crate) fn export(&self) -> Value {
        let inline = json!([{ "PolicyName": "own", "PolicyDocument": document(&self.own, self.version) }]);
        let mut user = json!({
            "Arn": ALICE, "UserName": "alice", "UserId": "AIDAALICE", "Path": "/",
            "UserPolicyList": inline, "GroupList": ["devs"], "AttachedManagedPolicies": [], "Tags": tags(&self.tags),
        });
        let mut dev = json!({
            "Arn": DEV, "RoleName": "dev", "RoleId": "AROADEV", "Path": "/", "RolePolicyList": inline,
            "AssumeRolePolicyDocument": document(&self.dev_trust, self.version), "Tags": tags(&self.tags),
            "AttachedManagedPolicies": [], "InstanceProfileList": [],
        });
        let mut policies = Vec::new();
        if let Some(boundary) = &self.boundary {
            let arn = "arn:aws:iam::111122223333:policy/limit";
            let boundary_of = json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn });
            user["PermissionsBoundary"] = boundary_of.clone();
            dev["PermissionsBoundary"] = boundary_of;
            policies.push(json!({
                "Arn": arn, "PolicyName": "limit", "DefaultVersionId": "v1",
                "PolicyVersionList": [{ "VersionId": "v1", "IsDefaultVersion": true, "Document": document(boundary, self.version) }],
            }));
        }
        let admin = format!("arn:aws:iam::111122223333:role{}admin", self.path);
        json!({
            "UserDetailList": [user],
            "GroupDetailList": [{
                "Arn": "arn:aws:iam::111122223333:group/devs", "GroupName": "devs", "GroupId": "AGPA", "Path": "/",
                "GroupPolicyList": [{ "PolicyName": "of-devs", "PolicyDocument": document(&self.group, self.version) }],
                "AttachedManagedPolicies": [],
            }],
            "RoleDetailList": [dev, {
                "Arn": admin, "RoleName": "admin", "RoleId": "AROAADMIN", "Path": self.path,
                "AssumeRolePolicyDocument": document(&self.trust, self.version), "Tags": tags(&self.role_tags),
                "RolePolicyList": [], "AttachedManagedPolicies": [], "InstanceProfileList": [],
            }],
            "Policies": policies,
        })
    }

    pub(crate) fn ask(&self, action: &str, who: &str, context: &Context) -> Verdict {
        let (data, diagnostics) = read(&[self.export()]);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let admin = format!("arn:aws:iam::111122223333:role{}admin", self.path);
        Lens::new(&data, action).may(who, &admin, None, context).unwrap()
    }

    #[track_caller]
    pub(crate) fn may(&self, who: &str) -> Ternary {
        self.ask(iam::ASSUME_ROLE, who, &Context::new()).value
    }

    #[track_caller]
    pub(crate) fn given(&self, who: &str, context: &[(&str, &str)]) -> Ternary {
        let mut known = Context::new();
        for (key, value) in context {
            known.add(key, *value);
        }
        self.ask(iam::ASSUME_ROLE, who, &known.complete()).value
    }

    fn open(&self, who: &str) -> Vec<String> {
        let verdict = self.ask(iam::ASSUME_ROLE, who, &Context::new());
        let mut open = Vec::new();
        verdict.why.open(&mut open);
        open.iter().flat_map(|leaf| leaf.keys()).map(str::to_owned).collect()
    }

    pub(crate) fn near(&self, who: &str) -> Vec<Near> {
        let (data, _) = read(&[self.export()]);
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        let role =
            data.find(ADMIN).or_else(|| data.find("arn:aws:iam::111122223333:role/team/admin")).unwrap();
        lens.nearest(&data.caller(who, None).unwrap(), role, &Context::new())
    }
}

pub(crate) fn trusts(principal: Value) -> Value {
    json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" })
}

pub(crate) fn allows(resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource })
}

pub(crate) fn denies(resource: &str) -> Value {
    json!({ "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": resource })
}

pub(crate) fn with(mut statement: Value, key: &str, value: Value) -> Value {
    statement[key] = value;
    statement
}

/// The trust policy admits the account, on a condition; alice and dev may assume everything.
pub(crate) fn on(condition: Value) -> World {
    world([with(trusts(json!({ "AWS": ROOT })), "Condition", condition)]).own([allows("*")])
}

#[test]
fn an_account_principal_delegates_to_identity_policies() {
    for principal in [json!({ "AWS": ROOT }), json!({ "AWS": "111122223333" })] {
        assert_eq!(world([trusts(principal.clone())]).may(ALICE), No);
        assert_eq!(world([trusts(principal.clone())]).own([allows(ADMIN)]).may(ALICE), Yes);
        assert_eq!(world([trusts(principal)]).own([allows(ADMIN)]).may(DEV), Yes);
    }
}

#[test]
fn a_principal_named_in_its_own_account_needs_no_identity_policy() {
    assert_eq!(world([trusts(json!({ "AWS": ALICE }))]).may(ALICE), Yes);
    assert_eq!(world([trusts(json!({ "AWS": DEV }))]).may(DEV), Yes);
    assert_eq!(world([trusts(json!("*"))]).may(ALICE), Yes);
    assert_eq!(world([trusts(json!({ "AWS": "*" }))]).may(DEV), Yes);
    assert_eq!(world([trusts(json!({ "AWS": ALICE }))]).may(DEV), No);
}

#[test]
fn trust_is_needed_whatever_identity_policies_allow() {
    assert_eq!(world([]).own([allows("*")]).may(ALICE), No);
    assert_eq!(world([trusts(json!({ "Service": "ec2.amazonaws.com" }))]).own([allows("*")]).may(ALICE), No);
}

#[test]
fn principals_are_whole_arns_with_their_path_and_case() {
    for other in [
        "arn:aws:iam::111122223333:user/Alice",
        "arn:aws:iam::111122223333:user/team/alice",
        "arn:aws:iam::111122223333:role/alice",
        "arn:aws:iam::111122223333:user/alic",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::111122223333:user/alice?",
    ] {
        assert_eq!(world([trusts(json!({ "AWS": other }))]).may(ALICE), No, "{other}");
    }
}

#[test]
fn a_unique_id_is_the_principal_that_has_it_and_nobody_where_none_has() {
    assert_eq!(world([trusts(json!({ "AWS": "AIDAALICE" }))]).may(ALICE), Yes);
    assert_eq!(world([trusts(json!({ "AWS": "AROADEV" }))]).may(DEV), Yes);
    assert_eq!(world([trusts(json!({ "AWS": "AIDAGONE" }))]).may(ALICE), No);
}

#[test]
fn a_session_arn_names_one_session() {
    let one = "arn:aws:sts::111122223333:assumed-role/dev/alice";
    let world = world([trusts(json!({ "AWS": one }))]);
    assert_eq!(world.may(one), Yes);
    assert_eq!(world.may("arn:aws:sts::111122223333:assumed-role/dev/bob"), No);
    assert_eq!(world.may(DEV), Unknown);
    assert_eq!(world.open(DEV), ["session name"]);
}

#[test]
fn a_session_is_its_role() {
    let session = "arn:aws:sts::111122223333:assumed-role/dev/anything";
    assert_eq!(world([trusts(json!({ "AWS": DEV }))]).may(session), Yes);
    assert_eq!(world([trusts(json!({ "AWS": ROOT }))]).own([allows(ADMIN)]).may(session), Yes);
}

#[test]
fn explicit_deny_wins_everywhere() {
    let deny = |principal: Value| with(trusts(principal), "Effect", json!("Deny"));
    assert_eq!(world([trusts(json!({ "AWS": ALICE })), deny(json!("*"))]).may(ALICE), No);
    assert_eq!(world([trusts(json!({ "AWS": ALICE })), deny(json!({ "AWS": ROOT }))]).may(ALICE), No);
    assert_eq!(world([trusts(json!({ "AWS": DEV })), deny(json!({ "AWS": DEV }))]).may(DEV), No);
    assert_eq!(world([trusts(json!({ "AWS": ALICE }))]).own([denies("*")]).may(ALICE), No);
    assert_eq!(world([trusts(json!({ "AWS": ALICE }))]).boundary([allows("*"), denies("*")]).may(ALICE), No);
    assert_eq!(world([trusts(json!({ "AWS": ALICE })), deny(json!({ "AWS": DEV }))]).may(ALICE), Yes);
}

#[test]
fn a_boundary_limits_identity_policies_and_roles_named_by_arn_only() {
    let nothing = || [json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" })];
    let account = || world([trusts(json!({ "AWS": ROOT }))]).own([allows("*")]);
    assert_eq!(account().boundary(nothing()).may(ALICE), No);
    assert_eq!(account().boundary([allows("*")]).may(ALICE), Yes);
    assert_eq!(world([trusts(json!({ "AWS": ALICE }))]).boundary(nothing()).may(ALICE), Yes);
    assert_eq!(world([trusts(json!("*"))]).boundary(nothing()).may(ALICE), Yes);
    assert_eq!(world([trusts(json!({ "AWS": DEV }))]).boundary(nothing()).may(DEV), No);
    assert_eq!(world([trusts(json!("*"))]).boundary(nothing()).may(DEV), Yes);
    let session = "arn:aws:sts::111122223333:assumed-role/dev/alice";
    assert_eq!(world([trusts(json!({ "AWS": session }))]).boundary(nothing()).may(session), Yes);
    // A boundary grants nothing.
    assert_eq!(world([trusts(json!({ "AWS": ROOT }))]).boundary([allows("*")]).may(ALICE), No);
}

#[test]
fn another_account_needs_both_sides() {
    let bob = |statements: Value| {
        json!({ "UserDetailList": [{
            "Arn": BOB, "UserName": "bob", "UserId": "AIDABOB", "GroupList": [], "AttachedManagedPolicies": [],
            "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": { "Version": "2012-10-17", "Statement": statements } }],
        }]})
    };
    for principal in [json!({ "AWS": BOB }), json!("*"), json!({ "AWS": "444455556666" })] {
        let home = world([trusts(principal)]).export();
        for (own, right) in [(json!([]), No), (json!([allows(ADMIN)]), Yes)] {
            let (data, _) = read(&[home.clone(), bob(own)]);
            let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(BOB, ADMIN, None, &Context::new()).unwrap();
            assert_eq!(verdict.value, right);
        }
        // Without an export nobody knows.
        let (data, _) = read(&[home]);
        let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(BOB, ADMIN, None, &Context::new()).unwrap();
        assert_eq!(verdict.value, Unknown);
    }
}

#[test]
fn groups_give_their_policies_to_their_members() {
    let mut world = world([trusts(json!({ "AWS": ROOT }))]);
    world.group.push(allows(ADMIN));
    assert_eq!((world.may(ALICE), world.may(DEV)), (Yes, No));
    let (data, _) = read(&[world.export()]);
    let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap();
    let mut hits = Vec::new();
    verdict.why.statements(&mut hits);
    let group = hits.iter().find_map(|hit| hit.group).unwrap();
    assert_eq!(&*data.group(group).unwrap().name, "devs");
}

#[test]
fn actions_are_compared_without_case_and_with_wildcards() {
    let action = |action: Value| world([with(trusts(json!({ "AWS": ALICE })), "Action", action)]).may(ALICE);
    for right in ["sts:AssumeRole", "STS:assumerole", "sts:Assume*", "sts:AssumeRol?", "*", "sts:*"] {
        assert_eq!(action(json!(right)), Yes, "{right}");
    }
    for wrong in ["sts:AssumeRoleWithSAML", "sts:AssumeRole?", "sts", "iam:*", ""] {
        assert_eq!(action(json!(wrong)), No, "{wrong}");
    }
    assert_eq!(action(json!(["iam:GetRole", "sts:AssumeRole"])), Yes);
}

#[test]
fn not_action_is_everything_else() {
    let not = |action: &str| {
        let statement = json!({ "Effect": "Allow", "NotAction": action, "Resource": "*" });
        world([trusts(json!({ "AWS": ROOT }))]).own([statement]).may(ALICE)
    };
    assert_eq!((not("iam:*"), not("sts:*"), not("STS:assumeROLE")), (Yes, No, No));
}

#[test]
fn resources_are_whole_arns_and_case_matters() {
    let mut team = world([trusts(json!({ "AWS": ROOT }))]);
    team.path = "/team/";
    let mut ask = |resource: &str| {
        team.own = vec![allows(resource)];
        team.may(ALICE)
    };
    for right in [
        "arn:aws:iam::111122223333:role/team/admin",
        "arn:aws:iam::*:role/team/admin",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::111122223333:*admin",
        "arn:aws:iam::111122223333:role/team/adm?n",
        "arn:*:iam::111122223333:role/t*n",
        "arn:aws:iam::*",
        "arn:aws:iam::111122223333:*",
        // What is missing of the six parts is completed by `*`.
        "arn:aws:iam::111122223333",
        "arn:aws:iam",
        "*",
    ] {
        assert_eq!(ask(right), Yes, "{right}");
    }
    for wrong in [
        "arn:aws:iam::111122223333:role/admin",
        "arn:aws:iam::111122223333:role/Team/admin",
        "arn:aws:iam::111122223333:role/team/admi",
        "arn:aws:iam::111122223333:role/team/admin?",
        "arn:aws-cn:iam::111122223333:role/team/admin",
        "arn:aws:*admin",
        "arn:aws:iam:*:role/team/admin",
        "arn:aws:sts",
    ] {
        assert_eq!(ask(wrong), No, "{wrong}");
    }
}

#[test]
fn not_resource_is_everything_else() {
    let not = |resource: &str| {
        let statement = json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": resource });
        world([trusts(json!({ "AWS": ROOT }))]).own([statement]).may(ALICE)
    };
    assert_eq!((not(ADMIN), not("arn:aws:iam::111122223333:role/other"), not("*")), (No, Yes, No));
    // A variable without a value makes the pattern match nothing, so everything else is everything.
    assert_eq!(not("arn:aws:iam::111122223333:role/${aws:PrincipalTag/none}"), Yes);
}

#[test]
fn variables_are_put_in_as_plain_text_where_the_version_has_them() {
    let mut world = world([trusts(json!({ "AWS": ROOT }))])
        .own([allows("arn:aws:iam::111122223333:role/${aws:PrincipalTag/Role}")]);
    assert_eq!(world.may(ALICE), No);
    world.tags = vec![("role", "admin")];
    assert_eq!(world.may(ALICE), Yes);
    world.tags = vec![("role", "adm*")];
    assert_eq!(world.may(ALICE), No);
    world.tags = vec![("role", "admin")];
    for old in [Some("2008-10-17"), None] {
        world.version = old;
        assert_eq!(world.may(ALICE), No);
    }
}

#[test]
fn a_variable_has_its_default_where_the_key_is_absent() {
    let mut world = world([trusts(json!({ "AWS": ROOT }))])
        .own([allows("arn:aws:iam::111122223333:role/${aws:PrincipalTag/role, 'admin'}")]);
    assert_eq!(world.may(ALICE), Yes);
    world.tags = vec![("role", "other")];
    assert_eq!(world.may(ALICE), No);
}

#[test]
fn wildcards_and_the_dollar_sign_can_be_written_as_variables() {
    let condition = |value: &str| json!({ "StringLike": { "aws:PrincipalTag/x": value } });
    for (tag, value, right) in
        [("a*b", "a${*}b", Yes), ("aXb", "a${*}b", No), ("a?b", "a${?}b", Yes), ("a$b", "a${$}b", Yes)]
    {
        let mut world = on(condition(value));
        world.tags = vec![("x", tag)];
        assert_eq!(world.may(ALICE), right, "{tag} {value}");
    }
}

#[test]
fn all_operators_and_all_keys_must_hold() {
    let both = json!({
        "StringEquals": { "aws:PrincipalAccount": "111122223333", "aws:username": "alice" },
        "Bool": { "aws:SecureTransport": "true" },
    });
    assert_eq!((on(both.clone()).may(ALICE), on(both).may(DEV)), (Yes, No));
    let one_fails =
        json!({ "StringEquals": { "aws:username": "alice" }, "Bool": { "aws:ViaAWSService": "true" } });
    assert_eq!(on(one_fails).may(ALICE), No);
}

#[test]
fn one_of_several_values_is_enough_and_none_may_match_where_negated() {
    let values = |operator: &str| on(json!({ operator: { "aws:username": ["bob", "alice"] } })).may(ALICE);
    assert_eq!((values("StringEquals"), values("StringNotEquals")), (Yes, No));
    assert_eq!(on(json!({ "StringNotEquals": { "aws:username": ["bob", "carol"] } })).may(ALICE), Yes);
}

#[test]
fn operators() {
    let rows = [
        // operator, policy value, request value, holds
        ("StringEquals", "a*", "a*", true),
        ("StringEquals", "a", "A", false),
        ("stringequals", "a", "a", true),
        ("StringNotEquals", "a", "b", true),
        ("StringEqualsIgnoreCase", "aB", "Ab", true),
        ("StringNotEqualsIgnoreCase", "aB", "Ab", false),
        ("StringLike", "a?c*", "abcdef", true),
        ("StringLike", "a?c*", "Abcdef", false),
        ("StringLike", "a?c", "ac", false),
        ("StringNotLike", "a*", "b", true),
        ("ArnEquals", "arn:aws:iam::*:user/al*", "arn:aws:iam::111122223333:user/alice", true),
        ("ArnLike", "arn:aws:iam::*:user/*", "arn:aws:iam::1:user/a/b:c", true),
        ("ArnLike", "*", "arn:aws:iam::1:user/a", false),
        ("ArnLike", "arn:*:user/a", "arn:aws:iam::1:user/a", false),
        ("ArnNotLike", "arn:aws:iam::1:user/*", "arn:aws:iam::2:user/a", true),
        ("ArnNotEquals", "arn:aws:iam::1:user/a", "arn:aws:iam::1:user/a", false),
        ("Bool", "true", "True", true),
        ("Bool", "false", "true", false),
        ("NumericEquals", "10", "10.0", true),
        ("NumericNotEquals", "10", "10", false),
        ("NumericLessThan", "10", "9.5", true),
        ("NumericLessThan", "10", "10", false),
        ("NumericLessThanEquals", "10", "10", true),
        ("NumericGreaterThan", "-1", "0", true),
        ("NumericGreaterThanEquals", "3", "2", false),
        ("NumericEquals", "x", "x", false),
        ("NumericEquals", "inf", "inf", false),
        ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", true),
        ("DateEquals", "2026-01-01", "1767225600", true),
        ("DateNotEquals", "2026-01-01", "2026-01-02", true),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", true),
        ("DateLessThanEquals", "1767225600", "2026-01-01T00:00:00Z", true),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", false),
        ("DateGreaterThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", true),
        ("DateGreaterThan", "yesterday", "2026-01-01T00:00:00Z", false),
        ("IpAddress", "10.1.2.3/8", "10.200.0.1", true),
        ("IpAddress", "10.1.2.3", "10.1.2.3", true),
        ("IpAddress", "10.1.2.3", "10.1.2.4", false),
        ("IpAddress", "0.0.0.0/0", "8.8.8.8", true),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", false),
        ("IpAddress", "2001:db8::/32", "2001:db8:ffff::1", true),
        ("IpAddress", "2001:db8::1", "2001:db8::2", false),
        ("IpAddress", "10.0.0.0/33", "10.0.0.0", false),
        ("NotIpAddress", "10.0.0.0/9", "10.128.0.0", true),
        ("BinaryEquals", "QUJD", "QUJD", true),
        ("BinaryEquals", "QUJD", "qujd", false),
    ];
    for (operator, policy, request, holds) in rows {
        let found = on(json!({ operator: { "my:key": policy } })).given(ALICE, &[("my:key", request)]);
        assert_eq!(found, Ternary::from(holds), "{request} {operator} {policy}");
    }
}

#[test]
fn values_may_be_json_booleans_and_numbers() {
    assert_eq!(on(json!({ "Bool": { "my:key": true } })).given(ALICE, &[("my:key", "true")]), Yes);
    assert_eq!(on(json!({ "NumericLessThan": { "my:key": 5 } })).given(ALICE, &[("my:key", "4")]), Yes);
}

#[test]
fn an_absent_key_fails_unless_negated_or_if_exists() {
    let absent = |operator: &str| on(json!({ operator: { "my:key": "x" } })).given(ALICE, &[]);
    assert_eq!(absent("StringEquals"), No);
    assert_eq!(absent("StringEqualsIfExists"), Yes);
    assert_eq!(absent("StringNotEquals"), Yes);
    assert_eq!(absent("NotIpAddress"), Yes);
    assert_eq!(absent("Bool"), No);
    assert_eq!(absent("BoolIfExists"), Yes);
}

#[test]
fn null_asks_whether_a_key_is_there() {
    let null = |value: &str, context: &[(&str, &str)]| {
        on(json!({ "Null": { "my:key": value } })).given(ALICE, context)
    };
    assert_eq!((null("true", &[]), null("false", &[])), (Yes, No));
    assert_eq!((null("true", &[("my:key", "x")]), null("false", &[("my:key", "x")])), (No, Yes));
    // Every request has a session name.
    assert_eq!(on(json!({ "Null": { "sts:RoleSessionName": "false" } })).may(ALICE), Yes);
    assert_eq!(on(json!({ "Null": { "sts:ExternalId": "false" } })).may(ALICE), Unknown);
}

#[test]
fn set_operators_look_at_each_value() {
    let ask = |operator: &str, values: &[&str]| {
        let context: Vec<(&str, &str)> = values.iter().map(|value| ("aws:TagKeys", *value)).collect();
        on(json!({ operator: { "aws:TagKeys": ["a", "b"] } })).given(ALICE, &context)
    };
    assert_eq!(ask("ForAnyValue:StringEquals", &["x", "a"]), Yes);
    assert_eq!(ask("ForAnyValue:StringEquals", &["x"]), No);
    assert_eq!(ask("ForAnyValue:StringEquals", &[]), No);
    assert_eq!(ask("ForAnyValue:StringEqualsIfExists", &[]), No);
    assert_eq!(ask("ForAllValues:StringEquals", &["a", "b"]), Yes);
    assert_eq!(ask("ForAllValues:StringEquals", &["a", "x"]), No);
    assert_eq!(ask("ForAllValues:StringEquals", &[]), Yes);
    assert_eq!(ask("ForAnyValue:StringNotEquals", &["a", "x"]), Yes);
    assert_eq!(ask("ForAnyValue:StringNotEquals", &["a", "b"]), No);
    assert_eq!(ask("ForAllValues:StringNotEquals", &["a", "x"]), No);
}

#[test]
fn several_values_without_a_set_operator_cannot_be_judged() {
    let context = [("aws:TagKeys", "a"), ("aws:TagKeys", "b")];
    assert_eq!(on(json!({ "StringEquals": { "aws:TagKeys": "a" } })).given(ALICE, &context), Unknown);
}

#[test]
fn a_variable_without_a_value_matches_nothing() {
    let condition =
        |operator: &str| json!({ operator: { "aws:PrincipalAccount": "${aws:PrincipalTag/none}" } });
    assert_eq!(on(condition("StringEquals")).may(ALICE), No);
    assert_eq!(on(condition("StringNotEquals")).may(ALICE), Yes);
}

#[test]
fn an_unknown_key_is_sharper_where_no_value_or_every_value_would_do() {
    let name = |operator: &str, value: &str| on(json!({ operator: { "sts:RoleSessionName": value } }));
    assert_eq!(name("StringEquals", "${aws:username}").may(ALICE), Unknown);
    // A role has no user name.
    assert_eq!(name("StringEquals", "${aws:username}").may(DEV), No);
    assert_eq!(name("StringNotEquals", "${aws:username}").may(DEV), Yes);
    assert_eq!(name("StringLike", "*").may(ALICE), Yes);
    assert_eq!(name("StringNotLike", "*").may(ALICE), No);
    assert_eq!(on(json!({ "StringLike": { "sts:ExternalId": "*" } })).may(ALICE), Unknown);
}

#[test]
fn what_a_caller_is_follows_from_the_export() {
    let rows = [
        ("aws:PrincipalArn", ALICE, DEV),
        ("aws:PrincipalAccount", "111122223333", "111122223333"),
        ("aws:PrincipalType", "User", "AssumedRole"),
        ("aws:userid", "AIDAALICE", "AROADEV:s1"),
        ("aws:ResourceAccount", "111122223333", "111122223333"),
        ("aws:PrincipalIsAWSService", "false", "false"),
        ("aws:ViaAWSService", "false", "false"),
        ("aws:SecureTransport", "true", "true"),
    ];
    let session = "arn:aws:sts::111122223333:assumed-role/dev/s1";
    for (key, of_user, of_role) in rows {
        assert_eq!(on(json!({ "StringEquals": { key: of_user } })).may(ALICE), Yes, "{key}");
        assert_eq!(on(json!({ "StringEquals": { key: of_role } })).may(session), Yes, "{key}");
        assert_eq!(on(json!({ "StringEquals": { key: "other" } })).may(ALICE), No, "{key}");
    }
    for absent in ["aws:CalledVia", "aws:SourceArn", "aws:SourceAccount", "aws:PrincipalServiceName"] {
        assert_eq!(on(json!({ "Null": { absent: "true" } })).may(ALICE), Yes, "{absent}");
    }
}

#[test]
fn the_beginning_of_a_session_id_is_known() {
    let id = |value: &str| on(json!({ "StringLike": { "aws:userid": value } }));
    assert_eq!(id("AROADEV:*").may(DEV), Yes);
    assert_eq!(id("AROAOTHER:*").may(DEV), No);
    assert_eq!(id("AROADEV:alice").may(DEV), Unknown);
    assert_eq!(id("AROADEV:alice").open(DEV), ["session name"]);
}

#[test]
fn keys_of_sessions_are_absent_for_users_and_unknown_for_roles() {
    let claim = || on(json!({ "StringEquals": { "token.actions.githubusercontent.com:sub": "x" } }));
    assert_eq!((claim().may(ALICE), claim().may(DEV)), (No, Unknown));
    let saml = || on(json!({ "StringEquals": { "saml:aud": "x" } }));
    assert_eq!((saml().may(ALICE), saml().may(DEV)), (No, Unknown));
}

#[test]
fn tag_keys_ignore_case_and_tag_values_do_not() {
    let mut world = on(json!({ "StringEquals": { "aws:PrincipalTag/TEAM": "red" } }));
    world.tags = vec![("Team", "red")];
    assert_eq!(world.may(ALICE), Yes);
    world.tags = vec![("Team", "Red")];
    assert_eq!(world.may(ALICE), No);
}

#[test]
fn tags_of_the_role_are_resource_tags() {
    for key in ["aws:ResourceTag/env", "iam:ResourceTag/Env"] {
        let mut world = on(json!({ "StringEquals": { key: "prod" } }));
        assert_eq!(world.may(ALICE), No);
        world.role_tags = vec![("ENV", "prod")];
        assert_eq!(world.may(ALICE), Yes);
    }
}

#[test]
fn tags_of_a_role_count_unless_session_tags_are_possible() {
    let mut world = on(json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } }));
    world.tags = vec![("team", "blue")];
    assert_eq!(world.may(DEV), No);
    world.dev_trust =
        vec![with(trusts(json!({ "AWS": ROOT })), "Action", json!(["sts:AssumeRole", "sts:TagSession"]))];
    assert_eq!((world.may(DEV), world.may(ALICE)), (Unknown, No));
    world.dev_trust = vec![with(trusts(json!({ "AWS": ROOT })), "Action", json!("sts:*"))];
    assert_eq!(world.may(DEV), Unknown);
    // Who says that everything was said says that none were passed.
    assert_eq!(world.given(DEV, &[]), No);
}

#[test]
fn an_empty_tag_in_a_variable_cannot_be_judged() {
    let mut world = on(json!({ "StringEquals": { "aws:username": "${aws:PrincipalTag/name}" } }));
    world.tags = vec![("name", "")];
    assert_eq!(world.may(ALICE), No);
    let mut world = on(json!({ "StringLike": { "aws:username": "${aws:PrincipalTag/name}alice" } }));
    world.tags = vec![("name", "")];
    assert_eq!(world.may(ALICE), Unknown);
}

#[test]
fn not_principal_cannot_be_judged() {
    let mut statement = trusts(json!({ "AWS": DEV }));
    let principal = statement.as_object_mut().unwrap().remove("Principal").unwrap();
    statement["NotPrincipal"] = principal;
    assert_eq!(world([statement.clone()]).may(ALICE), Unknown);
    statement["Effect"] = json!("Deny");
    assert_eq!(world([trusts(json!({ "AWS": ALICE })), statement]).may(ALICE), Unknown);
}

#[test]
fn an_operator_that_iam_does_not_know_cannot_be_judged() {
    let (data, diagnostics) = read(&[on(json!({ "StringIs": { "aws:username": "alice" } })).export()]);
    let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap();
    assert_eq!(verdict.value, Unknown);
    assert_eq!(diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::IamPolicy]);
}

#[test]
fn what_is_attached_and_not_there_may_allow_and_may_deny() {
    let mut export = world([trusts(json!({ "AWS": ROOT }))]).export();
    let missing = json!([{ "PolicyName": "x", "PolicyArn": "arn:aws:iam::aws:policy/PowerUserAccess" }]);
    export["UserDetailList"][0]["AttachedManagedPolicies"] = missing;
    let ask = |export: &Value| {
        let (data, _) = read(std::slice::from_ref(export));
        Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap().value
    };
    assert_eq!(ask(&export), Unknown);
    export["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"]["Statement"] = json!([allows("*")]);
    assert_eq!(ask(&export), Unknown);
    // Where the trust policy admits nobody, it does not matter.
    export["RoleDetailList"][1]["AssumeRolePolicyDocument"]["Statement"] = json!([]);
    assert_eq!(ask(&export), No);
}

#[test]
fn a_group_that_is_not_there_may_allow() {
    let mut export = world([trusts(json!({ "AWS": ROOT }))]).export();
    export["GroupDetailList"] = json!([]);
    let (data, _) = read(&[export]);
    let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap();
    assert_eq!(verdict.value, Unknown);
}

#[test]
fn a_role_that_is_in_no_export_cannot_be_judged() {
    let (data, _) = read(&[world([]).export()]);
    let lens = Lens::new(&data, iam::ASSUME_ROLE);
    let other = "arn:aws:iam::999999999999:role/x";
    assert_eq!(lens.may(ALICE, other, None, &Context::new()).unwrap().value, Unknown);
}

#[test]
fn a_role_does_not_trust_itself() {
    assert_eq!(world([trusts(json!({ "AWS": ALICE }))]).may(ADMIN), No);
    assert_eq!(world([trusts(json!({ "AWS": ADMIN }))]).may(ADMIN), Yes);
}

#[test]
fn who_is_no_caller() {
    let (data, _) = read(&[world([]).export()]);
    let ask = |who: &str| data.caller(who, None).unwrap_err();
    assert_eq!(ask("arn:aws:iam::111122223333:group/devs"), NotACaller::Group);
    assert_eq!(ask("arn:aws:iam::111122223333:root"), NotACaller::Root);
    assert_eq!(ask("arn:aws:sts::111122223333:federated-user/x"), NotACaller::FederatedUser);
    assert_eq!(ask("arn:aws:iam::111122223333:policy/x"), NotACaller::Resource);
    assert_eq!(ask("arn:aws:s3:::bucket"), NotACaller::NotAnArn);
    assert_eq!(ask("alice"), NotACaller::NotAnArn);
    assert_eq!(ask(""), NotACaller::NotAnArn);
}

#[test]
fn services_are_admitted_by_the_trust_policy_alone() {
    let ec2 = "ec2.amazonaws.com";
    assert_eq!(world([trusts(json!({ "Service": ec2 }))]).may(ec2), Yes);
    assert_eq!(world([trusts(json!({ "Service": ["a.amazonaws.com", ec2], "AWS": ROOT }))]).may(ec2), Yes);
    assert_eq!(world([trusts(json!({ "AWS": ROOT }))]).may(ec2), No);
    let deny = with(trusts(json!("*")), "Effect", json!("Deny"));
    assert_eq!(world([trusts(json!({ "Service": ec2 })), deny]).may(ec2), No);
}

#[test]
fn pod_identity_needs_tag_session_as_well() {
    let pods = "pods.eks.amazonaws.com";
    let both =
        with(trusts(json!({ "Service": pods })), "Action", json!(["sts:AssumeRole", "sts:TagSession"]));
    assert_eq!(world([both]).may(pods), Yes);
    assert_eq!(world([trusts(json!({ "Service": pods }))]).may(pods), No);
}

#[test]
fn web_identities_are_admitted_by_provider_and_claims() {
    let provider = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC";
    let sub = "oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub";
    let statement = |operator: &str, value: &str| {
        json!({ "Effect": "Allow", "Principal": { "Federated": provider },
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": { operator: { sub: value } } })
    };
    let ask = |world: &World, subject: &str| {
        let mut context = Context::new();
        context.add(sub, subject);
        world.ask(iam::WITH_WEB_IDENTITY, provider, &context.complete()).value
    };
    let named = world([statement("StringEquals", "system:serviceaccount:prod:app")]);
    assert_eq!(ask(&named, "system:serviceaccount:prod:app"), Yes);
    assert_eq!(ask(&named, "system:serviceaccount:prod:app2"), No);
    let star = world([statement("StringEquals", "system:serviceaccount:prod:*")]);
    assert_eq!(ask(&star, "system:serviceaccount:prod:app"), No);
    let like = world([statement("StringLike", "system:serviceaccount:prod:*")]);
    assert_eq!(ask(&like, "system:serviceaccount:prod:app"), Yes);
    // Another provider, or the wrong action.
    let other = provider.replace("ABC", "DEF");
    assert_eq!(like.ask(iam::WITH_WEB_IDENTITY, &other, &Context::new()).value, No);
    assert_eq!(
        world([trusts(json!({ "Federated": provider }))])
            .ask(iam::WITH_WEB_IDENTITY, provider, &Context::new())
            .value,
        No
    );
}

#[test]
fn policies_may_be_percent_encoded_and_a_plus_is_a_plus() {
    let mut export = world([]).export();
    let policy = json!({ "Version": "2012-10-17", "Statement": trusts(json!({ "AWS": "arn:aws:iam::111122223333:user/a+b" })) });
    let encoded: String = policy
        .to_string()
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || byte == b'+' {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    export["UserDetailList"][0]["Arn"] = json!("arn:aws:iam::111122223333:user/a+b");
    for document in [json!(encoded), json!(policy.to_string())] {
        export["RoleDetailList"][1]["AssumeRolePolicyDocument"] = document;
        let (data, diagnostics) = read(std::slice::from_ref(&export));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        let verdict = lens.may("arn:aws:iam::111122223333:user/a+b", ADMIN, None, &Context::new()).unwrap();
        assert_eq!(verdict.value, Yes);
    }
}

#[test]
fn a_policy_that_cannot_be_read_may_say_anything() {
    let mut export = world([trusts(json!({ "AWS": ROOT }))]).export();
    export["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"] = json!("%7Bnot json");
    let (data, diagnostics) = read(&[export]);
    assert_eq!(diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::IamPolicy]);
    let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap();
    assert_eq!(verdict.value, Unknown);
}

#[test]
fn the_default_version_of_a_managed_policy_counts() {
    let mut export = world([trusts(json!({ "AWS": ROOT }))]).export();
    let arn = "arn:aws:iam::111122223333:policy/p";
    let version = |id: &str, is_default: bool, statement: Value| json!({ "VersionId": id, "IsDefaultVersion": is_default, "Document": { "Version": "2012-10-17", "Statement": statement } });
    export["UserDetailList"][0]["AttachedManagedPolicies"] = json!({ "PolicyName": "p", "PolicyArn": arn });
    for (default, right) in [(json!("v1"), Yes), (json!("v3"), No), (Value::Null, No)] {
        export["Policies"] = json!([{ "Arn": arn, "PolicyName": "p", "DefaultVersionId": default, "PolicyVersionList": [
            version("v3", false, denies("*")), version("v2", true, denies("*")), version("v1", false, allows("*")),
        ]}]);
        let (data, _) = read(std::slice::from_ref(&export));
        let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap();
        assert_eq!(verdict.value, right);
    }
}

#[test]
fn pages_of_an_account_are_joined_and_the_last_must_be_there() {
    let whole = world([trusts(json!({ "AWS": ROOT }))]).own([allows("*")]).export();
    let page = |key: &str, more: bool| json!({ key: whole[key], "IsTruncated": more, "Marker": "x", "ResponseMetadata": {} });
    let pages = [page("UserDetailList", true), page("GroupDetailList", true), page("RoleDetailList", false)];
    let (data, diagnostics) = read(&pages);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let lens = Lens::new(&data, iam::ASSUME_ROLE);
    assert_eq!(lens.may(ALICE, ADMIN, None, &Context::new()).unwrap().value, Yes);
    let (data, _) = read(&[json!(pages)]);
    assert_eq!(
        Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap().value,
        Yes
    );
    let (data, diagnostics) = read(&pages[..2]);
    assert_eq!(diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::IamExportTruncated]);
    assert!(data.account("111122223333").unwrap().is_incomplete);
}

#[test]
fn an_entity_that_stands_twice_is_one_and_must_say_the_same() {
    let one = world([trusts(json!({ "AWS": ALICE }))]).export();
    let (data, diagnostics) = read(&[one.clone(), one.clone()]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(data.principals().count(), 3);
    let other = world([]).export();
    let (data, diagnostics) = read(&[one, other]);
    assert_eq!(diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::IamEntityReplaced]);
    let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap();
    assert_eq!(verdict.value, No);
}

#[test]
fn missing_lists_are_no_fault() {
    let (data, diagnostics) =
        read(&[json!({ "RoleDetailList": [] }), json!({ "UserDetailList": [{ "Arn": ALICE }] })]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(data.principals().count(), 1);
}

#[test]
fn a_role_is_found_by_an_arn_without_its_path_and_not_by_one_with_another() {
    let mut world = world([]);
    world.path = "/team/";
    let (data, _) = read(&[world.export()]);
    assert!(data.find(ADMIN).is_some());
    assert!(data.find("arn:aws:iam::111122223333:role/team/admin").is_some());
    assert!(data.find("arn:aws:sts::111122223333:assumed-role/admin/s").is_some());
    assert!(data.find("arn:aws:iam::111122223333:role/other/admin").is_none());
}

#[test]
fn chains_are_found_backwards_and_a_circle_ends() {
    let role = |name: &str, trusted: &str| {
        json!({ "Arn": format!("arn:aws:iam::111122223333:role/{name}"), "RoleName": name,
            "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [trusts(json!({ "AWS": trusted }))] } })
    };
    let arn = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let export = json!({
        "UserDetailList": [{ "Arn": ALICE, "UserName": "alice" }],
        "RoleDetailList": [role("a", &arn("b")), role("b", &arn("c")), role("c", ALICE), role("d", &arn("a"))],
    });
    let (data, _) = read(&[export]);
    let lens = Lens::new(&data, iam::ASSUME_ROLE);
    let reach = iam::Reach::new(&lens, false);
    let sources = reach.sources(data.find(&arn("a")).unwrap());
    let names: Vec<(&str, usize)> = sources
        .iter()
        .map(|source| (&*data.principal_of(source.id).unwrap().name, source.chain.len()))
        .collect();
    assert_eq!(names, [("b", 1), ("c", 2), ("alice", 3)]);
    let hops = reach.hops(&sources[2]);
    assert!(hops.iter().all(|hop| hop.verdict.value == Yes));
}

#[test]
fn a_session_name_is_the_callers_choice_whatever_else_is_open() {
    let ask = |condition: Value| {
        let (data, _) = read(&[on(condition).export()]);
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        let reach = iam::Reach::new(&lens, true);
        let (alice, admin) = (data.find(ALICE).unwrap(), data.find(ADMIN).unwrap());
        let found = reach.callers(admin).iter().find(|edge| edge.caller == alice).map(|edge| edge.value);
        let caller = data.caller(ALICE, None).unwrap();
        (found, reach.hop(&caller, &admin.into()).session_name)
    };
    let pinned = json!({ "StringEquals": { "sts:RoleSessionName": "${aws:username}" } });
    assert_eq!(ask(pinned), (Some(Yes), Some("alice".to_owned())));
    let with_mfa = json!({
        "StringEquals": { "sts:RoleSessionName": "${aws:username}" }, "Bool": { "aws:MultiFactorAuthPresent": "true" },
    });
    assert_eq!(ask(with_mfa), (Some(Unknown), Some("alice".to_owned())));
    // Two names at once: no choice does.
    let both = json!({ "StringEquals": { "sts:RoleSessionName": "one" }, "StringLike": { "sts:RoleSessionName": "two*" } });
    assert_eq!(ask(both), (Some(Unknown), None));
}

#[test]
fn doors_are_those_who_are_in_no_export() {
    let doors = |trust: Value| -> Vec<(String, String, Ternary)> {
        let (data, _) = read(&[world([trust]).export()]);
        let lenses = iam::Lenses::new(&data);
        let doors = lenses.doors(data.find(ADMIN).unwrap());
        doors
            .iter()
            .map(|door| (door.kind.as_str().to_owned(), door.name.to_string(), door.verdict.value))
            .collect()
    };
    let one = |kind: &str, name: &str, value| vec![(kind.to_owned(), name.to_owned(), value)];
    assert_eq!(doors(trusts(json!("*"))), one("anyone", "*", Yes));
    let org = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } });
    assert_eq!(doors(with(trusts(json!("*")), "Condition", org)), one("anyone", "*", Unknown));
    assert_eq!(doors(trusts(json!({ "AWS": "444455556666" }))), one("account", "444455556666", Yes));
    assert_eq!(doors(trusts(json!({ "AWS": BOB }))), one("principal", BOB, Unknown));
    assert_eq!(
        doors(trusts(json!({ "Service": "ec2.amazonaws.com" }))),
        one("service", "ec2.amazonaws.com", Yes)
    );
    let saml = "arn:aws:iam::111122223333:saml-provider/corp";
    let statement = with(trusts(json!({ "Federated": saml })), "Action", json!("sts:AssumeRoleWithSAML"));
    assert_eq!(doors(statement), one("saml", saml, Yes));
    assert_eq!(doors(trusts(json!({ "AWS": ROOT }))), []);
    assert_eq!(doors(trusts(json!({ "AWS": "AIDAGONE" }))), []);
}

#[test]
fn what_comes_nearest_to_a_no() {
    let account = || world([trusts(json!({ "AWS": ROOT }))]);
    assert!(matches!(account().near(ALICE).as_slice(), [Near::NotAllowed]));
    assert!(matches!(world([]).near(ALICE).as_slice(), [Near::NotTrusted(_)]));
    assert!(matches!(account().own([allows("*"), denies("*")]).near(ALICE).as_slice(), [Near::Denied(_)]));
    let limit = json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" });
    assert!(matches!(
        account().own([allows("*")]).boundary([limit]).near(ALICE).as_slice(),
        [Near::Boundary(_)]
    ));
    let mut with_path = account().own([allows(ADMIN)]);
    with_path.path = "/team/";
    let near = with_path.near(ALICE);
    assert!(matches!(near.as_slice(), [Near::OtherResource(_, _, iam::Difference::Path)]), "{near:?}");
    let failing = on(json!({ "StringEquals": { "aws:username": "bob" } }));
    assert!(matches!(failing.near(ALICE).as_slice(), [Near::TrustCondition(_, 0)]));
    let mut of_group = account();
    of_group.group.push(allows("*"));
    let mut export = of_group.export();
    export["UserDetailList"][0]["GroupList"] = json!([]);
    let (data, _) = read(&[export]);
    let near = Lens::new(&data, iam::ASSUME_ROLE).nearest(
        &data.caller(ALICE, None).unwrap(),
        data.find(ADMIN).unwrap(),
        &Context::new(),
    );
    assert!(matches!(near.as_slice(), [Near::OtherGroup(..)]));
    let case = world([trusts(json!({ "AWS": "arn:aws:iam::111122223333:user/Alice" }))]);
    assert!(matches!(case.near(ALICE).as_slice(), [Near::TrustOther(_, _, iam::Difference::Case)]));
}

#[test]
fn a_statement_knows_its_line() {
    let export = serde_json::to_string_pretty(&world([trusts(json!({ "AWS": ALICE }))]).export()).unwrap();
    let line = export.lines().position(|line| line.contains("AssumeRolePolicyDocument")).unwrap();
    let mut tree = Tree::default();
    json::read(&export, &mut tree).unwrap();
    let mut diagnostics = Vec::new();
    let pages = iam::read(tree.root().unwrap(), Source::default(), &mut diagnostics);
    let data = IamData::link(pages, &mut diagnostics);
    let verdict = Lens::new(&data, iam::ASSUME_ROLE).may(ALICE, ADMIN, None, &Context::new()).unwrap();
    let mut hits = Vec::new();
    verdict.why.statements(&mut hits);
    let source = data.source(hits[0]).unwrap();
    let text = export.lines().nth(source.line as usize - 1).unwrap();
    assert_eq!(text.trim(), "{");
    assert!(source.line as usize > line);
}
