use std::collections::HashMap;

use cq_ledger::Ledger;
use cq_sim::Purse;
use cq_types::{Account, Contract, Event, InstrumentIdx, Qty, Side};
use rust_decimal::Decimal;

use crate::record::OrderRow;

/// The sleeves' balances less what purchases on their way to us have already spent.
pub(crate) struct Purses<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) orders: &'a [OrderRow],
    pub(crate) index: &'a HashMap<u64, usize>,
    pub(crate) on_the_way: &'a std::collections::VecDeque<Event<Account>>,
}

impl Purses<'_> {
    /// What each buying sleeve of an order pays for a fill, one grid unit of quantity more
    /// than its share: a partial fill is split to whole units. `None` where that has more
    /// digits than money has.
    fn shares(&self, order: u64, qty: Qty, cost: Decimal) -> Option<Vec<(usize, Decimal)>> {
        let Some(row) = self.index.get(&order).map(|at| &self.orders[*at]) else {
            return Some(Vec::new());
        };
        let net = Decimal::from(row.request.qty.0.max(1));
        let unit = cost / Decimal::from(qty.0.max(1));
        row.allocations
            .iter()
            .filter(|(_, part)| part.0 > 0)
            .map(|(sleeve, part)| {
                let is_shared = row.allocations.len() > 1;
                let slack = if is_shared { unit } else { Decimal::ZERO };
                let whole = cost.checked_mul(Decimal::from(part.0))?;
                Some((*sleeve, whole / net + slack))
            })
            .collect()
    }

    /// What a fill that is on its way will take from `sleeve` in the same asset and wallet.
    fn spent(&self, event: &Event<Account>, sleeve: usize, instrument: InstrumentIdx) -> Decimal {
        let Account::Fill {
            order,
            px,
            qty,
            side: Side::Buy,
            fee,
            ..
        } = event.body
        else {
            return Decimal::ZERO;
        };
        let all = self.ledger.instruments();
        let (paid, asked) = (
            &all[usize::from(event.instrument)],
            &all[usize::from(instrument)],
        );
        let is_same = self.ledger.wallet_of(event.instrument) == self.ledger.wallet_of(instrument)
            && paid.settle == asked.settle;
        if paid.contract != Contract::Spot || !is_same {
            return Decimal::ZERO;
        }
        let cost = paid.notional(px, qty) + fee;
        let shares = self.shares(order, qty, cost).unwrap_or_default();
        let own = shares.iter().filter(|(s, _)| *s == sleeve);
        own.map(|(_, amount)| *amount).sum()
    }
}

impl Purse for Purses<'_> {
    fn can_pay(
        &self,
        order: u64,
        instrument: InstrumentIdx,
        qty: Qty,
        cost: Decimal,
        unseen: &[Event<Account>],
    ) -> bool {
        let Some(wallet) = self.ledger.wallet_of(instrument) else {
            return false;
        };
        let settle = &self.ledger.instruments()[usize::from(instrument)].settle;
        let Some(shares) = self.shares(order, qty, cost) else {
            return false;
        };
        shares.iter().all(|(sleeve, needed)| {
            let balance = self.ledger.sleeve_balance(*sleeve, wallet, settle);
            let waiting = self.on_the_way.iter().chain(unseen);
            let spent: Decimal = waiting.map(|e| self.spent(e, *sleeve, instrument)).sum();
            balance.is_ok_and(|has| has - spent >= *needed)
        })
    }
}
