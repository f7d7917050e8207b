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

    /// The last entry in use before `at`. The next level is a word or two away: no book is worth
    /// an index of its words, which each change would have to keep.
    pub(super) fn last_before(&self, at: usize) -> Option<usize> {
        let (word, bit) = (at / 64, at % 64);
        let own = last(below(self.words[word], bit)).map(|bit| word * 64 + bit);
        own.or_else(|| {
            let mut lower = self.words[..word].iter().enumerate().rev();
            lower.find_map(|(word, bits)| Some(word * 64 + last(*bits)?))
        })
    }
}

/// The bits of a word below a bit.
fn below(word: u64, bit: usize) -> u64 {
    word & ((1 << bit) - 1)
}

/// The highest bit that is set.
fn last(word: u64) -> Option<usize> {
    (word != 0).then(|| 63 - word.leading_zeros() as usize)
}
