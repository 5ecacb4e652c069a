//! A JSON List, item by item.

use std::io::Read;

use super::super::collect::{Collector, Origin, implied_by};
use super::{Reader, Stop};
use crate::document::json::{Part, Parts};
use crate::source::FileId;

impl Reader {
    pub(super) fn json_list(
        &mut self,
        collector: &mut Collector,
        file: FileId,
        input: &mut dyn Read,
    ) -> Result<(), Stop> {
        let mut parts = Parts::default();
        let (mut api_version, mut kind) = (String::new(), String::new());
        // What the fields before the items say of them; those after must not say anything else.
        let mut implied: Option<(String, String)> = None;
        let mut index = 0;
        loop {
            let mut at = 0;
            let text = self.window.text();
            let mut tree = std::mem::take(&mut self.tree).over(text);
            let at_end = loop {
                match parts.next(text, &mut at, &mut tree) {
                    Some(Part::Item) => {
                        let (api_version, kind) = implied.get_or_insert_with(|| {
                            implied_by(&api_version, &kind)
                                .map(|(version, kind)| (version.to_owned(), kind.to_owned()))
                                .unwrap_or_default()
                        });
                        if let Some(item) = tree.root() {
                            collector.item(item, index, Origin::json(file), (api_version, kind));
                        }
                        index += 1;
                    }
                    Some(Part::Field(key)) => {
                        let value = tree.root().and_then(crate::document::Node::as_str).unwrap_or_default();
                        match key.as_str() {
                            "apiVersion" => value.clone_into(&mut api_version),
                            "kind" => value.clone_into(&mut kind),
                            _ => {}
                        }
                    }
                    Some(Part::End) => break self.window.is_last(),
                    None => break false,
                }
            };
            self.tree = tree.over("");
            if at_end {
                break;
            }
            if self.window.is_last() {
                return Err(Stop::Odd);
            }
            self.window.take(at);
            self.window.more(input)?;
        }
        let (item_version, item_kind) = implied.unwrap_or_default();
        if implied_by(&api_version, &kind) == Some((&item_version, &item_kind)) {
            Ok(())
        } else {
            Err(Stop::Odd)
        }
    }
}
