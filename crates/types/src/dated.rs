use crate::Ts;

/// Values that replace one another at known times, oldest first.
///
/// A time before the first row gets the first row, marked as not sourced: a rule
/// is never made up, and the reader is told that it was stretched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T> {
    rows: Vec<(Ts, T)>,
}

impl<T> Dated<T> {
    /// Builds the table; rows are sorted by their start.
    ///
    /// # Absence
    /// `None` when there is no row at all.
    #[must_use]
    pub fn new(mut rows: Vec<(Ts, T)>) -> Option<Self> {
        if rows.is_empty() {
            return None;
        }
        rows.sort_by_key(|(from, _)| *from);
        Some(Self { rows })
    }

    /// The row in force at `ts`, and whether a source covers that time.
    #[must_use]
    pub fn at(&self, ts: Ts) -> (&T, bool) {
        match self.rows.partition_point(|(from, _)| *from <= ts) {
            0 => (&self.rows[0].1, false),
            n => (&self.rows[n - 1].1, true),
        }
    }

    /// All rows, oldest first.
    #[must_use]
    pub fn rows(&self) -> &[(Ts, T)] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::Dated;

    #[test]
    fn a_time_before_the_first_row_gets_it_unsourced() {
        let d = Dated::new(vec![(20, "b"), (10, "a")]).unwrap();
        assert_eq!(d.at(9), (&"a", false));
        assert_eq!(d.at(10), (&"a", true));
        assert_eq!(d.at(19), (&"a", true));
        assert_eq!(d.at(20), (&"b", true));
        assert!(Dated::<u8>::new(vec![]).is_none());
    }
}
