use cq_ledger::{Ledger, LedgerError, Parts, Share};
use cq_sim::Request;
use cq_types::{InstrumentIdx, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Sent; the venue has not answered.
    Sent,
    /// Accepted; works at the venue.
    Working,
    /// Waited for its trigger, and works as a limit order.
    Triggered,
    /// Traded in full.
    Filled,
    /// Ended before it was filled.
    Cancelled,
    /// Refused by the venue.
    Rejected,
}

impl OrderStatus {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Working => "working",
            Self::Triggered => "triggered",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }
}

/// One order as we know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// When it was decided.
    pub ts: Ts,
    /// When it, its last amendment or its cancellation was asked for.
    pub asked: Ts,
    /// What was asked for.
    pub request: Request,
    /// Whose it is; signed, sums to the signed quantity.
    pub allocations: Parts,
    /// Quantity we know to be traded.
    pub filled: Qty,
    /// What became of it, as far as we know.
    pub status: OrderStatus,
    /// Why the venue refused or ended it, while it is open why it refused its last amendment or
    /// cancellation; empty otherwise.
    pub reason: &'static str,
    /// Whether its cancellation was asked for and is not answered.
    pub is_cancelling: bool,
    /// How many answers to it have arrived.
    pub answers: u32,
    /// `data_end`, `delisted`, `liquidation` or `adl` for the venue's own closing orders; empty
    /// otherwise.
    pub tag: &'static str,
}

impl OrderRow {
    /// Whether it may still trade, as far as we know.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status == OrderStatus::Sent || self.works()
    }

    /// Whether a cancellation may be asked for: it works, and none is on its way.
    #[must_use]
    pub fn can_cancel(&self) -> bool {
        self.works() && !self.is_cancelling
    }

    /// Whether the venue has it, as far as we know.
    #[must_use]
    pub fn works(&self) -> bool {
        matches!(self.status, OrderStatus::Working | OrderStatus::Triggered)
    }
}

/// One fill, when we learned of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillRow {
    /// Our order.
    pub order: u64,
    /// Venue time.
    pub ts_event: Ts,
    /// When we learned of it.
    pub ts_recv: Ts,
    /// What was traded.
    pub instrument: InstrumentIdx,
    /// Side of our order.
    pub side: Side,
    /// Price.
    pub px: Px,
    /// Quantity, positive.
    pub qty: Qty,
    /// Fee in the settle asset, positive if paid.
    pub fee: Decimal,
    /// Price the market stood at before our spread and impact.
    pub reference: Px,
    /// Own impact in price units, positive if it cost.
    pub impact: Decimal,
    /// Whether we took liquidity.
    pub is_taker: bool,
    /// What each sleeve had of it, as it was booked.
    pub shares: Vec<Share>,
    /// As [`OrderRow::tag`].
    pub tag: &'static str,
}

/// One order of a liquidation, and how the insurance fund settled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiquidationRow {
    /// The venue's order.
    pub order: u64,
    /// Venue time.
    pub ts_event: Ts,
    /// When we learned of it.
    pub ts_recv: Ts,
    /// What was closed.
    pub instrument: InstrumentIdx,
    /// Side of the closing order.
    pub side: Side,
    /// Quantity, positive.
    pub qty: Qty,
    /// Worst price: nothing of the margin is left at it.
    pub bankruptcy: Px,
    /// Whether the insurance fund took it over at that price.
    pub is_takeover: bool,
    /// What the fund paid in the settle asset once all was closed; negative: it took the rest.
    pub insurance: Decimal,
    /// What the wallet lacked at the mark.
    pub deficit: Decimal,
    /// Whether the fund lacked that too: winners were deleveraged.
    pub is_adl: bool,
}

/// Equity rows as columns; money is an integer count of `10^-SCALE`.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Sample times.
    pub ts: Vec<Ts>,
    /// Money columns, by name.
    pub money: Vec<(String, Vec<i128>)>,
    /// Signed positions in grid units, by name.
    pub positions: Vec<(String, Vec<i64>)>,
    /// Maintenance margin over margin balance per wallet asset; NaN where nothing is left.
    pub ratios: Vec<(String, Vec<f64>)>,
}

impl Rows {
    /// Decimals of the money columns: enough for every exact amount of a ledger.
    pub const SCALE: u32 = 18;

    /// An amount as an integer count of `10^-SCALE`, exact.
    ///
    /// # Errors
    /// When it has more decimals or digits than that.
    pub fn scaled(value: Decimal) -> Result<i128, LedgerError> {
        let value = value.normalize();
        let missing = Self::SCALE.checked_sub(value.scale());
        missing
            .and_then(|n| value.mantissa().checked_mul(10_i128.pow(n)))
            .ok_or(LedgerError::Overflow("amount of a row"))
    }

    /// Samples the ledger as it is.
    pub(crate) fn sample(&mut self, ts: Ts, ledger: &Ledger) -> Result<(), LedgerError> {
        let mut row = Row::default();
        row.read(ts, ledger)?;
        self.ts.push(ts);
        append(&mut self.money, row.money);
        append(&mut self.positions, row.positions);
        append(&mut self.ratios, row.ratios);
        Ok(())
    }
}

fn append<T>(columns: &mut Vec<(String, Vec<T>)>, row: Vec<(Name<'_>, T)>) {
    if columns.is_empty() {
        let named = |(name, value): (Name<'_>, T)| (name.text(), vec![value]);
        columns.extend(row.into_iter().map(named));
        return;
    }
    for ((_, column), (_, value)) in columns.iter_mut().zip(row) {
        column.push(value);
    }
}

/// A column's name, put together only once.
struct Name<'a> {
    parts: [&'a str; 3],
}

impl Name<'_> {
    fn text(&self) -> String {
        let full = self.parts.iter().filter(|part| !part.is_empty());
        full.copied().collect::<Vec<_>>().join(".")
    }
}

fn name<'a>(a: &'a str, b: &'a str, c: &'a str) -> Name<'a> {
    Name { parts: [a, b, c] }
}

#[derive(Default)]
struct Row<'a> {
    money: Vec<(Name<'a>, i128)>,
    positions: Vec<(Name<'a>, i64)>,
    ratios: Vec<(Name<'a>, f64)>,
}

impl<'a> Row<'a> {
    fn read(&mut self, ts: Ts, ledger: &'a Ledger) -> Result<(), LedgerError> {
        self.put(name("equity", "", ""), ledger.equity()?)?;
        for (index, sleeve) in ledger.sleeves().iter().enumerate() {
            self.put(name("equity", sleeve, ""), ledger.sleeve_equity(index)?)?;
            self.put(name("deposits", sleeve, ""), ledger.deposits(index)?)?;
            let part = ledger.attribution(index)?;
            for (what, value) in [
                ("price", part.price),
                ("funding", part.funding),
                ("basis", part.basis),
                ("fees", part.fees),
                ("spread", part.spread),
                ("impact", part.impact),
                ("transfer_fees", part.transfer_fees),
            ] {
                self.put(name(what, sleeve, ""), value)?;
            }
        }
        for (index, instrument) in (0..).zip(ledger.instruments()) {
            let held = ledger.position(index).qty.0;
            self.positions
                .push((name("position", &instrument.id, ""), held));
            for (s, sleeve) in ledger.sleeves().iter().enumerate() {
                let held = ledger.sleeve_position(s, index).qty.0;
                let column = name("position", sleeve, &instrument.id);
                self.positions.push((column, held));
            }
        }
        for (index, wallet) in ledger.wallets().iter().enumerate() {
            for asset in &wallet.assets {
                let balance = ledger.balance(index, asset)?;
                self.put(name("balance", &wallet.name, asset), balance)?;
                let sent = ledger.in_flight(index, asset)?;
                self.put(name("in_flight", &wallet.name, asset), sent)?;
                let margin = ledger.margin(index, asset, ts)?;
                let ratio = margin.ratio().and_then(|r| f64::try_from(r).ok());
                let column = name("margin_ratio", &wallet.name, asset);
                self.ratios.push((column, ratio.unwrap_or(f64::NAN)));
            }
        }
        Ok(())
    }

    fn put(&mut self, column: Name<'a>, value: Decimal) -> Result<(), LedgerError> {
        self.money.push((column, Rows::scaled(value)?));
        Ok(())
    }
}
