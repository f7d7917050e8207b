//! From a tape event to the operators that listen, and what is let through.

use cq_book::Book;
use cq_types::{flags, Event, Grid, InstrumentIdx, Market, Px, Qty, Ts};
use rust_decimal::prelude::ToPrimitive;

use crate::operator::{Bar, Input, Top, Topic};
use crate::state::state;
use crate::Source;

/// Operator and slot.
type Listener = (usize, usize);

/// Who listens to what.
pub(crate) struct Routes {
    instruments: Vec<PerInstrument>,
    series: Vec<Vec<Listener>>,
}

#[derive(Default, Clone)]
struct PerInstrument {
    bars: Vec<(Ts, Vec<Listener>)>,
    trades: Vec<Listener>,
    book: Vec<Listener>,
    quotes: Vec<Listener>,
    funding: Vec<Listener>,
}

impl Routes {
    pub(crate) fn new(instruments: usize, series: usize) -> Self {
        Self {
            instruments: vec![PerInstrument::default(); instruments],
            series: vec![Vec::new(); series],
        }
    }

    pub(crate) fn add(&mut self, topic: Topic, operator: usize, slot: usize) {
        let listener = (operator, slot);
        match topic {
            Topic::External(s) => self.series[usize::from(s)].push(listener),
            Topic::Trades(i) => self.instruments[usize::from(i)].trades.push(listener),
            Topic::Book(i) => self.instruments[usize::from(i)].book.push(listener),
            Topic::Quotes(i) => self.instruments[usize::from(i)].quotes.push(listener),
            Topic::Funding(i) => self.instruments[usize::from(i)].funding.push(listener),
            Topic::Bars(i, interval) => {
                let bars = &mut self.instruments[usize::from(i)].bars;
                match bars.iter_mut().find(|(known, _)| *known == interval) {
                    Some((_, listeners)) => listeners.push(listener),
                    None => bars.push((interval, vec![listener])),
                }
            }
        }
    }

    pub(crate) fn of(&self, topic: Topic) -> &[Listener] {
        let at = |i: InstrumentIdx| self.instruments.get(usize::from(i));
        match topic {
            Topic::External(s) => self.series.get(usize::from(s)).map(Vec::as_slice),
            Topic::Trades(i) => at(i).map(|x| x.trades.as_slice()),
            Topic::Book(i) => at(i).map(|x| x.book.as_slice()),
            Topic::Quotes(i) => at(i).map(|x| x.quotes.as_slice()),
            Topic::Funding(i) => at(i).map(|x| x.funding.as_slice()),
            Topic::Bars(i, interval) => at(i).and_then(|x| {
                let found = x.bars.iter().find(|(known, _)| *known == interval);
                found.map(|(_, listeners)| listeners.as_slice())
            }),
        }
        .unwrap_or_default()
    }
}

/// Keeps out what must not be seen, and counts it.
pub(crate) struct Guard {
    newest: Option<Ts>,
    /// Interval and end of the last bar, by instrument.
    ends: Vec<Vec<(Ts, Ts)>>,
    has_book: Vec<bool>,
    pub(crate) bridged: u64,
    pub(crate) refused: u64,
}

state!(Guard {
    newest,
    ends,
    has_book,
    bridged,
    refused,
});

/// What an event turned out to be.
pub(crate) enum Admitted<'a> {
    /// Something to hand to the listeners of a topic.
    Heard(Topic, Input<'a>),
    /// The book of an instrument is no longer valid.
    BookLost,
    /// Nothing that a feature listens to, or refused.
    Nothing,
}

impl Guard {
    pub(crate) fn new(instruments: usize) -> Self {
        Self {
            newest: None,
            ends: vec![Vec::new(); instruments],
            has_book: vec![false; instruments],
            bridged: 0,
            refused: 0,
        }
    }

    /// Whether something newer than `now` has been taken.
    pub(crate) fn is_after(&self, now: Ts) -> bool {
        self.newest.is_some_and(|newest| newest > now)
    }

    /// Something became known at `ts`.
    pub(crate) fn pass(&mut self, ts: Ts) {
        self.newest = self.newest.max(Some(ts));
    }

    /// Turns an event into what operators take; trades come by themselves.
    pub(crate) fn admit<'a>(
        &mut self,
        event: &Event<Market>,
        book: Option<&'a Book>,
        sources: &[Source],
    ) -> Admitted<'a> {
        let ts = event.ts_recv;
        self.pass(ts);
        let i = event.instrument;
        if let Market::External { series, value } = event.body {
            if !value.is_finite() {
                return Admitted::Nothing;
            }
            let input = Input::External {
                period: event.ts_event,
                known: ts,
                value,
            };
            return Admitted::Heard(Topic::External(series), input);
        }
        let grid = sources.get(usize::from(i)).map(|source| source.grid);
        grid.map_or(Admitted::Nothing, |grid| {
            self.of_instrument(event, book, grid)
        })
    }

    fn of_instrument<'a>(
        &mut self,
        event: &Event<Market>,
        book: Option<&'a Book>,
        grid: Grid,
    ) -> Admitted<'a> {
        let (ts, i) = (event.ts_recv, event.instrument);
        match event.body {
            Market::Bar { interval, .. } => {
                self.bar(event, grid).map_or(Admitted::Nothing, |bar| {
                    Admitted::Heard(Topic::Bars(i, interval), Input::Bar(bar))
                })
            }
            Market::Quote {
                bid,
                bid_qty,
                ask,
                ask_qty,
            } => {
                let top = top(grid, (bid, bid_qty), (ask, ask_qty));
                Admitted::Heard(Topic::Quotes(i), Input::Quote { ts, top })
            }
            Market::Delta { .. } if event.flags & flags::LAST != 0 => self.frame(event, book, grid),
            Market::Funding { rate } => {
                let input = Input::Funding {
                    settled: event.ts_event,
                    rate: rate.to_f64().unwrap_or(f64::NAN),
                };
                Admitted::Heard(Topic::Funding(i), input)
            }
            _ => Admitted::Nothing,
        }
    }

    /// A frame of level changes is complete: the book speaks, or has just been lost.
    fn frame<'a>(
        &mut self,
        event: &Event<Market>,
        book: Option<&'a Book>,
        grid: Grid,
    ) -> Admitted<'a> {
        let ts = event.ts_recv;
        let i = event.instrument;
        let valid = book.filter(|book| book.is_valid());
        let sides = valid.and_then(|book| Some((book, book.best_bid()?, book.best_ask()?)));
        let had_book = std::mem::replace(&mut self.has_book[usize::from(i)], sides.is_some());
        match sides {
            Some((book, bid, ask)) => {
                let top = top(grid, bid, ask);
                let input = Input::Book {
                    ts,
                    grid,
                    top,
                    book,
                };
                Admitted::Heard(Topic::Book(i), input)
            }
            None if had_book => Admitted::BookLost,
            None => Admitted::Nothing,
        }
    }

    /// A finished bar in floats; `None`, counted, when it comes too early, not after the last, or
    /// with a price that is none.
    fn bar(&mut self, event: &Event<Market>, grid: Grid) -> Option<Bar> {
        let Market::Bar {
            interval,
            high,
            low,
            close,
            volume,
            count,
            taker_buy,
            ..
        } = event.body
        else {
            return None;
        };
        let (open, end) = (event.ts_event, event.ts_event + interval);
        let ends = &mut self.ends[usize::from(event.instrument)];
        let known = ends.iter_mut().find(|(length, _)| *length == interval);
        let last = known.as_ref().map(|(_, last)| *last);
        let is_late = last.is_some_and(|last| open < last);
        if event.ts_recv < end || is_late || low.0 <= 0 {
            self.refused += 1;
            return None;
        }
        match known {
            Some((_, last)) => *last = end,
            None => ends.push((interval, end)),
        }
        if last.is_some_and(|last| open > last) {
            self.bridged += 1;
        }
        Some(Bar {
            end,
            high: grid.price_f64(high),
            low: grid.price_f64(low),
            close: grid.price_f64(close),
            volume: grid.quantity_f64(volume),
            count: count.map(|count| count as f64),
            taker_buy: taker_buy.map(|qty| grid.quantity_f64(qty)),
        })
    }
}

fn top(grid: Grid, bid: (Px, Qty), ask: (Px, Qty)) -> Top {
    Top {
        bid: grid.price_f64(bid.0),
        bid_qty: grid.quantity_f64(bid.1),
        ask: grid.price_f64(ask.0),
        ask_qty: grid.quantity_f64(ask.1),
    }
}
