//! Ways as a drawing: who starts stands at the left, what is reached last at the right.

use rbacsim::ask::paths::{Search, Target};
use rbacsim::report::paths_graph::Picture;

use super::{account, all, cluster, from, grant, namespace, rule};

#[test]
fn a_drawing_goes_from_who_starts_to_what_is_reached() {
    let create = |what: &str| rule(&["create"], "", &[what], &[]);
    let objects = all(&[
        &[
            namespace("a", "restricted"),
            namespace("b", "restricted"),
            account("a", "one"),
            account("b", "two"),
        ],
        &grant("a", "may", "User <may>", &[create("pods")]),
        &grant("b", "one", "ServiceAccount a/one", &[create("pods")]),
        &grant("", "two", "ServiceAccount b/two", &[rule(&["*"], "*", &["*"], &[])]),
    ]);
    let cluster = cluster(&objects, "1.36");
    let mut search = Search::new(&cluster);
    let mut picture = Picture::default();
    for who in ["User <may>", "ServiceAccount a/one"] {
        let traced = search.traced(&from(&cluster, who), None);
        let reach = traced.to(&Target::Sink("cluster-admin")).unwrap();
        picture.add(&traced, &reach);
    }
    let svg = picture.svg("ways to cluster-admin");
    assert!(svg.contains("<title>ways to cluster-admin</title>"), "{svg}");
    let left = |text: &str| -> f64 {
        let line = svg.lines().find(|line| line.ends_with(&format!(">{text}</text>")));
        let line = line.unwrap_or_else(|| panic!("{text}: {svg}"));
        let (_, rest) = line.split_once("x=\"").unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    let order =
        ["User &lt;may&gt;", "ServiceAccount a/one", "ServiceAccount b/two", "cluster-admin"].map(left);
    assert!(order.is_sorted() && order[0] < order[1] && order[2] < order[3], "{order:?}");
    assert!(svg.contains(">create-pod</text>"), "{svg}");
    // The same ways added in another order are the same picture.
    assert_eq!(picture.clone().svg("ways to cluster-admin"), svg);
}
