//! Clear cases, told by bounds in floats: an order that is paid many times over and far from the
//! largest position, a position that what is there covers in full. What is not clear is computed
//! exactly; nothing is booked from these, and no bound is on the side of the account.

use cq_types::{BracketUnit, Contract, InstrumentIdx, Px, Side, Ts};

use crate::approx::approx;
use crate::opening::Opening;
use crate::pool::Pool;
use crate::{MarginAccount, Safe, VenueMarks};

/// Largest sum that is clear: amounts far below the limit of what can be counted.
const LARGEST: f64 = 1e11;
/// More than the rounding of any float sum here, as a part of what was added up.
const SLACK: f64 = 1e-9;
/// More than the rounding of all amounts that are booked, in the settle asset.
const BOOKED: f64 = 1e-5;

/// Orders of one linear contract that work and may open a position, of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoughOrders {
    /// Notional in the settle asset, each at its assumed price.
    pub worth: f64,
    /// Units of base.
    pub size: f64,
}

impl MarginAccount {
    /// Whether an order is clearly paid and allowed, with what works already: [`Self::can_open`]
    /// and [`Self::allows`] are then true.
    ///
    /// `orders` tells of each contract what works without the order. All of it counts as if nothing
    /// netted.
    pub fn clearly_opens(
        &self,
        asked: Opening,
        orders: impl Fn(InstrumentIdx) -> RoughOrders,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> bool {
        let Some(Pool::Cross(slot)) = self.pool(asked.instrument) else {
            return false;
        };
        let mut free = approx(self.holdings.balances[slot]);
        let (mut needed, mut gross) = (0.0, free.abs());
        for index in self.contracts(Pool::Cross(slot)) {
            let i = usize::from(index);
            let traded = &self.layout.instruments[i];
            if traded.contract != Contract::Linear {
                return false;
            }
            let leverage = f64::from(self.leverage[i]);
            let unit = approx(traded.multiplier);
            let worth =
                |px: Px, qty| traded.grid.price_f64(px) * traded.grid.quantity_f64(qty) * unit;
            let RoughOrders {
                worth: mut working,
                mut size,
            } = orders(index);
            let is_own = index == asked.instrument;
            if is_own {
                let Some(mark) = marks[i] else {
                    return false;
                };
                let own = worth(asked.px, asked.qty);
                let loss = match asked.side {
                    Side::Buy => own - worth(mark, asked.qty),
                    Side::Sell => worth(mark, asked.qty) - own,
                };
                working += own;
                size += traded.grid.quantity_f64(asked.qty) * unit;
                let fee = approx(traded.fees.at(ts).0.taker).abs() * own;
                needed += loss.max(0.0) + fee;
            }
            needed += working / leverage;
            gross += working * 2.0;
            let mut counted = working;
            let position = &self.holdings.positions[i];
            if position.qty.0 != 0 {
                let Some(mark) = marks[i] else {
                    return false;
                };
                let (held, cost) = (worth(mark, position.qty), approx(position.cost));
                free += held - cost;
                needed += held.abs() / leverage;
                gross += held.abs() + cost.abs();
                counted += held.abs();
                size += traded.grid.quantity_f64(position.qty).abs() * unit;
            }
            if traded.bracket_unit == BracketUnit::Base {
                counted = size;
            }
            if is_own && counted * (1.0 + SLACK) > self.allowed[i] {
                return false;
            }
        }
        gross < LARGEST && needed + gross * SLACK + BOOKED <= free
    }

    /// Marks of a linear contract at which what is there, less all that the position could lose,
    /// is more than the position is worth: no tier asks for as much. `None` where another contract
    /// of its pool is held, or nothing is.
    #[must_use]
    pub fn covered(&self, instrument: InstrumentIdx, pool: Pool) -> Option<Safe> {
        let traded = &self.layout.instruments[usize::from(instrument)];
        let position = self.position(instrument);
        let is_own = !matches!(pool, Pool::Shared(_)) && traded.contract == Contract::Linear;
        let is_mild = self.layout.is_mild[usize::from(instrument)];
        if !is_own
            || !is_mild
            || position.qty.0 == 0
            || self.held(pool).any(|other| other != instrument)
        {
            return None;
        }
        let there = approx(self.collateral(pool, &[], 0).ok()??);
        let cost = approx(position.cost);
        let gross = there.abs() + cost.abs();
        // What there would be, were the position worth nothing.
        let left = there - cost - gross * SLACK - BOOKED;
        if gross >= LARGEST || left <= 0.0 {
            return None;
        }
        if position.qty.0 > 0 {
            return Some(Safe::ALWAYS);
        }
        let size = traded.grid.quantity_f64(position.qty).abs() * approx(traded.multiplier);
        let grid = 10_f64.powi(i32::from(traded.grid.price_exp));
        let high = left / (2.0 * size) * grid * (1.0 - SLACK);
        #[allow(clippy::cast_possible_truncation)]
        // a float beyond all integers becomes the largest
        let high = Px(high.floor() as i64);
        Some(Safe {
            high,
            ..Safe::ALWAYS
        })
    }
}
