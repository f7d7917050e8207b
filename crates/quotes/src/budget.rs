//! A limit on messages within a window of time.

use std::collections::VecDeque;

use cq_types::Ts;

/// Counts what was sent within the last `window` ns, at most `limit`.
pub(crate) struct Budget {
    limit: usize,
    window: Ts,
    count: usize,
    sent: VecDeque<(Ts, usize)>,
}

impl Budget {
    pub(crate) fn new(limit: usize, window: Ts) -> Self {
        Self {
            limit,
            window,
            count: 0,
            sent: VecDeque::new(),
        }
    }

    /// How many messages may be sent at `now`, which never goes back.
    pub(crate) fn left(&mut self, now: Ts) -> usize {
        let begun = now.saturating_sub(self.window);
        while let Some((_, count)) = self.sent.pop_front_if(|(at, _)| *at <= begun) {
            self.count -= count;
        }
        self.limit.saturating_sub(self.count)
    }

    /// Counts messages that are sent.
    pub(crate) fn spend(&mut self, now: Ts, count: usize) {
        if count > 0 {
            self.sent.push_back((now, count));
            self.count += count;
        }
    }
}
