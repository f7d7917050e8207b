use std::cmp::Ordering;
use std::ops::Range;

use cq_types::Ts;

use crate::columns::Kind;
use crate::tape::Stream;

/// No event: later than every time.
pub(crate) const NEVER: Ts = Ts::MAX;

/// Merges streams by the time each row is due, ties in the order of the streams.
#[derive(Debug, Clone)]
pub(crate) struct Merge {
    heads: Vec<Head>,
    /// When the next row is due, and of which head; kept so that peeking is free.
    pub(crate) due: Ts,
    next: usize,
    /// Whether that row is not there yet: it is due no earlier than `due`.
    pub(crate) is_dry: bool,
}

#[derive(Debug, Clone)]
struct Head {
    stream: usize,
    row: usize,
    /// When the row is due; where it is not there yet, the earliest time at which it can be.
    due: Ts,
    kind: Clock,
    /// Second half of a bar on the venue's timeline: its end.
    is_end: bool,
    is_dry: bool,
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
    /// When the last of them is due.
    last: Ts,
    /// Time of the row after them, if it is in their part.
    after: Option<Ts>,
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
            .map(|(stream, kind)| {
                let mut head = Head {
                    stream,
                    row: 0,
                    due: Ts::MIN,
                    kind,
                    is_end: false,
                    is_dry: false,
                };
                head.look(&tape[stream], Ts::MIN);
                head
            })
            .collect();
        let mut merge = Self {
            heads,
            due: NEVER,
            next: 0,
            is_dry: false,
        };
        merge.find();
        merge
    }

    /// The stream whose row is due.
    pub(crate) fn stream(&self) -> Option<usize> {
        self.heads.get(self.next).map(|head| head.stream)
    }

    /// Looks again at a stream that has got rows, or has turned out to be complete.
    pub(crate) fn refresh(&mut self, tape: &[Stream], stream: usize) {
        for head in &mut self.heads {
            if head.stream == stream && head.is_dry {
                head.look(&tape[stream], head.due);
            }
        }
        self.find();
    }

    /// The row of a stream that comes next, if the stream is one of these.
    pub(crate) fn row_of(&self, stream: usize) -> Option<usize> {
        let mut own = self.heads.iter().filter(|head| head.stream == stream);
        own.next().map(|head| head.row)
    }

    /// The row that is due and those of its stream and part that follow by `until`, before a
    /// row of another stream; [`Self::pass`] moves on. Not for bars in venue time.
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
        let stamps = head.stamps(stream);
        let is_ordered = head.kind == Clock::Recv || stream.is_ordered_at(head.row);
        // A row that seems to go back is due with the one before it: within the limit too.
        let count = if is_ordered {
            1 + reached(&stamps[1..], limit)
        } else {
            let beyond = stamps[1..].iter().position(|ts| *ts > limit);
            beyond.map_or(stamps.len(), |at| at + 1)
        };
        let last = if is_ordered {
            head.due.max(stamps[count - 1])
        } else {
            stamps[1..count]
                .iter()
                .fold(head.due, |last, ts| last.max(*ts))
        };
        Run {
            stream: head.stream,
            rows: head.row..head.row + count,
            last,
            after: stamps.get(count).copied(),
        }
    }

    /// Moves on past the first `rows` of a run; returns when the last of them was.
    pub(crate) fn pass(&mut self, tape: &[Stream], mut run: Run, rows: usize) -> Ts {
        let head = &mut self.heads[self.next];
        let stream = &tape[head.stream];
        if rows < run.rows.len() {
            let stamps = head.stamps(stream);
            let passed = stamps[1..rows].iter();
            run.last = passed.fold(head.due, |last, ts| last.max(*ts));
            run.after = Some(stamps[rows]);
        }
        head.row += rows;
        match run.after {
            Some(ts) => head.due = run.last.max(ts),
            None => head.look(stream, run.last),
        }
        self.find();
        run.last
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
        head.look(&tape[head.stream], head.due);
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
        let next = self.heads.get(self.next);
        self.is_dry = self.due != NEVER && next.is_some_and(|head| head.is_dry);
    }
}

impl Head {
    /// Finds out when its row is due; `before` is when the one before it was.
    fn look(&mut self, stream: &Stream, before: Ts) {
        let is_there = self.row < stream.len();
        self.is_dry = !is_there && !stream.is_complete();
        if !is_there {
            self.due = if self.is_dry { before } else { NEVER };
            return;
        }
        self.due = match (self.kind, stream.kind) {
            (Clock::Recv, _) => stream.recvs_from(self.row)[0],
            (Clock::Bar, Kind::Bars(interval)) if self.is_end => {
                stream.events_from(self.row)[0] + interval - 1
            }
            (Clock::Schedule, _) => scheduled(stream.events_from(self.row)[0]),
            _ => stream.events_from(self.row)[0].max(before),
        };
    }

    /// The times that count, from its row to the end of the part.
    fn stamps<'a>(&self, stream: &'a Stream) -> &'a [Ts] {
        match self.kind {
            Clock::Recv => stream.recvs_from(self.row),
            _ => stream.events_from(self.row),
        }
    }
}

/// How many of ordered times are `limit` at most: few of many, mostly.
///
/// One of each line of memory is looked at, in order: where to look next does not depend on what
/// was found, so that nothing waits for memory as it would in halving.
fn reached(stamps: &[Ts], limit: Ts) -> usize {
    const LINE: usize = 8;
    let lines = stamps.chunks_exact(LINE);
    let whole = LINE * lines.take_while(|line| line[LINE - 1] <= limit).count();
    let rest = stamps[whole..].iter();
    whole + rest.take_while(|ts| **ts <= limit).count()
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
