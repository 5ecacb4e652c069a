//! From an ARN to a user: one test per rule of meaning, with maps small enough to read.

use rbacsim::identity::{
    Field, IamIdentity, IdentityError, IdentityMappings, Mapped, MappingKind, NearMiss, NearReason,
    PlaceholderKind, Reach, SectionText, Session, Sessions, Unreachable,
};
use rbacsim::model::diagnostic::{Code, Diagnostic, Severity};
use rbacsim::model::source::{FileId, PathId, Source};

const DEV: &str = "arn:aws:iam::111122223333:role/Dev";
const DEV_SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Dev/me@x.com";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

fn place(line: u32) -> Source {
    Source { file: FileId(0), line, column: 0, path: PathId::default() }
}

fn load(data: &[(&str, &str)]) -> (IdentityMappings, Vec<Diagnostic>) {
    let data: Vec<_> = data
        .iter()
        .map(|(key, text)| (*key, SectionText { text, origin: place(5), first_line: Some(10) }))
        .collect();
    let mut mappings = IdentityMappings::default();
    let diagnostics = mappings.add_config_map(place(1), &data);
    (mappings, diagnostics)
}

fn roles(text: &str) -> IdentityMappings {
    load(&[("mapRoles", text)]).0
}

fn users(text: &str) -> IdentityMappings {
    load(&[("mapUsers", text)]).0
}

fn codes(data: &[(&str, &str)]) -> Vec<(&'static str, u32)> {
    let found = load(data).1;
    found.iter().map(|one| (one.code.as_str(), one.source.map_or(0, |source| source.line))).collect()
}

#[track_caller]
fn user(mappings: &IdentityMappings, arn: &str) -> Mapped {
    mappings.resolve_arn(arn, None).unwrap_or_else(|error| panic!("{arn}: {error}"))
}

#[track_caller]
fn refused(mappings: &IdentityMappings, arn: &str) -> String {
    match mappings.resolve_arn(arn, None) {
        Ok(user) => panic!("{arn}: {user:?}"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn is(mappings: &IdentityMappings, arn: &str, username: &str, groups: &[&str]) {
    let user = user(mappings, arn);
    let ours: Vec<String> = user.groups.iter().map(ToString::to_string).collect();
    assert_eq!((user.username.to_string().as_str(), ours), (username, texts(groups)), "{arn}");
}

fn texts(groups: &[&str]) -> Vec<String> {
    groups.iter().map(|&group| group.to_owned()).collect()
}

#[track_caller]
fn near(mappings: &IdentityMappings, arn: &str) -> Option<NearReason> {
    match mappings.resolve_arn(arn, None) {
        Err(IdentityError::NotMapped { nearest, .. }) => nearest.map(|near| near.reason),
        other => panic!("{arn}: {other:?}"),
    }
}

// Sections.

#[test]
fn skippable_texts_say_nothing() {
    for text in ["", " \n", "``", "\"\"", "''", " '' \n", "[]", "# only a comment\n", "null", "~"] {
        assert_eq!(codes(&[("mapRoles", text)]), [("aws-auth-maps-nobody", 1)], "{text:?}");
    }
}

#[test]
fn syntax_error_loses_its_section_only() {
    let (mappings, diagnostics) = load(&[
        ("mapRoles", "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: {{SessionName}}\n"),
        ("mapUsers", "- userarn: arn:aws:iam::111122223333:user/alice\n  username: alice\n"),
        ("mapAccounts", "- 444455556666\n"),
    ]);
    is(&mappings, ALICE, "alice", &[]);
    is(&mappings, "arn:aws:iam::444455556666:user/x", "arn:aws:iam::444455556666:user/x", &[]);
    assert!(matches!(near(&mappings, DEV), Some(NearReason::Ignored(_))));
    let error = diagnostics.iter().find(|one| one.code == Code::AwsAuthSyntax).unwrap();
    assert_eq!(error.source, Some(place(11)));
    assert!(error.message.contains("all of it is ignored"), "{}", error.message);
    assert!(error.message.contains("that starts with `{{` must be quoted"), "{}", error.message);
}

#[test]
fn unquoted_template_after_text_is_fine_in_block_style_only() {
    let block = roles("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: admin:{{SessionName}}\n");
    is(&block, DEV_SESSION, "admin:me-x.com", &[]);
    let flow = "- rolearn: arn:aws:iam::111122223333:role/Dev\n  groups: [admin:{{SessionName}}]\n";
    assert_eq!(codes(&[("mapRoles", flow)])[1].0, "aws-auth-syntax");
}

#[test]
fn tabs_are_a_syntax_error() {
    let (_, diagnostics) = load(&[("mapRoles", "- rolearn: a\n\tusername: dev\n")]);
    let error = diagnostics.iter().find(|one| one.code == Code::AwsAuthSyntax).unwrap();
    assert!(error.message.ends_with("use spaces"), "{}", error.message);
}

#[test]
fn text_that_begins_with_a_brace_is_json_and_no_list() {
    let json = r#"{"rolearn": "arn:aws:iam::111122223333:role/Dev", "username": "dev"}"#;
    let found = [("aws-auth-maps-nobody", 1), ("aws-auth-not-a-list", 10)];
    assert_eq!(codes(&[("mapRoles", json)]), found);
    let found = [("aws-auth-maps-nobody", 1), ("aws-auth-syntax", 10)];
    assert_eq!(codes(&[("mapRoles", "{rolearn: x}")]), found);
}

#[test]
fn json_list_works() {
    let json =
        r#" [{"rolearn": "arn:aws:iam::111122223333:role/Dev", "username": "\u0041", "groups": ["g"]}]"#;
    is(&roles(json), DEV, "A", &["g"]);
}

#[test]
fn what_is_not_a_list_loads_nothing() {
    for text in ["hello", "12", "rolearn: x\n"] {
        assert_eq!(codes(&[("mapRoles", text)])[1].0, "aws-auth-not-a-list", "{text}");
        assert_eq!(codes(&[("mapAccounts", text)])[1].0, "aws-auth-not-a-list", "{text}");
    }
}

#[test]
fn only_the_first_document_is_read() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/A\n  username: a\n---\n- rolearn: x\n";
    assert_eq!(roles(text).identities().count(), 1);
    assert_eq!(codes(&[("mapRoles", text)]), [("aws-auth-unread-text", 12)]);
}

#[test]
fn what_json_cannot_say_loses_the_section() {
    for text in [
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  groups: [.inf]\n",
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  x: .nan\n",
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  ~: x\n",
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  ? [a]\n  : x\n",
    ] {
        assert!(codes(&[("mapRoles", text)]).iter().any(|(code, _)| *code == "aws-auth-syntax"), "{text}");
    }
}

#[test]
fn anchors_aliases_and_merges_work() {
    let mappings = roles(
        "- &a\n  rolearn: arn:aws:iam::111122223333:role/A\n  username: a\n  groups: &g [one]\n\
         - rolearn: arn:aws:iam::111122223333:role/B\n  groups: *g\n\
         - <<: *a\n  rolearn: arn:aws:iam::111122223333:role/C\n  username: c\n\
         - username: d\n  rolearn: arn:aws:iam::111122223333:role/D\n  <<: {username: merged}\n",
    );
    is(&mappings, "arn:aws:iam::111122223333:role/B", "", &["one"]);
    is(&mappings, "arn:aws:iam::111122223333:role/C", "c", &["one"]);
    // In yaml.v2 what is written last counts, also against the entry's own fields.
    is(&mappings, "arn:aws:iam::111122223333:role/D", "merged", &[]);
}

#[test]
fn keys_of_the_config_map_are_case_sensitive() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/Dev\n";
    let (mappings, diagnostics) = load(&[("maproles", text), ("mapGroups", "[]"), ("note", "hi")]);
    let found: Vec<Code> = diagnostics.iter().map(|one| one.code).collect();
    assert_eq!(
        found,
        [
            Code::AwsAuthMapsNobody,
            Code::AwsAuthMisspeltKey,
            Code::AwsAuthMisspeltKey,
            Code::AwsAuthIgnoredKey
        ]
    );
    assert_eq!(near(&mappings, DEV), Some(NearReason::Ignored("the key `maproles` is ignored".to_owned())));
}

#[test]
fn later_config_map_replaces_the_earlier_one() {
    let (mut mappings, _) = load(&[("mapRoles", "- rolearn: arn:aws:iam::111122223333:role/Dev\n")]);
    let text = SectionText { text: "[", origin: place(1), first_line: None };
    mappings.add_config_map(place(1), &[("mapRoles", text)]);
    assert_eq!(refused(&mappings, DEV), "identity is not mapped");
}

// Fields.

#[test]
fn field_names_ignore_case_but_not_dashes() {
    let mappings =
        roles("- RoLeARN: arn:aws:iam::111122223333:role/Dev\n  USERNAME: dev\n  Group\u{17f}: [g]\n");
    is(&mappings, DEV, "dev", &["g"]);
    let dashes = "- role_arn: arn:aws:iam::111122223333:role/Dev\n  user-name: dev\n";
    assert_eq!(
        codes(&[("mapRoles", dashes)]),
        [
            ("aws-auth-maps-nobody", 1),
            ("aws-auth-unknown-field", 10),
            ("aws-auth-dropped-entry", 10),
            ("aws-auth-unknown-field", 11),
        ]
    );
}

#[test]
fn of_two_spellings_the_last_in_byte_order_counts() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: lower\n  Username: upper\n";
    is(&roles(text), DEV, "lower", &[]);
    assert!(codes(&[("mapRoles", text)]).contains(&("duplicate-key", 11)));
}

#[test]
fn of_one_spelling_the_last_counts() {
    is(
        &roles("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: a\n  username: b\n"),
        DEV,
        "b",
        &[],
    );
}

#[test]
fn wrong_type_leaves_the_other_spelling_in_force() {
    let field = |fields: &str| roles(&format!("- rolearn: arn:aws:iam::111122223333:role/Dev\n{fields}"));
    is(&field("  Username: up\n  username: 12\n"), DEV, "up", &[]);
    is(&field("  Username: up\n  username: null\n"), DEV, "up", &[]);
    is(&field("  Groups: [A, B]\n  groups: [1, null, x]\n"), DEV, "", &["A", "B", "x"]);
    is(
        &field("  GROUPS: [A, B, C]\n  Groups: [D]\n  groups: [x, null, ~, ~]\n"),
        DEV,
        "",
        &["x", "B", "C", ""],
    );
    is(&field("  Groups: [A]\n  groups: q\n"), DEV, "", &["A"]);
    is(&field("  Groups: [A, B]\n  groups: [x]\n"), DEV, "", &["x"]);
    // Of one spelling only the last value is left by then.
    is(&field("  groups: [A]\n  groups: [1]\n"), DEV, "", &[""]);
    is(&field("  Groups: [A]\n  groups: null\n"), DEV, "", &[]);
    is(&field("  GROUPS: [A, B]\n  Groups: []\n  groups: [~]\n"), DEV, "", &[""]);
}

#[test]
fn groups_that_are_no_list_leave_the_entry_without_groups() {
    for groups in ["system:masters", "{a: b}", "12", "yes"] {
        let text = format!(
            "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: dev\n  groups: {groups}\n\
             - rolearn: arn:aws:iam::111122223333:role/After\n  username: after\n  groups: [g]\n"
        );
        let (mappings, diagnostics) = load(&[("mapRoles", &text)]);
        is(&mappings, DEV, "dev", &[]);
        is(&mappings, "arn:aws:iam::111122223333:role/After", "after", &["g"]);
        let only: Vec<Code> = diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(only, [Code::AwsAuthWrongType], "{groups}");
    }
}

#[test]
fn group_that_is_no_text_is_the_empty_group() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: dev\n  groups:\n  - 1\n  - a\n  - true\n  - null\n  - system: masters\n  - [x]\n";
    is(&roles(text), DEV, "dev", &["", "a", "", "", "", ""]);
    let wrong: Vec<u32> = codes(&[("mapRoles", text)])
        .into_iter()
        .filter_map(|(code, line)| (code == "aws-auth-wrong-type").then_some(line))
        .collect();
    assert_eq!(wrong, [13, 15, 17, 18]);
}

#[test]
fn username_that_is_no_text_is_empty() {
    for value in ["123", "yes", "n", "0x1f", "1e3", "~", "[a]", "{a: b}", "''", "null"] {
        let text =
            format!("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: {value}\n  groups: [g]\n");
        is(&roles(&text), DEV, "", &["g"]);
        assert!(codes(&[("mapRoles", &text)]).iter().any(|(code, _)| *code == "empty-username"), "{value}");
    }
    for value in ["12:30:45", "2024-01-01", "\"123\"", "'yes'", "="] {
        let text = format!("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: {value}\n");
        is(&roles(&text), DEV, value.trim_matches(['"', '\'']), &[]);
    }
}

#[test]
fn entries_that_name_nobody_are_dropped_one_by_one() {
    let text = "- just text\n- 12\n- null\n- []\n- username: x\n- rolearn: 12\n\
                - rolearn: arn:aws:iam::111122223333:role/X\n  sso: {}\n\
                - rolearn: arn:aws:iam::111122223333:role/Dev\n  username: dev\n  sso: null\n";
    let (mappings, diagnostics) = load(&[("mapRoles", text)]);
    is(&mappings, DEV, "dev", &[]);
    assert_eq!(mappings.identities().count(), 1);
    let dropped = diagnostics.iter().filter(|one| one.code == Code::AwsAuthDroppedEntry).count();
    assert_eq!(dropped, 7);
}

#[test]
fn rolearn_is_not_read_in_map_users() {
    let (mappings, diagnostics) =
        load(&[("mapUsers", "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: a\n")]);
    assert!(matches!(near(&mappings, DEV), Some(NearReason::Ignored(_))));
    let field = diagnostics.iter().find(|one| one.code == Code::AwsAuthUnknownField).unwrap();
    assert_eq!(field.message, "`rolearn` belongs in `mapRoles`; it is ignored here");
}

#[test]
fn unknown_fields_name_the_nearest() {
    for (name, message) in [
        ("group", "`group` is ignored; write `groups`"),
        ("user_name", "`user_name` is ignored; write `username`"),
        ("role-arn", "`role-arn` is ignored; write `rolearn`"),
        ("arn", "`arn` is ignored; write `rolearn`"),
        ("grouparn", "`grouparn` is ignored: IAM groups cannot be mapped"),
        ("comment", "`comment` is ignored"),
    ] {
        let text = format!("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: u\n  {name}: x\n");
        let (_, diagnostics) = load(&[("mapRoles", &text)]);
        assert_eq!(diagnostics.iter().map(|one| one.message.as_str()).collect::<Vec<_>>(), [message]);
    }
}

#[test]
fn accounts_keep_their_source_text() {
    let (mappings, diagnostics) =
        load(&[("mapAccounts", "- 012345678901\n- 0x10\n- {a: b}\n- [x]\n- \"444455556666\"\n- yes\n")]);
    for account in ["012345678901", "0x10", "444455556666", "yes"] {
        let arn = format!("arn:aws:iam::{account}:user/p/X");
        is(&mappings, &arn, &arn, &[]);
    }
    assert_eq!(refused(&mappings, "arn:aws:iam::16:user/x"), "identity is not mapped");
    let found: Vec<(Code, Option<Source>)> = diagnostics.iter().map(|one| (one.code, one.source)).collect();
    assert_eq!(
        found,
        [
            (Code::AccountMapping, Some(place(10))),
            (Code::InvalidAccount, Some(place(11))),
            (Code::AwsAuthWrongType, Some(place(12))),
            (Code::AwsAuthWrongType, Some(place(13))),
            (Code::AccountMapping, Some(place(14))),
            (Code::InvalidAccount, Some(place(15))),
        ]
    );
}

#[test]
fn item_that_is_no_account_is_left_out_and_the_others_stay() {
    for item in ["{{account}}", "{a: b}", "[x]", "{~: x}", "[.inf]", "&a {b: c}"] {
        let (mappings, diagnostics) = load(&[("mapAccounts", &format!("- {item}\n- 444455556666\n"))]);
        assert!(mappings.resolve_arn("arn:aws:iam::444455556666:user/x", None).is_ok(), "{item}");
        let found: Vec<Code> = diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(found, [Code::AwsAuthWrongType, Code::AccountMapping], "{item}");
    }
    let (mappings, _) =
        load(&[("mapAccounts", "- &a 444455556666\n- [*a]\n- *a\n- !!binary MTI=\n- ~\n- yes\n")]);
    let accounts: Vec<&str> = mappings.identities().map(|one| one.arn).collect();
    assert_eq!(accounts, ["444455556666", "444455556666", "12", "", "yes"]);
}

#[test]
fn accounts_that_do_not_parse_are_lost() {
    for text in ["- [x\n- 444455556666\n", "- *a\n", "- a\n b: c\n"] {
        assert!(codes(&[("mapAccounts", text)]).iter().any(|(code, _)| *code == "aws-auth-syntax"), "{text}");
    }
}

// Matching.

#[test]
fn matching_ignores_case() {
    let mappings = roles("- rolearn: ARN:AWS:IAM::111122223333:ROLE/dEV\n  username: dev\n");
    is(&mappings, DEV_SESSION, "dev", &[]);
}

#[test]
fn nothing_is_trimmed() {
    let mappings = roles("- rolearn: \"arn:aws:iam::111122223333:role/Dev \"\n  username: dev\n");
    assert_eq!(near(&mappings, DEV), Some(NearReason::Unreachable(Unreachable::Whitespace)));
}

#[test]
fn later_role_replaces_wholly() {
    let (mappings, diagnostics) = load(&[(
        "mapRoles",
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: first\n  groups: [system:masters]\n\
         - rolearn: arn:aws:iam::111122223333:role/DEV\n  username: second\n",
    )]);
    is(&mappings, DEV, "second", &[]);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!((diagnostics[0].code, diagnostics[0].source), (Code::DuplicateRoleMapping, Some(place(10))));
    assert_eq!(user(&mappings, DEV).notes[0].source, Some(place(10)));
    assert_eq!(user(&mappings, DEV).provenance.source, place(13));
}

#[test]
fn later_user_of_the_same_case_replaces() {
    let text = "- userarn: arn:aws:iam::111122223333:user/alice\n  username: first\n\
                - userarn: arn:aws:iam::111122223333:user/alice\n  username: second\n";
    is(&users(text), ALICE, "second", &[]);
    assert_eq!(codes(&[("mapUsers", text)]), [("duplicate-user-mapping", 10)]);
}

#[test]
fn users_that_differ_in_case_are_mapped_at_random() {
    let text = "- userarn: arn:aws:iam::111122223333:user/alice\n  username: one\n\
                - userarn: arn:aws:iam::111122223333:user/Alice\n  username: two\n";
    let mappings = users(text);
    let error = mappings.resolve_arn(ALICE, None).unwrap_err();
    assert!(!error.is_refusal());
    let IdentityError::RandomMapping { candidates } = error else { panic!("{error}") };
    let names: Vec<String> =
        candidates.iter().map(|one| one.as_ref().unwrap().username.to_string()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(codes(&[("mapUsers", text)]), [("random-user-mapping", 12)]);
    let reach: Vec<Reach> = mappings.identities().map(|identity| identity.reach).collect();
    assert!(matches!(reach[0], Reach::Callers(_)));
    assert_eq!(reach[1], Reach::SameCallers(place(10)));
}

#[test]
fn a_random_mapping_between_equals_is_certain() {
    let text = "- userarn: arn:aws:iam::111122223333:user/alice\n  username: one\n\
                - userarn: arn:aws:iam::111122223333:user/Alice\n  username: one\n";
    is(&users(text), ALICE, "one", &[]);
}

#[test]
fn map_roles_goes_before_map_users_whatever_the_type() {
    let (mappings, diagnostics) = load(&[
        ("mapUsers", "- userarn: arn:aws:iam::111122223333:user/alice\n  username: user\n"),
        ("mapRoles", "- rolearn: arn:aws:iam::111122223333:user/Alice\n  username: role\n"),
    ]);
    is(&mappings, ALICE, "role", &[]);
    let found: Vec<Code> = diagnostics.iter().map(|one| one.code).collect();
    assert!(found.contains(&Code::ArnInBothSections) && found.contains(&Code::WrongSection), "{found:?}");
    assert_eq!(user(&mappings, ALICE).provenance.kind, MappingKind::MapRoles);
}

#[test]
fn role_in_map_users_works() {
    is(&users("- userarn: arn:aws:iam::111122223333:role/Dev\n  username: a\n"), DEV_SESSION, "a", &[]);
}

#[test]
fn root_and_federated_users_can_be_mapped() {
    let mappings = users(
        "- userarn: arn:aws:iam::111122223333:root\n  username: root\n\
         - userarn: arn:aws:sts::111122223333:federated-user/Bob\n  username: bob\n",
    );
    is(&mappings, "arn:aws:iam::111122223333:root", "root", &[]);
    is(&mappings, "arn:aws:sts::111122223333:federated-user/bob", "bob", &[]);
}

#[test]
fn role_path_in_the_map_never_matches() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/team/Dev\n  username: dev\n";
    let mappings = roles(text);
    let better = Unreachable::RolePath(DEV.to_owned());
    // Also not when the role is asked for with its path: STS drops it.
    for arn in [DEV, DEV_SESSION, "arn:aws:iam::111122223333:role/team/Dev"] {
        assert_eq!(near(&mappings, arn), Some(NearReason::Unreachable(better.clone())), "{arn}");
    }
    assert_eq!(codes(&[("mapRoles", text)]), [("role-arn-has-path", 10)]);
    assert_eq!(mappings.identities().next().unwrap().reach, Reach::Nobody(better));
}

#[test]
fn role_is_asked_for_without_its_path() {
    let mappings = roles("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: dev\n");
    is(&mappings, "arn:aws:iam::111122223333:role/team/a/Dev", "dev", &[]);
}

#[test]
fn user_path_must_be_in_the_map() {
    let mappings = users("- userarn: arn:aws:iam::111122223333:user/team/alice\n  username: a\n");
    is(&mappings, "arn:aws:iam::111122223333:user/team/alice", "a", &[]);
    assert_eq!(near(&mappings, ALICE), Some(NearReason::UserPath));
}

#[test]
fn assumed_role_in_the_map_never_matches() {
    let text = "- rolearn: arn:aws:sts::111122223333:assumed-role/Dev/me\n  username: dev\n";
    let why = Unreachable::AssumedRole(DEV.to_owned());
    assert_eq!(near(&roles(text), DEV_SESSION), Some(NearReason::Unreachable(why)));
    assert_eq!(codes(&[("mapRoles", text)]), [("assumed-role-mapped", 10)]);
}

#[test]
fn wildcards_are_text() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/teams/*\n  username: t\n";
    assert_eq!(codes(&[("mapRoles", text)]), [("wildcard-in-arn", 10)]);
    let asked = "arn:aws:iam::111122223333:role/teams/Dev";
    assert_eq!(near(&roles(text), asked), Some(NearReason::Unreachable(Unreachable::Wildcard)));
    assert_eq!(near(&roles(text), ALICE), None);
}

#[test]
fn sso_entries_never_match() {
    let text = "- sso: {permissionSetName: View, accountID: \"111122223333\"}\n  username: v\n";
    let caller = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_View_0123456789abcdef/me@x.com";
    assert_eq!(codes(&[("mapRoles", text)]), [("sso-mapping", 10)]);
    assert_eq!(near(&roles(text), caller), Some(NearReason::Unreachable(Unreachable::Sso)));
    assert_eq!(codes(&[("mapRoles", &format!("{text}{text}"))]), [("sso-mapping", 10), ("sso-mapping", 12)]);
    assert_eq!(
        codes(&[("mapRoles", &format!("{text}  rolearn: {DEV}\n"))]),
        [("aws-auth-maps-nobody", 1), ("aws-auth-dropped-entry", 10)]
    );
    for broken in ["{permissionSetName: View, accountID: 111122223333}", "{}", "x", "{accountID: \"1\"}"] {
        let text = format!("- sso: {broken}\n");
        assert!(
            codes(&[("mapRoles", &text)]).iter().any(|(code, _)| *code == "aws-auth-dropped-entry"),
            "{broken}"
        );
    }
}

#[test]
fn sso_roles_are_written_without_their_path() {
    let name = "AWSReservedSSO_View_0123456789abcdef";
    let text =
        format!("- rolearn: arn:aws:iam::111122223333:role/{name}\n  username: \"{{{{SessionName}}}}\"\n");
    let asked = format!("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/{name}");
    assert_eq!(
        roles(&text).resolve_arn(&asked, Some("me@x.com")).unwrap().username.as_literal(),
        Some("me-x.com")
    );
    let other = "arn:aws:iam::111122223333:role/AWSReservedSSO_View_fedcba9876543210";
    assert_eq!(near(&roles(&text), other), Some(NearReason::SsoSuffix));
    let short = "- rolearn: arn:aws:iam::111122223333:role/AWSReservedSSO_View_0123\n  username: x\n";
    assert_eq!(codes(&[("mapRoles", short)]), [("sso-role-suffix", 10)]);
}

#[test]
fn arns_that_no_caller_has_are_reported() {
    for arn in ["NODE_INSTANCE_ROLE", "arn:aws:iam::${ID}:role/x", "arn:aws:iam::111122223333:group/devs"] {
        let text = format!("- rolearn: {arn}\n  username: x\n");
        assert_eq!(codes(&[("mapRoles", &text)]), [("invalid-mapping-arn", 10)], "{arn}");
    }
}

#[test]
fn entry_goes_before_account() {
    let (mappings, _) = load(&[
        ("mapAccounts", "- 111122223333\n"),
        ("mapRoles", "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: dev\n  groups: [g]\n"),
    ]);
    is(&mappings, DEV_SESSION, "dev", &["g"]);
    let other = "arn:aws:sts::111122223333:assumed-role/Other/me";
    is(&mappings, other, "arn:aws:iam::111122223333:role/Other", &[]);
    assert_eq!(user(&mappings, other).provenance.kind, MappingKind::MapAccounts);
}

#[test]
fn nearest_names_the_likeliest_mistake() {
    let mappings = roles(
        "- rolearn: arn:aws:iam::111122223333:role/Deploy\n\
         - rolearn: arn:aws-cn:iam::111122223333:role/China\n\
         - rolearn: arn:aws:iam::111122223333:role/alice\n",
    );
    for (arn, reason) in [
        ("arn:aws:iam::444455556666:role/Deploy", Some(NearReason::OtherAccount)),
        ("arn:aws:iam::111122223333:role/China", Some(NearReason::OtherPartition)),
        (ALICE, Some(NearReason::OtherKind)),
        ("arn:aws:iam::111122223333:role/Deplyo", Some(NearReason::Typo { distance: 2 })),
        ("arn:aws:iam::111122223333:role/Something", None),
    ] {
        assert_eq!(near(&mappings, arn), reason, "{arn}");
    }
}

#[test]
fn nearest_says_where() {
    let mappings = roles("- rolearn: arn:aws:iam::111122223333:role/team/Dev\n");
    let Err(IdentityError::NotMapped { nearest: Some(near), .. }) = mappings.resolve_arn(DEV, None) else {
        panic!("nothing near")
    };
    assert_eq!(near.source, place(10));
    assert_eq!(
        NearMiss::to_string(&near),
        "`arn:aws:iam::111122223333:role/team/Dev` is mapped but never matches: it has a role path, which \
         caller ARNs never have; write `arn:aws:iam::111122223333:role/Dev`"
    );
}

#[test]
fn without_mappings_nothing_can_be_told() {
    let error = IdentityMappings::default().resolve_arn(DEV, None).unwrap_err();
    assert_eq!(error, IdentityError::NoMappings);
    assert!(!error.is_refusal());
    let (empty, _) = load(&[]);
    assert!(empty.resolve_arn(DEV, None).unwrap_err().is_refusal());
}

#[test]
fn impossible_arns_are_refused_in_upstreams_words() {
    let mappings = roles("[]");
    let group = "arn:aws:iam::111122223333:group/g";
    let said = "sts getCallerIdentity failed: unrecognized resource group/g for service iam";
    assert_eq!(refused(&mappings, group), said);
    for arn in ["arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role", "Dev"] {
        assert!(refused(&mappings, arn).starts_with("sts getCallerIdentity failed: "), "{arn}");
    }
}

// Templates.

fn filled(template: &str, arn: &str, session: Option<&str>) -> Result<String, String> {
    let text = format!(
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: '{template}'\n- rolearn: {ALICE}\n  username: '{template}'\n"
    );
    roles(&text)
        .resolve_arn(arn, session)
        .map(|user| user.username.to_string())
        .map_err(|error| error.to_string())
}

#[test]
fn placeholders_are_filled_in_exactly_as_spelled() {
    for (template, expected) in [
        ("a:{{AccountID}}", "a:111122223333"),
        ("{{SessionName}}", "me-x.com"),
        ("{{SessionNameRaw}}", "me@x.com"),
        ("{{SessionName}}/{{SessionName}}", "me-x.com/me-x.com"),
        ("{{ SessionName }}", "{{ SessionName }}"),
        ("{{sessionname}}", "{{sessionname}}"),
        ("{{UserID}}", "{{UserID}}"),
        ("{{SessionName", "{{SessionName"),
        ("{{AccessKeyID}}", "{{AccessKeyID}}"),
    ] {
        assert_eq!(filled(template, DEV_SESSION, None).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn replacements_follow_one_another() {
    // What an earlier placeholder leaves can become a later one, and never an earlier one.
    assert_eq!(filled("{{SessionName{{SessionName}}Raw}}", ALICE, None).as_deref(), Ok(""));
    assert_eq!(filled("{{Account{{SessionName}}ID}}", ALICE, None).as_deref(), Ok("{{AccountID}}"));
    assert_eq!(filled("{{{{SessionName}}}}", DEV, Some("SessionNameRaw")).as_deref(), Ok("SessionNameRaw"));
}

#[test]
fn users_have_an_empty_session_name() {
    assert_eq!(filled("a:{{SessionName}}{{SessionNameRaw}}", ALICE, None).as_deref(), Ok("a:"));
    let text = format!("- userarn: {ALICE}\n  username: 'a:{{{{SessionName}}}}'\n");
    assert_eq!(codes(&[("mapUsers", &text)]), [("no-session-name", 11)]);
}

#[test]
fn bare_role_stays_symbolic_without_a_session_name() {
    assert_eq!(filled("a:{{SessionName}}", DEV, None).as_deref(), Ok("a:{{SessionName}}"));
    assert_eq!(filled("a:{{SessionName}}", DEV, Some("b@c")).as_deref(), Ok("a:b-c"));
    // The session of an ARN goes before the one that was given.
    assert_eq!(filled("a:{{SessionName}}", DEV_SESSION, Some("b@c")).as_deref(), Ok("a:me-x.com"));
}

#[test]
fn what_stays_symbolic_is_said() {
    let mappings = roles(
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: 'a:{{SessionName}}'\n\
         \x20 groups: [fixed, '{{AccessKeyID}}', '{{SessionNameRaw}}']\n",
    );
    let found = user(&mappings, DEV);
    assert_eq!(
        found.symbolic().collect::<Vec<_>>(),
        [
            (Field::Username, PlaceholderKind::SessionName),
            (Field::Group(1), PlaceholderKind::AccessKeyId),
            (Field::Group(2), PlaceholderKind::SessionNameRaw),
        ]
    );
    assert_eq!(
        found.user_info().groups,
        ["fixed", "{{AccessKeyID}}", "{{SessionNameRaw}}", "system:authenticated"]
    );
    assert_eq!(found.sessions, Sessions::Any);
}

#[test]
fn access_key_is_filled_in_where_known() {
    let mappings = roles("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: 'k:{{AccessKeyID}}'\n");
    let caller = IamIdentity::from_arn(DEV, None).unwrap().with_access_key_id("AKIAIOSFODNN7EXAMPLE");
    let found = mappings.user_info(&caller).unwrap();
    assert_eq!(found.username.as_literal(), Some("k:AKIAIOSFODNN7EXAMPLE"));
}

const NODE: &str = "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: [system:nodes]\n";

#[test]
fn dns_name_needs_the_session_of_an_instance() {
    let mappings = roles(NODE);
    for session in ["i-01234567", "i-0123456789abcdef0", "i-ABCDEFG_"] {
        let found = mappings.resolve_arn(DEV, Some(session)).unwrap();
        assert_eq!(found.username.to_string(), "system:node:{{EC2PrivateDNSName}}", "{session}");
        assert!(found.is_symbolic());
    }
    for session in
        ["human", "i-0123456", "i-012345678", "i-0123456789abcdef01", "i-0123456\u{e9}", "xi-01234567"]
    {
        let error = mappings.resolve_arn(DEV, Some(session)).unwrap_err();
        assert!(error.is_refusal());
        assert_eq!(
            error.to_string(),
            "mapper EKSConfigMap renderTemplates error: error rendering username template \
             \"system:node:{{EC2PrivateDNSName}}\": SessionName did not contain an instance id",
            "{session}"
        );
    }
}

#[test]
fn dns_name_in_a_group_refuses_too_and_no_account_helps() {
    let (mappings, _) = load(&[
        ("mapAccounts", "- 111122223333\n"),
        (
            "mapRoles",
            "- rolearn: arn:aws:iam::111122223333:role/Dev\n  groups: [a, 'n:{{EC2PrivateDNSName}}']\n",
        ),
    ]);
    assert_eq!(
        refused(&mappings, DEV_SESSION),
        "mapper EKSConfigMap renderTemplates error: error rendering group template \
         \"n:{{EC2PrivateDNSName}}\": SessionName did not contain an instance id"
    );
}

#[test]
fn dns_name_of_a_user_refuses_always() {
    let text = format!("- userarn: {ALICE}\n  username: 'n:{{{{EC2PrivateDNSName}}}}'\n");
    assert!(refused(&users(&text), ALICE).contains("SessionName did not contain an instance id"));
    assert_eq!(codes(&[("mapUsers", &text)]), [("template-refuses-login", 11)]);
}

#[test]
fn bare_node_role_stands_for_its_instances() {
    let found = user(&roles(NODE), DEV);
    assert_eq!(found.sessions, Sessions::InstanceId);
    assert_eq!(found.notes.len(), 1);
    let known = roles(NODE).resolve_arn(DEV, Some("i-01234567")).unwrap();
    assert_eq!((known.sessions, known.notes.len()), (Sessions::Any, 0));
}

#[test]
fn unknown_placeholders_are_reported() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: '{{UserID}}:{{SessionName}}'\n  groups: ['{{ SessionName }}']\n";
    assert_eq!(
        codes(&[("mapRoles", text)]),
        [("unknown-placeholder", 11), ("odd-group", 12), ("unknown-placeholder", 12)]
    );
    let shell = "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: '${USER}:{{SessionName}}'\n  groups: ['a$b', '${T}']\n";
    assert_eq!(codes(&[("mapRoles", shell)]), [("unknown-placeholder", 11), ("unknown-placeholder", 12)]);
}

#[test]
fn folded_groups_are_reported() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: d\n  groups:\n    - system:bootstrappers\n     - system:nodes\n";
    is(&roles(text), DEV, "d", &["system:bootstrappers - system:nodes"]);
    assert_eq!(codes(&[("mapRoles", text)]), [("odd-group", 13)]);
}

// Placeholders against the subjects of bindings.

#[track_caller]
fn session_for(template: &str, subject: &str) -> Option<String> {
    let text = format!("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: '{template}'\n");
    let mappings = roles(&text);
    let found = user(&mappings, DEV).could_be_user(subject)?;
    let session = found.session_name?;
    // The session that is said to make the subject makes it.
    let known = mappings.resolve_arn(DEV, Some(&session)).map(|user| user.username.to_string());
    assert_eq!(known.as_deref(), Ok(subject));
    Some(session)
}

#[test]
fn session_that_makes_a_subject_is_found() {
    for (template, subject, session) in [
        ("{{SessionName}}", "alice", Some("alice")),
        ("admin:{{SessionName}}", "admin:me-x.com", Some("me-x.com")),
        ("{{SessionNameRaw}}", "me@x.com", Some("me@x.com")),
        ("{{SessionName}}:{{SessionNameRaw}}", "me-x:me@x", Some("me@x")),
        ("{{SessionNameRaw}}:{{SessionName}}", "me@x:me-x", Some("me@x")),
        ("{{SessionName}}-{{SessionName}}", "ab-ab-ab-ab", Some("ab-ab")),
        ("{{AccountID}}:{{SessionName}}:x", "111122223333:me:x", Some("me")),
        // A normal session name has no `@`, and none has `:` or a space, or is one character long.
        ("{{SessionName}}", "me@x.com", None),
        ("{{SessionName}}", "system:masters", None),
        ("{{SessionNameRaw}}", "a b", None),
        ("{{SessionName}}", "a", None),
        ("admin:{{SessionName}}", "admin:", None),
        ("admin:{{SessionName}}", "other:me", None),
        ("{{SessionName}}:{{SessionName}}", "one:two", None),
        ("{{SessionName}}:{{SessionNameRaw}}", "me.x:me@x", None),
    ] {
        assert_eq!(session_for(template, subject).as_deref(), session, "{template} {subject}");
    }
    assert_eq!(session_for("{{SessionName}}", &"a".repeat(64)).map(|name| name.len()), Some(64));
    assert_eq!(session_for("{{SessionName}}", &"a".repeat(65)), None);
}

#[test]
fn symbolic_group_could_be_a_group_that_matters() {
    let mappings = roles(
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: d\n  groups: ['system:{{SessionName}}', team]\n",
    );
    let found = user(&mappings, DEV);
    assert_eq!(found.could_be_in_group("system:masters").unwrap().session_name.as_deref(), Some("masters"));
    assert_eq!(found.could_be_in_group("team"), Some(rbacsim::identity::PlaceholderValues::default()));
    assert_eq!(found.could_be_in_group("other"), None);
    assert_eq!(found.could_be_user("d"), Some(rbacsim::identity::PlaceholderValues::default()));
}

#[test]
fn sessions_of_a_node_role_are_instance_ids() {
    let mappings = roles(
        "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: ['s:{{SessionName}}']\n",
    );
    let found = user(&mappings, DEV);
    assert_eq!(found.could_be_in_group("s:human"), None);
    assert!(found.could_be_in_group("s:i-01234567").is_some());
    let dns = found.could_be_user("system:node:ip-10-0-0-1.ec2.internal").unwrap();
    assert_eq!(dns.private_dns_name.as_deref(), Some("ip-10-0-0-1.ec2.internal"));
    assert_eq!(found.could_be_user("system:node:"), None);
    assert_eq!(found.could_be_user("system:node:a b"), None);
}

#[test]
fn access_keys_look_like_access_keys() {
    let mappings = roles("- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: 'k:{{AccessKeyID}}'\n");
    let found = user(&mappings, DEV);
    assert!(found.could_be_user("k:AKIAIOSFODNN7EXAMPLE").unwrap().access_key_id.is_some());
    assert_eq!(found.could_be_user("k:alice"), None);
}

// Callers.

#[test]
fn caller_tells_what_sts_reports() {
    let role = IamIdentity::from_arn("arn:aws:iam::111122223333:role/team/Dev", None).unwrap();
    assert_eq!(role.canonical_arn(), DEV);
    assert_eq!(role.session(), &Session::Symbolic);
    assert_eq!(role.sts_arn(), "arn:aws:sts::111122223333:assumed-role/Dev/{{SessionName}}");
    let session = role.with_session("me@x.com");
    assert_eq!(session.sts_arn(), DEV_SESSION);
    let alice = IamIdentity::from_arn(ALICE, Some("ignored")).unwrap();
    assert_eq!((alice.session(), alice.sts_arn().as_str()), (&Session::None, ALICE));
    assert_eq!(alice.clone().with_session("x"), alice);
}

#[test]
fn identities_resolve_to_what_their_entry_says() {
    let (mappings, _) = load(&[
        ("mapAccounts", "- 444455556666\n"),
        (
            "mapRoles",
            "- rolearn: arn:aws:iam::111122223333:role/dev\n  username: old\n\
             - rolearn: arn:aws:iam::111122223333:role/Dev\n  username: new\n\
             - rolearn: <role>\n",
        ),
        ("mapUsers", "- userarn: ARN:AWS:IAM::111122223333:USER/alice\n  username: alice\n"),
    ]);
    let all: Vec<_> = mappings.identities().collect();
    assert_eq!(all.iter().map(|one| one.source.line).collect::<Vec<_>>(), [10, 12, 14, 10, 10]);
    assert_eq!(all[0].reach, Reach::Replaced(place(12)));
    assert_eq!(all[2].reach, Reach::Nobody(Unreachable::Placeholder));
    assert_eq!((&all[4].reach, all[4].arn), (&Reach::Account, "444455556666"));
    for (index, username) in [(1, "new"), (3, "alice")] {
        let Reach::Callers(caller) = &all[index].reach else { panic!("{:?}", all[index]) };
        let found = mappings.user_info(caller).unwrap();
        assert_eq!(found.username.as_literal(), Some(username));
        assert_eq!(found.provenance.source, all[index].source);
    }
}

#[test]
fn places_are_lines_of_block_scalars_and_else_the_scalar() {
    let text = "- rolearn: arn:aws:iam::111122223333:role/Dev\n  username: d\n  groups:\n  - a\n  - b\n";
    let (mappings, _) = load(&[("mapRoles", text)]);
    let found = user(&mappings, DEV).provenance;
    assert_eq!((found.source, found.username.source), (place(10), place(11)));
    assert_eq!(found.groups.iter().map(|group| group.source.line).collect::<Vec<_>>(), [13, 14]);
    let quoted = SectionText { text, origin: place(5), first_line: None };
    let mut mappings = IdentityMappings::default();
    mappings.add_config_map(place(1), &[("mapRoles", quoted)]);
    assert_eq!(user(&mappings, DEV).provenance.groups[1].source, place(5));
}

#[test]
fn sound_map_has_nothing_to_report() {
    let (_, diagnostics) = load(&[
        (
            "mapRoles",
            "- rolearn: arn:aws:iam::111122223333:role/Node\n  username: system:node:{{EC2PrivateDNSName}}\n  groups:\n  - system:bootstrappers\n  - system:nodes\n",
        ),
        ("mapUsers", "- userarn: arn:aws:iam::111122223333:user/team/alice\n  username: alice\n"),
        ("mapAccounts", ""),
    ]);
    assert_eq!(diagnostics, []);
    assert_eq!(Code::AwsAuthSyntax.severity(), Severity::Error);
}

/// What is said of a caller that STS never reports, and what becomes of it all the same.
fn said(mappings: &IdentityMappings, arn: &str, session: Option<&str>) -> (Option<String>, Option<String>) {
    let identity = IamIdentity::from_arn(arn, session).unwrap();
    let user = mappings.user_info(&identity).ok();
    (identity.never_reported(), user.map(|user| user.username.to_string()))
}

#[test]
fn session_names_that_sts_never_gives_are_told_and_resolved_all_the_same() {
    let map = roles(&format!("- {{rolearn: {DEV}, username: 'dev:{{{{SessionName}}}}'}}\n"));
    for name in ["a", &"x".repeat(65), "a b", "a/b:c", "", "é!", "{{AccountID}}", "a\nb"] {
        let (warning, user) = said(&map, DEV, Some(name));
        assert!(warning.is_some_and(|text| text.contains("session names have 2 to 64")), "{name}");
        // The slash would be another part of the ARN; given as a flag it is a name.
        assert_eq!(user, Some(format!("dev:{name}")));
    }
    let session = |name: &str| format!("arn:aws:sts::111122223333:assumed-role/Dev/{name}");
    assert!(said(&map, &session("a"), None).0.is_some());
    assert!(said(&map, &session("a b"), None).0.is_some());
    for name in ["al", "me@x.com", "i-0123456789abcdef0", "a+b=c,d.e_f-g", &"x".repeat(64)] {
        assert_eq!(said(&map, DEV, Some(name)).0, None, "{name}");
        assert_eq!(said(&map, &session(name), None).0, None, "{name}");
    }
    assert_eq!(said(&map, DEV, None).0, None);
}

#[test]
fn arns_that_no_caller_has_are_told_and_looked_up_all_the_same() {
    let map = users("- {userarn: 'arn:aws:iam::12:user/a', username: a}\n");
    let (warning, user) = said(&map, "arn:aws:iam::12:user/a", None);
    assert!(warning.is_some_and(|text| text.ends_with("its account ID is not 12 digits")));
    assert_eq!(user.as_deref(), Some("a"));
    for arn in [
        "arn:aws:iam:us-east-1:111122223333:user/a",
        "arn:aws:iam::111122223333:user/a*",
        "arn:aws:iam::111122223333:user/a b",
    ] {
        assert!(said(&map, arn, None).0.is_some(), "{arn}");
    }
    for arn in [
        ALICE,
        DEV,
        DEV_SESSION,
        "arn:aws:iam::111122223333:role/a/b/Dev",
        "arn:aws:iam::111122223333:user/a/b/bob",
        "arn:aws:iam::111122223333:root",
        "arn:aws-cn:sts::111122223333:federated-user/bob",
    ] {
        assert_eq!(said(&map, arn, None).0, None, "{arn}");
    }
}

#[test]
fn text_with_placeholders_that_nobody_filled_in_refuses_nobody() {
    let refused = |key: &str, text: &str| {
        let error = load(&[(key, text)]).0.resolve_arn(DEV, None).unwrap_err();
        assert!(matches!(error, IdentityError::NotMapped { .. }), "{error}");
        error.is_refusal()
    };
    for text in [
        "${MAP_ROLES}",
        "{{ .Values.mapRoles }}",
        "{{- toYaml .Values.mapRoles | nindent 4 }}",
        "- ${ROLE_ENTRY}\n",
        "- rolearn: {{ .Values.arn }}\n  username: x\n",
        "- {rolearn: 'arn:aws:iam::444455556666:role/x', username: x}\n${MORE}\n",
        "{% for role in roles %}\n- rolearn: x\n{% endfor %}\n",
    ] {
        assert!(!refused("mapRoles", text), "{text}");
    }
    assert!(!refused("mapAccounts", "${ACCOUNTS}"));
    for text in [
        // What aws-iam-authenticator fills in is no template of anybody else, and loses the section.
        "- rolearn: x\n  username: {{SessionName}}\n",
        "- rolearn: x\n  username: {{ SessionName }}\n",
        "- username: '{{UserID}}'\n",
        "just text",
        "- [not, an, entry\n",
        "",
    ] {
        assert!(refused("mapRoles", text), "{text}");
    }
    // Nothing under a key that is not read counts, whatever it becomes.
    assert!(refused("maproles", "${MAP_ROLES}"));
}
