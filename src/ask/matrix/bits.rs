//! Sets of columns: dense where they are united, sparse where they are kept.

/// A set of columns, a bit for each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dense {
    words: Vec<u64>,
}

/// A set of columns, kept as the words that are not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sparse {
    words: Vec<(u32, u64)>,
}

fn place(column: u32) -> (usize, u64) {
    ((column / 64) as usize, 1 << (column % 64))
}

fn columns_of(word: usize, mut bits: u64) -> impl Iterator<Item = u32> {
    let first = u32::try_from(word * 64).unwrap_or(u32::MAX);
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros();
        (bit < 64).then(|| {
            bits &= bits - 1;
            first + bit
        })
    })
}

impl Dense {
    /// Empties the set and makes room for columns below `width`.
    pub fn reset(&mut self, width: usize) {
        self.words.clear();
        self.words.resize(width.div_ceil(64), 0);
    }

    /// Takes in every column below `width`.
    pub fn fill(&mut self, width: usize) {
        self.reset(width);
        self.words.fill(u64::MAX);
        if let Some(last) = self.words.last_mut()
            && !width.is_multiple_of(64)
        {
            *last = (1 << (width % 64)) - 1;
        }
    }

    /// Takes in a column; there must be room.
    pub fn insert(&mut self, column: u32) {
        let (word, bit) = place(column);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    /// Takes out a column.
    pub fn remove(&mut self, column: u32) {
        let (word, bit) = place(column);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Whether a column is in the set.
    pub fn contains(&self, column: u32) -> bool {
        let (word, bit) = place(column);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Becomes what two sets share.
    pub fn intersection_of(&mut self, one: &Self, other: &Self) {
        self.words.clear();
        self.words.extend(one.words.iter().zip(&other.words).map(|(one, other)| one & other));
    }

    /// Loses what is in another set.
    pub fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many columns are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The columns in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words
            .iter()
            .enumerate()
            .filter(|(_, bits)| **bits != 0)
            .flat_map(|(word, bits)| columns_of(word, *bits))
    }

    /// The same set, to be kept.
    pub fn to_sparse(&self) -> Sparse {
        let words = (0u32..).zip(&self.words).filter(|(_, bits)| **bits != 0);
        let mut sparse = Sparse { words: words.map(|(word, bits)| (word, *bits)).collect() };
        sparse.words.shrink_to_fit();
        sparse
    }
}

impl Sparse {
    /// No column.
    pub const EMPTY: Self = Self { words: Vec::new() };

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Adds the columns to a set.
    pub fn add_to(&self, set: &mut Dense) {
        for (word, bits) in &self.words {
            if let Some(word) = set.words.get_mut(*word as usize) {
                *word |= bits;
            }
        }
    }

    /// The columns in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().flat_map(|(word, bits)| columns_of(*word as usize, *bits))
    }

    /// Whether a column is in the set.
    pub fn contains(&self, column: u32) -> bool {
        let (word, bit) = place(column);
        let found = self.words.binary_search_by_key(&word, |(own, _)| *own as usize);
        found.ok().and_then(|at| self.words.get(at)).is_some_and(|(_, bits)| bits & bit != 0)
    }

    /// The columns, in order, that are in another set too.
    pub fn shared_with<'a>(&'a self, other: &'a Dense) -> impl Iterator<Item = u32> + 'a {
        self.words.iter().flat_map(|(word, bits)| {
            let word = *word as usize;
            columns_of(word, bits & other.words.get(word).copied().unwrap_or(0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(columns: &[u32]) -> Dense {
        let mut set = Dense::default();
        set.reset(200);
        for column in columns {
            set.insert(*column);
        }
        set
    }

    #[test]
    fn sets_unite_meet_and_part() {
        let (one, other) = (dense(&[0, 63, 64, 130]), dense(&[63, 130, 199]));
        let mut both = Dense::default();
        both.intersection_of(&one, &other);
        assert_eq!(both.iter().collect::<Vec<_>>(), [63, 130]);
        let mut left = one.clone();
        left.subtract(&other);
        assert_eq!(left.iter().collect::<Vec<_>>(), [0, 64]);
        let mut united = one.clone();
        other.to_sparse().add_to(&mut united);
        assert_eq!(united.iter().collect::<Vec<_>>(), [0, 63, 64, 130, 199]);
        assert_eq!(united.count(), 5);
        assert_eq!(united.to_sparse().iter().collect::<Vec<_>>(), united.iter().collect::<Vec<_>>());
        assert!(!united.contains(1) && united.contains(199) && !united.contains(4000));
        let kept = united.to_sparse();
        assert!(!kept.contains(1) && kept.contains(199) && kept.contains(64) && !kept.contains(4000));
        assert_eq!(kept.shared_with(&other).collect::<Vec<_>>(), [63, 130, 199]);
    }

    #[test]
    fn a_full_set_ends_at_its_width() {
        let mut set = Dense::default();
        set.fill(70);
        assert_eq!((set.count(), set.contains(69), set.contains(70)), (70, true, false));
    }
}
