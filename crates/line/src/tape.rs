use std::collections::VecDeque;
use std::ops::Range;

use cq_types::{Change, Event, InstrumentIdx, Market, Px, Qty, Ts};

use crate::check::Rows;
use crate::columns::{side_of, Columns, Kind, Stamps};
use crate::seen::Traded;
use crate::LineError;

/// One stream of the recorded tape: rows of one kind of one instrument, in one part or in
/// many that follow one another.
///
/// Rows are numbered from the stream's start, whatever part they are in, and whether the parts
/// before are still there.
#[derive(Debug, Clone)]
pub struct Stream {
    pub(crate) instrument: InstrumentIdx,
    pub(crate) kind: Kind,
    /// Its number on the line, in the order in which streams were added.
    pub(crate) number: usize,
    /// None is empty.
    parts: VecDeque<Part>,
    /// Rows that were ever there.
    len: usize,
    is_complete: bool,
    /// Times of the last row that was ever there: `ts_event`, `ts_recv`.
    last: Option<(Ts, Ts)>,
}

#[derive(Debug, Clone)]
struct Part {
    /// Number of its first row.
    first: usize,
    stamps: Stamps,
    columns: Columns,
    /// Whether what it says happened never goes back in time.
    is_ordered: bool,
}

impl Part {
    fn end(&self) -> usize {
        self.first + self.stamps.ts_event.len()
    }
}

impl Stream {
    /// Checks and takes the columns of a whole stream.
    ///
    /// # Errors
    /// When lengths differ, `ts_recv` decreases or lies before `ts_event`, bars overlap, a bar is
    /// said to be known before its end, funding is settled twice at one time, or a price or
    /// quantity cannot be one.
    pub fn new(
        instrument: InstrumentIdx,
        stamps: Stamps,
        columns: Columns,
    ) -> Result<Self, LineError> {
        let mut stream = Self {
            instrument,
            kind: columns.kind(),
            number: 0,
            parts: VecDeque::new(),
            len: 0,
            is_complete: false,
            last: None,
        };
        stream.extend(stamps, columns)?;
        stream.is_complete = true;
        Ok(stream)
    }

    /// Says that these rows are the first part: more follow, by [`crate::Line::extend`].
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        self.is_complete = false;
        self
    }

    /// Checks and takes the next part, as if its rows had been there from the beginning.
    pub(crate) fn extend(&mut self, mut stamps: Stamps, columns: Columns) -> Result<(), LineError> {
        let rows = Rows {
            instrument: self.instrument,
            kind: self.kind,
            first: self.len,
            before: self.last,
            stamps: &stamps,
            columns: &columns,
        };
        rows.check()?;
        let ends = (stamps.ts_event.last(), stamps.ts_recv.last());
        let (Some(event), Some(recv)) = ends else {
            return Ok(());
        };
        self.last = Some((*event, *recv));
        if matches!(self.kind, Kind::Deltas | Kind::Trades) {
            let unmarked = || vec![0; stamps.ts_event.len()];
            stamps.flags.get_or_insert_with(unmarked);
        }
        let first = self.len;
        self.len += stamps.ts_event.len();
        self.parts.push_back(Part {
            is_ordered: stamps.ts_event.is_sorted(),
            first,
            stamps,
            columns,
        });
        Ok(())
    }

    pub(crate) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Whether no part follows.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Drops the parts that end by `row`: nobody reads them again.
    pub(crate) fn drop_before(&mut self, row: usize) {
        while self.parts.front().is_some_and(|part| part.end() <= row) {
            self.parts.pop_front();
        }
    }

    /// Sorts streams into the defined order of events at equal times.
    pub(crate) fn order(&self) -> (u8, Ts, InstrumentIdx) {
        let (kind, within) = self.kind.rank();
        (kind, within, self.instrument)
    }

    /// Rows so far, with those that were dropped.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The part that holds a row, and the row's place in it.
    #[inline]
    fn find(&self, row: usize) -> Option<(&Part, usize)> {
        let front = self.parts.front()?;
        let part = if row < front.end() {
            front
        } else {
            let at = self.parts.partition_point(|part| part.end() <= row);
            self.parts.get(at)?
        };
        Some((part, row.checked_sub(part.first)?))
    }

    /// Whether venue times never go back in the part of a row.
    pub(crate) fn is_ordered_at(&self, row: usize) -> bool {
        self.find(row).is_some_and(|(part, _)| part.is_ordered)
    }

    /// `ts_event` of a row and of those that follow it in its part.
    pub(crate) fn events_from(&self, row: usize) -> &[Ts] {
        let found = self.find(row);
        found.map_or(&[], |(part, at)| &part.stamps.ts_event[at..])
    }

    /// `ts_recv` of a row and of those that follow it in its part.
    pub(crate) fn recvs_from(&self, row: usize) -> &[Ts] {
        let found = self.find(row);
        found.map_or(&[], |(part, at)| &part.stamps.ts_recv[at..])
    }

    /// Level changes of consecutive rows of one part; none where the stream holds something
    /// else.
    pub(crate) fn changes(&self, rows: Range<usize>) -> Changes<'_> {
        let Some((part, at)) = self.find(rows.start) else {
            return Changes::default();
        };
        let (Columns::Deltas { side, px, qty }, Some(marks)) = (&part.columns, &part.stamps.flags)
        else {
            return Changes::default();
        };
        let rows = at..at + rows.len();
        Changes {
            ts_event: &part.stamps.ts_event[rows.clone()],
            ts_recv: &part.stamps.ts_recv[rows.clone()],
            marks: &marks[rows.clone()],
            side: &side[rows.clone()],
            px: &px[rows.clone()],
            qty: &qty[rows],
        }
    }

    /// Trades of consecutive rows of one part, each with its marks; none where the stream holds
    /// something else.
    pub(crate) fn trades(&self, rows: Range<usize>) -> impl Iterator<Item = (Traded, u32)> + '_ {
        let found = self.find(rows.start).and_then(|(part, at)| {
            let Columns::Trades { px, qty, side, .. } = &part.columns else {
                return None;
            };
            let rows = at..at + rows.len();
            let stamps = &part.stamps;
            let times = stamps.ts_event[rows.clone()]
                .iter()
                .zip(&stamps.ts_recv[rows.clone()]);
            let marks = &stamps.flags.as_ref()?[rows.clone()];
            let what = px[rows.clone()]
                .iter()
                .zip(&qty[rows.clone()])
                .zip(&side[rows]);
            Some(times.zip(what).zip(marks))
        });
        let rows = found.into_iter().flatten();
        rows.map(|(((event, recv), ((px, qty), side)), marks)| {
            let trade = Traded {
                ts_event: *event,
                ts_recv: *recv,
                px: Px(*px),
                qty: Qty(*qty),
                side: side_of(*side),
            };
            (trade, *marks)
        })
    }

    /// The event of a row; `None` for an outside value that is NaN.
    pub(crate) fn event(&self, row: usize, seq: u64) -> Option<Event<Market>> {
        let (part, at) = self.find(row)?;
        let Stamps {
            ts_event,
            ts_recv,
            flags,
        } = &part.stamps;
        Some(Event {
            ts_event: ts_event[at],
            ts_recv: ts_recv[at],
            seq,
            flags: flags.as_ref().map_or(0, |flags| flags[at]),
            instrument: self.instrument,
            body: part.columns.body(at)?,
        })
    }
}

/// Consecutive level changes of a part.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Changes<'a> {
    ts_event: &'a [Ts],
    ts_recv: &'a [Ts],
    marks: &'a [u32],
    side: &'a [i8],
    px: &'a [i64],
    qty: &'a [i64],
}

impl<'a> Changes<'a> {
    /// When the last of them happened and was known.
    pub(crate) fn last_times(&self) -> Option<(Ts, Ts)> {
        Some((*self.ts_event.last()?, *self.ts_recv.last()?))
    }

    /// All columns but the times side by side: this is most of what is read of a tape.
    pub(crate) fn levels(self) -> impl Iterator<Item = Change> + 'a {
        let rows = self.side.iter().zip(self.px).zip(self.qty).zip(self.marks);
        rows.map(|(((side, px), qty), marks)| Change {
            side: side_of(*side),
            px: Px(*px),
            qty: Qty(*qty),
            marks: *marks,
        })
    }

    /// Each with its venue time, which never goes back before `from`.
    pub(crate) fn timed(self, from: Ts) -> impl Iterator<Item = (Ts, Change)> + 'a {
        let mut now = from;
        self.ts_event
            .iter()
            .zip(self.levels())
            .map(move |(ts, change)| {
                now = now.max(*ts);
                (now, change)
            })
    }

    /// What the tape says in a row, whose change is at hand.
    pub(crate) fn event(
        &self,
        row: usize,
        change: Change,
        instrument: InstrumentIdx,
    ) -> Event<Market> {
        let Change {
            side,
            px,
            qty,
            marks,
        } = change;
        Event {
            ts_event: self.ts_event[row],
            ts_recv: self.ts_recv[row],
            seq: 0,
            flags: marks,
            instrument,
            body: Market::Delta { side, px, qty },
        }
    }
}
