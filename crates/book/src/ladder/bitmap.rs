use super::ENTRIES;

const WORDS: usize = ENTRIES / 64;
const PAGES: usize = WORDS / 64;

/// Which entries of a window are in use: a bit for each, and one for each word that has any.
#[derive(Debug, Clone)]
pub(super) struct Bitmap {
    words: Box<[u64; WORDS]>,
    pages: [u64; PAGES],
}

impl Default for Bitmap {
    fn default() -> Self {
        Self {
            words: Box::new([0; WORDS]),
            pages: [0; PAGES],
        }
    }
}

impl Bitmap {
    #[inline]
    pub(super) fn put(&mut self, at: usize, is_used: bool) {
        let word = &mut self.words[at / 64];
        *word = (*word & !(1 << (at % 64))) | u64::from(is_used) << (at % 64);
        let is_any = u64::from(*word != 0);
        let page = &mut self.pages[at / 4096];
        let bit = at / 64 % 64;
        *page = (*page & !(1 << bit)) | is_any << bit;
    }

    /// How many entries are in use.
    pub(super) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// The last entry in use before `at`.
    pub(super) fn last_before(&self, at: usize) -> Option<usize> {
        let (word, page) = (at / 64, at / 4096);
        if let Some(bit) = last(below(self.words[word], at % 64)) {
            return Some(word * 64 + bit);
        }
        let mut found = last(below(self.pages[page], word % 64)).map(|bit| page * 64 + bit);
        if found.is_none() {
            found = (0..page)
                .rev()
                .find_map(|page| Some(page * 64 + last(self.pages[page])?));
        }
        let word = found?;
        last(self.words[word]).map(|bit| word * 64 + bit)
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
