//! Loading, building, deciding: the generated cluster at three sizes, with throughput.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    clippy::format_push_string,
    reason = "a bench that goes wrong may stop, and its numbers are small"
)]

mod support;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use rbacsim::cluster::Cluster;
use rbacsim::load::{Input, LoadOptions, Loaded, load};
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
        rbacsim::review::stream(&cluster, &mut stream.as_bytes(), &mut output).unwrap();
        output
    });
}
