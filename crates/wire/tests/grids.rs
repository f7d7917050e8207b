//! Quantities finer than the instrument's grid: kept exactly, each kind on a grid of its own.

use cq_types::Grid;
use cq_wire::binance::{Archive, ArchiveKind, Decoder};
use cq_wire::{Batch, LineError, Lines, WireError, FINEST_QTY_EXP};

const GRID: Grid = Grid {
    price_exp: 2,
    qty_exp: 3,
};
const DEPTH: &str = r#"{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":2,"u":5,"pu":1,"b":[["58710.20","0.014"],["61510.90","0.000"]],"a":[["61800.30","2.5"]]}"#;
const TRADE: &str = r#"{"e":"trade","E":1680652700455,"T":1680652700452,"s":"BTCUSDT","t":7,"p":"28145.10","q":"0.002","X":"MARKET","m":true}"#;
const TICKER: &str = r#"{"e":"bookTicker","u":5,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256315}"#;

fn frames(frames: &[&str]) -> Result<Batch, WireError> {
    let mut decoder = Decoder::new("BTCUSDT".to_owned(), GRID);
    for frame in frames {
        decoder.frame(1, frame.as_bytes())?;
    }
    Ok(decoder.take())
}

fn rows(kind: ArchiveKind, text: &str) -> Result<Batch, LineError> {
    let mut lines = Lines::new(Archive::new(kind, GRID));
    lines.feed(text.as_bytes())?;
    lines.finish()?;
    Ok(lines.decoder().take())
}

#[test]
fn a_fine_quantity_moves_its_own_kind_and_no_other() {
    let dust = TRADE.replace("0.002", "4690.34389600");
    let batch = frames(&[DEPTH, TRADE, &dust, TICKER]).unwrap();
    assert_eq!(batch.trades.qty_exp, FINEST_QTY_EXP);
    assert_eq!(batch.trades.qty, [200_000, 469_034_389_600]);
    assert_eq!(batch.trades.px, [2_814_510; 2]);
    assert_eq!((batch.deltas.qty_exp, batch.quotes.qty_exp), (3, 3));
    assert_eq!(batch.deltas.qty, [14, 0, 2_500]);
    assert_eq!(batch.quotes.bid_qty, [2_507]);
}

#[test]
fn a_fine_level_moves_the_levels_before_it_in_its_frame() {
    let dust = DEPTH.replace("\"2.5\"", "\"2.50000001\"");
    let deltas = frames(&[DEPTH, &dust]).unwrap().deltas;
    let coarse = [1_400_000, 0, 250_000_000];
    assert_eq!(deltas.qty[..3], coarse);
    assert_eq!(deltas.qty[3..], [1_400_000, 0, 250_000_001]);
}

#[test]
fn a_fine_quantity_of_either_side_moves_both() {
    for (fine, expected) in [
        (
            TICKER.replace("2.507", "2.50700001"),
            (250_700_001, 251_000_000),
        ),
        (
            TICKER.replace("2.510", "2.51000001"),
            (250_700_000, 251_000_001),
        ),
    ] {
        let quotes = frames(&[TICKER, &fine]).unwrap().quotes;
        assert_eq!(quotes.bid_qty, [250_700_000, expected.0]);
        assert_eq!(quotes.ask_qty, [251_000_000, expected.1]);
    }
}

#[test]
fn archive_rows_move_to_the_finer_grid_alike() {
    let trades =
        "7,28145.1,0.002,56,1680652700452,true\n8,28145.1,0.00000001,56,1680652700452,true";
    let made = rows(ArchiveKind::Trades, trades).unwrap().trades;
    assert_eq!((made.qty_exp, made.qty), (8, vec![200_000, 1]));
    let agg = "7,28145.1,0.5,1,2,1680652700452,true\n8,28145.1,0.0001,3,3,1680652700452,true";
    let made = rows(ArchiveKind::AggTrades, agg).unwrap().agg_trades;
    assert_eq!(made.qty, [50_000_000, 10_000]);
    let ticker = "5,10.0,3.5,10.1,3.50001,1680652700452,1680652700455";
    let made = rows(ArchiveKind::BookTicker, ticker).unwrap().quotes;
    assert_eq!(
        (made.bid_qty[0], made.ask_qty[0]),
        (350_000_000, 350_001_000)
    );
}

#[test]
fn what_no_grid_holds_is_refused() {
    let nine = TRADE.replace("0.002", "0.000000001");
    assert!(matches!(
        frames(&[&nine]),
        Err(WireError::OffGrid { exp: 8, .. })
    ));
    let large = TRADE.replace("0.002", "900000000000000");
    let dust = TRADE.replace("0.002", "0.0000001");
    assert!(matches!(
        frames(&[&large, &dust]),
        Err(WireError::OffGrid { exp: 3, .. })
    ));
    let price = TRADE.replace("28145.10", "28145.105");
    assert!(matches!(
        frames(&[&price]),
        Err(WireError::OffGrid { exp: 2, .. })
    ));
    let price = "7,28145.105,0.002,56,1680652700452,true";
    assert!(rows(ArchiveKind::Trades, price).is_err());
}

#[test]
fn the_largest_id_breaks_no_chain_and_nothing_else() {
    let last = TRADE.replace("\"t\":7", &format!("\"t\":{}", i64::MAX));
    assert_eq!(frames(&[&last, &last]).unwrap().trades.id, [i64::MAX; 2]);
}
