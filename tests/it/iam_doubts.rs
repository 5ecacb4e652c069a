//! What exports and requests leave open: facts that are missing are unknown, whatever else was said.

use rbacsim::identity::iam::{self, Caller, Context, Lens, POD_IDENTITY, Reach};
use rbacsim::model::ternary::Ternary::{self, No, Unknown, Yes};
use serde_json::{Value, json};

use crate::iam_rules::{ADMIN, ALICE, DEV, ROOT, allows, denies, on, read, trusts, with, world};

fn ask(export: &Value, who: &str, context: &Context) -> Ternary {
    let (data, _) = read(std::slice::from_ref(export));
    Lens::new(&data, iam::ASSUME_ROLE).may(who, ADMIN, None, context).unwrap().value
}

#[test]
fn a_part_of_a_trust_policy_that_cannot_be_read_may_deny() {
    let broken = json!({ "Effect": "deny", "Principal": "*", "Action": "sts:AssumeRole" });
    for principal in [json!({ "AWS": ALICE }), json!({ "Service": "ec2.amazonaws.com" })] {
        let who = if principal.get("AWS").is_some() { ALICE } else { "ec2.amazonaws.com" };
        assert_eq!(ask(&world([trusts(principal.clone())]).export(), who, &Context::new()), Yes);
        let export = world([trusts(principal), broken.clone()]).export();
        assert_eq!(ask(&export, who, &Context::new()), Unknown);
    }
}

#[test]
fn session_tags_are_possible_where_the_trust_policy_of_the_role_is_not_known() {
    let mut export = on(json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } })).export();
    assert_eq!(ask(&export, DEV, &Context::new()), No);
    export["RoleDetailList"][0].as_object_mut().unwrap().remove("AssumeRolePolicyDocument");
    assert_eq!(ask(&export, DEV, &Context::new()), Unknown);
    export["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!("no policy");
    assert_eq!(ask(&export, DEV, &Context::new()), Unknown);
}

#[test]
fn what_no_export_tells_of_a_caller_is_unknown_even_where_the_request_is_whole() {
    let stranger = "arn:aws:iam::444455556666:user/eve";
    for condition in [
        json!({ "StringNotEquals": { "aws:PrincipalTag/team": "red" } }),
        json!({ "StringNotLike": { "aws:userid": "AIDA*" } }),
    ] {
        let deny = with(with(trusts(json!("*")), "Effect", json!("Deny")), "Condition", condition);
        let export = world([trusts(json!({ "AWS": stranger })), deny]).export();
        assert_eq!(ask(&export, stranger, &Context::new().complete()), Unknown);
    }
    // The name of a session is such a fact, too.
    let id = on(json!({ "StringLike": { "aws:userid": "AROADEV:alice" } })).export();
    assert_eq!(ask(&id, DEV, &Context::new().complete()), Unknown);
}

#[test]
fn an_empty_tag_may_be_the_default() {
    let resource = "arn:aws:iam::111122223333:role/${aws:PrincipalTag/role, 'admin'}";
    let mut world = world([trusts(json!({ "AWS": ROOT }))]).own([allows(resource)]);
    world.tags = vec![("role", "")];
    assert_eq!(world.may(ALICE), Unknown);
    world.own = vec![allows("arn:aws:iam::111122223333:role/${aws:PrincipalTag/role, 'other'}x")];
    assert_eq!(world.may(ALICE), No);
}

#[test]
fn pods_of_an_association_may_pass_no_session_tags() {
    let world = world([trusts(json!({ "Service": POD_IDENTITY }))]);
    let mut context = Context::new();
    assert_eq!(world.ask(iam::ASSUME_ROLE, POD_IDENTITY, &context).value, No);
    context.no_session_tags();
    assert_eq!(world.ask(iam::ASSUME_ROLE, POD_IDENTITY, &context).value, Yes);
}

#[test]
fn not_principal_leaves_open_whether_sessions_may_be_tagged() {
    let tags = json!({ "Effect": "Allow", "NotPrincipal": { "AWS": ALICE }, "Action": "sts:TagSession" });
    let world = world([trusts(json!({ "Service": POD_IDENTITY })), tags]);
    assert_eq!(world.may(POD_IDENTITY), Unknown);
}

#[test]
fn providers_may_be_named_by_their_host() {
    let host = "accounts.google.com";
    let statement = json!({ "Effect": "Allow", "Principal": { "Federated": host },
        "Action": "sts:AssumeRoleWithWebIdentity" });
    let world = world([statement]);
    assert_eq!(world.ask(iam::WITH_WEB_IDENTITY, host, &Context::new()).value, Yes);
    assert_eq!(world.ask(iam::WITH_WEB_IDENTITY, "www.amazon.com", &Context::new()).value, No);
    assert_eq!(world.ask(iam::ASSUME_ROLE, host, &Context::new()).value, No);
}

#[test]
fn the_audience_of_a_saml_assertion_is_where_browsers_sign_in() {
    let provider = "arn:aws:iam::111122223333:saml-provider/corp";
    let statement = |audience: &str| {
        json!({ "Effect": "Allow", "Principal": { "Federated": provider }, "Action": "sts:AssumeRoleWithSAML",
            "Condition": { "StringEquals": { "SAML:aud": audience } } })
    };
    let ask = |audience: &str, context: &Context| {
        world([statement(audience)]).ask(iam::WITH_SAML, provider, context).value
    };
    let usual = "https://signin.aws.amazon.com/saml";
    assert_eq!(ask(usual, &Context::new()), Yes);
    assert_eq!(ask("https://other.example.com/saml", &Context::new()), No);
    let mut told = Context::new();
    told.add("saml:aud", "https://other.example.com/saml");
    assert_eq!(ask("https://other.example.com/saml", &told), Yes);
    assert_eq!(ask(usual, &told), No);
    assert_eq!(ask(usual, &Context::new().complete()), No);
}

#[test]
fn the_account_of_the_role_may_stand_as_a_variable_in_a_resource() {
    let own = allows("arn:aws:iam::${aws:ResourceAccount}:role/admin");
    let (data, _) = read(&[world([trusts(json!({ "AWS": ROOT }))]).own([own]).export()]);
    let lens = Lens::new(&data, iam::ASSUME_ROLE);
    let admin = data.find(ADMIN).unwrap();
    let callers = Reach::new(&lens, false).callers(admin);
    assert!(callers.iter().any(|edge| Some(edge.caller) == data.find(ALICE) && edge.value == Yes));
}

#[test]
fn a_resource_that_is_no_role_has_its_own_account() {
    let (data, _) = read(&[world([]).own([allows("*"), denies("arn:aws:eks:*:999999999999:*")]).export()]);
    let lens = Lens::new(&data, iam::ASSUME_ROLE);
    let alice =
        Caller::Known { principal: data.principal_of(data.find(ALICE).unwrap()).unwrap(), session: None };
    for (account, right) in [("111122223333", Yes), ("999999999999", No)] {
        let cluster = format!("arn:aws:eks:eu-west-1:{account}:cluster/shop");
        assert_eq!(lens.on_resource(&alice, &cluster, &Context::new()).value, right);
    }
}

#[test]
fn a_boundary_that_is_not_there_may_not_allow_it() {
    let mut export = world([trusts(json!({ "AWS": ROOT }))]).own([allows("*")]).export();
    assert_eq!(ask(&export, ALICE, &Context::new()), Yes);
    export["UserDetailList"][0]["PermissionsBoundary"] =
        json!({ "PermissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess" });
    assert_eq!(ask(&export, ALICE, &Context::new()), Unknown);
    // Whom the trust policy names, it does not limit; but it may deny.
    export["RoleDetailList"][1]["AssumeRolePolicyDocument"]["Statement"] =
        json!([trusts(json!({ "AWS": ALICE }))]);
    assert_eq!(ask(&export, ALICE, &Context::new()), Unknown);
}

#[test]
fn tags_of_the_role_are_not_certain_where_the_caller_may_bring_tags_along() {
    let mut world = on(json!({ "StringEquals": { "aws:ResourceTag/env": "prod" } }));
    world.role_tags = vec![("env", "prod")];
    assert_eq!((world.may(ALICE), world.may(DEV)), (Yes, Yes));
    world.dev_trust = vec![with(trusts(json!({ "AWS": ROOT })), "Action", json!("sts:*"))];
    assert_eq!((world.may(ALICE), world.may(DEV)), (Yes, Unknown));
}

#[test]
fn whoever_is_allowed_one_role_by_name_or_by_what_is_not_there_is_looked_at() {
    let found = |own: &[Value], attached: Value| {
        let mut export = world([trusts(json!({ "AWS": ROOT }))]).own(own.to_vec()).export();
        export["UserDetailList"][0]["AttachedManagedPolicies"] = attached;
        let (data, _) = read(&[export]);
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        let callers = Reach::new(&lens, false).callers(data.find(ADMIN).unwrap());
        let alice = data.find(ALICE).unwrap();
        callers.iter().find(|edge| edge.caller == alice).map(|edge| edge.value)
    };
    assert_eq!(found(&[allows(ADMIN)], json!([])), Some(Yes));
    assert_eq!(found(&[allows("arn:aws:iam::111122223333:role/other")], json!([])), None);
    let missing = json!([{ "PolicyArn": "arn:aws:iam::aws:policy/PowerUserAccess" }]);
    assert_eq!(found(&[], missing), Some(Unknown));
}
