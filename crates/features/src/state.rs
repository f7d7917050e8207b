//! Operator state as plain words: what pickling, restarts and the memory bound rest on.

use std::collections::VecDeque;

/// A value whose changing part can be saved and put back.
pub(crate) trait State {
    /// Appends the state.
    fn save(&self, out: &mut Vec<u64>);
    /// Reads back what `save` wrote; `None` when the words do not fit.
    fn load(&mut self, words: &mut Words<'_>) -> Option<()>;
}

/// Saved words not yet read.
pub(crate) struct Words<'a>(pub(crate) &'a [u64]);

impl Words<'_> {
    fn next(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

impl State for f64 {
    fn save(&self, out: &mut Vec<u64>) {
        out.push(self.to_bits());
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        *self = Self::from_bits(words.next()?);
        Some(())
    }
}

impl State for i64 {
    fn save(&self, out: &mut Vec<u64>) {
        out.push(self.cast_unsigned());
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        *self = words.next()?.cast_signed();
        Some(())
    }
}

impl State for u64 {
    fn save(&self, out: &mut Vec<u64>) {
        out.push(*self);
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        *self = words.next()?;
        Some(())
    }
}

impl State for usize {
    fn save(&self, out: &mut Vec<u64>) {
        out.push(*self as u64);
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        *self = Self::try_from(words.next()?).ok()?;
        Some(())
    }
}

impl State for bool {
    fn save(&self, out: &mut Vec<u64>) {
        out.push(u64::from(*self));
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        *self = words.next()? != 0;
        Some(())
    }
}

impl<T: State + Default> State for Option<T> {
    fn save(&self, out: &mut Vec<u64>) {
        self.is_some().save(out);
        if let Some(value) = self {
            value.save(out);
        }
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        let mut is_some = false;
        is_some.load(words)?;
        *self = None;
        if is_some {
            self.insert(T::default()).load(words)?;
        }
        Some(())
    }
}

impl<T: State + Default> State for Vec<T> {
    fn save(&self, out: &mut Vec<u64>) {
        self.len().save(out);
        for item in self {
            item.save(out);
        }
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        let mut len = 0_usize;
        len.load(words)?;
        self.clear();
        for _ in 0..len {
            let mut item = T::default();
            item.load(words)?;
            self.push(item);
        }
        Some(())
    }
}

impl<T: State + Default> State for VecDeque<T> {
    fn save(&self, out: &mut Vec<u64>) {
        self.len().save(out);
        for item in self {
            item.save(out);
        }
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        let mut items = Vec::new();
        items.load(words)?;
        *self = items.into();
        Some(())
    }
}

impl<T: State, const N: usize> State for [T; N] {
    fn save(&self, out: &mut Vec<u64>) {
        for item in self {
            item.save(out);
        }
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        self.iter_mut().try_for_each(|item| item.load(words))
    }
}

impl<A: State, B: State> State for (A, B) {
    fn save(&self, out: &mut Vec<u64>) {
        self.0.save(out);
        self.1.save(out);
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        self.0.load(words)?;
        self.1.load(words)
    }
}

/// Implements [`State`] for a struct from the fields that change.
macro_rules! state {
    ($type:ident $(<$param:ident: $bound:path>)? { $($field:ident),* $(,)? }) => {
        impl $(<$param: $bound>)? $crate::state::State for $type $(<$param>)? {
            fn save(&self, out: &mut Vec<u64>) {
                $($crate::state::State::save(&self.$field, out);)*
            }
            fn load(&mut self, words: &mut $crate::state::Words<'_>) -> Option<()> {
                $($crate::state::State::load(&mut self.$field, words)?;)*
                Some(())
            }
        }
    };
}
pub(crate) use state;
