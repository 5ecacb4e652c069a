//! What could not be read, told once per chart and per folder, and what stands for most documents first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Collector;
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::{FileId, Source};
use crate::model::unread::Unread;

/// Joins what belongs to one chart, or stands in one folder.
pub(super) fn group(collector: &mut Collector) {
    if collector.summary.unread.is_empty() && !collector.diagnostics.iter().any(is_of_template) {
        return;
    }
    let sources = &collector.policy.sources;
    let all = (0..u32::try_from(sources.len()).unwrap_or(u32::MAX)).map(FileId);
    let mut charts: FxHashSet<PathBuf> = FxHashSet::default();
    for file in all {
        let path = Path::new(sources.file(file));
        if path.file_name().is_some_and(|name| name == "Chart.yaml") {
            charts.extend(path.parent().map(Path::to_owned));
        }
    }
    let chart_of = |source: Source| {
        let path = Path::new(sources.file(source.file));
        let folders = path.ancestors().skip(1).filter(|folder| charts.contains(*folder));
        // A chart inside another is a part of it.
        folders.last().map(Path::to_owned)
    };
    let mut joined: BTreeMap<(bool, PathBuf), Unread> = BTreeMap::new();
    let mut single: Vec<Unread> = Vec::new();
    let mut files: FxHashMap<PathBuf, FxHashSet<FileId>> = FxHashMap::default();
    for unread in std::mem::take(&mut collector.summary.unread) {
        let folder = Path::new(sources.file(unread.source.file)).parent().unwrap_or(Path::new(""));
        let key = match chart_of(unread.source) {
            Some(chart) if unread.is_template => (true, chart),
            // What has words of its own stands for itself.
            _ if !unread.sentence.is_empty() => {
                single.push(unread);
                continue;
            }
            _ => {
                files.entry(folder.to_owned()).or_default().insert(unread.source.file);
                (false, folder.to_owned())
            }
        };
        match joined.get_mut(&key) {
            Some(known) => {
                known.more.extend(unread.sources());
                known.concern.join(&unread.concern);
                known.is_template &= unread.is_template;
            }
            None => {
                joined.insert(key, unread);
            }
        }
    }
    for ((is_chart, folder), mut unread) in joined {
        let shown = folder.display();
        let documents = unread.documents();
        if is_chart {
            let templates = if documents == 1 {
                "1 template with RBAC objects".to_owned()
            } else {
                format!("{documents} templates with RBAC objects")
            };
            unread.sentence = format!(
                "chart `{shown}` is not rendered, and has {templates}; use --helm-chart {shown}, or `helm template {shown}` and -f -"
            );
        } else if let Some(files) = files.get(&folder).filter(|files| files.len() > 1) {
            unread.sentence = format!(
                "{documents} documents in {} files of `{shown}` could not be read, or still have placeholders, and may hold RBAC objects; fix or render them, or leave them out with --exclude",
                files.len()
            );
        }
        single.push(unread);
    }
    single.sort_by_key(|unread| (std::cmp::Reverse(unread.documents()), unread.source));
    collector.summary.unread = single;
    let mut templates: FxHashMap<PathBuf, (Source, usize)> = FxHashMap::default();
    collector.diagnostics.retain(|diagnostic| {
        let Some(source) = diagnostic.source.filter(|_| is_of_template(diagnostic)) else { return true };
        let Some(chart) = chart_of(source) else { return true };
        templates.entry(chart).or_insert((source, 0)).1 += 1;
        false
    });
    let mut templates: Vec<_> = templates.into_iter().collect();
    templates.sort();
    for (chart, (_, count)) in templates {
        let file = chart.join("Chart.yaml").display().to_string();
        let place = (0..u32::try_from(collector.policy.sources.len()).unwrap_or(u32::MAX)).map(FileId);
        let place = place.into_iter().find(|id| collector.policy.sources.file(*id) == file);
        let source = Source { file: place.unwrap_or_default(), line: 1, ..Source::default() };
        let shown = chart.display();
        let templates =
            if count == 1 { "1 template was".to_owned() } else { format!("{count} templates were") };
        collector.diagnostics.push(Diagnostic::at(
            Code::ChartNotRendered,
            source,
            format!("this chart is not rendered, so {templates} not read; use --helm-chart {shown}, or `helm template {shown} | rbacsim ... -f -`"),
        ));
    }
    // What is noted between diagnostics comes at their end.
    for (place, _) in &mut collector.crds {
        *place = (*place).min(collector.diagnostics.len());
    }
}

/// Whether a diagnostic is about what a template still has to be filled in for.
fn is_of_template(diagnostic: &Diagnostic) -> bool {
    match diagnostic.code {
        Code::InvalidYaml | Code::InvalidJson | Code::UnfilledPlaceholder | Code::OddSeparator => true,
        Code::InvalidObject => diagnostic.message.contains("{{"),
        _ => false,
    }
}
