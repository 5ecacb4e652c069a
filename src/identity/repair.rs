//! A mistyped ARN of a mapping: what slipped, and the ARN that was meant.

use super::arn::{PARTITIONS, is_name_char};
use super::odd_signs;

/// What was meant by a mistyped ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repaired {
    /// What is wrong, in words, joined.
    pub(super) why: String,
    /// The ARN that callers have whom the mapping means.
    pub(super) better: String,
}

/// The ARN that was meant, where slips keep the written one from ever matching. The account is that of the caller whom it
/// may mean, where there is one: then an account that lost a zero is found as well.
pub(super) fn repair(written: &str, account: Option<&str>) -> Option<Repaired> {
    let mut slips: Vec<String> = Vec::new();
    let text = plain(written, &mut slips);
    let text = text.as_str();
    let lower = text.to_ascii_lowercase();
    let (start, partition, service) = head(&lower, &mut slips)?;
    let rest = text.get(start..)?;
    let (before, account, after) = account_in(rest, account, &mut slips)?;
    let region = before.trim_matches(':');
    if !region.is_empty() {
        slips.push(format!("it has the region `{region}`, but ARNs of IAM have none"));
    } else if before.is_empty() {
        slips.push("a colon is missing before the account".to_owned());
    } else if before.len() > 1 {
        slips.push("it has a colon too many before the account".to_owned());
    }
    let resource = after.trim_start_matches([':', '/']);
    match after.get(..after.len() - resource.len())? {
        ":" => {}
        "" => slips.push("a colon is missing behind the account".to_owned()),
        signs if signs.contains('/') => {
            slips.push("a slash stands behind the account instead of a colon".to_owned());
        }
        _ => slips.push("it has a colon too many behind the account".to_owned()),
    }
    let resource = resource_meant(resource, service, &mut slips)?;
    let service = if resource.starts_with("federated-user/") { "sts" } else { "iam" };
    if slips.is_empty() {
        return None;
    }
    let better = format!("arn:{partition}:{service}::{account}:{resource}");
    Some(Repaired { why: slips.join(", and "), better })
}

/// The text without what nobody sees, quotes, blanks and what else surrounds it.
fn plain(written: &str, slips: &mut Vec<String>) -> String {
    let mut text = written.to_owned();
    if let Some(odd) = odd_signs::first(&text) {
        slips.push(format!("it has {odd}"));
        text = odd_signs::without(&text);
    }
    if text.contains(char::is_whitespace) {
        slips.push("it has a space".to_owned());
        text.retain(|sign| !sign.is_whitespace());
    }
    let bare = text.trim_matches(['"', '\'', '`']);
    if bare.len() != text.len() {
        slips.push("it has quotes inside its text".to_owned());
        text = bare.to_owned();
    }
    let bare = text.trim_end_matches([',', ';', '.']);
    if bare.len() != text.len() {
        slips.push(format!("`{}` stands behind it", text.get(bare.len()..).unwrap_or_default()));
        text = bare.to_owned();
    }
    text
}

/// Where the part begins that follows `arn:PARTITION:SERVICE:`, with partition and service.
fn head(lower: &str, slips: &mut Vec<String>) -> Option<(usize, &'static str, &'static str)> {
    let mut at = 0;
    let mut take = |slips: &mut Vec<String>, words: &[&'static str]| {
        let rest = lower.get(at..)?;
        let word = words
            .iter()
            .copied()
            .filter(|word| rest.starts_with(&format!("{word}:")))
            .max_by_key(|word| word.len())?;
        at += word.len() + 1;
        let doubled = rest.get(word.len() + 1..)?;
        // The colon behind the service belongs to the region.
        if doubled.starts_with(':') && word != "iam" && word != "sts" {
            slips.push(format!("it has a colon too many behind `{word}`"));
            at += doubled.len() - doubled.trim_start_matches(':').len();
        }
        Some(word)
    };
    if take(slips, &["arn"]).is_none() {
        slips.push("`arn:` is missing".to_owned());
    }
    let partition = take(slips, &PARTITIONS);
    let service = take(slips, &["iam", "sts"])?;
    if partition.is_none() {
        slips.push("the partition `aws` is missing".to_owned());
    }
    Some((at, partition.unwrap_or("aws"), service))
}

/// The account in the rest of an ARN, with what stands before and behind it.
fn account_in<'t>(
    rest: &'t str,
    known: Option<&str>,
    slips: &mut Vec<String>,
) -> Option<(&'t str, String, &'t str)> {
    let starts = rest.char_indices().filter(|(_, sign)| sign.is_ascii_digit()).map(|(at, _)| at);
    for start in starts {
        let preceded = rest.get(..start).and_then(|before| before.chars().last());
        if preceded.is_some_and(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '/')) {
            continue;
        }
        let from = rest.get(start..)?;
        let len = from.find(|sign: char| !sign.is_ascii_digit() && sign != '-').unwrap_or(from.len());
        let (number, after) = from.split_at(len);
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let before = rest.get(..start)?;
        if digits.len() == 12 {
            if digits.len() != number.len() {
                slips.push(format!("its account ID has dashes (`{number}`)"));
            }
            return Some((before, digits, after));
        }
        if let Some(known) = known
            && known.starts_with('0')
            && !digits.is_empty()
            && known.trim_start_matches('0') == digits.trim_start_matches('0')
        {
            slips.push(format!("its account ID `{number}` lost a leading zero"));
            return Some((before, known.to_owned(), after));
        }
    }
    None
}

/// The resource of the callers who are meant by what stands in its place.
fn resource_meant(resource: &str, service: &str, slips: &mut Vec<String>) -> Option<String> {
    let mut resource = resource.to_owned();
    if let Some((kind, rest)) = resource.split_once(':') {
        slips.push("a colon stands in the resource instead of a slash".to_owned());
        resource = format!("{kind}/{rest}");
    }
    if resource.contains("//") {
        slips.push("it has two slashes in a row".to_owned());
        while resource.contains("//") {
            resource = resource.replace("//", "/");
        }
    }
    let without_slash = resource.trim_end_matches('/');
    if without_slash.len() != resource.len() {
        slips.push("it ends in a slash".to_owned());
        resource = without_slash.to_owned();
    }
    let (kind, rest) = resource.split_once('/').unwrap_or((&resource, ""));
    let kind_of = kind.to_ascii_lowercase().replace('_', "-");
    let is_name = |name: &str| !name.is_empty() && name.chars().all(is_name_char);
    let last = rest.rsplit('/').next().unwrap_or(rest);
    let mut role = |name: &str, slip: Option<String>| {
        slips.extend(slip);
        is_name(name).then(|| format!("role/{name}"))
    };
    match kind_of.as_str() {
        "root" if rest.is_empty() => Some("root".to_owned()),
        "role" if service == "sts" => role(last, Some("roles have ARNs of `iam`, not of `sts`".to_owned())),
        "role" if rest.contains('/') => {
            role(last, Some("it has a role path, which caller ARNs never have".to_owned()))
        }
        "role" => role(last, None),
        "roles" => role(last, Some(format!("`{kind}` is not `role`"))),
        "assumed-role" | "assumedrole" => {
            let (name, session) = rest.split_once('/').unwrap_or((rest, ""));
            let only = if session.is_empty() { String::new() } else { format!(", not only `{session}`") };
            role(
                name,
                Some(format!(
                    "it names a session, but callers are matched by role, which lets in every session of the role{only}"
                )),
            )
        }
        "instance-profile" => role(
            last,
            Some(
                "no caller is an instance profile, only the role in it, if that has the same name".to_owned(),
            ),
        ),
        "user" | "users" => {
            if kind_of == "users" {
                slips.push(format!("`{kind}` is not `user`"));
            }
            if service == "sts" {
                slips.push("users have ARNs of `iam`, not of `sts`".to_owned());
            }
            rest.split('/').all(is_name).then(|| format!("user/{rest}"))
        }
        "federated-user" => {
            if service == "iam" {
                slips.push("federated users have ARNs of `sts`, not of `iam`".to_owned());
            }
            is_name(rest).then(|| format!("federated-user/{rest}"))
        }
        _ if rest.is_empty() => role(kind, Some("`role/` is missing".to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slip_leads_to_the_arn_that_was_meant() {
        let role = "arn:aws:iam::111122223333:role/dev";
        let user = "arn:aws:iam::111122223333:user/team/jo";
        for (written, better) in [
            ("arn:aws:iam:111122223333:role/dev", role),
            ("arn:aws:iam111122223333:role/dev", ""),
            ("arn:aws:iam::111122223333::role/dev", role),
            ("arn:aws:iam:::111122223333:role/dev", role),
            ("arn::aws:iam::111122223333:role/dev", role),
            ("arn:aws::iam::111122223333:role/dev", role),
            ("arn:aws:iam:eu-west-1:111122223333:role/dev", role),
            ("arn:aws:iam::111122223333/role/dev", role),
            ("arn:aws:iam::111122223333role/dev", role),
            ("arn:aws:iam::111122223333:role:dev", role),
            ("arn:aws:iam::111122223333:role/dev/", role),
            ("arn:aws:iam::111122223333:role//dev", role),
            ("arn:aws:iam::111122223333:roles/dev", role),
            ("arn:aws:iam::111122223333:dev", role),
            ("arn:aws:iam::1111-2222-3333:role/dev", role),
            ("arn:iam::111122223333:role/dev", role),
            ("aws:iam::111122223333:role/dev", role),
            ("arn:aws:sts::111122223333:role/dev", role),
            ("arn:aws:iam::111122223333:assumed-role/dev/ann", role),
            ("arn:aws:iam::111122223333:instance-profile/dev", role),
            ("arn:aws:iam::111122223333:role/dev\u{200b}", role),
            ("\u{201c}arn:aws:iam::111122223333:role/dev\u{201d}", role),
            ("\"arn:aws:iam::111122223333:role/dev\"", role),
            ("arn:aws:iam::111122223333:role/dev,", role),
            ("arn:aws:iam::111122223333: role/dev", role),
            ("arn:aws:iam:eu-west-1:111122223333:user/team/jo", user),
            ("arn:aws:sts::111122223333:user/team/jo", user),
            ("arn:aws:iam::111122223333:federated-user/bob", "arn:aws:sts::111122223333:federated-user/bob"),
            (role, ""),
            (user, ""),
            ("arn:aws:iam::111122223333:root", ""),
            ("arn:aws:s3:::bucket", ""),
            ("dev", ""),
            ("", ""),
        ] {
            let found = repair(written, None).map(|repaired| repaired.better).unwrap_or_default();
            assert_eq!(found, better, "{written}");
        }
        let lost = repair("arn:aws:iam::11122223333:role/dev", Some("011122223333")).unwrap();
        assert_eq!(lost.better, "arn:aws:iam::011122223333:role/dev");
    }
}
