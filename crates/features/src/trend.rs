//! Trend indicators.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Bar, BarOperator};
use crate::smooth::{Ema, Lag, Wilder};
use crate::state::state;
use crate::volatility::true_range;
use crate::window::{ratio, Sums, Window};
use crate::FeatureError;

/// `ln(ema_fast / ema_slow)`.
struct EmaRatio {
    fast: Ema,
    slow: Ema,
}

state!(EmaRatio { fast, slow });

impl BarOperator for EmaRatio {
    fn push(&mut self, bar: &Bar) {
        self.fast.push(bar.close);
        self.slow.push(bar.close);
    }
    fn value(&self, _now: Ts) -> Option<f64> {
        Some((self.fast.get()? / self.slow.get()?).ln())
    }
}

pub(crate) fn ema_ratio(args: &Args<'_>) -> Result<Built, FeatureError> {
    args.on_bars(EmaRatio {
        fast: Ema::new(args.whole("fast", 1)?),
        slow: Ema::new(args.whole("slow", 1)?),
    })
}

/// Appel's MACD line and histogram as fractions of the close. The fast mean is seeded on
/// the closes that end with the slow mean's seed, as in TA-Lib.
struct Macd {
    skip: usize,
    skipped: usize,
    fast: Ema,
    slow: Ema,
    signal: Ema,
    line: Option<f64>,
    close: f64,
    is_histogram: bool,
}

state!(Macd {
    skipped,
    fast,
    slow,
    signal,
    line,
    close
});

impl BarOperator for Macd {
    fn push(&mut self, bar: &Bar) {
        self.close = bar.close;
        let slow = self.slow.push(bar.close);
        if self.skipped < self.skip {
            self.skipped += 1;
            return;
        }
        let fast = self.fast.push(bar.close);
        self.line = fast.zip(slow).map(|(fast, slow)| fast - slow);
        if let Some(line) = self.line {
            self.signal.push(line);
        }
    }
    fn value(&self, _now: Ts) -> Option<f64> {
        let (line, signal) = (self.line?, self.signal.get()?);
        let value = if self.is_histogram {
            line - signal
        } else {
            line
        };
        Some(ratio(value, self.close))
    }
}

pub(crate) fn macd(args: &Args<'_>) -> Result<Built, FeatureError> {
    let (fast, slow) = (args.whole("fast", 1)?, args.whole("slow", 2)?);
    if fast >= slow {
        return Err(args.bad("fast", "fewer bars than slow"));
    }
    args.on_bars(Macd {
        skip: slow - fast,
        skipped: 0,
        fast: Ema::new(fast),
        slow: Ema::new(slow),
        signal: Ema::new(args.whole("signal", 1)?),
        line: None,
        close: 0.0,
        is_histogram: args.choice("output", &["line", "histogram"])? == 1,
    })
}

/// Wilder's running sum: the first `n − 1` terms add up, then each step sheds 1/n.
struct WilderSum {
    n: f64,
    seen: f64,
    sum: f64,
}

state!(WilderSum { seen, sum });

impl WilderSum {
    fn new(n: usize) -> Self {
        Self {
            n: n as f64,
            seen: 0.0,
            sum: 0.0,
        }
    }
    fn push(&mut self, x: f64) -> Option<f64> {
        self.seen += 1.0;
        if self.seen < self.n {
            self.sum += x;
            return None;
        }
        self.sum += x - self.sum / self.n;
        Some(self.sum)
    }
}

/// Average directional index (Wilder 1978), 0 to 100, in TA-Lib's seeding.
struct Adx {
    last: Option<[f64; 3]>,
    plus: WilderSum,
    minus: WilderSum,
    range: WilderSum,
    index: Wilder,
}

state!(Adx {
    last,
    plus,
    minus,
    range,
    index
});

impl BarOperator for Adx {
    fn push(&mut self, bar: &Bar) {
        let Some([high, low, close]) = self.last.replace([bar.high, bar.low, bar.close]) else {
            return;
        };
        let (up, down) = (bar.high - high, low - bar.low);
        let plus = self.plus.push(if up > down && up > 0.0 { up } else { 0.0 });
        let minus = self
            .minus
            .push(if down > up && down > 0.0 { down } else { 0.0 });
        let range = self.range.push(true_range(bar, close));
        if let (Some(plus), Some(minus), Some(range)) = (plus, minus, range) {
            let total = plus + minus;
            if total > 0.0 && range > 0.0 {
                self.index.push(100.0 * (plus - minus).abs() / total);
            }
        }
    }
    fn value(&self, _now: Ts) -> Option<f64> {
        self.index.get()
    }
}

pub(crate) fn adx(args: &Args<'_>) -> Result<Built, FeatureError> {
    let window = args.whole("window", 2)?;
    args.on_bars(Adx {
        last: None,
        plus: WilderSum::new(window),
        minus: WilderSum::new(window),
        range: WilderSum::new(window),
        index: Wilder::new(window),
    })
}

/// Kaufman's efficiency ratio (1995), signed: net move over path length, −1 to 1.
struct Efficiency {
    closes: Lag,
    close: Option<f64>,
    net: Option<f64>,
    path: Window<Sums<1>>,
}

state!(Efficiency {
    closes,
    close,
    net,
    path
});

impl BarOperator for Efficiency {
    fn push(&mut self, bar: &Bar) {
        self.net = self.closes.push(bar.close).map(|then| bar.close - then);
        if let Some(previous) = self.close.replace(bar.close) {
            self.path
                .push(bar.end, Sums([(bar.close - previous).abs()]));
        }
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let Sums([path]) = self.path.at(now)?;
        Some(ratio(self.net?, path))
    }
}

pub(crate) fn efficiency(args: &Args<'_>) -> Result<Built, FeatureError> {
    let window = args.whole("window", 1)?;
    args.on_bars(Efficiency {
        closes: Lag::new(window),
        close: None,
        net: None,
        path: Window::count(window),
    })
}
