use cq_types::{flags, Px, Qty, Side, Ts};

use crate::Book;

/// The middle of a recorded book over venue time: what fills are marked against later.
///
/// Times at which it changed, with the sum of best bid and best ask from then on; zero while the
/// book is not known or a side is empty.
#[derive(Debug, Clone)]
pub struct MiddlePath {
    book: Book,
    gaps: Vec<Ts>,
    /// How many of the gaps are passed.
    passed: usize,
    now: Ts,
    times: Vec<Ts>,
    sums: Vec<i64>,
}

impl MiddlePath {
    /// The path of a book with levels on multiples of `step`; events are missing right before
    /// each of `gaps`, ascending venue times.
    #[must_use]
    pub fn new(step: Px, gaps: Vec<Ts>) -> Self {
        Self {
            book: Book::with_step(step),
            gaps,
            passed: 0,
            now: Ts::MIN,
            times: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// Takes the next level change with its [`flags`]; a venue time that goes back is the one
    /// before it.
    pub fn on_delta(&mut self, ts: Ts, side: Side, (px, qty): (Px, Qty), marks: u32) {
        self.now = self.now.max(ts);
        while self
            .gaps
            .get(self.passed)
            .is_some_and(|gap| *gap <= self.now)
        {
            self.book.invalidate();
            self.note(self.gaps[self.passed], 0);
            self.passed += 1;
        }
        self.book.on_delta(side, px, qty, marks);
        if marks & flags::LAST != 0 {
            self.note(self.now, self.sum());
        }
    }

    /// The times, and the sums from each on.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Ts>, Vec<i64>) {
        for gap in self.gaps.split_off(self.passed) {
            self.note(gap, 0);
        }
        (self.times, self.sums)
    }

    fn sum(&self) -> i64 {
        match (self.book.best_bid(), self.book.best_ask()) {
            (Some((bid, _)), Some((ask, _))) if self.book.is_valid() => bid.0 + ask.0,
            _ => 0,
        }
    }

    fn note(&mut self, ts: Ts, sum: i64) {
        if self.times.last() == Some(&ts) {
            if let Some(last) = self.sums.last_mut() {
                *last = sum;
            }
        } else if self.sums.last() != Some(&sum) {
            self.times.push(ts);
            self.sums.push(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_noted_where_a_frame_changes_it_and_lost_at_a_gap() {
        let mut path = MiddlePath::new(Px(1), vec![35, 90]);
        let (snapshot, last) = (flags::SNAPSHOT, flags::LAST);
        path.on_delta(10, Side::Buy, (Px(100), Qty(1)), snapshot);
        path.on_delta(10, Side::Sell, (Px(104), Qty(1)), snapshot | last);
        // Inside its frame the book is not yet what the venue had.
        path.on_delta(20, Side::Sell, (Px(104), Qty(0)), 0);
        path.on_delta(20, Side::Sell, (Px(106), Qty(2)), last);
        path.on_delta(30, Side::Buy, (Px(99), Qty(2)), last);
        // After the gap an update says nothing, a snapshot does; a time that goes back is none.
        path.on_delta(40, Side::Buy, (Px(101), Qty(2)), last);
        path.on_delta(38, Side::Buy, (Px(101), Qty(2)), snapshot);
        path.on_delta(50, Side::Sell, (Px(102), Qty(2)), snapshot | last);
        path.on_delta(60, Side::Buy, (Px(100), Qty(1)), last);
        path.on_delta(55, Side::Buy, (Px(101), Qty(0)), last);
        let (times, sums) = path.finish();
        assert_eq!(times, [10, 20, 35, 50, 60, 90]);
        assert_eq!(sums, [204, 206, 0, 203, 202, 0]);
    }
}
