//! A kubeconfig as who asks: the role of the command that gets a context's token.

use std::fmt;
use std::path::Path;

use crate::document::{Node, Tree, json, yaml};

use super::values;

/// Who a context of a kubeconfig is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextUser {
    /// The name of the context.
    pub context: String,
    /// The namespace of the context.
    pub namespace: Option<String>,
    /// The name of the cluster, where the command or the ARN of the context's cluster tells it.
    pub cluster: Option<String>,
    /// Whose credentials they are.
    pub is: Credentials,
    /// Whom the context impersonates, with the groups.
    pub impersonates: Option<(String, Vec<String>)>,
}

/// Whose the credentials of a context are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A session of a role; the name of the session, if the command tells it.
    Role {
        /// The ARN of the role.
        arn: String,
        /// The name of the session.
        session: Option<String>,
    },
    /// The command takes the identity of a profile, or of the environment: why it is not known.
    NotTold(String),
    /// A certificate, a token or another plugin: no IAM identity at all.
    NotIam(String),
}

impl ContextUser {
    /// The ARN of the caller, as STS reports it; `None` where the file does not tell it.
    pub fn caller(&self) -> Option<String> {
        let Credentials::Role { arn, session } = &self.is else { return None };
        let identity = crate::identity::IamIdentity::from_arn(arn, session.as_deref()).ok()?;
        Some(match session {
            Some(_) => identity.sts_arn(),
            None => arn.clone(),
        })
    }
}

/// Why a kubeconfig does not tell a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeconfigError(String);

impl fmt::Display for KubeconfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KubeconfigError {}

/// The session name that `aws eks get-token` gives the role that it assumes.
const GET_TOKEN_SESSION: &str = "EKSGetTokenAuth";

/// Reads who a context of a file is: the one of this name, or the current one.
///
/// # Errors
/// If the file cannot be read, is no kubeconfig, or has no such context.
pub fn open(path: &Path, context: Option<&str>) -> Result<ContextUser, KubeconfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| KubeconfigError(format!("cannot be read: {error}")))?;
    context_user(&text, context)
}

/// Reads who a context is: the one of this name, or the current one.
///
/// # Errors
/// If the text is no kubeconfig, or has no such context.
pub fn context_user(text: &str, context: Option<&str>) -> Result<ContextUser, KubeconfigError> {
    let mut tree = Tree::default();
    if json::read(text, &mut tree).is_err() {
        yaml::read(text, &mut tree).map_err(|error| KubeconfigError(error.to_string()))?;
    }
    let root = tree.root().ok_or_else(|| KubeconfigError("the file is empty".to_owned()))?;
    if root.get("contexts").is_none() && root.get("users").is_none() {
        return Err(KubeconfigError(
            "it has neither contexts nor users, so it is not a kubeconfig".to_owned(),
        ));
    }
    let name = match context {
        Some(name) => name.to_owned(),
        None => values::text(root.get("current-context")).ok_or_else(|| {
            KubeconfigError(format!(
                "it has no current context; give --context, one of {}",
                names(root, "contexts")
            ))
        })?,
    };
    let context =
        named(root, "contexts", &name).and_then(|context| context.get("context")).ok_or_else(|| {
            KubeconfigError(format!("it has no context `{name}`; it has {}", names(root, "contexts")))
        })?;
    let user_name = values::text(context.get("user")).unwrap_or_default();
    let user = named(root, "users", &user_name).and_then(|user| user.get("user")).ok_or_else(|| {
        KubeconfigError(format!("context `{name}` names the user `{user_name}`, which it does not have"))
    })?;
    let impersonates = values::text(user.get("as")).map(|as_user| {
        let groups =
            user.get("as-groups").into_iter().flat_map(Node::items).map(|group| group.text().to_owned());
        (as_user, groups.collect())
    });
    let exec = user.get("exec").filter(|exec| exec.is_mapping());
    let arguments: Vec<&str> =
        exec.and_then(|exec| exec.get("args")).into_iter().flat_map(Node::items).map(Node::text).collect();
    let named_cluster = values::text(context.get("cluster"));
    let of_arn = named_cluster.as_deref().and_then(|cluster| cluster.split_once(":cluster/"));
    let cluster = of_arn
        .map(|(_, name)| name.to_owned())
        .or_else(|| option(&arguments, &["--cluster-name", "--cluster-id"], Some('i')).map(str::to_owned));
    let is = exec.map_or_else(|| without_command(user), |exec| by_command(exec, &arguments));
    Ok(ContextUser {
        context: name,
        namespace: values::text(context.get("namespace")),
        cluster,
        is,
        impersonates,
    })
}

fn named<'t>(root: Node<'t>, list: &str, name: &str) -> Option<Node<'t>> {
    root.get(list)?.items().find(|item| item.get("name").is_some_and(|own| own.text() == name))
}

fn names(root: Node<'_>, list: &str) -> String {
    let items = root.get(list).into_iter().flat_map(Node::items);
    let names: Vec<String> =
        items.filter_map(|item| values::text(item.get("name"))).map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn without_command(user: Node<'_>) -> Credentials {
    let kinds = [
        ("client-certificate", "a client certificate"),
        ("client-certificate-data", "a client certificate"),
        ("token", "a token"),
        ("tokenFile", "a token"),
        ("auth-provider", "an auth provider"),
        ("username", "a password"),
    ];
    let what =
        kinds.iter().find(|(key, _)| user.get(key).is_some()).map_or("no credentials", |(_, what)| what);
    Credentials::NotIam(format!("its credentials are {what}, which is no IAM identity"))
}

fn by_command(exec: Node<'_>, arguments: &[&str]) -> Credentials {
    let command = values::text(exec.get("command")).unwrap_or_default();
    let base = command.rsplit(['/', '\\']).next().unwrap_or_default();
    let base = base.strip_suffix(".exe").unwrap_or(base);
    let variable = |name: &str| {
        let list = exec.get("env").into_iter().flat_map(Node::items);
        list.filter(|item| item.get("name").is_some_and(|own| own.text() == name))
            .find_map(|item| values::text(item.get("value")))
    };
    let (role, session) = match base {
        "aws" => {
            let after = arguments
                .windows(2)
                .position(|pair| matches!(pair, ["eks", "get-token"]))
                .and_then(|at| arguments.get(at + 2..));
            let Some(after) = after else {
                return Credentials::NotIam(format!("`{command}` is not called with `eks get-token`"));
            };
            // The CLI takes every beginning of an option that is only one's.
            let role = option(
                after,
                &["--role-arn", "--role-ar", "--role-a", "--role-", "--role", "--rol", "--ro"],
                None,
            );
            (role, Some(GET_TOKEN_SESSION.to_owned()))
        }
        "aws-iam-authenticator" | "heptio-authenticator-aws" => {
            if arguments.first() != Some(&"token") {
                return Credentials::NotIam(format!("`{command}` is not called with `token`"));
            }
            let session = option(arguments, &["--session-name"], Some('s')).map(str::to_owned);
            (option(arguments, &["--role"], Some('r')), session)
        }
        _ => return Credentials::NotIam(format!("the command `{command}` is not one that is known here")),
    };
    if let Some(arn) = role {
        return Credentials::Role { arn: arn.to_owned(), session };
    }
    let profile =
        option(arguments, &["--profile"], None).map(str::to_owned).or_else(|| variable("AWS_PROFILE"));
    Credentials::NotTold(match profile {
        Some(profile) => format!(
            "it names no role: the identity is that of the AWS profile `{profile}`; ask with --arn and what `aws sts get-caller-identity --profile {profile}` prints"
        ),
        None => "it names no role: the identity is that of the environment; ask with --arn and what `aws sts get-caller-identity` prints".to_owned(),
    })
}

/// The value of an option, in any of its spellings: `--role X`, `--role=X`, `-r X`, `-rX`, `-r=X`.
fn option<'a>(arguments: &[&'a str], long: &[&str], short: Option<char>) -> Option<&'a str> {
    let mut found = None;
    let mut rest = arguments.iter().copied().peekable();
    while let Some(argument) = rest.next() {
        for name in long {
            if argument == *name {
                found = rest.peek().copied().or(found);
            } else if let Some(value) = argument.strip_prefix(name).and_then(|value| value.strip_prefix('='))
            {
                found = Some(value);
            }
        }
        if let Some(short) = short
            && let Some(value) = argument.strip_prefix('-').and_then(|value| value.strip_prefix(short))
        {
            found = match value.strip_prefix('=').unwrap_or(value) {
                "" => rest.peek().copied().or(found),
                value => Some(value),
            };
        }
    }
    found
}
