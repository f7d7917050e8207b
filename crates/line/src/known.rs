use std::ops::Range;

use cq_book::Book;
use cq_features::{FeatureSet, FeatureSpec};
use cq_types::{flags, Event, Instrument, InstrumentIdx, Market, Px, Qty, Ts};

use crate::columns::Kind;
use crate::recent::Recent;
use crate::seen::{FeedLatency, Traded};
use crate::tape::Stream;
use crate::venue::has_ticks;
use crate::LineError;

/// What is known by now: features, books and last prices, fed in `ts_recv` order.
pub(crate) struct Known {
    features: FeatureSet,
    books: Vec<Option<Book>>,
    quotes: Vec<Option<[(Px, Qty); 2]>>,
    last: Vec<Option<Px>>,
    recent: Vec<Recent>,
    markers: Vec<Marker>,
    /// How long the last market event of each instrument took.
    latency: Vec<Option<FeedLatency>>,
    /// Trades since they were last taken, of the instruments that somebody asks for.
    trades: Vec<Option<Vec<Traded>>>,
}

/// What an instrument is marked with while only what is known counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    /// Recorded marks.
    Marks,
    /// Closes of its shortest bars.
    Bars(Ts),
    /// Trades.
    Trades,
}

impl Known {
    pub(crate) fn new(
        specs: &[FeatureSpec],
        instruments: &[Instrument],
        series: &[String],
    ) -> Result<Self, LineError> {
        let count = instruments.len();
        Ok(Self {
            features: FeatureSet::new(specs, instruments, series)?,
            books: vec![None; count],
            quotes: vec![None; count],
            last: vec![None; count],
            recent: vec![Recent::default(); count],
            markers: vec![Marker::Trades; count],
            latency: vec![None; count],
            trades: vec![None; count],
        })
    }

    /// Keeps a book for each instrument whose level changes are on the tape, and decides
    /// what marks each instrument.
    pub(crate) fn expect(&mut self, tape: &[Stream], ticks: &[Px]) {
        for (index, marker) in (0..).zip(&mut self.markers) {
            *marker = marker_of(tape, index);
        }
        for (index, recent) in (0..).zip(&mut self.recent) {
            *recent = Recent::new(shortest_bars(tape, index));
        }
        for stream in tape {
            if stream.kind == Kind::Deltas {
                let at = usize::from(stream.instrument);
                self.books[at] = Some(Book::with_step(ticks[at]));
            }
        }
    }

    /// Takes an event that is neither a level change nor a trade.
    pub(crate) fn on_market(&mut self, event: &Event<Market>) {
        let at = usize::from(event.instrument);
        self.latency[at] = Some(FeedLatency {
            at_venue: event.ts_event,
            known: event.ts_recv,
        });
        match event.body {
            Market::Bar { close, .. } => self.last[at] = Some(close),
            Market::Quote {
                bid,
                bid_qty,
                ask,
                ask_qty,
            } => self.quotes[at] = Some([(bid, bid_qty), (ask, ask_qty)]),
            Market::Gap => {
                self.quotes[at] = None;
                if let Some(book) = &mut self.books[at] {
                    book.invalidate();
                }
            }
            _ => {}
        }
        self.recent[at].on_market(event);
        self.features.on_market(event, self.books[at].as_ref());
    }

    /// Takes consecutive trades; returns the price that they mark their instrument with, if they do.
    pub(crate) fn on_trades(&mut self, stream: &Stream, rows: Range<usize>) -> Option<Px> {
        let (index, at) = (stream.instrument, usize::from(stream.instrument));
        let is_heard = self.features.hears_trades(index);
        let mut last = None;
        for (trade, marks) in stream.trades(rows) {
            let (at_venue, known) = (trade.ts_event, trade.ts_recv);
            self.latency[at] = Some(FeedLatency { at_venue, known });
            let is_market = marks & flags::NOT_MARKET == 0;
            if is_market {
                last = Some(trade.px);
                self.recent[at].on_trade(at_venue);
                if let Some(kept) = &mut self.trades[at] {
                    kept.push(trade);
                }
            }
            if is_heard && is_market {
                self.features
                    .on_trade(index, known, (trade.qty, trade.side));
            } else {
                self.features.pass(known);
            }
        }
        self.last[at] = last.or(self.last[at]);
        last.filter(|_| self.markers[at] == Marker::Trades)
    }

    /// Takes consecutive level changes; features hear of the book when a frame is complete.
    pub(crate) fn on_changes(&mut self, stream: &Stream, rows: Range<usize>) {
        let at = usize::from(stream.instrument);
        let Some(book) = &mut self.books[at] else {
            return;
        };
        let changes = stream.changes(rows);
        if let Some((at_venue, known)) = changes.last_times() {
            self.latency[at] = Some(FeedLatency { at_venue, known });
        }
        for (row, change) in changes.levels().enumerate() {
            book.on_delta(change.side, change.px, change.qty, change.marks);
            if change.marks & flags::LAST != 0 {
                let event = changes.event(row, change, stream.instrument);
                self.features.on_market(&event, Some(book));
            }
        }
    }

    /// The price that this event marks its instrument with, if it does.
    pub(crate) fn mark(&self, event: &Event<Market>) -> Option<Px> {
        match (event.body, self.markers[usize::from(event.instrument)]) {
            (Market::Mark { px }, _) => Some(px),
            (
                Market::Bar {
                    interval, close, ..
                },
                Marker::Bars(shortest),
            ) => (interval == shortest).then_some(close),
            _ => None,
        }
    }

    pub(crate) fn features(&self) -> &FeatureSet {
        &self.features
    }

    pub(crate) fn write(&self, now: Ts, out: &mut [f64]) {
        self.features.write(now, out);
    }

    pub(crate) fn last(&self, instrument: InstrumentIdx) -> Option<Px> {
        self.last.get(usize::from(instrument)).copied().flatten()
    }

    pub(crate) fn latency(&self, instrument: InstrumentIdx) -> Option<FeedLatency> {
        *self.latency.get(usize::from(instrument))?
    }

    /// The kept trades of an instrument; from now on they are kept.
    pub(crate) fn trades(&mut self, instrument: InstrumentIdx) -> Option<&mut Vec<Traded>> {
        let kept = self.trades.get_mut(usize::from(instrument))?;
        Some(kept.get_or_insert_default())
    }

    /// Volume of an instrument in the last 24 hours, of its shortest bars.
    pub(crate) fn day_volume(&self, instrument: InstrumentIdx, now: Ts) -> i64 {
        let recent = self.recent.get(usize::from(instrument));
        recent.map_or(0, |r| r.day_volume(now))
    }

    /// How long ago an instrument was last traded.
    pub(crate) fn age(&self, instrument: InstrumentIdx, now: Ts) -> Option<Ts> {
        self.recent.get(usize::from(instrument))?.age(now)
    }

    /// The known book of an instrument; `None` while there is none that is valid.
    pub(crate) fn book(&self, instrument: InstrumentIdx) -> Option<&Book> {
        let book = self.books.get(usize::from(instrument))?.as_ref();
        book.filter(|book| book.is_valid())
    }

    /// Best bid and ask: of the book while it is valid, else of the last quote.
    pub(crate) fn top(&self, instrument: InstrumentIdx) -> Option<[(Px, Qty); 2]> {
        match self.book(instrument) {
            Some(book) => Some([book.best_bid()?, book.best_ask()?]),
            None => *self.quotes.get(usize::from(instrument))?,
        }
    }
}

fn marker_of(tape: &[Stream], index: InstrumentIdx) -> Marker {
    let own = || tape.iter().filter(move |s| s.instrument == index);
    if own().any(|s| s.kind == Kind::Marks) {
        return Marker::Marks;
    }
    match shortest_bars(tape, index) {
        Some(shortest) if !has_ticks(tape, index) => Marker::Bars(shortest),
        _ => Marker::Trades,
    }
}

fn shortest_bars(tape: &[Stream], index: InstrumentIdx) -> Option<Ts> {
    let own = tape.iter().filter(|s| s.instrument == index);
    own.filter_map(|s| match s.kind {
        Kind::Bars(interval) => Some(interval),
        _ => None,
    })
    .min()
}
