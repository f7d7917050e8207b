use std::cmp::Ordering;
use std::ops::Range;

use cq_types::Ts;

use crate::tape::{Columns, Stream};

/// No event: later than every time.
pub(crate) const NEVER: Ts = Ts::MAX;

/// Merges streams by the time each row is due, ties in the order of the streams.
#[derive(Debug, Clone)]
pub(crate) struct Merge {
    heads: Vec<Head>,
    /// When the next row is due, and of which head; kept so that peeking is free.
    pub(crate) due: Ts,
    next: usize,
}

#[derive(Debug, Clone)]
struct Head {
    stream: usize,
    row: usize,
    due: Ts,
    kind: Clock,
    /// Second half of a bar on the venue's timeline: its end.
    is_end: bool,
}

/// Which time of a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// When we could know it.
    Recv,
    /// When it happened; what a venue's stream says never goes back in time.
    Event,
    /// A bar as the venue lives it: its open, then its last nanosecond.
    Bar,
    /// Funding: the recorded stamp rounded to the scheduled minute.
    Schedule,
}

/// Consecutive rows of one stream, with nothing of another between them.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) stream: usize,
    pub(crate) rows: Range<usize>,
}

/// A row that is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) stream: usize,
    pub(crate) row: usize,
    /// Whether it is the end of a bar ([`Clock::Bar`]).
    pub(crate) is_end: bool,
}

impl Merge {
    pub(crate) fn new(tape: &[Stream], chosen: impl Iterator<Item = (usize, Clock)>) -> Self {
        let heads = chosen
            .map(|(stream, kind)| Head {
                stream,
                row: 0,
                due: due(&tape[stream], 0, kind, false, Ts::MIN),
                kind,
                is_end: false,
            })
            .collect();
        let mut merge = Self {
            heads,
            due: NEVER,
            next: 0,
        };
        merge.find();
        merge
    }

    /// The stream whose row is due.
    pub(crate) fn stream(&self) -> Option<usize> {
        self.heads.get(self.next).map(|head| head.stream)
    }

    /// The row that is due and those of its stream that follow by `until`, before a row of
    /// another stream; [`Self::pass`] moves on. Not for bars in venue time.
    pub(crate) fn run(&self, tape: &[Stream], until: Ts) -> Run {
        let head = &self.heads[self.next];
        let mut limit = until;
        for (index, other) in self.heads.iter().enumerate() {
            // At equal times the order of the streams decides.
            match index.cmp(&self.next) {
                Ordering::Less => limit = limit.min(other.due - 1),
                Ordering::Equal => {}
                Ordering::Greater => limit = limit.min(other.due),
            }
        }
        let stream = &tape[head.stream];
        let stamps = match head.kind {
            Clock::Recv => &stream.stamps.ts_recv,
            _ => &stream.stamps.ts_event,
        };
        let after = head.row + 1;
        // A row that seems to go back is due with the one before it: within the limit too.
        let more = stamps[after..].iter().take_while(|ts| **ts <= limit);
        Run {
            stream: head.stream,
            rows: head.row..after + more.count(),
        }
    }

    /// Moves on past `rows` of the stream that is due; returns when the last of them was.
    pub(crate) fn pass(&mut self, tape: &[Stream], rows: usize) -> Ts {
        let head = &mut self.heads[self.next];
        let stream = &tape[head.stream];
        let passed = head.row + 1..head.row + rows;
        let last = match head.kind {
            Clock::Recv => stream.stamps.ts_recv[passed].last().copied(),
            _ => stream.stamps.ts_event[passed].iter().copied().max(),
        };
        let last = match (head.kind, last) {
            (Clock::Recv, Some(last)) => last,
            (_, Some(last)) => last.max(head.due),
            (_, None) => head.due,
        };
        head.row += rows;
        head.due = due(stream, head.row, head.kind, false, last);
        self.find();
        last
    }

    /// Takes the row that is due and moves on; call only when something is due.
    pub(crate) fn pop(&mut self, tape: &[Stream]) -> Due {
        let head = &mut self.heads[self.next];
        let taken = Due {
            stream: head.stream,
            row: head.row,
            is_end: head.is_end,
        };
        if head.kind == Clock::Bar && !head.is_end {
            head.is_end = true;
        } else {
            head.is_end = false;
            head.row += 1;
        }
        head.due = due(
            &tape[head.stream],
            head.row,
            head.kind,
            head.is_end,
            head.due,
        );
        self.find();
        taken
    }

    fn find(&mut self) {
        self.due = NEVER;
        for (index, head) in self.heads.iter().enumerate() {
            if head.due < self.due {
                self.due = head.due;
                self.next = index;
            }
        }
    }
}

fn due(stream: &Stream, row: usize, kind: Clock, is_end: bool, before: Ts) -> Ts {
    if row >= stream.len() {
        return NEVER;
    }
    let happened = stream.stamps.ts_event[row];
    match (kind, &stream.columns) {
        (Clock::Recv, _) => stream.stamps.ts_recv[row],
        (Clock::Bar, Columns::Bars { interval, .. }) if is_end => happened + interval - 1,
        (Clock::Schedule, _) => scheduled(happened),
        _ => happened.max(before),
    }
}

/// A recorded funding stamp, rounded to the minute it was scheduled for.
pub(crate) fn scheduled(ts: Ts) -> Ts {
    const MINUTE: Ts = 60_000_000_000;
    (ts + MINUTE / 2).div_euclid(MINUTE) * MINUTE
}

#[cfg(test)]
mod tests {
    use super::scheduled;

    #[test]
    fn a_funding_stamp_goes_to_its_nearest_minute() {
        let hour = 3_600_000_000_000;
        assert_eq!(scheduled(hour), hour);
        assert_eq!(scheduled(hour + 26_000_000), hour);
        assert_eq!(scheduled(hour - 1), hour);
        assert_eq!(scheduled(hour + 30_000_000_000), hour + 60_000_000_000);
    }
}
