//! Order flow imbalance.

use cq_types::{Side, Ts};

use crate::args::{Args, Built};
use crate::operator::{Input, OnGap, Operator, Topic};
use crate::state::state;
use crate::window::{Sums, Window};
use crate::FeatureError;

/// Sum over a window, and over the best levels, of what each update added to the bid and took
/// from the ask (Cont, Kukanov & Stoikov 2014; levels as in Xu, Gould & Howison 2018), in
/// quantity units.
struct Ofi {
    levels: usize,
    /// Bid price, bid quantity, ask price, ask quantity of each level before this update.
    before: Vec<[f64; 4]>,
    now: Vec<[f64; 4]>,
    window: Window<Sums<1>>,
}

state!(Ofi { before, window });

/// What one level's change adds: `before` and `after` are bid, bid quantity, ask, ask quantity.
fn contribution(before: [f64; 4], after: [f64; 4]) -> f64 {
    let [bid_was, bid_qty_was, ask_was, ask_qty_was] = before;
    let [bid, bid_qty, ask, ask_qty] = after;
    let mut sum = 0.0;
    if bid >= bid_was {
        sum += bid_qty;
    }
    if bid <= bid_was {
        sum -= bid_qty_was;
    }
    if ask <= ask_was {
        sum -= ask_qty;
    }
    if ask >= ask_was {
        sum += ask_qty_was;
    }
    sum
}

impl Ofi {
    fn read(&mut self, input: &Input<'_>) -> Option<Ts> {
        self.now.clear();
        match input {
            Input::Book { ts, grid, book, .. } => {
                let bids = book.levels(Side::Buy, self.levels);
                let asks = book.levels(Side::Sell, self.levels);
                self.now.extend(bids.zip(asks).map(|(bid, ask)| {
                    [
                        grid.price_f64(bid.0),
                        grid.quantity_f64(bid.1),
                        grid.price_f64(ask.0),
                        grid.quantity_f64(ask.1),
                    ]
                }));
                Some(*ts)
            }
            Input::Quote { ts, top } => {
                let level = [top.bid, top.bid_qty, top.ask, top.ask_qty];
                self.now.push(level);
                Some(*ts)
            }
            _ => None,
        }
    }
}

impl Operator for Ofi {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        let Some(ts) = self.read(input) else {
            return;
        };
        self.window.open(ts);
        let pairs = self.before.iter().zip(&self.now);
        let sum: f64 = pairs.map(|(before, now)| contribution(*before, *now)).sum();
        if sum != 0.0 {
            self.window.push(ts, Sums([sum]));
        }
        std::mem::swap(&mut self.before, &mut self.now);
    }
    fn value(&self, now: Ts) -> f64 {
        self.window.at(now).map_or(f64::NAN, |Sums([sum])| sum)
    }
}

pub(crate) fn ofi(args: &Args<'_>) -> Result<Built, FeatureError> {
    let levels = args.whole("levels", 1)?;
    let topic = args.top()?;
    if levels > 1 && matches!(topic, Topic::Quotes(_)) {
        return Err(args.bad("levels", "1 where the top comes from quotes"));
    }
    Ok(Built {
        operator: Box::new(Ofi {
            levels,
            before: Vec::new(),
            now: Vec::new(),
            window: Window::ticks(args.seconds("window_s")?),
        }),
        topics: vec![topic],
        on_gap: OnGap::Reset,
    })
}
