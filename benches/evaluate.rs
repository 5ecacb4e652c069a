//! Loading, building, deciding, listing: the generated cluster at three sizes, with throughput.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    clippy::format_push_string,
    reason = "a bench that goes wrong may stop, and its numbers are small"
)]

mod support;

use std::io::{self, Write};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Input, LoadOptions, Loaded, load};
use support::cluster::{self, Form, SIZES};
use support::model::Model;
use support::questions::{self, Question};

fn main() {
    divan::main();
}

fn load_text(text: &str) -> Loaded {
    let input = Input::Text { name: "cluster".into(), bytes: text.as_bytes().to_vec() };
    load(&[input], &LoadOptions::default()).unwrap()
}

fn cluster_of(size: usize) -> Cluster {
    load_text(&cluster::text(size, Form::Json)).into()
}

mod loading {
    use super::{Bencher, BytesCount, Form, Input, ItemsCount, LoadOptions, SIZES, cluster, load};

    fn bench(bencher: Bencher<'_, '_>, size: usize, form: Form) {
        let input = Input::Text { name: form.name().into(), bytes: cluster::text(size, form).into_bytes() };
        let Input::Text { bytes, .. } = &input else { return };
        let bytes = BytesCount::new(bytes.len());
        let inputs = [input];
        bencher.counter(bytes).bench_local(|| load(&inputs, &LoadOptions::default()));
    }

    #[divan::bench(args = SIZES, max_time = 3)]
    fn yaml(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, Form::Yaml);
    }

    #[divan::bench(args = SIZES, max_time = 3)]
    fn yaml_list(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, Form::YamlList);
    }

    #[divan::bench(args = SIZES, max_time = 3)]
    fn json(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, Form::Json);
    }

    #[divan::bench(args = SIZES, max_time = 3)]
    fn json_indented(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, Form::JsonIndented);
    }

    #[divan::bench(args = [500, 5_000], max_time = 3)]
    fn directory(bencher: Bencher<'_, '_>, size: usize) {
        let folder = tempfile::tempdir().unwrap();
        cluster::directory(size, folder.path());
        let inputs = [Input::Path(folder.path().to_owned())];
        bencher.counter(ItemsCount::new(size)).bench_local(|| load(&inputs, &LoadOptions::default()));
    }
}

#[divan::bench(args = SIZES, max_time = 3)]
fn build(bencher: Bencher<'_, '_>, size: usize) {
    let loaded = load_text(&cluster::text(size, Form::Json));
    bencher.counter(ItemsCount::new(size)).with_inputs(|| loaded.clone()).bench_local_values(Cluster::from);
}

mod authorize {
    use super::{Bencher, ItemsCount, Model, Question, SIZES, cluster_of, questions};

    /// One round of questions: each user looked up and each request decided.
    fn bench(bencher: Bencher<'_, '_>, size: usize, asked: &[Question]) {
        let cluster = cluster_of(size);
        let graph = cluster.graph();
        bencher.counter(ItemsCount::new(asked.len())).bench_local(|| {
            let allowed = |question: &&Question| {
                let asker = graph.asker(&question.user);
                graph.authorize(&asker, &question.attributes()).is_allowed()
            };
            asked.iter().filter(allowed).count()
        });
    }

    #[divan::bench(args = SIZES)]
    fn mixed(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, &questions::mixed(size, 20_000));
    }

    /// Questions that are answered alike.
    fn answered(size: usize, yes: bool) -> Vec<Question> {
        let cluster = cluster_of(size);
        let graph = cluster.graph();
        let mut asked = questions::mixed(size, 20_000);
        asked.retain(|question| {
            let asker = graph.asker(&question.user);
            graph.authorize(&asker, &question.attributes()).is_allowed() == yes
        });
        asked
    }

    #[divan::bench(args = SIZES)]
    fn hit(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, &answered(size, true));
    }

    #[divan::bench(args = SIZES)]
    fn miss(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, &answered(size, false));
    }

    #[divan::bench(args = SIZES)]
    fn group_in_every_namespace(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, &questions::observers(size, true));
    }

    #[divan::bench(args = SIZES)]
    fn user_in_200_groups(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, &questions::many_groups(size));
    }

    #[divan::bench(args = SIZES)]
    fn role_with_400_rules(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, &questions::many_rules(size, false));
    }

    /// What plain loops over bindings, subjects and rules cost.
    #[divan::bench(args = SIZES, max_time = 3)]
    fn plain_model(bencher: Bencher<'_, '_>, size: usize) {
        let model = Model::of(size);
        let asked = questions::mixed(size, 200);
        bencher
            .counter(ItemsCount::new(asked.len()))
            .bench_local(|| asked.iter().filter(|question| model.allows(question)).count());
    }
}

#[divan::bench(args = SIZES)]
fn review_stream(bencher: Bencher<'_, '_>, size: usize) {
    let cluster = cluster_of(size);
    let asked = questions::mixed(size, 20_000);
    let stream = questions::reviews(&asked);
    bencher.counter(ItemsCount::new(asked.len())).bench_local(|| {
        let mut output = Vec::with_capacity(stream.len() * 2);
        rbacsim::ask::review::stream(&cluster, &mut stream.as_bytes(), &mut output).unwrap();
        output
    });
}

/// A writer that takes everything and keeps nothing but how much it was.
#[derive(Default)]
struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn length(write: impl FnOnce(&mut Length)) -> u64 {
    let mut length = Length::default();
    write(&mut length);
    length.0
}

mod matrix {
    use rbacsim::ask::matrix::{Filter, Matrix, holder};
    use rbacsim::report::{matrix_html, matrix_long};

    use super::{Bencher, BytesCount, Cluster, ItemsCount, Length, SIZES, cluster_of, length};

    /// Everything that everybody may, from the compiling of the columns on.
    fn bench(bencher: Bencher<'_, '_>, size: usize, write: fn(&Cluster, &mut Length)) {
        let cluster = cluster_of(size);
        let bytes = BytesCount::new(length(|out| write(&cluster, out)));
        bencher.counter(bytes).bench_local(|| write(&cluster, &mut Length::default()));
    }

    #[divan::bench(args = SIZES, max_time = 3)]
    fn csv(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, |cluster, out| {
            let matrix = Matrix::new(cluster, &Filter::default());
            matrix_long::csv(out, &matrix, &holder::bound(cluster), &mut |_, _| {}).unwrap();
        });
    }

    #[divan::bench(args = SIZES, max_time = 3)]
    fn json(bencher: Bencher<'_, '_>, size: usize) {
        bench(bencher, size, |cluster, out| {
            let matrix = Matrix::new(cluster, &Filter::default());
            let meta = serde_json::Value::Null;
            matrix_long::json(out, &matrix, &holder::bound(cluster), &meta, &mut |_, _| {}).unwrap();
        });
    }

    /// Counted in rows: most of them are written once for many.
    #[divan::bench(args = SIZES, max_time = 3)]
    fn html(bencher: Bencher<'_, '_>, size: usize) {
        fn write(cluster: &Cluster) -> usize {
            let matrix = Matrix::new(cluster, &Filter::default());
            let (meta, holders) = (serde_json::Value::Null, holder::bound(cluster));
            let out = &mut Length::default();
            matrix_html::page(out, &matrix, &holders, &meta, &mut |_, _| {}).unwrap().rows
        }
        let cluster = cluster_of(size);
        bencher.counter(ItemsCount::new(write(&cluster))).bench_local(|| write(&cluster));
    }
}

mod who_can {
    use rbacsim::ask::question::{Place, Question, Request};
    use rbacsim::ask::who_can::who_can;
    use rbacsim::report::{who_can as report, who_can_document};

    use super::{Bencher, BytesCount, Cluster, ItemsCount, Length, SIZES, cluster, cluster_of, length};

    fn pods(place: Place) -> Question {
        let request = Request::Resource {
            verb: "get".into(),
            group: String::new(),
            resource: "pods".into(),
            subresource: String::new(),
            name: String::new(),
            namespace: place.namespace().into(),
        };
        Question { place, ..Question::of_request(request) }
    }

    /// Found, not printed; counted are the RBAC objects.
    #[divan::bench(args = SIZES)]
    fn one_namespace(bencher: Bencher<'_, '_>, size: usize) {
        let cluster = cluster_of(size);
        let request = pods(Place::Namespace(cluster::namespace(0)));
        bencher.counter(ItemsCount::new(size)).bench_local(|| who_can(&cluster, &request).subjects.len());
    }

    #[divan::bench(args = SIZES, max_time = 3)]
    fn every_namespace(bencher: Bencher<'_, '_>, size: usize) {
        let cluster = cluster_of(size);
        let request = pods(Place::AllNamespaces);
        bencher
            .counter(ItemsCount::new(size))
            .bench_local(|| who_can(&cluster, &request).in_namespaces.len());
    }

    /// Printed, as it was found before.
    #[divan::bench(args = SIZES, max_time = 3)]
    fn every_namespace_as_text(bencher: Bencher<'_, '_>, size: usize) {
        let cluster = cluster_of(size);
        let request = pods(Place::AllNamespaces);
        let found = who_can(&cluster, &request);
        let write = |out: &mut Length| report::text(out, &cluster, "get pods", &found).unwrap();
        let bytes = BytesCount::new(length(write));
        bencher.counter(bytes).bench_local(|| write(&mut Length::default()));
    }

    #[divan::bench(args = SIZES, max_time = 3)]
    fn every_namespace_as_json(bencher: Bencher<'_, '_>, size: usize) {
        fn write(cluster: &Cluster, found: &rbacsim::ask::who_can::WhoCan<'_>, out: &mut Length) {
            let question = serde_json::Value::Null;
            let asked =
                who_can_document::Asked { text: "get pods", question: &question, notes: &[], warnings: &[] };
            serde_json::to_writer_pretty(out, &who_can_document::document(cluster, asked, found)).unwrap();
        }
        let cluster = cluster_of(size);
        let request = pods(Place::AllNamespaces);
        let found = who_can(&cluster, &request);
        let bytes = BytesCount::new(length(|out| write(&cluster, &found, out)));
        bencher.counter(bytes).bench_local(|| write(&cluster, &found, &mut Length::default()));
    }
}
