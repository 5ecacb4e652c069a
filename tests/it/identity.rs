//! Recorded answers of aws-iam-authenticator v0.7.18, its test tables, and real aws-auth maps.

use std::fs;
use std::path::PathBuf;

use rbacsim::identity::{IamIdentity, IdentityError, IdentityMappings, SectionText, arn};
use rbacsim::model::diagnostic::{Code, Diagnostic};
use rbacsim::model::source::Source;

/// A file of the recorded data, or `None` where the data are not beside the crate.
fn recorded(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    {
        eprintln!("skipped: no recorded data beside the crate");
    }
    None
}

/// Loads the `data` of a ConfigMap manifest; `None` where the API server would refuse it.
fn load(manifest: &str) -> Option<(IdentityMappings, Vec<Diagnostic>)> {
    let manifest: serde_yaml::Value = serde_yaml::from_str(manifest).ok()?;
    let data = manifest.get("data")?.as_mapping()?;
    let texts: Option<Vec<(&str, &str)>> =
        data.iter().map(|(key, text)| Some((key.as_str()?, text.as_str()?))).collect();
    let texts: Vec<(&str, SectionText<'_>)> = texts?
        .into_iter()
        .map(|(key, text)| (key, SectionText { text, origin: Source::default(), first_line: Some(1) }))
        .collect();
    let mut mappings = IdentityMappings::default();
    let diagnostics = mappings.add_config_map(Source::default(), &texts);
    Some((mappings, diagnostics))
}

/// What the recorder writes down: username and groups, or the error.
fn answer(mappings: &IdentityMappings, arn: &str) -> Result<(String, Vec<String>), String> {
    let identity = IamIdentity::from_arn(arn, None)
        .map_err(|error| IdentityError::from(error).to_string())?
        // The recorder's callers have no access key.
        .with_access_key_id("");
    let user = mappings.user_info(&identity).map_err(|error| error.to_string())?;
    assert!(!user.is_symbolic(), "{arn}: {user:?}");
    Ok((user.username.to_string(), user.groups.iter().map(ToString::to_string).collect()))
}

#[test]
fn recorded_answers_agree() {
    let Some(path) = recorded("identity/cases.jsonl") else { return };
    let (mut maps, mut total, mut users, mut refusals, mut failures) = (0, 0, 0, 0, Vec::new());
    for line in fs::read_to_string(path).unwrap().lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = record["name"].as_str().unwrap();
        let (mappings, _) = load(record["configmap"].as_str().unwrap()).unwrap();
        maps += 1;
        for case in record["cases"].as_array().unwrap() {
            let arn = case["arn"].as_str().unwrap();
            let expected = if let Some(error) = case["error"].as_str() {
                Err(error.to_owned())
            } else {
                let groups = case["groups"].as_array().unwrap().iter();
                let groups = groups.map(|group| group.as_str().unwrap().to_owned()).collect();
                Ok((case["username"].as_str().unwrap().to_owned(), groups))
            };
            total += 1;
            match expected {
                Ok(_) => users += 1,
                Err(_) => refusals += 1,
            }
            let ours = answer(&mappings, arn);
            if ours != expected {
                failures.push(format!("{name} {arn}\n  recorded {expected:?}\n  ours     {ours:?}"));
            }
        }
    }
    #[expect(clippy::print_stderr, reason = "how many agree")]
    {
        eprintln!("{maps} maps, {} of {total} answers agree", total - failures.len());
    }
    assert!(failures.is_empty(), "{} of {total} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(users > 400 && refusals > 700, "{users} users and {refusals} refusals: too few of one");
}

#[test]
fn upstream_arn_table_agrees() {
    let Some(path) = recorded("replay/aws_arn.json") else { return };
    let table: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut rows = 0;
    for (name, ours) in [
        ("canonicalize", (|arn| arn::canonicalize(arn).map(|arn| arn.text)) as fn(&str) -> _),
        ("strip_path", arn::strip_path),
    ] {
        for row in table[name].as_array().unwrap() {
            let arn = row["arn"].as_str().unwrap();
            let expected = (!row["error"].as_bool().unwrap()).then(|| row["expected"].as_str().unwrap());
            assert_eq!(ours(arn).ok().as_deref(), expected, "{name} {arn}");
            rows += 1;
        }
    }
    assert!(rows >= 14, "only {rows} rows");
}

#[test]
fn upstream_config_map_table_agrees() {
    let Some(path) = recorded("replay/aws_auth_configmap.yaml") else { return };
    let Some(samples) = recorded("aws-auth-samples") else { return };
    let table: serde_yaml::Value = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let texts = |value: &serde_yaml::Value| -> Vec<String> {
        value.as_sequence().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let mut asked = 0;
    for case in table["cases"].as_sequence().unwrap() {
        let file = case["file"].as_str().unwrap();
        let loaded = load(&fs::read_to_string(samples.join(format!("upstream-test__{file}"))).unwrap());
        if case.get("load_error").is_some() {
            assert!(loaded.is_none(), "{file}");
            asked += 1;
            continue;
        }
        let (mappings, _) = loaded.unwrap();
        let mut written: Vec<(String, String, Vec<String>)> = Vec::new();
        for (section, field) in [("roles", "rolearn"), ("users", "userarn")] {
            for entry in case[section].as_sequence().unwrap() {
                let text = |name: &str| entry[name].as_str().unwrap().to_owned();
                written.push((text(field), text("username"), texts(&entry["groups"])));
            }
        }
        let accounts = texts(&case["accounts"]);
        for (arn, username, groups) in &written {
            let user = mappings.resolve_arn(arn, None).unwrap();
            let ours: Vec<String> = user.groups.iter().map(ToString::to_string).collect();
            assert_eq!((&user.username.to_string(), &ours), (username, groups), "{file} {arn}");
            asked += 1;
        }
        for account in &accounts {
            let arn = format!("arn:aws:iam::{account}:user/somebody");
            assert_eq!(answer(&mappings, &arn), Ok((arn.clone(), Vec::new())), "{file}");
            asked += 1;
        }
        let names: Vec<&str> = mappings.identities().map(|identity| identity.arn).collect();
        let expected = written.iter().map(|(arn, ..)| arn).chain(&accounts);
        assert_eq!(names, expected.collect::<Vec<_>>(), "{file}");
    }
    for case in table["role_match"].as_sequence().unwrap() {
        let mapping = case["mapping"].as_mapping().unwrap();
        let (field, written) = mapping.iter().next().unwrap();
        let key = if field.as_str() == Some("rolearn") { "mapRoles" } else { "mapUsers" };
        let text = format!("- {}: {}", field.as_str().unwrap(), written.as_str().unwrap());
        let text = SectionText { text: &text, origin: Source::default(), first_line: None };
        let mut mappings = IdentityMappings::default();
        mappings.add_config_map(Source::default(), &[(key, text)]);
        let arn = case["arn"].as_str().unwrap();
        let matches = case["matches"].as_bool().unwrap();
        assert_eq!(mappings.resolve_arn(arn, None).is_ok(), matches, "{written:?} {arn}");
        asked += 1;
    }
    for case in table["empty_ok"].as_sequence().unwrap() {
        let texts = case.as_mapping().unwrap().iter().map(|(key, text)| {
            let text = text.as_str().unwrap();
            (key.as_str().unwrap(), SectionText { text, origin: Source::default(), first_line: None })
        });
        let mut mappings = IdentityMappings::default();
        let diagnostics = mappings.add_config_map(Source::default(), &texts.collect::<Vec<_>>());
        let codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [Code::AwsAuthMapsNobody]);
        asked += 1;
    }
    assert!(asked >= 19, "only {asked} rows");
}

#[test]
fn real_maps_load_and_the_broken_ones_are_reported() {
    let Some(folder) = recorded("aws-auth-samples") else { return };
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut found: Vec<String> = Vec::new();
    for file in files {
        let Some((mappings, diagnostics)) = load(&fs::read_to_string(&file).unwrap()) else { continue };
        let name = file.file_name().unwrap().to_string_lossy();
        let name = name.split("__").next().unwrap().to_owned();
        let mut codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
        codes.dedup();
        found.push(format!("{name}: {} {}", mappings.identities().count(), codes.join(" ")));
    }
    let expected = [
        "Abhishek010397: 0 aws-auth-maps-nobody aws-auth-syntax",
        "CredCars: 2 ",
        "KUMAR-REDDY-BAVANASI: 2 ",
        "Leradicator: 1 ",
        "Leradicator: 1 wrong-section template-refuses-login",
        "ONSdigital: 2 ",
        "ONSdigital: 1 ",
        "Trility: 2 ",
        "appsecurityclass: 1 ",
        "aws-samples: 2 invalid-mapping-arn",
        "bambooengineering: 1 invalid-mapping-arn",
        "carl-sl-li: 0 aws-auth-maps-nobody aws-auth-syntax",
        "eks-docs-hybrid-nodes-bad-indent.yml: 0 aws-auth-maps-nobody aws-auth-syntax",
        "found-bridge-eks-stage.yaml: 3 ",
        "gregbkr: 2 wrong-section",
        "issue-authenticator-268-role-path.yaml: 2 role-arn-has-path",
        "issue-authenticator-271-duplicate-arn.yaml: 4 duplicate-role-mapping empty-username",
        "issue-authenticator-668-iam-group.yaml: 1 aws-auth-dropped-entry aws-auth-unknown-field empty-username",
        "issue-roadmap-474-wildcard.yaml: 1 wildcard-in-arn",
        "issue-terraform-eks-494-wrong-keys.yaml: 1 aws-auth-unknown-field aws-auth-dropped-entry \
         aws-auth-unknown-field",
        "jamalshahverdiev: 3 invalid-mapping-arn",
        "upstream-test: 3 account-mapping",
        "upstream-test: 0 aws-auth-misspelt-key aws-auth-maps-nobody",
        "upstream-test: 0 aws-auth-misspelt-key aws-auth-maps-nobody",
        "upstream-test: 3 account-mapping",
        "upstream-test: 3 account-mapping odd-group",
        "upstream-test: 3 account-mapping",
        "zoumengguang: 2 ",
    ];
    assert_eq!(found, expected);
}
