#!/bin/sh
# Gathers who may enter an EKS cluster and what the cluster's RBAC grants: one stream of JSON on standard output.
#
#   rbacsim collect --cluster NAME | sh > export.json
#   rbacsim collect | sh -s NAME --region eu-west-1 --profile work > export.json
#
# What follows NAME goes to every call of aws. It only reads. It needs aws, jq and kubectl; kubectl asks its current
# context, which should be the same cluster. Permissions: eks:DescribeCluster, eks:ListAccessEntries,
# eks:DescribeAccessEntry, eks:ListAssociatedAccessPolicies; in the cluster, list on the objects at the end.
#
# Exit code: 0 everything was read, 1 the cluster could not be read at all, 2 the script was called wrongly,
# 3 something is missing, and standard error says what.
set -u

cluster=__CLUSTER__
if [ -z "$cluster" ]; then
    if [ $# -eq 0 ]; then
        echo 'which cluster? rbacsim collect --cluster NAME | sh, or rbacsim collect | sh -s NAME' >&2
        exit 2
    fi
    cluster=$1
    shift
fi
for program in aws jq; do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "$program is not installed" >&2
        exit 2
    fi
done

AWS_PAGER=''
export AWS_PAGER
missing=0

# One call of the EKS API. Nothing may read the script itself, which comes by standard input.
eks() {
    aws eks "$@" --output json </dev/null
}

lacks() {
    echo "missing: $1" >&2
    missing=3
}

described=$(eks describe-cluster --name "$cluster" "$@") || exit 1
printf '%s\n' "$described" | jq -c '{cluster: (.cluster | {name, arn, version, platformVersion, accessConfig})}'
mode=$(printf '%s\n' "$described" | jq -r '.cluster.accessConfig.authenticationMode // "CONFIG_MAP"')

if [ "$mode" != CONFIG_MAP ]; then
    if listed=$(eks list-access-entries --cluster-name "$cluster" "$@"); then
        # The list goes in as well: by it a reader sees that nothing is missing.
        printf '%s\n' "$listed" | jq -c --arg cluster "$cluster" '{clusterName: $cluster} + .'
        principals=$(mktemp) || exit 1
        trap 'rm -f "$principals"' EXIT
        printf '%s\n' "$listed" | jq -r '.accessEntries[]' >"$principals"
        while IFS= read -r principal; do
            if entry=$(eks describe-access-entry --cluster-name "$cluster" --principal-arn "$principal" "$@") &&
                policies=$(eks list-associated-access-policies --cluster-name "$cluster" \
                    --principal-arn "$principal" "$@"); then
                printf '%s\n%s\n' "$entry" "$policies" | jq -c .
            else
                lacks "the access entry of $principal"
            fi
        done <"$principals"
    else
        lacks 'the list of access entries'
    fi
fi

if command -v kubectl >/dev/null 2>&1; then
    if map=$(kubectl get configmap aws-auth --namespace kube-system --ignore-not-found --output json </dev/null); then
        printf '%s\n' "$map" | jq -c .
    else
        lacks 'the ConfigMap kube-system/aws-auth'
    fi
    for kind in clusterroles clusterrolebindings roles rolebindings serviceaccounts namespaces \
        customresourcedefinitions; do
        if objects=$(kubectl get "$kind" --all-namespaces --output json </dev/null); then
            printf '%s\n' "$objects" | jq -c '.items[] | del(.metadata.managedFields)'
        else
            lacks "$kind"
        fi
    done
else
    lacks 'aws-auth and the RBAC objects, for kubectl is not installed'
fi
exit "$missing"
