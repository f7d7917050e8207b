//! Wishes and answers at random: rules that hold at every moment, and where it all ends.

use cq_quotes::{ladder_sums, Settings};
use proptest::prelude::*;

use super::bench::{Bench, FREE};
use super::key;

#[derive(Clone, Debug)]
enum Step {
    Want(usize, Vec<(i64, i64)>),
    Unwant(usize),
    Fill(prop::sample::Index, i64),
    Answer(prop::sample::Index, bool),
    Clock,
    Wait,
}

/// Quotes of one sleeve that may stand: bids below a price and asks from it.
fn ladder() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let prices = prop::collection::btree_set(85..105_i64, 0..6);
    let quotes = (prices, 86..104_i64).prop_flat_map(|(prices, middle)| {
        let at = move |px: i64| if px < middle { px } else { -px };
        let quotes: Vec<_> = prices
            .into_iter()
            .map(|px| (Just(at(px)), 1..9_i64))
            .collect();
        quotes.prop_shuffle()
    });
    quotes.prop_filter("sound", |quotes| ladder_sums(quotes, 1, 1).is_ok())
}

fn step() -> impl Strategy<Value = Step> {
    let any_one = any::<prop::sample::Index>;
    prop_oneof![
        3 => (0..3_usize, ladder()).prop_map(|(sleeve, quotes)| Step::Want(sleeve, quotes)),
        1 => (0..3_usize).prop_map(Step::Unwant),
        4 => (any_one(), 1..9_i64).prop_map(|(one, quantity)| Step::Fill(one, quantity)),
        4 => (any_one(), any::<bool>()).prop_map(|(one, is_done)| Step::Answer(one, is_done)),
        4 => Just(Step::Clock),
        1 => Just(Step::Wait),
    ]
}

/// Our resting quotes: number, sleeve, price, what is left.
fn resting(bench: &Bench) -> Vec<(u64, usize, i64, i64)> {
    let all = bench.live.ladders();
    all.flat_map(|(key, ladder)| {
        let quotes = ladder.quotes().iter();
        quotes.map(move |quote| (quote.id, key.sleeve, quote.at, quote.remaining()))
    })
    .collect()
}

/// One that is taken back is gone, one that is lessened is so; or neither is.
fn answer(bench: &mut Bench, id: u64, is_done: bool) {
    let quote = bench.live.get(id).unwrap().1.clone();
    if !is_done {
        bench.live.on_kept(id);
    } else if quote.is_cancelling {
        bench.live.on_end(id);
    } else if let Some(quantity) = quote.amended {
        bench.live.on_amended(id, quantity);
        if quantity <= quote.filled {
            bench.live.on_end(id);
        }
    } else {
        bench.live.on_ack(id);
    }
}

struct Run {
    bench: Bench,
    wanted: [Vec<(i64, i64)>; 3],
    sent: Vec<(i64, usize)>,
    settings: Settings,
}

impl Run {
    fn go(&mut self, step: &Step) {
        let ids: Vec<u64> = resting(&self.bench).iter().map(|row| row.0).collect();
        match step {
            Step::Want(sleeve, quotes) => {
                self.bench.want(*sleeve, quotes);
                self.wanted[*sleeve].clone_from(quotes);
            }
            Step::Unwant(sleeve) => {
                self.bench.desk.unwant(key(*sleeve, 0));
                self.wanted[*sleeve].clear();
            }
            Step::Fill(one, quantity) if !ids.is_empty() => {
                let id = *one.get(&ids);
                let left = self.bench.live.get(id).unwrap().1.remaining();
                if left > 0 {
                    self.bench.live.on_fill(id, left.min(*quantity)).unwrap();
                }
            }
            Step::Answer(one, is_done) if !ids.is_empty() => {
                answer(&mut self.bench, *one.get(&ids), *is_done);
            }
            Step::Fill(..) | Step::Answer(..) | Step::Clock => self.clock(),
            Step::Wait => self.bench.now += 5,
        }
    }

    /// A wake-up at which the rules must hold.
    fn clock(&mut self) {
        let before = resting(&self.bench);
        let plan = self.bench.clock().unwrap_or_default();
        for made in &plan.made {
            let (sleeve, at) = (made.key.sleeve, made.at);
            assert!(self.wanted[sleeve].contains(&(at, made.quantity)));
            assert!(before.iter().all(|row| (row.1, row.2) != (sleeve, at)));
        }
        for id in &plan.cancels {
            let (_, sleeve, at, left) = *before.iter().find(|row| row.0 == *id).unwrap();
            assert!(!self.wanted[sleeve].contains(&(at, left)), "it fits");
        }
        for (made, owner) in &plan.withheld {
            assert_ne!(made.key.sleeve, *owner);
        }
        let now = resting(&self.bench);
        let bid = now.iter().map(|row| row.2).filter(|at| *at > 0).max();
        let ask = now.iter().map(|row| -row.2).filter(|px| *px > 0).min();
        assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "they meet");
        let count = plan.cancels.len() + plan.smaller.len() + plan.made.len();
        self.sent.push((self.bench.now, count));
        let since = self.bench.now - self.settings.window;
        let spent = self.sent.iter().filter(|(at, _)| *at > since);
        assert!(spent.map(|(_, count)| count).sum::<usize>() <= self.settings.messages);
    }

    /// Answers all, until what lives no longer changes.
    fn settle(&mut self) {
        for _ in 0..60 {
            for (id, ..) in resting(&self.bench) {
                answer(&mut self.bench, id, true);
            }
            self.bench.now += 10;
            self.clock();
        }
    }
}

proptest! {
    #[test]
    fn what_lives_comes_to_what_is_wanted_as_far_as_nothing_meets(
        steps in prop::collection::vec(step(), 1..60),
        messages in prop_oneof![Just(2_usize), Just(1_000)],
        amends in any::<bool>(),
    ) {
        let settings = Settings { messages, amends, ..FREE };
        let wanted = [const { Vec::new() }; 3];
        let mut run = Run { bench: Bench::new(settings), wanted, sent: Vec::new(), settings };
        for step in &steps {
            run.go(step);
        }
        run.settle();
        let rests = resting(&run.bench);
        for (_, sleeve, at, left) in &rests {
            prop_assert!(run.wanted[*sleeve].contains(&(*at, *left)));
        }
        for (sleeve, quotes) in run.wanted.iter().enumerate() {
            for (at, quantity) in quotes {
                let lives = rests.iter().any(|row| (row.1, row.2, row.3) == (sleeve, *at, *quantity));
                let meets = |row: &(u64, usize, i64, i64)| {
                    row.1 != sleeve && row.2.signum() != at.signum() && row.2 + at >= 0
                };
                prop_assert!(lives || rests.iter().any(meets), "{at} of {sleeve} is missing");
            }
        }
    }
}
