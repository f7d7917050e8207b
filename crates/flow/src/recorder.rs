use cq_types::{Grid, Side, Ts, NS_PER_S};
use cq_wire::binance::{Encoder, Times};

use crate::market::{Listener, Market, Touch};
use crate::parameters::Parameters;
use crate::rng::Rng;
use crate::slow::{Slow, SlowParameters};
use crate::FlowError;

const MS: Ts = 1_000_000;
const MINUTE: Ts = 60 * NS_PER_S;
const DAY: Ts = 86_400 * NS_PER_S;
const FUNDING_MS: i64 = 8 * 3_600_000;
/// Levels a side of a snapshot, as the venue's `limit=1000` gives.
const SNAPSHOT_LEVELS: usize = 1000;
/// Simulated time before the first frame: the book forgets how it was filled.
const WARM_UP: Ts = 60 * NS_PER_S;
/// Key and text of the line that begins each day.
const LABEL: (&str, &str) = ("cq_generated", "not a real market");
/// Shortest way from the venue to the recorder.
const LEAST_LATENCY: f64 = 1.2e6;

/// What is recorded beside book updates and trades, and how the numbers are written.
#[derive(Debug, Clone)]
pub struct Streams {
    /// Symbol in capitals.
    pub symbol: String,
    /// Decimals of prices and quantities; a lot is one step of the latter.
    pub grid: Grid,
    /// Grid steps of a price per tick.
    pub tick: i64,
    /// Time between book updates, ms.
    pub speed_ms: i64,
    /// Whether `bookTicker` is recorded.
    pub with_quotes: bool,
}

/// A recorder of the market's streams: text lines, in the order in which they came.
pub struct Recorder {
    market: Market,
    slow: Slow,
    feed: Feed,
    streams: Streams,
    speed: String,
    now: Ts,
    next_minute: Ts,
    next_mark: Ts,
    next_day: Ts,
    previous: i64,
    sides: [Vec<(i64, i64)>; 2],
}

impl Recorder {
    /// A recorder that begins at `start`, a whole second.
    ///
    /// # Errors
    /// [`FlowError`] when the numbers make no market.
    pub fn new(
        parameters: Parameters,
        slow: SlowParameters,
        streams: Streams,
        seed: u64,
        start: Ts,
    ) -> Result<Self, FlowError> {
        parameters.check()?;
        slow.check()?;
        FlowError::unless(
            start % NS_PER_S == 0 && start > WARM_UP,
            "start",
            "a whole second",
        )?;
        let is_good = streams.tick > 0 && (1..=1000).contains(&streams.speed_ms);
        FlowError::unless(is_good, "streams", "a tick above 0 and 1 to 1000 ms")?;
        let mut rng = Rng::new(seed);
        let slow = Slow::new(slow, rng.fork());
        let delays = rng.fork();
        let mut market = Market::with(parameters, rng, start - WARM_UP);
        market.advance(start, &mut Deaf);
        let mut sides = [Vec::new(), Vec::new()];
        market.take_changed(Side::Buy, &mut sides[0]);
        market.take_changed(Side::Sell, &mut sides[1]);
        Ok(Self {
            feed: Feed {
                encoder: Encoder::new(streams.symbol.clone(), streams.grid),
                out: Vec::new(),
                delays,
                tick: streams.tick,
                with_quotes: streams.with_quotes,
                recv: start,
                trades: 0,
                events: 0,
            },
            previous: market.updates(),
            speed: format!("{}ms", streams.speed_ms),
            now: start,
            next_minute: start + MINUTE,
            next_mark: start,
            next_day: start,
            market,
            slow,
            streams,
            sides,
        })
    }

    /// Records until `until`, but no further than one day's end; appends lines to `out`.
    pub fn record(&mut self, until: Ts, out: &mut Vec<u8>) {
        std::mem::swap(out, &mut self.feed.out);
        let until = until.min((self.now / DAY + 1) * DAY);
        while self.now < until {
            if self.now == self.next_day {
                self.begin_day();
            }
            if self.now == self.next_mark {
                self.mark();
            }
            let frame = self.now + self.streams.speed_ms * MS;
            let stop = [frame, self.next_mark, self.next_minute, until];
            let stop = stop.into_iter().fold(Ts::MAX, Ts::min);
            self.market.advance(stop, &mut self.feed);
            self.now = stop;
            self.depth();
            if self.now == self.next_minute {
                self.slow.minute();
                self.market.drive(self.slow.activity(), self.slow.lean());
                self.next_minute += MINUTE;
            }
        }
        std::mem::swap(out, &mut self.feed.out);
    }

    /// Where the recorder is.
    #[must_use]
    pub fn now(&self) -> Ts {
        self.now
    }

    /// Level changes, trades and quotes written so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.feed.events
    }

    /// Puts the label first and, behind it, a snapshot of the book: each day stands alone.
    fn begin_day(&mut self) {
        let feed = &mut self.feed;
        let recv = feed.arrival(self.now / MS);
        feed.encoder.note(&mut feed.out, recv, LABEL.0, LABEL.1);
        let tick = self.streams.tick;
        let levels = [Side::Buy, Side::Sell].map(|side| {
            let levels = self.market.levels(side).take(SNAPSHOT_LEVELS);
            levels.map(|(px, qty)| (px * tick, qty)).collect::<Vec<_>>()
        });
        let ms = self.now / MS;
        let times = Times {
            event: ms,
            matched: ms,
        };
        let recv = feed.arrival(ms);
        let [bids, asks] = &levels;
        let encoder = &feed.encoder;
        encoder.snapshot(&mut feed.out, recv, self.previous, times, bids, asks);
        feed.events += (bids.len() + asks.len()) as u64;
        self.next_day = (self.now / DAY + 1) * DAY;
    }

    fn depth(&mut self) {
        let [bids, asks] = &mut self.sides;
        self.market.take_changed(Side::Buy, bids);
        self.market.take_changed(Side::Sell, asks);
        if bids.is_empty() && asks.is_empty() {
            return;
        }
        for level in bids.iter_mut().chain(asks.iter_mut()) {
            level.0 *= self.streams.tick;
        }
        let feed = &mut self.feed;
        let matched = (self.now - 1) / MS;
        let times = Times {
            event: matched + 1 + feed.delays.below(4).cast_signed(),
            matched,
        };
        let recv = feed.arrival(times.event);
        let last = self.market.updates();
        let ids = [self.previous + 1, last, self.previous];
        feed.encoder
            .depth(&mut feed.out, recv, &self.speed, times, ids, bids, asks);
        feed.events += (bids.len() + asks.len()) as u64;
        self.previous = last;
    }

    fn mark(&mut self) {
        let touch = self.market.touch();
        let unit = 10_i64.pow(8 - u32::from(self.streams.grid.price_exp)) * self.streams.tick;
        let mid = (touch.bid.0 + touch.ask.0) * unit / 2;
        let index = scaled(mid as f64 / (1.0 + self.slow.basis()));
        let ms = self.now / MS;
        let next_funding = (ms / FUNDING_MS + 1) * FUNDING_MS;
        let feed = &mut self.feed;
        let recv = feed.arrival(ms);
        let rate = scaled(self.slow.rate() * 1e8);
        let encoder = &feed.encoder;
        encoder.mark(&mut feed.out, recv, ms, mid, index, rate, next_funding);
        self.next_mark += NS_PER_S;
    }
}

/// Writes what the market says, with the stamps of venue and recorder.
struct Feed {
    encoder: Encoder,
    out: Vec<u8>,
    delays: Rng,
    tick: i64,
    with_quotes: bool,
    recv: Ts,
    trades: i64,
    events: u64,
}

impl Feed {
    /// When a frame that was published at `event` (ms) comes: one connection keeps its order.
    fn arrival(&mut self, event: i64) -> Ts {
        let jitter = 0.4e6 * self.delays.exponential() + 0.1e6 * self.delays.normal().abs();
        #[allow(clippy::cast_possible_truncation)] // a few milliseconds
        let latency = (LEAST_LATENCY + jitter) as Ts;
        self.recv = (self.recv + 1).max(event * MS + latency);
        self.recv
    }

    fn times(&mut self, ts: Ts) -> Times {
        let matched = ts / MS;
        Times {
            event: matched + 1 + self.delays.below(3).cast_signed(),
            matched,
        }
    }
}

impl Listener for Feed {
    fn trade(&mut self, ts: Ts, px: i64, qty: i64, side: Side) {
        let times = self.times(ts);
        let recv = self.arrival(times.event);
        self.trades += 1;
        let (id, px) = (self.trades, px * self.tick);
        let is_sell = side == Side::Sell;
        self.encoder
            .trade(&mut self.out, recv, times, id, px, qty, is_sell);
        self.events += 1;
    }

    fn touch(&mut self, ts: Ts, touch: Touch, update: i64) {
        if !self.with_quotes {
            return;
        }
        let times = self.times(ts);
        let recv = self.arrival(times.event);
        let (bid, ask) = (touch.bid, touch.ask);
        let (bid, ask) = ((bid.0 * self.tick, bid.1), (ask.0 * self.tick, ask.1));
        self.encoder
            .ticker(&mut self.out, recv, times, update, bid, ask);
        self.events += 1;
    }
}

/// Hears nothing: the market warms up.
struct Deaf;

impl Listener for Deaf {
    fn trade(&mut self, _: Ts, _: i64, _: i64, _: Side) {}
    fn touch(&mut self, _: Ts, _: Touch, _: i64) {}
}

#[allow(clippy::cast_possible_truncation)] // prices and rates far below 2^53 steps
fn scaled(value: f64) -> i64 {
    value.round() as i64
}
