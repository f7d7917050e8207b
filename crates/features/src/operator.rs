use cq_book::Book;
use cq_types::{Grid, InstrumentIdx, Ts};

use crate::state::{state, State, Words};

/// What an operator listens to; its position in the operator's list is the `slot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Bars of one interval.
    Bars(InstrumentIdx, Ts),
    /// Market trades.
    Trades(InstrumentIdx),
    /// The book after each complete frame.
    Book(InstrumentIdx),
    /// Best bid and ask messages.
    Quotes(InstrumentIdx),
    /// Settled funding rates.
    Funding(InstrumentIdx),
    /// Points of an outside series.
    External(u16),
}

/// What a gap in the tape does to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnGap {
    /// Forget everything: a tick window with a hole in it would lie.
    Reset,
    /// Go on; the set counts the bridged bars.
    Bridge,
}

/// A bar in floats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar {
    pub(crate) end: Ts,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    /// Quantity units, as `taker_buy`.
    pub(crate) volume: f64,
    pub(crate) count: Option<f64>,
    pub(crate) taker_buy: Option<f64>,
}

/// Best bid and ask in floats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Top {
    pub(crate) bid: f64,
    pub(crate) bid_qty: f64,
    pub(crate) ask: f64,
    pub(crate) ask_qty: f64,
}

impl Top {
    pub(crate) fn mid(&self) -> f64 {
        f64::midpoint(self.bid, self.ask)
    }

    /// Displacement from the mid in basis points of the mid.
    pub(crate) fn bps_from_mid(&self, price: f64) -> f64 {
        (price / self.mid() - 1.0) * 1e4
    }
}

/// One event as an operator sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    /// A finished bar.
    Bar(Bar),
    /// A trade; `signed` quantity is positive for an aggressive buy.
    Trade { ts: Ts, signed: f64 },
    /// A valid book after a complete frame.
    Book {
        ts: Ts,
        grid: Grid,
        top: Top,
        book: &'a Book,
    },
    /// Best bid and ask.
    Quote { ts: Ts, top: Top },
    /// A settled rate: scheduled time and fraction per interval.
    Funding { settled: Ts, rate: f64 },
    /// A point of an outside series: its period, when it was known, its value.
    External { period: Ts, known: Ts, value: f64 },
}

impl Input<'_> {
    /// The top of book that a quote or a book brings.
    pub(crate) fn top(&self) -> Option<(Ts, Top)> {
        match *self {
            Input::Book { ts, top, .. } | Input::Quote { ts, top } => Some((ts, top)),
            _ => None,
        }
    }
}

/// A streaming feature.
pub(crate) trait Operator: State + Send + Sync {
    /// Takes the next event of the topic at `slot`.
    fn update(&mut self, slot: usize, input: &Input<'_>);
    /// The value as of `now`; NaN while cold, undefined or stale.
    fn value(&self, now: Ts) -> f64;
}

/// An operator on the bars of one instrument.
pub(crate) trait BarOperator: State + Send + Sync {
    /// Takes the next finished bar.
    fn push(&mut self, bar: &Bar);
    /// The value as of `now`; `None` or NaN while cold or undefined.
    fn value(&self, now: Ts) -> Option<f64>;
}

/// Adds what bar operators share: a value of bars long past is missing.
pub(crate) struct OnBars<B> {
    pub(crate) inner: B,
    pub(crate) freshness: Freshness,
}

impl<B: BarOperator> State for OnBars<B> {
    fn save(&self, out: &mut Vec<u64>) {
        self.inner.save(out);
        self.freshness.save(out);
    }
    fn load(&mut self, words: &mut Words<'_>) -> Option<()> {
        self.inner.load(words)?;
        self.freshness.load(words)
    }
}

impl<B: BarOperator> Operator for OnBars<B> {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        if let Input::Bar(bar) = input {
            self.freshness.touch(bar.end);
            self.inner.push(bar);
        }
    }

    fn value(&self, now: Ts) -> f64 {
        if !self.freshness.holds(now) {
            return f64::NAN;
        }
        self.inner.value(now).unwrap_or(f64::NAN)
    }
}

/// Whether the last input is recent enough to speak for now.
#[derive(Debug, Clone)]
pub(crate) struct Freshness {
    last: Option<Ts>,
    max_age: Ts,
}

state!(Freshness { last });

impl Freshness {
    pub(crate) fn new(max_age: Ts) -> Self {
        Self {
            last: None,
            max_age,
        }
    }

    pub(crate) fn touch(&mut self, ts: Ts) {
        self.last = Some(ts);
    }

    pub(crate) fn holds(&self, now: Ts) -> bool {
        self.last.is_some_and(|last| now - last <= self.max_age)
    }
}
