//! A list with room for everything there is, of which most searches fill little.

/// Values by number. What is filled is remembered, so that emptying it costs no more than filling it did: searches from
/// many starts share the room.
#[derive(Clone, Debug)]
pub(in crate::ask::paths) struct Sparse<T> {
    all: Vec<T>,
    filled: Vec<u32>,
    empty: T,
    /// What a number beyond all is written to.
    beyond: T,
}

impl<T: Copy + PartialEq> Sparse<T> {
    /// A list of so many, each of them empty.
    pub(super) fn new(length: usize, empty: T) -> Self {
        Self { all: vec![empty; length], filled: Vec::new(), empty, beyond: empty }
    }

    /// The value of a number.
    pub(in crate::ask::paths) fn get(&self, number: u32) -> T {
        self.all.get(number as usize).copied().unwrap_or(self.empty)
    }

    /// The value of a number, to be filled.
    pub(super) fn fill(&mut self, number: u32) -> &mut T {
        let index = number as usize;
        if index >= self.all.len() && number != u32::MAX {
            self.all.resize(index + 1, self.empty);
        }
        match self.all.get_mut(index) {
            Some(own) => {
                if *own == self.empty {
                    self.filled.push(number);
                }
                own
            }
            None => &mut self.beyond,
        }
    }

    /// The numbers that are filled, in the order in which they were.
    pub(in crate::ask::paths) fn filled(&self) -> &[u32] {
        &self.filled
    }

    /// How many there is room for.
    pub(in crate::ask::paths) fn len(&self) -> usize {
        self.all.len()
    }

    /// Empties what is filled.
    pub(super) fn clear(&mut self) {
        for number in self.filled.drain(..) {
            if let Some(own) = self.all.get_mut(number as usize) {
                *own = self.empty;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sparse;

    #[test]
    fn what_is_filled_is_remembered_once_and_emptied() {
        let mut list = Sparse::new(2, 0u8);
        *list.fill(1) = 7;
        *list.fill(1) = 8;
        *list.fill(4) = 9;
        assert_eq!((list.get(0), list.get(1), list.get(4), list.get(9)), (0, 8, 9, 0));
        assert_eq!((list.filled(), list.len()), (&[1, 4][..], 5));
        list.clear();
        assert_eq!((list.get(1), list.get(4), list.filled()), (0, 0, &[][..]));
    }
}
