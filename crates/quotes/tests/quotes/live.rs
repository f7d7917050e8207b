//! `Live` against the naive book, whatever is said in whatever order.

use std::collections::BTreeSet;
use std::sync::Arc;

use cq_quotes::{Desk, Key, Live, LiveQuote, Settings, Wake};
use proptest::prelude::*;

use super::key;
use super::naive::{Naive, Order};

#[derive(Clone, Debug)]
enum Said {
    Place(u64, Key, i64, i64),
    Cancel(u64),
    Amend(u64, i64),
    Ack(u64),
    Fill(u64, i64),
    End(u64),
    Reject(u64),
    Kept(u64),
    Amended(u64, i64),
    Count(Key, i64, bool),
    Forget,
    Look,
    Reset,
}

fn keys() -> impl Strategy<Value = Key> {
    (0..2_usize, 0..2_u16).prop_map(|(sleeve, instrument)| key(sleeve, instrument))
}

fn said() -> impl Strategy<Value = Said> {
    let id = || 1..9_u64;
    prop_oneof![
        12 => (id(), keys(), -4..5_i64, 0..9_i64).prop_map(|(id, k, at, q)| Said::Place(id, k, at, q)),
        4 => id().prop_map(Said::Cancel),
        4 => (id(), 1..9_i64).prop_map(|(id, q)| Said::Amend(id, q)),
        4 => id().prop_map(Said::Ack),
        8 => (id(), 0..6_i64).prop_map(|(id, q)| Said::Fill(id, q)),
        2 => id().prop_map(Said::End),
        3 => id().prop_map(Said::Reject),
        2 => id().prop_map(Said::Kept),
        4 => (id(), 0..9_i64).prop_map(|(id, q)| Said::Amended(id, q)),
        2 => (keys(), -5..6_i64, any::<bool>()).prop_map(|(k, n, s)| Said::Count(k, n, s)),
        2 => Just(Said::Forget),
        2 => Just(Said::Look),
        1 => Just(Said::Reset),
    ]
}

/// Tells both the same and compares what they answer.
fn tell(live: &mut Live, naive: &mut Naive, said: &Said) {
    match *said {
        Said::Place(id, key, at, quantity) => {
            let quote = LiveQuote::new(id, 7, at, quantity, Arc::from("why"));
            assert_eq!(live.place(key, quote), naive.place(id, key, at, quantity));
        }
        Said::Cancel(id) => {
            let one = naive.find(id).map(|order| order.is_leaving = true);
            assert_eq!(live.cancel(id), one.is_some());
        }
        Said::Amend(id, to) => {
            let one = naive.find(id).map(|order| order.becomes = Some(to));
            assert_eq!(live.amend(id, to), one.is_some());
        }
        Said::Ack(id) => {
            let one = naive.find(id).map(|order| order.is_heard_of = true);
            assert_eq!(live.on_ack(id), one.is_some());
        }
        Said::Fill(id, quantity) => {
            assert_eq!(live.on_fill(id, quantity), naive.fill(id, quantity));
        }
        Said::End(id) => assert_eq!(live.on_end(id), naive.end(id)),
        Said::Reject(id) => assert_eq!(live.on_reject(id), naive.reject(id)),
        Said::Kept(id) => assert_eq!(live.on_kept(id), naive.keep(id)),
        Said::Amended(id, to) => assert_eq!(live.on_amended(id, to), naive.amended(id, to)),
        Said::Count(key, change, is_sale) => {
            live.count(key, change, is_sale).unwrap();
            let (bought, sold) = if is_sale { (0, -change) } else { (change, 0) };
            naive.others.push((key, bought, sold));
        }
        Said::Forget => {
            live.forget_touched();
            naive.news.clear();
        }
        Said::Look => look(live, naive),
        Said::Reset => {
            live.reset();
            *naive = Naive::default();
        }
    }
}

/// Where nothing is wanted, all that is looked at again is taken back.
fn look(live: &mut Live, naive: &mut Naive) {
    let mut desk = Desk::new(Settings {
        messages: 1_000,
        window: 1,
        refill: 1.0,
        amends: true,
    });
    let wake = Wake {
        now: 0,
        is_timer: true,
        has_news: false,
    };
    assert_eq!(desk.is_idle(live), naive.requote.is_empty());
    let unasked = |_, _| -> Result<i64, ()> { panic!("nothing is beyond the budget") };
    let plan = desk.plan(live, wake, || panic!("nothing is made"), unasked);
    let mut meant: Vec<&Order> = naive
        .orders
        .iter()
        .filter(|order| !order.is_leaving && naive.requote.contains(&order.key))
        .collect();
    meant.sort_by_key(|order| (order.key, order.id));
    let ids: Vec<u64> = meant.iter().map(|order| order.id).collect();
    assert_eq!(plan.unwrap().unwrap_or_default().cancels, ids);
    naive.requote.clear();
    assert!(desk.is_idle(live));
}

fn compare(live: &Live, naive: &Naive) {
    for key in [key(0, 0), key(0, 1), key(1, 0), key(1, 1)] {
        assert_eq!(live.working(key), naive.working(key));
        assert_eq!(live.beside(key), naive.beside(key));
        let mut mine: Vec<&Order> = naive.orders.iter().filter(|o| o.key == key).collect();
        mine.sort_by_key(|order| order.id);
        let ladder = live.ladders().find(|(of, _)| **of == key);
        let quotes = ladder.map_or(&[][..], |(_, ladder)| ladder.quotes());
        let shown: Vec<String> = quotes.iter().map(|quote| format!("{quote:?}")).collect();
        let expected: Vec<String> = mine.iter().map(|o| format!("{:?}", quote(o))).collect();
        assert_eq!(shown, expected);
    }
    for id in 0..10 {
        let one = naive.orders.iter().find(|order| order.id == id);
        assert_eq!(live.has(id), one.is_some());
        let of = live.get(id).map(|(key, quote)| (key, quote.clone()));
        assert_eq!(of, one.map(|order| (order.key, quote(order))));
        let left = live.get(id).map(|(_, quote)| quote.remaining());
        assert_eq!(left, one.map(Order::left));
    }
    let news: BTreeSet<u16> = naive.news.iter().copied().collect();
    assert_eq!(live.touched(), &news);
}

fn quote(order: &Order) -> LiveQuote {
    LiveQuote {
        id: order.id,
        ts: 7,
        at: order.at,
        quantity: order.ordered,
        filled: order.filled(),
        reason: Arc::from("why"),
        is_new: !order.is_heard_of,
        is_cancelling: order.is_leaving,
        amended: order.becomes,
    }
}

proptest! {
    #[test]
    fn what_lives_is_what_a_naive_book_has(words in prop::collection::vec(said(), 1..80)) {
        let (mut live, mut naive) = (Live::default(), Naive::default());
        for word in &words {
            tell(&mut live, &mut naive, word);
            compare(&live, &naive);
        }
        look(&mut live, &mut naive);
    }
}
