//! The flags that every command shares: what to read, and who asks.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rbacsim::ask::concerns::files_about;
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::identity::access_entries::AuthenticationMode;
use rbacsim::identity::{IdentityError, PrincipalType};
use rbacsim::model::source::FileId;
use rbacsim::model::user::UserInfo;
use rbacsim::model::version::KubernetesVersion;
use rbacsim::read::kubeconfig::{self, ContextUser, Credentials};
use rbacsim::read::{Completeness, Defaults, Exclude, Input, LoadOptions, WhatIf, load};
use rbacsim::report::diagnostics;

use super::Failure;
use super::what_if::WhatIfFlags;

/// The flags that say what to read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub(crate) struct Inputs {
    /// A file, a directory (searched for *.yaml, *.yml and *.json) or - for standard input; repeatable
    #[arg(short, long, value_name = "PATH")]
    pub(crate) filename: Vec<PathBuf>,
    /// A folder with a kustomization: read what `kubectl kustomize DIR` or `kustomize build DIR` prints; repeatable
    #[arg(short, long, value_name = "DIR")]
    kustomize: Vec<PathBuf>,
    /// A Helm chart: read what `helm template DIR` prints; repeatable
    #[arg(long, value_name = "DIR")]
    helm_chart: Vec<PathBuf>,
    /// Values for the charts; repeatable
    #[arg(long, value_name = "FILE", requires = "helm_chart")]
    helm_values: Vec<PathBuf>,
    /// Leave out files and folders that match, in the syntax of .gitignore; repeatable. A file .rbacsimignore does the same
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Add the default roles and bindings of Kubernetes; auto: unless the inputs have them, and those of EKS too if the
    /// inputs show an EKS cluster; eks: both
    #[arg(long, value_enum, default_value_t = DefaultsFlag::Auto, value_name = "WHEN")]
    defaults: DefaultsFlag,
    /// The Kubernetes version whose defaults, types and rules apply, 1.29 to 1.37 [default: what the inputs say, else
    /// the newest that EKS offers]
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<KubernetesVersion>,
    /// The output of `kubectl api-resources -o wide`, or discovery as JSON: the types of the real cluster; repeatable
    #[arg(long, value_name = "FILE")]
    api_resources: Vec<PathBuf>,
    /// Treat the inputs as complete: a role that is not in them does not exist
    #[arg(long, conflicts_with = "partial")]
    complete: bool,
    /// Treat the inputs as partial: a role that a binding names may still exist in the cluster
    #[arg(long)]
    partial: bool,
    /// The cluster to check, if the inputs describe several
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The authentication mode of the cluster, whatever the inputs say
    #[arg(long, value_enum, value_name = "MODE")]
    authentication_mode: Option<ModeFlag>,
    /// The IAM principal that created the cluster; in mode config-map it may do everything
    #[arg(long, value_name = "ARN")]
    creator: Option<String>,
    /// Fill the placeholder NAME (`${NAME}`, `{{ NAME }}`, `<NAME>` ...) in with VALUE before reading; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Which problems in the inputs to print to standard error
    #[arg(long, value_enum, default_value_t = Diagnostics::Few, value_name = "HOW")]
    diagnostics: Diagnostics,
    #[command(flatten)]
    what_if: WhatIfFlags,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum DefaultsFlag {
    Auto,
    Always,
    Never,
    Eks,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum ModeFlag {
    /// Only aws-auth
    ConfigMap,
    /// Access entries, then aws-auth
    ApiAndConfigMap,
    /// Only access entries
    Api,
}

impl From<ModeFlag> for AuthenticationMode {
    fn from(flag: ModeFlag) -> Self {
        match flag {
            ModeFlag::ConfigMap => Self::ConfigMap,
            ModeFlag::ApiAndConfigMap => Self::ApiAndConfigMap,
            ModeFlag::Api => Self::Api,
        }
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Diagnostics {
    /// The most serious few, and how many more there are
    Few,
    /// All
    All,
    /// None
    None,
}

/// The name and the value of a `--set`.
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// What to read by a path: `-` is standard input.
fn input(path: &Path) -> Result<Input, Failure> {
    if path.as_os_str() != "-" {
        return Ok(Input::Path(path.to_owned()));
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(Input::Text { name: "<stdin>".to_owned(), bytes })
}

impl Inputs {
    /// Reads the inputs and prints what was wrong with them.
    pub(crate) fn load(&self) -> Result<Cluster, Failure> {
        self.cluster(&self.inputs()?, &self.options()?)
    }

    /// The same for those who ask: what is wrong where something is said about them comes first. Also gives the inputs
    /// as they are without the changes of what if, if there are any.
    pub(crate) fn load_for(
        &self,
        identity: &Identity,
    ) -> Result<(Cluster, Option<Cluster>, Askers), Failure> {
        let (inputs, mut options) = (self.inputs()?, self.options()?);
        let cluster = Cluster::from(load(&inputs, &options)?);
        let askers = identity.askers(&cluster);
        if self.are_told(&cluster) {
            let about = askers.iter().flatten().flat_map(|(who, _)| files_about(&cluster, who));
            self.tell(&cluster, &about.collect())?;
        }
        let before = if options.what_if.is_empty() {
            None
        } else {
            options.what_if = WhatIf::default();
            Some(Cluster::from(load(&inputs, &options)?))
        };
        Ok((cluster, before, askers?))
    }

    /// What to read: files, kustomizations and charts.
    fn inputs(&self) -> Result<Vec<Input>, Failure> {
        let mut inputs: Vec<Input> =
            self.filename.iter().map(|path| input(path)).collect::<Result<_, _>>()?;
        inputs.extend(self.rendered());
        if inputs.is_empty() {
            return Err("no input given; use -f with a file, a directory, or - for standard input; or -k with a folder that has a kustomization".into());
        }
        Ok(inputs)
    }

    /// What a program is to render: kustomizations and charts.
    pub(crate) fn rendered(&self) -> Vec<Input> {
        let chart =
            |folder: &PathBuf| Input::Chart { folder: folder.clone(), values: self.helm_values.clone() };
        let kustomizations = self.kustomize.iter().cloned().map(Input::Kustomize);
        kustomizations.chain(self.helm_chart.iter().map(chart)).collect()
    }

    /// The same with more paths before those of -f.
    pub(crate) fn load_with(&self, more: &[PathBuf]) -> Result<Cluster, Failure> {
        let mut inputs: Vec<Input> = more.iter().cloned().map(Input::Path).collect();
        if !self.filename.is_empty() || !self.rendered().is_empty() {
            inputs.extend(self.inputs()?);
        }
        self.cluster(&inputs, &self.options()?)
    }

    /// The old side of a comparison: these inputs alone, as they are, without a word about what is wrong with them.
    pub(crate) fn load_side(&self, inputs: &[Input]) -> Result<Cluster, Failure> {
        let options = LoadOptions { what_if: WhatIf::default(), ..self.options()? };
        Ok(Cluster::from(load(inputs, &options)?))
    }

    /// The same as [`Inputs::load`] without printing what was wrong, with what was read.
    pub(crate) fn load_silently(&self) -> Result<(Cluster, Vec<Input>), Failure> {
        let (inputs, options) = (self.inputs()?, self.options()?);
        let cluster = Cluster::from(load(&inputs, &options)?);
        Ok((cluster, inputs))
    }

    /// The same as [`Inputs::load`], with what was read.
    pub(crate) fn load_with_inputs(&self) -> Result<(Cluster, Vec<Input>), Failure> {
        let inputs = self.inputs()?;
        Ok((self.cluster(&inputs, &self.options()?)?, inputs))
    }

    /// What is not read.
    pub(crate) fn exclude(&self) -> Result<Exclude, Failure> {
        Ok(Exclude::new(&self.exclude)?)
    }

    fn options(&self) -> Result<LoadOptions, Failure> {
        Ok(LoadOptions {
            defaults: match self.defaults {
                DefaultsFlag::Auto => Defaults::Auto,
                DefaultsFlag::Always => Defaults::Always,
                DefaultsFlag::Never => Defaults::Never,
                DefaultsFlag::Eks => Defaults::Eks,
            },
            version: self.kubernetes_version,
            api_resources: self.api_resources.clone(),
            completeness: match (self.complete, self.partial) {
                (true, _) => Some(Completeness::Complete),
                (_, true) => Some(Completeness::Partial),
                _ => None,
            },
            cluster: self.cluster.clone(),
            authentication_mode: self.authentication_mode.map(AuthenticationMode::from),
            creator: self.creator.clone(),
            set: self.set.clone(),
            what_if: WhatIf {
                without: self.what_if.without.clone(),
                without_mapping: self.what_if.without_mapping.clone(),
                with: self.what_if.with.iter().map(|path| input(path)).collect::<Result<_, _>>()?,
                with_mapping: self.what_if.with_mapping.clone(),
            },
            exclude: self.exclude()?,
        })
    }

    fn cluster(&self, inputs: &[Input], options: &LoadOptions) -> Result<Cluster, Failure> {
        if let Some(creator) = &self.creator {
            rbacsim::identity::IamIdentity::from_arn(creator, None)
                .map_err(|error| format!("--creator: {error}"))?;
        }
        let cluster = Cluster::from(load(inputs, options)?);
        self.tell(&cluster, &BTreeSet::new())?;
        Ok(cluster)
    }

    /// Whether anything is wrong in the inputs, and to be printed.
    fn are_told(&self, cluster: &Cluster) -> bool {
        self.diagnostics != Diagnostics::None && !super::is_quiet() && !cluster.diagnostics().is_empty()
    }

    /// Prints what is wrong in the inputs, first what is in files that concern somebody.
    fn tell(&self, cluster: &Cluster, concerned: &BTreeSet<FileId>) -> Result<(), Failure> {
        if self.are_told(cluster) {
            let mut err = anstream::stderr();
            diagnostics::text(
                &mut err,
                cluster.sources(),
                cluster.diagnostics(),
                concerned,
                self.diagnostics == Diagnostics::All,
            )?;
            err.flush()?;
        }
        Ok(())
    }
}

/// Everybody who asks, with the ARN if one was given.
pub(crate) type Askers = Vec<(Who, Option<String>)>;

/// The flags that say whose access is checked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Identity")]
pub(crate) struct Identity {
    /// An IAM user, role, assumed-role session, federated user or root ARN; repeatable
    #[arg(long, alias = "as-arn", value_name = "ARN")]
    pub(crate) arn: Vec<String>,
    /// The session name, for the ARN of a role
    #[arg(long, value_name = "NAME")]
    pub(crate) session_name: Option<String>,
    /// A Kubernetes user; system:serviceaccount:NAMESPACE:NAME is a service account
    #[arg(long = "as", value_name = "USER")]
    pub(crate) as_user: Option<String>,
    /// A group of the user that --as names; repeatable
    #[arg(long, value_name = "GROUP")]
    pub(crate) as_group: Vec<String>,
    /// A kubeconfig: whoever the credentials of its context are
    #[arg(long, value_name = "FILE", conflicts_with_all = ["arn", "as_user", "as_group"])]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; default: its current one. In a question of IAM: KEY=VALUE, the value of a condition key such as aws:MultiFactorAuthPresent=true, KEY= if it is absent; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Vec<String>,
}

/// Reads who a context of a kubeconfig is.
pub(crate) fn context_user(path: &std::path::Path, context: Option<&str>) -> Result<ContextUser, Failure> {
    kubeconfig::open(path, context).map_err(|error| format!("`{}`: {error}", path.display()).into())
}

/// The ARN of a context, with the session if it is told.
pub(crate) fn context_arn(user: &ContextUser) -> Result<(String, Option<String>), Failure> {
    match &user.is {
        Credentials::Role { arn, session } => Ok((arn.clone(), session.clone())),
        Credentials::NotTold(why) | Credentials::NotIam(why) => {
            Err(format!("context `{}`: {why}", user.context).into())
        }
    }
}

/// Why an ARN is not one that a caller can have: then nobody asks, and nothing is answered.
pub(crate) fn not_a_caller(who: &Who, arn: &str) -> Option<String> {
    let why = match (who.error(), &who.identity) {
        (Some(IdentityError::Arn(error)), _) => error.to_string(),
        (_, Some(identity)) => identity.no_callers_arn()?.to_string(),
        _ => return None,
    };
    let form = "arn:aws:iam::111122223333:role/NAME or arn:aws:sts::111122223333:assumed-role/NAME/SESSION";
    Some(if arn.trim().is_empty() {
        format!("--arn is empty; give the ARN of a caller, such as {form}")
    } else {
        format!("`{arn}` is not the ARN of a caller: {why}; write it as {form}")
    })
}

/// The username that `--as` means: also written as tables print a subject, such as `ServiceAccount prod/checkout`.
fn username(written: &str, cluster: &Cluster) -> Result<String, Failure> {
    let of_service_account =
        |namespace: &str, name: &str| format!("system:serviceaccount:{namespace}:{name}");
    if let Some(group) = written.strip_prefix("Group ") {
        return Err(
            format!("--as takes a user; for a member of a group use --as NAME --as-group {group}").into()
        );
    }
    if let Some(user) = written.strip_prefix("User ") {
        return Ok(user.to_owned());
    }
    if let Some(named) = written.strip_prefix("ServiceAccount ") {
        let Some((namespace, name)) = named.split_once('/') else {
            return Err(format!(
                "`{written}` has no namespace; write --as system:serviceaccount:NAMESPACE:{named}"
            )
            .into());
        };
        return Ok(of_service_account(namespace, name));
    }
    if let Some((namespace, name)) = written.split_once('/')
        && cluster.knows_service_account(namespace, name)
    {
        super::to_stderr(
            "warning",
            &format!(
                "this asks about a user named `{written}`; for the service account use --as {}",
                of_service_account(namespace, name)
            ),
        )?;
    }
    if written.starts_with("arn:") {
        super::to_stderr(
            "warning",
            &format!(
                "this asks about a Kubernetes user named `{written}`; for whoever logs in with the ARN use --arn"
            ),
        )?;
    }
    Ok(written.to_owned())
}

/// Who an ARN is, and what is odd about the question.
pub(crate) fn identify(
    cluster: &Cluster,
    arn: &str,
    session_name: Option<&str>,
) -> Result<(Who, Vec<String>), Failure> {
    let who = cluster.identify(arn, session_name);
    let mut warnings = Vec::new();
    if let Some(identity) = &who.identity {
        warnings.extend(identity.never_reported());
        if session_name.is_some() && identity.principal() != PrincipalType::Role {
            warnings
                .push(format!("--session-name applies only to the ARN of a role; it is ignored for `{arn}`"));
        }
    }
    for warning in &warnings {
        super::to_stderr("warning", warning)?;
    }
    Ok((who, warnings))
}

impl Identity {
    /// Everybody who asks, with the ARN if one was given.
    pub(crate) fn askers(&self, cluster: &Cluster) -> Result<Askers, Failure> {
        if let Some(path) = &self.kubeconfig {
            if self.context.len() > 1 {
                return Err("give --context once".into());
            }
            let user = context_user(path, self.context.first().map(String::as_str))?;
            if let Some((as_user, groups)) = &user.impersonates {
                return Ok(vec![(Who::user(UserInfo::impersonated(as_user, groups)), None)]);
            }
            let (arn, session) = context_arn(&user)?;
            let session = self.session_name.clone().or(session);
            return Ok(vec![(identify(cluster, &arn, session.as_deref())?.0, user.caller().or(Some(arn)))]);
        }
        if !self.context.is_empty() {
            return Err("--context needs --kubeconfig, or a question of IAM".into());
        }
        if let Some(user) = &self.as_user {
            let user = username(user, cluster)?;
            if let Some(arn) = self.arn.first() {
                let text = format!(
                    "--as impersonates: the answer is for user `{user}`, to whom no access policy applies; whether `{arn}` may impersonate is another question: `can-i impersonate users/{user}`"
                );
                super::to_stderr("warning", &text)?;
            }
            return Ok(vec![(Who::user(UserInfo::impersonated(&user, &self.as_group)), None)]);
        }
        if !self.as_group.is_empty() {
            return Err("--as-group needs --as; to check a group alone, use --as with any name".into());
        }
        if self.arn.is_empty() {
            return Err("no identity given; use --arn, --as and --as-group, or --kubeconfig".into());
        }
        let session = self.session_name.as_deref();
        let asker = |arn: &String| {
            let (who, _) = identify(cluster, arn, session)?;
            match not_a_caller(&who, arn) {
                Some(error) => Err(error.into()),
                None => Ok((who, Some(arn.clone()))),
            }
        };
        self.arn.iter().map(asker).collect()
    }
}
