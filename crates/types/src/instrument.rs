use rust_decimal::Decimal;

use crate::{Dated, Grid, Px, Qty, Ts};

/// Position of an instrument in a run's instrument list.
pub type InstrumentIdx = u16;

/// How a contract turns price moves into money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contract {
    /// The asset itself changes hands; settled in the quote asset.
    Spot,
    /// P&L in the quote asset: `q (exit - entry)`.
    Linear,
    /// P&L in the base asset: `q (1/entry - 1/exit)`, `q` in quote units.
    Inverse,
}

/// Fee fractions of notional; a negative maker fee is a rebate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// Charged on resting fills.
    pub maker: Decimal,
    /// Charged on aggressive fills.
    pub taker: Decimal,
}

/// One maintenance-margin tier, up to `cap` of notional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    /// Largest notional of the tier, in the [`BracketUnit`] (`None`: no cap).
    pub cap: Option<Decimal>,
    /// Maintenance margin rate, a fraction.
    pub mmr: Decimal,
    /// Largest leverage.
    pub max_leverage: u16,
    /// Cumulative maintenance amount: `MM = notional * mmr - cum`.
    pub cum: Decimal,
}

/// How far from the mark price orders may be; the mark's multiples are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceBands {
    /// A buy limit is at most this multiple of the mark.
    pub up: Decimal,
    /// A sell limit is at least this multiple of the mark.
    pub down: Decimal,
    /// A market order trades at most this fraction away from the mark.
    pub take: Decimal,
}

/// What the caps and the amounts of margin tiers are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BracketUnit {
    /// The quote asset, as tiers of linear contracts are.
    #[default]
    Quote,
    /// The base asset, as tiers of contracts that settle in coin are.
    Base,
}

/// A tradable contract and the venue's dated rules for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Id such as `BTCUSDT-PERP.BINANCE`.
    pub id: String,
    /// Spot, linear or inverse.
    pub contract: Contract,
    /// Asset that a quantity counts (for inverse: what P&L is paid in).
    pub base: String,
    /// Asset that prices are in.
    pub quote: String,
    /// Asset that P&L, fees and funding are paid in.
    pub settle: String,
    /// Units of base (linear, spot) or of quote (inverse) in one unit of quantity.
    pub multiplier: Decimal,
    /// Integer grid of recorded prices and quantities.
    pub grid: Grid,
    /// Order price increment, in grid units.
    pub tick: Dated<Px>,
    /// Order quantity increment, in grid units.
    pub lot: Dated<Qty>,
    /// Smallest order notional, in the quote asset.
    pub min_notional: Dated<Decimal>,
    /// Fees of the tier in use.
    pub fees: Dated<Fees>,
    /// Maintenance-margin tiers; `None` for spot.
    pub brackets: Option<Dated<Vec<Bracket>>>,
    /// What the tiers are counted in.
    pub bracket_unit: BracketUnit,
    /// Fraction of notional that the venue takes of what it liquidates, if a source says.
    pub liquidation_fee: Option<Dated<Decimal>>,
    /// Price bands from the first sourced row on; none before it, or where there is no row.
    pub price_bands: Option<Dated<PriceBands>>,
    /// First moment the contract was listed, if known.
    pub valid_from: Option<Ts>,
    /// First moment it was no longer tradable (a delisting), if any.
    pub valid_to: Option<Ts>,
}

impl Instrument {
    /// The venue that its id names, such as `BINANCE`: what follows the last dot.
    #[must_use]
    pub fn venue(&self) -> &str {
        self.id.rsplit_once('.').map_or("", |(_, venue)| venue)
    }

    /// Notional of `qty` (unsigned or signed) at `px`, exact.
    ///
    /// In the quote asset for spot and linear contracts; in the base asset for
    /// inverse ones (`q * multiplier / price`, 28 digits).
    #[must_use]
    pub fn notional(&self, px: Px, qty: Qty) -> Decimal {
        let size = self.grid.quantity(qty) * self.multiplier;
        match self.contract {
            Contract::Spot | Contract::Linear => size * self.grid.price(px),
            Contract::Inverse if px.0 == 0 => Decimal::ZERO,
            Contract::Inverse => size / self.grid.price(px),
        }
    }

    /// Whether a price is on the venue's tick at `ts`.
    #[must_use]
    pub fn is_on_tick(&self, px: Px, ts: Ts) -> bool {
        px.0 % self.tick.at(ts).0 .0 == 0
    }

    /// Whether a quantity is on the venue's lot at `ts`.
    #[must_use]
    pub fn is_on_lot(&self, qty: Qty, ts: Ts) -> bool {
        qty.0 % self.lot.at(ts).0 .0 == 0
    }

    /// The price bands at `ts`, where a source gives them.
    #[must_use]
    pub fn bands(&self, ts: Ts) -> Option<&PriceBands> {
        let (bands, is_sourced) = self.price_bands.as_ref()?.at(ts);
        is_sourced.then_some(bands)
    }

    /// The tiers in force at `ts`, lowest first; empty where none are known.
    #[must_use]
    pub fn tiers(&self, ts: Ts) -> &[Bracket] {
        self.brackets.as_ref().map_or(&[], |rows| rows.at(ts).0)
    }

    /// Largest position that a leverage allows at `ts`, in the [`BracketUnit`]; `None` where the
    /// tiers set no bound: see [`largest_position`].
    #[must_use]
    pub fn max_position(&self, leverage: u16, ts: Ts) -> Option<Decimal> {
        largest_position(self.tiers(ts), leverage)
    }

    /// The tier of a notional in the [`BracketUnit`]; above every cap it is the last.
    #[must_use]
    pub fn tier_of(&self, notional: Decimal, ts: Ts) -> Option<usize> {
        let tiers = self.tiers(ts);
        let within = |tier: &Bracket| tier.cap.is_none_or(|cap| notional <= cap);
        let last = tiers.len().checked_sub(1)?;
        Some(tiers.iter().position(within).unwrap_or(last))
    }

    /// Maintenance margin of a notional at `ts`, both in the [`BracketUnit`]:
    /// `notional * mmr - cum` of its tier.
    #[must_use]
    pub fn maintenance_margin(&self, notional: Decimal, ts: Ts) -> Decimal {
        let tier = self.tier_of(notional, ts).map(|at| self.tiers(ts)[at]);
        tier.map_or(Decimal::ZERO, |t| notional * t.mmr - t.cum)
    }
}

/// Largest position that a leverage allows: the cap of the highest tier whose own is no lower, and
/// nothing where none is.
///
/// `None` where the last tier allows it: there the rows end, and a source may know more of them.
#[must_use]
pub fn largest_position(tiers: &[Bracket], leverage: u16) -> Option<Decimal> {
    let allows = |tier: &Bracket| tier.max_leverage >= leverage;
    match tiers.iter().rposition(allows) {
        Some(highest) if highest + 1 == tiers.len() => None,
        Some(highest) => tiers[highest].cap,
        None => (!tiers.is_empty()).then_some(Decimal::ZERO),
    }
}
