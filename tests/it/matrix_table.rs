//! The access matrix for people: signs, footnotes, widths, Markdown.

use rbacsim::ask::matrix::{Filter, Holder, Matrix, holder, preset};
use rbacsim::decide::cluster::Cluster;
use rbacsim::model::user::UserInfo;
use rbacsim::read::Completeness;
use rbacsim::report::matrix_table::{Style, View, print};

use crate::matrix_rules::{ALICE, binding, cluster_binding, cluster_role, load_text};

const ASCII: Style = Style::Text { unicode: false, width: None };

fn cluster() -> Cluster {
    let pods = r#"[{verbs: [get, list], apiGroups: [""], resources: [pods]}]"#;
    let secrets = r#"[{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [db, tls]}]"#;
    let nodes = r#"[{verbs: [get], apiGroups: [""], resources: [nodes]}, {verbs: [get], nonResourceURLs: [/metrics]}]"#;
    let text = cluster_role("pods", pods)
        + &cluster_role("secrets", secrets)
        + &cluster_role("nodes", nodes)
        + &binding("prod", "pods", ALICE)
        + &binding("dev", "pods", "{kind: User, name: alice}, {kind: User, name: bob}")
        + &binding("prod", "secrets", ALICE)
        + &cluster_binding("nodes", "nodes", ALICE)
        + &binding("team", "not-here", "{kind: User, name: bob}");
    load_text(&text, Completeness::Partial)
}

fn user(cluster: &Cluster, name: &str) -> Holder {
    holder::of_user(cluster, UserInfo::impersonated(name, &[]))
}

fn show(cluster: &Cluster, holders: &[Holder], filter: &Filter, style: Style, preset: bool) -> String {
    let matrix = Matrix::new(cluster, filter);
    let view = View {
        matrix: &matrix,
        holders,
        is_wide: false,
        entries: preset.then_some(preset::SENSITIVE),
        all_rows: filter.resources.is_some(),
        asked_preset: preset,
    };
    let mut out = Vec::new();
    print(&mut out, &view, &style, &["a statement".to_owned()]).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn one_identity_has_resources_down_and_verbs_across() {
    let cluster = cluster();
    let alice = [user(&cluster, "alice")];
    let text = show(&cluster, &alice, &Filter::default(), ASCII, false);
    let cells = Matrix::new(&cluster, &Filter::default()).universe().cells().len();
    assert_eq!(
        text.replace(&format!("other {}", cells - 4), "other MANY"),
        "\
a statement

User alice
  user `alice`, groups `system:authenticated`
resource           get  list
core
  nodes            Y    -
  pods             n1   n1
  secrets          #2   -
non-resource URLs
  /metrics         Y

no access to the other MANY known resources and URLs

Y yes, everywhere   n in some namespaces   # only some object names   - no   ? unknown   (empty: the resource has no such verb)
  1  in dev, prod
  2  only named db, tls in prod
"
    );
}

#[test]
fn colours_stand_on_the_signs_and_only_where_more_than_ascii_is_shown() {
    let cluster = cluster();
    let alice = [user(&cluster, "alice")];
    let text =
        show(&cluster, &alice, &Filter::default(), Style::Text { unicode: true, width: Some(100) }, false);
    assert!(text.contains("\u{1b}[1m\u{1b}[32m✔\u{1b}[0m"), "{text:?}");
    assert!(!show(&cluster, &alice, &Filter::default(), ASCII, false).contains('\u{1b}'));
}

fn pair(group: &str, resource: &str) -> (String, String) {
    (group.to_owned(), resource.to_owned())
}

#[test]
fn several_identities_go_down_and_what_cannot_be_told_is_a_sign_and_a_list() {
    let cluster = cluster();
    let holders = [user(&cluster, "alice"), user(&cluster, "bob")];
    let filter = Filter {
        verbs: Some(vec!["get".into(), "create".into()]),
        resources: Some(vec![pair("", "pods/exec"), pair("", "pods"), pair("", "nodes")]),
        columns: None,
    };
    let text = show(&cluster, &holders, &filter, ASCII, false);
    assert_eq!(
        text,
        "\
a statement

identity    create  get    create  get             create     get
            nodes   nodes  pods    pods            pods/exec  pods/exec
User alice  -       Y      -       in dev, prod    -          -
User bob    -       -      ?       in dev, else ?  ?          ?

Y yes, everywhere   - no   ? unknown

unknown
  User bob in team: RoleBinding `team/b-not-here` grants ClusterRole `not-here`, which is not in the inputs (rbac.yaml:43)
"
    );
}

#[test]
fn what_does_not_fit_into_columns_stands_below_those_who_have_it() {
    let cluster = cluster();
    let long = "x".repeat(70);
    let holders = [user(&cluster, &long), user(&cluster, "alice"), user(&cluster, "other")];
    let style = Style::Text { unicode: false, width: Some(60) };
    let text = show(&cluster, &holders, &preset::filter(preset::SENSITIVE), style, true);
    let cards = format!(
        "a statement

User {long}
User other
  none of it

User alice
  only named db, tls in prod  get secrets
"
    );
    assert!(text.starts_with(&cards), "{text}");
    let style = Style::Text { unicode: true, width: Some(60) };
    let text = show(&cluster, &holders, &preset::filter(preset::SENSITIVE), style, true);
    assert!(text.contains("\n  ◆ only named db, tls in prod  get secrets\n"), "{text}");
}

#[test]
fn a_preset_says_what_each_access_means() {
    let cluster = cluster();
    let alice = [user(&cluster, "alice")];
    let filter = preset::filter(preset::SENSITIVE);
    let text = show(&cluster, &alice, &filter, ASCII, true);
    let line = text.lines().find(|line| line.starts_with("get secrets")).unwrap();
    assert!(
        line.contains("#1") && line.ends_with("Reads a secret by its name: passwords, keys, tokens."),
        "{line}"
    );
    // Every entry of the preset is a column: none is misspelt.
    let shown = text.lines().filter(|line| line.ends_with('.')).count();
    assert_eq!(shown, preset::SENSITIVE.len());
    for entry in preset::SENSITIVE {
        let known = cluster.catalogue().find(entry.group, entry.resource.split('/').next().unwrap());
        assert!(entry.group == "*" || known.is_some(), "{entry:?}");
    }
}

#[test]
fn aws_auth_itself_is_asked_as_the_one_object_that_it_is() {
    let write = r#"[{verbs: [update], apiGroups: [""], resources: [configmaps]}]"#;
    let named = r#"[{verbs: [update], apiGroups: [""], resources: [configmaps], resourceNames: [aws-auth]}]"#;
    let text = cluster_role("write", write)
        + &cluster_role("named", named)
        + &binding("prod", "write", ALICE)
        + &binding("kube-system", "named", "{kind: User, name: bob}");
    let cluster = load_text(&text, Completeness::Complete);
    let line = |name: &str| -> String {
        let text = show(&cluster, &[user(&cluster, name)], &preset::filter(preset::SENSITIVE), ASCII, true);
        text.lines()
            .find(|line| line.starts_with("update configmaps/aws-auth in kube-system"))
            .unwrap()
            .to_owned()
    };
    assert!(line("alice").contains(" - "), "{}", line("alice"));
    assert!(line("bob").contains(" Y "), "{}", line("bob"));
}

#[test]
fn markdown_is_escaped() {
    let odd = r#"{kind: User, name: "a|b\nc<d>*"}"#;
    let rules = r#"[{verbs: [get], apiGroups: [""], resources: [pods]}]"#;
    let text = cluster_role("r", rules) + &cluster_binding("b", "r", odd) + &binding("prod", "r", ALICE);
    let cluster = load_text(&text, Completeness::Complete);
    let filter = Filter {
        verbs: Some(vec!["get".into()]),
        resources: Some(vec![pair("", "pods"), pair("apps", "deployments")]),
        columns: None,
    };
    let text = show(&cluster, &holder::bound(&cluster), &filter, Style::Markdown, false);
    assert_eq!(
        text,
        "\
- a statement

| identity | get<br>pods | get<br>deployments.apps |
| --- | --- | --- |
| User alice | ◐ in prod | · |
| User a\\|b\\\\nc&lt;d>\\* | ✔ | · |

✔ yes, everywhere   · no   ? unknown
"
    );
}
