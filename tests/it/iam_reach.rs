//! Who is looked at when it is asked who may become a role, and what tags that a session may carry leave open.

use std::collections::BTreeMap;

use rbacsim::identity::iam::{ASSUME_ROLE, Context, Lens, Reach};
use rbacsim::model::ternary::Ternary::{self, Unknown, Yes};
use serde_json::{Value, json};

use super::iam_ways::{ACCOUNT, allows, cluster, export, role, statement, trusts, user};

/// So many roles that what means a tenth of them means many.
fn crowd() -> Vec<Value> {
    (0..300).map(|number| role(&format!("team-{}/r{number}", number % 3), &[], &[])).collect()
}

fn everybody() -> Value {
    trusts(json!({ "AWS": format!("{ACCOUNT}:root") }))
}

#[test]
fn whoever_is_allowed_a_role_is_found_however_the_resource_is_written() {
    let admin = format!("{ACCOUNT}:role/admin");
    let mut not_resource = allows("sts:AssumeRole", "");
    not_resource.as_object_mut().unwrap().remove("Resource");
    not_resource["NotResource"] = json!(format!("{ACCOUNT}:role/team-*"));
    let mut unattached = user("unattached", &[]);
    unattached["AttachedManagedPolicies"] =
        json!([{ "PolicyName": "p", "PolicyArn": format!("{ACCOUNT}:policy/p") }]);
    let users = [
        user("exact", &[allows("sts:AssumeRole", &admin)]),
        user(
            "one-of-two",
            &[json!({
                "Effect": "Allow", "Action": "sts:*", "Resource": [format!("{ACCOUNT}:role/team-0/*"), admin],
            })],
        ),
        user("prefix", &[allows("sts:AssumeRole", &format!("{ACCOUNT}:role/adm*"))]),
        user("middle", &[allows("sts:AssumeRole", &format!("{ACCOUNT}:role/*mi*"))]),
        user("all", &[allows("*", "*")]),
        user("short", &[allows("sts:AssumeRole", "arn:aws:iam::*")]),
        user("admin", &[allows("sts:AssumeRole", &format!("{ACCOUNT}:role/${{aws:username}}"))]),
        user("not-resource", &[not_resource]),
        unattached,
        user("another", &[allows("sts:AssumeRole", &format!("{ACCOUNT}:role/team-0/r0"))]),
        user("others", &[allows("sts:AssumeRole", &format!("{ACCOUNT}:role/team-*"))]),
        user("nobody", &[allows("sts:AssumeRole", &format!("{ACCOUNT}:role/${{aws:username}}"))]),
    ];
    let mut roles = crowd();
    roles.push(role("admin", &[everybody()], &[]));
    let cluster = cluster(&[export(&roles, &users)]);
    let data = cluster.iam();
    let lens = Lens::new(data, ASSUME_ROLE);
    let found: BTreeMap<&str, Ternary> = Reach::new(&lens, false)
        .callers(data.find(&admin).unwrap())
        .into_iter()
        .map(|edge| (&*data.principal_of(edge.caller).unwrap().name, edge.value))
        .collect();
    let yes = ["admin", "all", "exact", "middle", "not-resource", "one-of-two", "prefix", "short"];
    let mut expected: BTreeMap<&str, Ternary> = yes.into_iter().map(|name| (name, Yes)).collect();
    expected.insert("unattached", Unknown);
    assert_eq!(found, expected);
}

#[test]
fn the_best_way_is_certain_then_short_and_everybody_has_one() {
    // a - b - admin for certain, a - admin with MFA; c only with MFA, by two roles of which both ask for it.
    let of = |name: &str| json!({ "AWS": format!("{ACCOUNT}:role/{name}") });
    let with_mfa = |principal: Value| {
        let mut statement = trusts(principal);
        statement["Condition"] = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
        statement
    };
    let roles = [
        role("admin", &[trusts(of("b")), with_mfa(of("a")), with_mfa(of("d"))], &[]),
        role("a", &[], &[]),
        role("b", &[trusts(of("a"))], &[]),
        role("d", &[with_mfa(of("c")), with_mfa(of("e"))], &[]),
        role("e", &[with_mfa(of("c"))], &[]),
        role("c", &[], &[]),
    ];
    let cluster = cluster(&[export(&roles, &[])]);
    let data = cluster.iam();
    let lens = Lens::new(data, ASSUME_ROLE);
    let sources = Reach::new(&lens, false).sources(data.find(&format!("{ACCOUNT}:role/admin")).unwrap());
    let name = |id| &*data.principal_of(id).unwrap().name;
    let found: Vec<(&str, Ternary, Vec<&str>)> = sources
        .iter()
        .map(|source| {
            (name(source.id), source.value, source.chain.iter().map(|step| name(step.role)).collect())
        })
        .collect();
    let expected = [
        ("b", Yes, vec!["admin"]),
        ("a", Yes, vec!["b", "admin"]),
        ("d", Unknown, vec!["admin"]),
        ("e", Unknown, vec!["d", "admin"]),
        ("c", Unknown, vec!["d", "admin"]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn tags_of_the_role_that_is_assumed_are_open_where_the_session_may_bring_tags() {
    let ask = |may_tag: bool, key: &str| {
        let mut named = trusts(json!({ "AWS": format!("{ACCOUNT}:role/dev") }));
        named["Condition"] = json!({ "StringEquals": { key: "blue" } });
        let mut admin = role("admin", &[named], &[]);
        admin["Tags"] = json!([{ "Key": "team", "Value": "blue" }]);
        let action =
            if may_tag { json!(["sts:AssumeRole", "sts:TagSession"]) } else { json!("sts:AssumeRole") };
        let dev = role("dev", &[statement(json!({ "AWS": format!("{ACCOUNT}:user/alice") }), action)], &[]);
        let cluster = cluster(&[export(&[admin, dev], &[user("alice", &[])])]);
        let lens = Lens::new(cluster.iam(), ASSUME_ROLE);
        let caller = format!("{ACCOUNT}:role/dev");
        lens.may(&caller, &format!("{ACCOUNT}:role/admin"), None, &Context::new()).unwrap().value
    };
    for key in ["aws:ResourceTag/team", "iam:ResourceTag/Team"] {
        assert_eq!((ask(false, key), ask(true, key)), (Yes, Unknown), "{key}");
    }
}
