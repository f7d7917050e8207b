use super::ENTRIES;

const WORDS: usize = ENTRIES / 64;

/// Which entries of a window are in use, a bit for each.
#[derive(Debug, Clone)]
pub(super) struct Bitmap {
    words: Box<[u64; WORDS]>,
}

impl Default for Bitmap {
    fn default() -> Self {
        Self {
            words: Box::new([0; WORDS]),
        }
    }
}

impl Bitmap {
    #[inline]
    pub(super) fn put(&mut self, at: usize, is_used: bool) {
        let word = &mut self.words[at / 64];
        *word = (*word & !(1 << (at % 64))) | u64::from(is_used) << (at % 64);
    }

    /// How many entries are in use.
    pub(super) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// One above the last entry in use before `at`, 0 where there is none. That entry is a word
    /// or two away: no book is worth an index of its words, which each change would have to keep.
    pub(super) fn above(&self, at: usize) -> usize {
        let (word, bit) = (at / 64, at % 64);
        let own = self.words[word] & ((1 << bit) - 1);
        let lower = self.words[..word].iter().enumerate().rev();
        let mut all = std::iter::once((word, &own)).chain(lower);
        let found = all.find(|(_, bits)| **bits != 0);
        found.map_or(0, |(word, bits)| {
            word * 64 + 64 - bits.leading_zeros() as usize
        })
    }
}
