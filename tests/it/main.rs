//! The integration tests, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "the helpers of tests are tests, although clippy cannot see it"
)]

mod access_changes; // access entries more or less, and what a change of the inputs does
mod access_entries; // who may enter an EKS cluster: every recorded case, one test a rule
mod access_graph; // the picture of an answer and of all access, as every form
mod access_inputs; // every form of input that holds access entries
mod access_laws; // the laws of access entries, on clusters made at random
mod access_people; // people who become a role that has an access entry
mod access_policies; // the access policies that are built in
mod access_review; // who may do what in plain words, and what changed since it was signed
mod access_review_sheet; // the workbook of the access review, read again and compared with the page
mod access_review_ways; // where steps lead, on the cards of the access review and in one picture
mod api_resources; // what discovery of the real cluster says of its types
mod architecture; // which room may know of which; the codes of diagnostics
mod ask; // what the tests of decisions share: small clusters from text, requests in one line
mod catalogue; // the built-in API resources, CRDs, and how a TYPE is read
mod check; // assertions about access
mod cli; // the binary: what it prints, byte by byte, and its exit codes
mod collect; // the script that gathers who may enter, run against a stand-in for the EKS API
mod defaults; // the default roles and bindings
mod diff; // the difference in access: set difference, causes, how it reads
mod diff_ways; // ways to sinks that a change opens or closes
mod document_block; // the fast reader of block YAML against the YAML reader
mod document_block_fuzz; // the same for as long as one likes
mod document_json; // the JSON reader and its outline
mod document_sniff; // kinds from a look at the lines
mod document_yaml; // the YAML reader
mod doubts; // what inputs leave open, on every surface alike
mod eks; // what EKS adds to a cluster, and where it is added
mod environment;
mod escalation; // whether a role or a binding could be written
mod hostile; // names that would forge lines or drive a terminal
mod iam; // who may assume which role: every recorded answer
mod iam_doubts; // what exports and requests leave open
mod iam_entries; // from people to rules over access entries
mod iam_model; // the rules of IAM read a second time, slowly
mod iam_near; // what a "no" about a role says
mod iam_people; // from people to rules, by the account of testdata/iam
mod iam_pods; // pods that get roles by EKS Pod Identity, in every form
mod iam_random; // random accounts: the evaluator against the slow reading
mod iam_reach; // who is looked at when it is asked who may become a role
mod iam_rules; // who may assume which role: one test per rule
mod iam_ways; // chains inside of EKS, sessions of a certain name, nodes, the EKS API
mod identity; // from ARN to user: every recorded answer
mod identity_inputs; // from whole inputs to who an ARN is: refused, differing, encrypted maps and other forms
mod identity_rules; // from ARN to user: one test per rule
mod kustomize; // kustomizations: what they change is left open, and nothing else
mod laws; // properties of generated clusters, and the graph against the model
mod lint; // faults and dangers: every code, suppressions, forms of output, real trees
mod loading; // every form of input, what is refused, and hostile texts
mod made; // documents made at random
mod manifests; // real manifests against the model, when they are there
mod matrix; // the access matrix against the authorizer
mod matrix_cli; // matrix, who-can and can-i --namespaces through the binary
mod matrix_html; // the page of the matrix in a browser, where one is installed
mod matrix_reachable; // what somebody has not and can get, told apart in every form
mod matrix_rules; // the rows of the long form, rule by rule
mod matrix_table; // the matrix for people
mod model; // the reference model: plain loops, no index
mod near; // what comes nearest to a "no": slips in rules, subjects, aggregations, roleRefs
mod operations; // kubectl operations: the table against what kubectl really sent
mod paths; // what access leads to
mod pipeline; // a pull request in a Git repository, and the files that forges look for
mod recorded; // decisions of the real code, when they are there
mod rendered; // -k and --helm-chart: what programs render
mod replay; // the test tables of Kubernetes, when they are there
mod reports; // what users ran into, as whole command lines
mod risk; // the catalogue of risks, row by row
mod rules; // one test per rule of meaning
mod rules_review; // the rules in force in a namespace
mod scenarios; // every folder of testdata/scenarios, through the binary
mod sessions; // a role ARN without a session name
mod surfaces; // can-i, who-can, matrix and review agree on inputs made at random
mod transcripts; // what kubectl and a live API server answered, when it is there
mod trees; // what the tests of the document readers share
mod trees_open; // what Git trees hold beside objects, and what of it leaves answers open
mod versions; // Kubernetes versions against the facts of each, and which one an answer is for
mod walk; // what of a folder is read
mod what_if; // inputs with objects and mappings more or less
mod who_can; // everyone who may do something
