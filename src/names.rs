//! Interned names: inside, a name is a number; its text lives here, once.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// An interned name. Equal numbers mean equal text, within one [`Names`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u32);

impl Name {
    /// The empty name: the core API group, or an absent object name.
    pub const EMPTY: Self = Self(0);
    /// The literal `*`.
    pub const STAR: Self = Self(1);
    /// A name that no input spells: it equals nothing that was interned.
    pub const UNKNOWN: Self = Self(u32::MAX);

    /// The number, for indexing side tables.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The texts of all names, each stored once, in one buffer.
#[derive(Clone, Debug)]
pub struct Names {
    text: String,
    ends: Vec<u32>,
    table: HashTable<u32>,
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self { text: String::new(), ends: Vec::new(), table: HashTable::new() };
        names.intern("");
        names.intern("*");
        names
    }
}

fn hash(text: &str) -> u64 {
    FxBuildHasher.hash_one(text.as_bytes())
}

fn text_at<'a>(text: &'a str, ends: &[u32], index: u32) -> &'a str {
    let index = index as usize;
    let end = ends.get(index).map_or(0, |end| *end as usize);
    let start = index.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize);
    text.get(start..end).unwrap_or("")
}

impl Names {
    /// The name of a text, interned now if it was not before.
    pub fn intern(&mut self, name: &str) -> Name {
        let hash = hash(name);
        let Self { text, ends, table } = self;
        if let Some(found) = table.find(hash, |index| text_at(text, ends, *index) == name) {
            return Name(*found);
        }
        let index = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        text.push_str(name);
        ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        table.insert_unique(hash, index, |index| {
            FxBuildHasher.hash_one(text_at(text, ends, *index).as_bytes())
        });
        Name(index)
    }

    /// The name of a text, or [`Name::UNKNOWN`] where no input spells it.
    pub fn lookup(&self, name: &str) -> Name {
        self.table
            .find(hash(name), |index| text_at(&self.text, &self.ends, *index) == name)
            .map_or(Name::UNKNOWN, |index| Name(*index))
    }

    /// The name of two texts joined by a slash, as resource and subresource are compared.
    pub fn lookup_joined(&self, left: &str, right: &str) -> Name {
        let mut buffer = [0u8; 128];
        let length = left.len() + 1 + right.len();
        if let Some(joined) = buffer.get_mut(..length) {
            let (start, rest) = joined.split_at_mut(left.len());
            start.copy_from_slice(left.as_bytes());
            if let Some((slash, end)) = rest.split_first_mut() {
                *slash = b'/';
                end.copy_from_slice(right.as_bytes());
            }
            if let Ok(joined) = std::str::from_utf8(joined) {
                return self.lookup(joined);
            }
        }
        self.lookup(&format!("{left}/{right}"))
    }

    /// The text of a name.
    pub fn text(&self, name: Name) -> &str {
        text_at(&self.text, &self.ends, name.0)
    }

    /// Forgets the names that were interned since there were so many.
    pub(crate) fn forget_after(&mut self, count: usize) {
        self.table.retain(|index| (*index as usize) < count);
        self.ends.truncate(count);
        self.text.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether only the built-in names are there.
    pub fn is_empty(&self) -> bool {
        self.ends.len() <= 2
    }
}
