//! A believable large AWS account and what its cluster maps: 5,000 roles, 2,000 users in 200 groups, 50,000 statements.
//!
//! One statement in twelve is about assuming roles. Twenty roles are mapped: each is reached by a group, by a chain over
//! a few roles, by CI, or with MFA; five users are administrators.

use serde_json::{Value, json};

use super::random::Random;

/// How many roles there are.
pub(crate) const ROLES: usize = 5_000;
/// How many users.
pub(crate) const USERS: usize = 2_000;
/// How many groups.
const GROUPS: usize = 200;
/// How many managed policies.
const POLICIES: usize = 1_500;
/// How many roles the cluster maps.
const MAPPED: usize = 20;

const ACCOUNT: &str = "111122223333";
const ACTIONS: &[&[&str]] = &[
    &["s3:GetObject", "s3:ListBucket"],
    &["logs:CreateLogStream", "logs:PutLogEvents"],
    &["dynamodb:*"],
    &["ec2:Describe*"],
    &["kms:Decrypt"],
    &["sqs:SendMessage", "sqs:ReceiveMessage"],
    &["ecr:GetAuthorizationToken", "ecr:BatchGetImage"],
    &["iam:GetRole", "iam:ListRoles"],
];

struct Maker {
    random: Random,
    statements: usize,
}

fn role_name(number: usize) -> String {
    if number < MAPPED { format!("eks-mapped-{number:02}") } else { format!("svc-{number:04}") }
}

fn role_arn(number: usize) -> String {
    let path = if number >= MAPPED && number.is_multiple_of(3) { "team/" } else { "" };
    format!("arn:aws:iam::{ACCOUNT}:role/{path}{}", role_name(number))
}

impl Maker {
    fn plain(&mut self) -> Value {
        let actions = *self.random.pick(ACTIONS);
        let bucket = self.random.below(10_000);
        json!({
            "Effect": if self.random.percent(4) { "Deny" } else { "Allow" },
            "Action": actions,
            "Resource": format!("arn:aws:s3:::bucket-{bucket:05}/*"),
        })
    }

    fn assume(&mut self) -> Value {
        let resource = match self.random.below(10) {
            0 => format!("arn:aws:iam::{ACCOUNT}:role/team/*"),
            1 => format!("arn:aws:iam::{ACCOUNT}:role/svc-{:02}*", self.random.below(50)),
            _ => role_arn(self.random.below(ROLES)),
        };
        json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource })
    }

    fn document(&mut self, count: usize) -> Value {
        self.statements += count;
        let statements: Vec<Value> =
            (0..count).map(|_| if self.random.percent(8) { self.assume() } else { self.plain() }).collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    fn inline(&mut self, count: usize) -> Value {
        json!([{ "PolicyName": "own", "PolicyDocument": self.document(count) }])
    }

    fn attached(&mut self, most: usize) -> Value {
        let count = self.random.below(most + 1);
        let arn = |number: usize| format!("arn:aws:iam::{ACCOUNT}:policy/p-{number:04}");
        let one = |number| json!({ "PolicyName": format!("p-{number:04}"), "PolicyArn": arn(number) });
        (0..count).map(|_| one(self.random.below(POLICIES))).collect()
    }

    fn trust(&mut self, number: usize) -> Value {
        self.statements += 1;
        let root = format!("arn:aws:iam::{ACCOUNT}:root");
        let statement = match (number < MAPPED, number % 4) {
            (true, 1) => json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": root },
                "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } } }),
            (true, 2) => json!({ "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": { "AWS": [role_arn(MAPPED + number), role_arn(MAPPED + 2 * number)] } }),
            (true, 3) => json!({ "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": { "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com") },
                "Condition": { "StringLike": { "token.actions.githubusercontent.com:sub": "repo:example/shop:*" } } }),
            _ if self.random.percent(30) => {
                json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": root } })
            }
            _ => {
                json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" } })
            }
        };
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    }
}

/// The export of the account, as the AWS CLI prints it, and how many statements it has.
pub(crate) fn export() -> (String, usize) {
    let mut maker = Maker { random: Random::new(7), statements: 0 };
    let users: Vec<Value> = (0..USERS)
        .map(|number| {
            let name = format!("user-{number:04}");
            let groups: Vec<String> =
                (0..2).map(|_| format!("group-{:03}", maker.random.below(GROUPS))).collect();
            let mut user = json!({
                "Path": "/", "UserName": name, "UserId": format!("AIDA{number:016}"),
                "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "CreateDate": "2024-01-01T00:00:00+00:00",
                "UserPolicyList": maker.inline(3), "GroupList": groups, "AttachedManagedPolicies": maker.attached(2),
                "Tags": [{ "Key": "team", "Value": format!("team-{:02}", number % 40) }],
            });
            if number < 5 {
                maker.statements += 1;
                user["UserPolicyList"] = json!([{ "PolicyName": "admin", "PolicyDocument": {
                    "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] } }]);
            }
            user
        })
        .collect();
    let groups: Vec<Value> = (0..GROUPS)
        .map(|number| {
            let name = format!("group-{number:03}");
            let mut group = json!({
                "Path": "/", "GroupName": name, "GroupId": format!("AGPA{number:016}"),
                "Arn": format!("arn:aws:iam::{ACCOUNT}:group/{name}"), "GroupPolicyList": maker.inline(4),
                "AttachedManagedPolicies": maker.attached(3),
            });
            if number < MAPPED {
                maker.statements += 1;
                group["GroupPolicyList"].as_array_mut().unwrap().push(json!({ "PolicyName": "assume", "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role_arn(number) }] } }));
            }
            group
        })
        .collect();
    let roles: Vec<Value> = (0..ROLES)
        .map(|number| {
            let arn = role_arn(number);
            json!({
                "Path": "/", "RoleName": role_name(number), "RoleId": format!("AROA{number:016}"), "Arn": arn,
                "CreateDate": "2024-01-01T00:00:00+00:00", "AssumeRolePolicyDocument": maker.trust(number),
                "InstanceProfileList": [], "RolePolicyList": maker.inline(4), "AttachedManagedPolicies": maker.attached(3),
                "Tags": [], "RoleLastUsed": {},
            })
        })
        .collect();
    let policies: Vec<Value> = (0..POLICIES)
        .map(|number| {
            json!({
                "PolicyName": format!("p-{number:04}"), "PolicyId": format!("ANPA{number:016}"),
                "Arn": format!("arn:aws:iam::{ACCOUNT}:policy/p-{number:04}"), "Path": "/", "DefaultVersionId": "v1",
                "AttachmentCount": 1, "IsAttachable": true,
                "PolicyVersionList": [{ "Document": maker.document(12), "VersionId": "v1", "IsDefaultVersion": true }],
            })
        })
        .collect();
    let export = json!({
        "UserDetailList": users, "GroupDetailList": groups, "RoleDetailList": roles, "Policies": policies,
        "IsTruncated": false,
    });
    (serde_json::to_string_pretty(&export).unwrap(), maker.statements)
}

/// What the cluster maps, and who may exec into its pods.
pub(crate) fn cluster() -> String {
    let mut text = String::from(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata:\n  mapRoles: |\n",
    );
    for number in 0..MAPPED {
        let name = role_name(number);
        text.push_str(&format!(
            "    - rolearn: arn:aws:iam::{ACCOUNT}:role/{name}\n      username: '{name}:{{{{SessionName}}}}'\n      groups: [developers]\n"
        ));
    }
    text.push_str("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: developers}\nsubjects: [{kind: Group, name: developers, apiGroup: rbac.authorization.k8s.io}]\nroleRef: {kind: ClusterRole, name: edit, apiGroup: rbac.authorization.k8s.io}\n");
    text
}
