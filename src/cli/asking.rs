//! The words of a question as flags: what can-i and who-can share.

use clap::Args;
use rbacsim::ask::question::{self, Question, Words};
use rbacsim::decide::cluster::Cluster;
use rbacsim::report::question as report;

use super::{Failure, given, to_stderr};

/// What is asked.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// VERB and TYPE, TYPE/NAME, TYPE NAME, TYPE/SUBRESOURCE or /URL
    #[arg(value_name = "VERB TYPE", num_args = 0..=4)]
    pub(crate) words: Vec<String>,
    /// A subresource such as log or scale; then TYPE/NAME is always a name
    #[arg(long)]
    pub(crate) subresource: Option<String>,
    /// The namespace of the request
    #[arg(short, long, conflicts_with = "all_namespaces")]
    pub(crate) namespace: Option<String>,
    /// Ask for all namespaces at once
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Ask for VERB itself even if it is the name of a kubectl operation
    #[arg(long)]
    api_verb: bool,
}

impl Asking {
    /// The words, checked as far as they can be before anything is read.
    pub(crate) fn words(&self) -> Result<Words<'_>, Failure> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        Ok(Words {
            subresource: self.subresource.as_deref(),
            namespace: given(self.namespace.as_deref()),
            all_namespaces: self.all_namespaces,
            ..Words::of(&words, self.api_verb)?
        })
    }
}

/// Reads a question, and warns of what looks like a mistake in it.
pub(crate) fn read(words: &Words<'_>, cluster: &Cluster) -> Result<Question, Failure> {
    let question = question::read(words, cluster)?;
    for warning in report::warnings(&question.remarks) {
        to_stderr("warning", &warning)?;
    }
    Ok(question)
}
