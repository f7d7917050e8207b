//! Frames as Binance sends them, hand-checked, and frames as it never would.

use cq_types::flags::SYNTHETIC_EVENT;
use cq_types::{flags, Grid, Side};
use cq_wire::binance::{Archive, ArchiveKind, Decoder};
use cq_wire::{Batch, Lines, WireError, MISSING};
use proptest::prelude::*;

const GRID: Grid = Grid {
    price_exp: 2,
    qty_exp: 3,
};
const RECV: i64 = 1_723_161_255_030_314_667;

const DEPTH: &str = r#"{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"],["61510.90","0.000"]],"a":[["61800.30","2.5"]]}}"#;
const TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1680652700455,"T":1680652700452,"s":"BTCUSDT","t":3535186032,"p":"28145.10","q":"0.002","X":"MARKET","m":true}}"#;
const AGG: &str = r#"{"e":"aggTrade","E":1680652700455,"s":"BTCUSDT","a":26129,"p":"28145.10","q":"0.002","nq":"0.001","f":100,"l":105,"T":1680652700452,"m":false}"#;
const TICKER: &str = r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","ps":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256315}}"#;
const SPOT_TICKER: &str = r#"{"stream":"btcusdt@bookTicker","data":{"u":36090299876,"s":"BTCUSDT","b":"28165.47000000","B":"7.98600000","a":"28165.48000000","A":"3.26800000"}}"#;
const MARK: &str = r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1680652701000,"s":"BTCUSDT","p":"28147.27373413","P":"28142.15563565","i":"28159.75642857","r":"-0.00002754","T":1680652800000}}"#;
const SNAPSHOT: &str = r#"{"lastUpdateId": 2710246765483, "E": 1680652700590, "T": 1680652700580, "bids": [["28145.10", "3.818"], ["28145.00", "0.413"]], "asks": [["28145.20", "1"]]}"#;

fn decode(frames: &[&str]) -> Result<Batch, WireError> {
    let mut decoder = Decoder::new("BTCUSDT".to_owned(), GRID);
    for frame in frames {
        decoder.frame(RECV, frame.as_bytes())?;
    }
    Ok(decoder.take())
}

#[test]
fn a_depth_frame_becomes_one_row_a_level() {
    let d = decode(&[DEPTH]).unwrap().deltas;
    assert_eq!(d.px, [5_871_020, 6_151_090, 6_180_030]);
    assert_eq!(d.qty, [14, 0, 2_500]);
    assert_eq!(d.side, [1, 1, -1]);
    assert_eq!(d.ts_event, [1_723_161_256_298_000_000; 3]);
    assert_eq!(d.ts_recv, [RECV; 3]);
    assert_eq!(d.first_id, [5_123_107_832_006; 3]);
    assert_eq!(d.last_id, [5_123_107_837_557; 3]);
    assert_eq!(d.prev_id, [5_123_107_831_937; 3]);
    assert_eq!(d.flags, [0, 0, flags::LAST]);
}

#[test]
fn a_frame_without_levels_still_moves_the_chain() {
    let empty = DEPTH.replace(
        r#""b":[["58710.20","0.014"],["61510.90","0.000"]],"a":[["61800.30","2.5"]]"#,
        r#""b":[],"a":[]"#,
    );
    let d = decode(&[&empty]).unwrap().deltas;
    assert_eq!(
        (d.side, d.qty, d.flags),
        (vec![0], vec![0], vec![flags::LAST])
    );
}

#[test]
fn a_snapshot_is_flagged_and_has_one_id() {
    let d = decode(&[SNAPSHOT]).unwrap().deltas;
    assert_eq!(d.px, [2_814_510, 2_814_500, 2_814_520]);
    assert_eq!(d.side, [1, 1, -1]);
    assert_eq!(d.last_id, [2_710_246_765_483; 3]);
    assert_eq!(d.prev_id, [MISSING; 3]);
    let snap = flags::SNAPSHOT;
    assert_eq!(d.flags, [snap, snap, snap | flags::LAST]);
}

#[test]
fn the_buyer_being_maker_means_that_the_seller_was_the_aggressor() {
    let fund = TRADE.replace("MARKET", "INSURANCE_FUND");
    let t = decode(&[TRADE, &fund]).unwrap().trades;
    assert_eq!(i64::from(t.side[0]), Side::Sell.sign());
    assert_eq!((t.id[0], t.px[0], t.qty[0]), (3_535_186_032, 2_814_510, 2));
    assert_eq!(t.ts_event[0], 1_680_652_700_452_000_000);
    assert_eq!(t.flags, [0, flags::NOT_MARKET]);
    let a = decode(&[AGG]).unwrap().agg_trades;
    assert_eq!(
        (a.id[0], a.first_id[0], a.last_id[0], a.side[0]),
        (26_129, 100, 105, 1)
    );
}

#[test]
fn quotes_carry_the_matching_time_or_say_that_it_is_not_theirs() {
    let q = decode(&[SPOT_TICKER, TICKER, SPOT_TICKER]).unwrap().quotes;
    assert_eq!(q.bid, [2_816_547, 6_180_020, 2_816_547]);
    assert_eq!(q.ask_qty, [3_268, 2_510, 3_268]);
    assert_eq!(q.flags, [SYNTHETIC_EVENT, 0, SYNTHETIC_EVENT]);
    let published = 1_723_161_256_315_000_000;
    assert_eq!(q.ts_event, [RECV, 1_723_161_256_313_000_000, published]);
}

#[test]
fn mark_prices_keep_all_eight_decimals() {
    let m = decode(&[MARK]).unwrap().marks;
    assert_eq!(
        (m.mark[0], m.index[0]),
        (2_814_727_373_413, 2_815_975_642_857)
    );
    assert_eq!(
        (m.rate[0], m.next_funding[0]),
        (-2_754, 1_680_652_800_000_000_000)
    );
}

#[test]
fn key_order_white_space_and_unknown_fields_do_not_matter() {
    let turned = r#" { "data" : { "a":[["61800.30", "2.5", "x"]], "b":[["58710.20","0.014"],["61510.90","0.000"]], "new":{"deep":[1,{"e":"]"}]},
        "pu":5123107831937, "u":5123107837557, "U":5123107832006, "s":"BTCUSDT", "T":1723161256298, "E":1723161256299, "e":"depthUpdate" }, "stream":"x" } "#;
    let (plain, turned) = (decode(&[DEPTH]).unwrap(), decode(&[turned]).unwrap());
    let mut ordered = plain.deltas;
    ordered.px.rotate_right(1);
    ordered.qty.rotate_right(1);
    ordered.side.rotate_right(1);
    assert_eq!(ordered, turned.deltas);
}

#[test]
fn streams_without_a_column_are_counted_and_leave_no_level_behind() {
    let partial =
        r#"{"stream":"btcusdt@depth20","data":{"lastUpdateId":1,"bids":[["1","1"]],"asks":[]}}"#;
    let reply = r#"{"result":null,"id":1}"#;
    let mut decoder = Decoder::new("BTCUSDT".to_owned(), GRID);
    for frame in [partial, reply, DEPTH] {
        decoder.frame(RECV, frame.as_bytes()).unwrap();
    }
    let levels = decoder.take().deltas.px.len();
    let stats = decoder.stats();
    assert_eq!((stats.other, stats.depth, levels), (2, 1, 3));
}

#[test]
fn a_bad_frame_says_what_was_found_and_leaves_no_row() {
    let cases = [
        (
            DEPTH.replace("58710.20", "58710.205"),
            "more than 2 decimals",
        ),
        (
            DEPTH.replace("\"u\":5123107837557,", ""),
            "depthUpdate without \"u\"",
        ),
        (DEPTH[..DEPTH.len() - 3].to_owned(), "broken JSON"),
        (format!("{DEPTH}}}"), "the end of the frame"),
        (TRADE.replace("true", "maybe"), "broken JSON"),
        (TRADE.replace("true", "null"), "true or false"),
        (
            TRADE.replace("BTCUSDT", "ETHUSDT"),
            "expected symbol BTCUSDT, was ETHUSDT",
        ),
        (TRADE.replace("28145.10", "1e5"), "decimal number"),
        (TRADE.replace("1680652700452", "16806527"), "a time in ms"),
    ];
    for (frame, expected) in cases {
        let mut decoder = Decoder::new("BTCUSDT".to_owned(), GRID);
        let error = decoder.frame(RECV, frame.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.needs_resync());
        assert_eq!(decoder.take(), Batch::on(3));
    }
}

fn lines_of(text: &[u8], step: usize) -> Result<(Batch, u64), cq_wire::LineError> {
    let mut lines = Lines::new(Decoder::new("BTCUSDT".to_owned(), GRID));
    for chunk in text.chunks(step.max(1)) {
        lines.feed(chunk)?;
    }
    let count = lines.finish()?;
    Ok((lines.decoder().take(), count))
}

#[test]
fn a_capture_reads_alike_however_it_is_cut() {
    let text = format!("1680652700423575 {TRADE}\n1723161255030314667 {DEPTH}\r\n\n{RECV} {MARK}");
    let whole = lines_of(text.as_bytes(), text.len()).unwrap();
    assert_eq!(whole.0.trades.ts_recv, [1_680_652_700_423_575_000]);
    assert_eq!(whole.1, 4);
    for step in [1, 7, 100] {
        assert_eq!(lines_of(text.as_bytes(), step).unwrap(), whole);
    }
}

#[test]
fn errors_name_their_line_and_nothing_is_an_error_too() {
    let text = format!("{RECV} {TRADE}\n{RECV} {{\"e\":\n");
    assert_eq!(lines_of(text.as_bytes(), 9).unwrap_err().line, 2);
    assert_eq!(lines_of(b"", 1).unwrap_err().error, WireError::Empty);
    assert!(lines_of(b"no stamp here\n", 5).is_err());
}

#[test]
fn archive_rows_of_every_era_are_read() {
    let read = |kind, text: &str| {
        let mut lines = Lines::new(Archive::new(kind, GRID));
        lines.feed(text.as_bytes())?;
        lines.finish()?;
        let decoder = lines.decoder();
        Ok::<_, cq_wire::LineError>((decoder.take(), decoder.stats().clone()))
    };
    let futures = "id,price,qty,quote_qty,time,is_buyer_maker\n7,28145.1,0.002,56.29,1680652700452,true\n9,28145.1,0.002,56.29,1680652700452,false\n";
    let (batch, stats) = read(ArchiveKind::Trades, futures).unwrap();
    assert_eq!((batch.trades.side, stats.trade_breaks), (vec![-1, 1], 1));
    assert_eq!(batch.trades.flags, [flags::SYNTHETIC_RECV; 2]);
    let spot = "7,28145.10000000,0.00200000,56.29,1735689600000123,True,True\r\n";
    let (batch, _) = read(ArchiveKind::Trades, spot).unwrap();
    assert_eq!(batch.trades.ts_event, [1_735_689_600_000_123_000]);
    let agg = "26129,0.01,4.705,27781,27782,1680652700452,true\n";
    assert_eq!(
        read(ArchiveKind::AggTrades, agg)
            .unwrap()
            .0
            .agg_trades
            .last_id,
        [27_782]
    );
    let ticker = "5,10.0,3.5,10.1,3.5,1680652700452,1680652700455\n";
    let quote = read(ArchiveKind::BookTicker, ticker).unwrap().0.quotes;
    assert_eq!(quote.ts_recv[0] - quote.ts_event[0], 3_000_000);
    for bad in [
        "7,28145.1,0.002,56.29,1680652700452",
        "7,28145.1,0.002,56.29,1680652700452,tru",
        "7,28145.123,0.002,56.29,1680652700452,true",
        "7,28145.1,0.002,56.29,1680652700452,true,true,5",
        "7,nan,0.002,56.29,1680652700452,true",
        "\n\nid,price",
    ] {
        assert!(read(ArchiveKind::Trades, bad).is_err(), "{bad}");
    }
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    let mut lines = Lines::new(Decoder::new("BTCUSDT".to_owned(), GRID));
    let piece = vec![b' '; 1 << 20];
    let fed = (0..64)
        .map(|_| lines.feed(&piece))
        .take_while(Result::is_ok);
    assert_eq!(fed.count(), 16);
    let error = lines.feed(&piece).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1: a line of more than 16777216 bytes: no venue sends one"
    );
}

#[test]
fn the_largest_trade_id_breaks_no_chain_by_overflow() {
    let mut decoder = Decoder::new("BTCUSDT".to_owned(), GRID);
    for id in [i64::MAX, 5] {
        let frame = TRADE.replace("3535186032", &id.to_string());
        decoder.frame(RECV, frame.as_bytes()).unwrap();
    }
    assert_eq!(decoder.stats().trade_breaks, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_mutation_of_a_frame_panics_or_leaves_ragged_columns(
        which in 0..7_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let frames = [DEPTH, TRADE, AGG, TICKER, SPOT_TICKER, MARK, SNAPSHOT];
        let mut bytes = frames[which].as_bytes().to_vec();
        for (at, byte, how) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => bytes.truncate(at),
            }
        }
        let mut decoder = Decoder::new("BTCUSDT".to_owned(), GRID);
        let done = decoder.frame(RECV, &bytes);
        let batch = decoder.take();
        prop_assert!(done.is_ok() || batch.clone().into_tables().is_empty());
        let d = batch.deltas;
        prop_assert!([d.px.len(), d.qty.len(), d.side.len(), d.flags.len()] == [d.len(); 4]);
    }

    #[test]
    fn no_bytes_at_all_panic_any_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut lines = Lines::new(Decoder::new("BTCUSDT".to_owned(), GRID));
        let _ = lines.feed(&bytes).and_then(|_| lines.finish());
        for kind in [ArchiveKind::Trades, ArchiveKind::AggTrades, ArchiveKind::BookTicker] {
            let mut lines = Lines::new(Archive::new(kind, GRID));
            let _ = lines.feed(&bytes).and_then(|_| lines.finish());
        }
    }
}
