//! A small venue: spot, linear and inverse contracts with short, dated rules.

use std::sync::Arc;

use cq_ledger::{Fill, Funding, Ledger, LedgerError, Valuation, Wallet};
use cq_types::{
    Bracket, BracketUnit, Contract, Dated, Fees, Grid, Instrument, InstrumentIdx, Px, Qty, Ts,
};
use rust_decimal::Decimal;

pub(crate) const SPOT: InstrumentIdx = 0;
pub(crate) const PERP: InstrumentIdx = 1;
pub(crate) const COIN: InstrumentIdx = 2;
pub(crate) const ETH: InstrumentIdx = 3;

pub(crate) const SPOT_WALLET: usize = 0;
pub(crate) const USDM: usize = 1;
pub(crate) const COINM: usize = 2;

pub(crate) const HOUR: Ts = 3_600_000_000_000;
/// From here on taker fees and brackets are others.
pub(crate) const NEW_RULES: Ts = 1_000 * HOUR;

pub(crate) fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn tier(cap: Option<&str>, mmr: &str, cum: &str) -> Bracket {
    Bracket {
        cap: cap.map(d),
        mmr: d(mmr),
        max_leverage: 10,
        cum: d(cum),
    }
}

pub(crate) fn instrument(id: &str, contract: Contract, price_exp: u8, qty_exp: u8) -> Instrument {
    let spot = contract == Contract::Spot;
    let fees = |maker: &str, taker: &str| Fees {
        maker: d(maker),
        taker: d(taker),
    };
    let old = vec![tier(Some("10000"), "0.004", "0"), tier(None, "0.01", "60")];
    let new = vec![tier(None, "0.02", "0")];
    Instrument {
        id: id.to_owned(),
        contract,
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        settle: "USDT".to_owned(),
        multiplier: Decimal::ONE,
        grid: Grid { price_exp, qty_exp },
        tick: Dated::new(vec![(0, Px(1))]).unwrap(),
        lot: Dated::new(vec![(0, Qty(1))]).unwrap(),
        min_notional: Dated::new(vec![(0, Decimal::ZERO)]).unwrap(),
        fees: Dated::new(vec![
            (0, fees("-0.0001", "0.0005")),
            (NEW_RULES, fees("0.0002", "0.0004")),
        ])
        .unwrap(),
        price_bands: None,
        brackets: if spot {
            None
        } else {
            Dated::new(vec![(0, old), (NEW_RULES, new)])
        },
        bracket_unit: BracketUnit::Quote,
        liquidation_fee: None,
        valid_from: None,
        valid_to: None,
    }
}

pub(crate) fn instruments() -> Vec<Instrument> {
    let mut coin = instrument("BTCUSD-PERP", Contract::Inverse, 1, 0);
    "USD".clone_into(&mut coin.quote);
    "BTC".clone_into(&mut coin.settle);
    coin.multiplier = d("100");
    let mut eth = instrument("ETHUSDT-PERP", Contract::Linear, 2, 3);
    "ETH".clone_into(&mut eth.base);
    vec![
        instrument("BTCUSDT", Contract::Spot, 2, 5),
        instrument("BTCUSDT-PERP", Contract::Linear, 2, 3),
        coin,
        eth,
    ]
}

pub(crate) fn wallets() -> Vec<Wallet> {
    let wallet = |name: &str, assets: &[&str], instruments: &[InstrumentIdx]| Wallet {
        name: name.to_owned(),
        assets: assets.iter().map(|a| (*a).to_owned()).collect(),
        instruments: instruments.to_vec(),
    };
    vec![
        wallet("spot", &["USDT", "BTC"], &[SPOT]),
        wallet("usdm", &["USDT"], &[PERP, ETH]),
        wallet("coinm", &["BTC"], &[COIN]),
    ]
}

pub(crate) fn usdt() -> Valuation {
    Valuation {
        asset: "USDT".to_owned(),
        at_par: vec!["USD".to_owned()],
    }
}

pub(crate) fn ledger_of(sleeves: &[&str]) -> Ledger {
    let sleeves = sleeves.iter().map(|s| (*s).to_owned()).collect();
    let instruments: Arc<[Instrument]> = instruments().into();
    Ledger::new(instruments, sleeves, wallets(), &usdt()).unwrap()
}

/// One sleeve, 10 000 USDT in the usdm and in the spot wallet, everything marked at 50 000.
pub(crate) fn funded() -> Ledger {
    let mut ledger = ledger_of(&["only"]);
    mark_all(&mut ledger, "50000");
    ledger.deposit(0, 0, USDM, "USDT", d("10000")).unwrap();
    ledger
        .deposit(0, 0, SPOT_WALLET, "USDT", d("10000"))
        .unwrap();
    ledger
}

pub(crate) fn px(instrument: InstrumentIdx, text: &str) -> Px {
    instruments()[usize::from(instrument)]
        .grid
        .parse_px(text)
        .unwrap()
}

pub(crate) fn qty(instrument: InstrumentIdx, text: &str) -> Qty {
    instruments()[usize::from(instrument)]
        .grid
        .parse_qty(text)
        .unwrap()
}

pub(crate) fn mark(ledger: &mut Ledger, instrument: InstrumentIdx, price: &str) {
    ledger.mark(instrument, px(instrument, price)).unwrap();
}

pub(crate) fn mark_all(ledger: &mut Ledger, price: &str) {
    for instrument in [SPOT, PERP, COIN, ETH] {
        mark(ledger, instrument, price);
    }
}

/// A fill at its reference price, without fee or impact.
pub(crate) fn plain(ts: Ts, instrument: InstrumentIdx, quantity: &str, price: &str) -> Fill {
    Fill {
        ts,
        instrument,
        px: px(instrument, price),
        qty: qty(instrument, quantity),
        fee: Decimal::ZERO,
        reference: px(instrument, price),
        impact: Decimal::ZERO,
    }
}

pub(crate) fn buy(
    ledger: &mut Ledger,
    ts: Ts,
    instrument: InstrumentIdx,
    quantity: &str,
    price: &str,
) -> Result<(), LedgerError> {
    let fill = plain(ts, instrument, quantity, price);
    ledger.apply_fill(&fill, &[(0, fill.qty)]).map(|_| ())
}

pub(crate) fn funding(ts: Ts, instrument: InstrumentIdx, rate: &str, price: &str) -> Funding {
    Funding {
        ts,
        instrument,
        rate: d(rate),
        mark: px(instrument, price),
    }
}
