use std::ops::Range;

use cq_ledger::LedgerError;
use cq_sim::{Bar, Purse, Trade};
use cq_types::{flags, Instrument, InstrumentIdx, Market, Px, Ts};

use crate::columns::Kind;
use crate::cursor::{Clock, Due, Merge, NEVER};
use crate::exchange::{Exchange, Exchanges};
use crate::legs::Legs;
use crate::tape::Stream;

/// The venues' side of the tape: what they live through, in venue time.
pub(crate) struct Lived {
    pub(crate) exchanges: Exchanges,
    legs: Legs,
    pub(crate) market: Merge,
    pub(crate) funding: Merge,
    has_marks: Vec<bool>,
    /// Instruments whose bar has just begun and that orders wait for.
    opened: Vec<InstrumentIdx>,
    opened_at: Ts,
    /// Ends of contracts, latest first.
    delistings: Vec<(Ts, InstrumentIdx)>,
}

impl Lived {
    pub(crate) fn new(
        exchanges: Exchanges,
        legs: Legs,
        instruments: &[Instrument],
        tape: &[Stream],
        start: Ts,
    ) -> Self {
        let market = tape
            .iter()
            .enumerate()
            .filter(|(at, stream)| is_lived(tape, *at, stream))
            .map(|(at, stream)| match stream.kind {
                Kind::Bars(_) => (at, Clock::Bar),
                _ => (at, Clock::Event),
            });
        let is_funding = |s: &Stream| matches!(s.kind, Kind::Funding(_));
        let funding = (0..tape.len()).filter(|at| is_funding(&tape[*at]));
        let mut delistings: Vec<_> = (0..)
            .zip(instruments)
            .filter_map(|(index, x)| Some((x.valid_to.filter(|to| *to > start)?, index)))
            .collect();
        delistings.sort_unstable_by(|a, b| b.cmp(a));
        let has_marks = (0..)
            .zip(instruments)
            .map(|(index, _)| {
                let own = tape.iter().filter(|s| s.instrument == index);
                own.into_iter().any(|s| s.kind == Kind::Marks)
            })
            .collect();
        Self {
            exchanges,
            legs,
            market: Merge::new(tape, market),
            funding: Merge::new(tape, funding.map(|at| (at, Clock::Schedule))),
            has_marks,
            opened: Vec::new(),
            opened_at: NEVER,
            delistings,
        }
    }

    pub(crate) fn opened_at(&self) -> Ts {
        self.opened_at
    }

    pub(crate) fn next_delisting(&self) -> Ts {
        self.delistings.last().map_or(NEVER, |(ts, _)| *ts)
    }

    pub(crate) fn delist(&mut self) -> Option<InstrumentIdx> {
        self.delistings.pop().map(|(_, index)| index)
    }

    /// The venue lives through the next row of its tape, neither a level change nor a trade.
    pub(crate) fn live(
        &mut self,
        tape: &[Stream],
        ts: Ts,
        purse: &dyn Purse,
    ) -> Result<(), LedgerError> {
        let due = self.market.pop(tape);
        let stream = &tape[due.stream];
        let index = stream.instrument;
        let Some(event) = stream.event(due.row, 0) else {
            return Ok(());
        };
        let exchange = self.exchanges.of_mut(index);
        match event.body {
            Market::Quote {
                bid,
                bid_qty,
                ask,
                ask_qty,
            } => {
                let touch = ((bid, bid_qty), (ask, ask_qty));
                exchange.venue.on_quote(index, touch, ts, purse);
            }
            Market::Mark { px } => {
                self.mark(index, px, ts)?;
                let venue = &mut self.exchanges.of_mut(index).venue;
                venue.on_mark(index, px, ts, purse);
            }
            Market::Gap => exchange.venue.on_gap(index),
            Market::Bar {
                interval,
                open,
                high,
                low,
                close,
                volume,
                ..
            } => {
                let bar = Bar {
                    ts_open: event.ts_event,
                    interval,
                    open,
                    high,
                    low,
                    close,
                    volume,
                };
                return self.live_bar(index, bar, due, ts, purse);
            }
            _ => {}
        }
        Ok(())
    }

    /// The venue lives through trades that follow each other, up to the first that it answers;
    /// how many those are. No time goes back before `from`.
    pub(crate) fn live_trades(
        &mut self,
        stream: &Stream,
        rows: Range<usize>,
        from: Ts,
        purse: &dyn Purse,
    ) -> Result<usize, LedgerError> {
        let (index, mut ts, mut count) = (stream.instrument, from, 0);
        for (traded, marks) in stream.trades(rows) {
            ts = ts.max(traded.ts_event);
            count += 1;
            let trade = Trade {
                px: traded.px,
                qty: traded.qty,
                side: traded.side,
                marks,
                matched: traded.ts_event,
            };
            let exchange = self.exchanges.of_mut(index);
            exchange.venue.on_trade(index, trade, ts, purse);
            exchange.hear(ts)?;
            if marks & flags::NOT_MARKET == 0 {
                self.remark(index, traded.px, ts)?;
            }
            if self.exchanges.of(index).custody.has_answers() {
                break;
            }
        }
        Ok(count)
    }

    fn live_bar(
        &mut self,
        index: InstrumentIdx,
        bar: Bar,
        due: Due,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Result<(), LedgerError> {
        let exchange = self.exchanges.of_mut(index);
        if due.is_end {
            for _ in 0..exchange.venue.hurry(index, ts) {
                let Exchange { venue, custody } = exchange;
                custody.admit(venue, purse, ts)?;
                exchange.hear(ts)?;
            }
            exchange.venue.end_bar(index, ts, purse);
            exchange.hear(ts)?;
            // Where nothing but bars tells of marks, the worst price of the bar was one.
            let before = exchange.custody.waiting();
            for px in worst_of(bar, exchange, [Some(index), self.legs.short(index)]) {
                self.remark(index, px, ts)?;
            }
            let custody = &mut self.exchanges.of_mut(index).custody;
            custody.hasten(before, ts + 1);
            return self.remark(index, bar.close, ts);
        }
        exchange.venue.begin_bar(index, bar);
        self.remark(index, bar.open, ts)?;
        if self.exchanges.of(index).venue.is_working(index) {
            self.opened.push(index);
            self.opened_at = ts;
        }
        Ok(())
    }

    /// Without recorded marks the mark is the last traded price.
    fn remark(&mut self, index: InstrumentIdx, px: Px, ts: Ts) -> Result<(), LedgerError> {
        if self.has_marks[usize::from(index)] {
            return Ok(());
        }
        self.mark(index, px, ts)
    }

    /// A new mark of a contract, which is that of both its legs.
    fn mark(&mut self, index: InstrumentIdx, px: Px, ts: Ts) -> Result<(), LedgerError> {
        let Exchange { venue, custody } = self.exchanges.of_mut(index);
        let Some(short) = self.legs.short(index) else {
            return custody.on_mark(venue, index, px, ts);
        };
        custody.marks[usize::from(short)] = Some(px);
        custody.on_mark(venue, index, px, ts)?;
        custody.on_mark(venue, short, px, ts)
    }

    /// Orders that waited meet the opens of the bars that have just begun.
    pub(crate) fn meet_opens(&mut self, ts: Ts, purse: &dyn Purse) {
        self.opened_at = NEVER;
        for index in std::mem::take(&mut self.opened) {
            self.exchanges
                .of_mut(index)
                .venue
                .meet_open(index, ts, purse);
        }
    }
}

/// The worst prices of a bar for the legs that are held; its close where none is.
fn worst_of(bar: Bar, exchange: &Exchange, legs: [Option<InstrumentIdx>; 2]) -> Vec<Px> {
    let held = legs
        .into_iter()
        .flatten()
        .map(|leg| exchange.venue.position(leg).0);
    let worst = held
        .filter(|qty| *qty != 0)
        .map(|qty| if qty < 0 { bar.high } else { bar.low });
    let worst: Vec<_> = worst.collect();
    if worst.is_empty() {
        vec![bar.close]
    } else {
        worst
    }
}

/// What the venue acts on: ticks, marks, gaps, and of an instrument's bars the shortest.
fn is_lived(tape: &[Stream], at: usize, stream: &Stream) -> bool {
    match stream.kind {
        Kind::Funding(_) | Kind::External(_) => false,
        Kind::Bars(interval) => {
            let others = tape.iter().enumerate();
            let shorter = others.filter(|(other, s)| {
                let is_first = *other < at;
                s.instrument == stream.instrument
                    && matches!(s.kind, Kind::Bars(i)
                        if i < interval || (i == interval && is_first))
            });
            !has_ticks(tape, stream.instrument) && shorter.count() == 0
        }
        _ => true,
    }
}

/// Whether an instrument trades on its recorded book or quotes.
pub(crate) fn has_ticks(tape: &[Stream], instrument: InstrumentIdx) -> bool {
    tape.iter().any(|s| {
        let is_top = matches!(s.kind, Kind::Deltas | Kind::Quotes);
        s.instrument == instrument && is_top
    })
}
