//! Interned names: inside, a name is a number; its text lives here, once. And how some names must be spelled.

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

    /// The number as it is stored.
    pub(crate) fn raw(self) -> u32 {
        self.0
    }

    /// The name of a number.
    pub(crate) fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

/// The texts of all names, each stored once, in one buffer.
#[derive(Clone, Debug)]
pub struct Names {
    text: String,
    ends: Vec<u32>,
    table: HashTable<Entry>,
}

/// A name in the table, with the place of its text, so that one look there leads to it.
#[derive(Copy, Clone, Debug)]
struct Entry {
    index: u32,
    start: u32,
    len: u32,
}

impl Entry {
    fn text(self, text: &str) -> &[u8] {
        let start = self.start as usize;
        text.as_bytes().get(start..start + self.len as usize).unwrap_or_default()
    }

    fn is(self, name: &str, text: &str) -> bool {
        self.len as usize == name.len() && self.text(text) == name.as_bytes()
    }
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self { text: String::new(), ends: Vec::new(), table: HashTable::new() };
        names.intern("");
        names.intern("*");
        names
    }
}

/// `IsDNS1123Label`: how a namespace is called.
pub(crate) fn is_dns_label(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
}

/// `IsDNS1123Subdomain`: how a service account is called.
pub(crate) fn is_dns_subdomain(text: &str) -> bool {
    // One way through: every label prefix of every object is asked.
    let mut last = b'.';
    for byte in text.bytes() {
        let fits = match byte {
            b'a'..=b'z' | b'0'..=b'9' => true,
            b'-' => last != b'.',
            b'.' => last != b'.' && last != b'-',
            _ => false,
        };
        if !fits {
            return false;
        }
        last = byte;
    }
    text.len() <= 253 && last != b'.' && last != b'-'
}

fn hash(text: &[u8]) -> u64 {
    FxBuildHasher.hash_one(text)
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Names {
    /// Makes room for so many names more.
    pub(crate) fn reserve(&mut self, more: usize) {
        let Self { text, ends, table } = self;
        table.reserve(more, |entry| hash(entry.text(text)));
        ends.reserve(more);
        // Names of Kubernetes are about so long.
        text.reserve(more * 16);
    }

    /// The name of a text, interned now if it was not before.
    pub fn intern(&mut self, name: &str) -> Name {
        let hashed = hash(name.as_bytes());
        let Self { text, ends, table } = self;
        if let Some(found) = table.find(hashed, |entry| entry.is(name, text)) {
            return Name(found.index);
        }
        let entry = Entry { index: narrow(ends.len()), start: narrow(text.len()), len: narrow(name.len()) };
        text.push_str(name);
        ends.push(narrow(text.len()));
        table.insert_unique(hashed, entry, |entry| hash(entry.text(text)));
        Name(entry.index)
    }

    /// The name of a text, or [`Name::UNKNOWN`] where no input spells it.
    pub fn lookup(&self, name: &str) -> Name {
        if name.is_empty() {
            return Name::EMPTY;
        }
        let found = self.table.find(hash(name.as_bytes()), |entry| entry.is(name, &self.text));
        found.map_or(Name::UNKNOWN, |entry| Name(entry.index))
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
        let end = self.ends.get(name.index()).map_or(0, |end| *end as usize);
        let before = name.index().checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |end| *end as usize);
        self.text.get(start..end).unwrap_or("")
    }

    /// Forgets all names but those that are always there, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.table.clear();
        self.intern("");
        self.intern("*");
    }

    /// Interns all names of others; gives, by their numbers there, the names here.
    pub(crate) fn absorb(&mut self, others: &Self, here: &mut Vec<Name>) {
        here.clear();
        here.reserve(others.ends.len());
        let mut start = 0;
        for end in &others.ends {
            let text = others.text.get(start as usize..*end as usize).unwrap_or_default();
            here.push(self.intern(text));
            start = *end;
        }
    }

    /// Every name with its text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name, &str)> {
        (0..narrow(self.ends.len())).map(|index| (Name(index), self.text(Name(index))))
    }

    /// Forgets the names that were interned since there were so many.
    pub(crate) fn forget_after(&mut self, count: usize) {
        self.table.retain(|entry| (entry.index as usize) < count);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_accounts_and_namespaces_are_spelled_as_in_dns() {
        for good in ["a", "0", "a-b", "a.b", "a-0.b-1.c"] {
            assert!(is_dns_subdomain(good), "{good}");
            assert_eq!(is_dns_label(good), !good.contains('.'), "{good}");
        }
        for bad in ["", "-a", "a-", ".a", "a.", "a..b", "a-.b", "a.-b", "A", "a_b", "a/b", "ä"] {
            assert!(!is_dns_subdomain(bad) && !is_dns_label(bad), "{bad}");
        }
        let long = |len: usize| "x".repeat(len);
        assert!(is_dns_label(&long(63)) && !is_dns_label(&long(64)));
        assert!(is_dns_subdomain(&long(253)) && !is_dns_subdomain(&long(254)));
    }
}
