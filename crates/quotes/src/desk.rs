//! The desk: keeps the quotes that sleeves want, and asks for what is missing or wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use cq_types::{InstrumentIdx, Side, Ts};

use crate::budget::Budget;
use crate::difference::difference;
use crate::edges::Edges;
use crate::standing::Standing;
use crate::{At, Key, Live, LiveQuote};

/// What quotes may cost in messages, and when a resting one is replaced.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Messages within the window; what is beyond waits for the clock.
    pub messages: usize,
    /// The window, ns.
    pub window: Ts,
    /// A quote is replaced once less than this part of what is wanted is left of it.
    pub refill: f64,
    /// The venue keeps the place of an order that only gets smaller.
    pub amends: bool,
}

/// A quote to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub key: Key,
    /// Its price.
    pub at: At,
    /// Its quantity, unsigned.
    pub quantity: i64,
    /// Why it is wanted.
    pub reason: Arc<str>,
}

/// A live quote that gets smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smaller {
    /// Whose it is.
    pub key: Key,
    /// As it is.
    pub before: LiveQuote,
    /// What may be left to trade of it.
    pub left: i64,
}

/// What to do at one wake-up: cancels first, then what risk has to stamp.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Numbers to be taken back.
    pub cancels: Vec<u64>,
    /// Quotes that get smaller.
    pub smaller: Vec<Smaller>,
    /// Quotes to be sent.
    pub made: Vec<Made>,
    /// Quotes that would meet that of another sleeve, and whose; each is said once.
    pub withheld: Vec<(Made, usize)>,
}

/// Why the desk is asked.
#[derive(Clone, Copy, Debug)]
pub struct Wake {
    /// Now, ns UTC.
    pub now: Ts,
    /// The clock woke us: only then answers are acted on.
    pub is_timer: bool,
    /// Something else is wanted from now on.
    pub has_news: bool,
}

/// What is wanted, by sleeve and instrument.
///
/// An order is cancelled first and replaced once it is gone, so there are never two at a price,
/// nor one that meets another of our own.
pub struct Desk {
    settings: Settings,
    budget: Budget,
    standing: BTreeMap<Key, Standing>,
    due: BTreeSet<Key>,
}

impl Desk {
    /// A desk at which nothing is wanted.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            budget: Budget::new(settings.messages, settings.window),
            standing: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// Forgets what is wanted: a new segment has begun, flat.
    pub fn reset(&mut self) {
        self.standing.clear();
        self.due.clear();
    }

    /// Wants these quotes from now on (price, quantity), in the order in which they are sent.
    pub fn want(&mut self, key: Key, quotes: Vec<(At, i64)>, reason: Arc<str>) {
        let before = self.standing.remove(&key);
        let said = before.map(|stands| stands.said).unwrap_or_default();
        self.standing
            .insert(key, Standing::new(quotes, reason, said));
        self.due.insert(key);
    }

    /// Wants no quotes any more: those that live are taken back.
    pub fn unwant(&mut self, key: Key) {
        self.standing.remove(&key);
        self.due.insert(key);
    }

    /// Wants no more than this at a price, or nothing, until the sleeve asks anew.
    pub fn give_up(&mut self, key: Key, at: At, left: Option<i64>) {
        if let Some(stands) = self.standing.get_mut(&key) {
            stands.give_up(at, left);
        }
    }

    /// Forgets what is wanted in an instrument, or in all; the live quotes to be taken back.
    pub fn pull(&mut self, live: &Live, instrument: Option<InstrumentIdx>) -> Vec<u64> {
        let is_meant = |key: &Key| instrument.is_none_or(|one| key.instrument == one);
        let due = &mut self.due;
        self.standing.retain(|key, _| {
            if is_meant(key) {
                due.remove(key);
            }
            !is_meant(key)
        });
        live.ladders()
            .filter(|(key, _)| is_meant(key))
            .flat_map(|(_, ladder)| ladder.quotes())
            .filter(|quote| !quote.is_cancelling)
            .map(|quote| quote.id)
            .collect()
    }

    /// Whether there is nothing to look at: nothing else is wanted, and no answer came.
    #[must_use]
    pub fn is_idle(&self, live: &Live) -> bool {
        self.due.is_empty() && !live.has_requote()
    }

    /// What brings the quotes to those wanted; `None` while nothing changes.
    ///
    /// `next_id` numbers what is made; `touch` tells the best price that a side would trade at,
    /// where the budget does not pay for all.
    ///
    /// # Errors
    ///
    /// Those of `touch`.
    pub fn plan<E>(
        &mut self,
        live: &mut Live,
        wake: Wake,
        next_id: impl FnMut() -> u64,
        touch: impl FnMut(InstrumentIdx, Side) -> Result<i64, E>,
    ) -> Result<Option<Plan>, E> {
        if wake.is_timer {
            self.due.append(&mut live.take_requote());
        }
        if self.due.is_empty() || !(wake.is_timer || wake.has_news) {
            return Ok(None);
        }
        let need = self.need(live);
        if need.count() == 0 {
            return Ok(None);
        }
        self.spend(live, need, wake.now, next_id, touch).map(Some)
    }

    /// What the quotes of those that are due need.
    fn need(&mut self, live: &Live) -> Need {
        let mut need = Need::default();
        for key in mem::take(&mut self.due) {
            let stands = self.standing.get(&key);
            let found = difference(stands, live.ladder(key), self.settings.refill);
            need.wrong.extend(found.wrong.iter().map(|id| (key, *id)));
            if self.settings.amends {
                let larger = found.larger.iter().map(|(id, most)| (key, *id, *most));
                need.larger.extend(larger);
            } else {
                need.wrong
                    .extend(found.larger.iter().map(|(id, _)| (key, *id)));
            }
            need.missing
                .extend(found.missing.iter().map(|at| (key, *at)));
        }
        need
    }

    /// Spends the budget on what is needed: cancels first; the rest stays due.
    fn spend<E>(
        &mut self,
        live: &Live,
        mut need: Need,
        now: Ts,
        next_id: impl FnMut() -> u64,
        touch: impl FnMut(InstrumentIdx, Side) -> Result<i64, E>,
    ) -> Result<Plan, E> {
        let mut left = self.budget.left(now);
        if need.count() > left {
            need.missing = nearest_first(&need.missing, touch)?;
        }
        let mut plan = Plan::default();
        let (sent, rest) = need.wrong.split_at(left.min(need.wrong.len()));
        plan.cancels.extend(sent.iter().map(|(_, id)| *id));
        self.due.extend(rest.iter().map(|(key, _)| *key));
        left -= sent.len();
        let (sent, rest) = need.larger.split_at(left.min(need.larger.len()));
        for (key, id, most) in sent {
            if let Some((_, quote)) = live.get(*id) {
                plan.smaller.push(Smaller {
                    key: *key,
                    before: quote.clone(),
                    left: *most,
                });
            }
        }
        self.due.extend(rest.iter().map(|(key, _, _)| *key));
        left -= sent.len();
        self.make(live, &need.missing, left, next_id, &mut plan);
        let count = plan.cancels.len() + plan.smaller.len() + plan.made.len();
        self.budget.spend(now, count);
        Ok(plan)
    }

    /// Makes the quotes that the budget leaves, none of which meets one of our own.
    fn make(
        &mut self,
        live: &Live,
        missing: &[(Key, At)],
        left: usize,
        mut next_id: impl FnMut() -> u64,
        plan: &mut Plan,
    ) {
        let mut edges: BTreeMap<InstrumentIdx, Edges> = BTreeMap::new();
        for (key, at) in missing {
            let Some(stands) = self.standing.get_mut(key) else {
                continue;
            };
            let Some(quantity) = stands.at(*at) else {
                continue;
            };
            let mut make = |reason: &Arc<str>| Made {
                id: next_id(),
                key: *key,
                at: *at,
                quantity,
                reason: Arc::clone(reason),
            };
            let edge = edges
                .entry(key.instrument)
                .or_insert_with(|| Edges::new(live, key.instrument));
            let owner = edge.met_by(*at);
            if owner.is_none() && plan.made.len() < left {
                plan.made.push(make(&stands.reason));
                edge.add(*at, key.sleeve);
                stands.said.remove(at);
                continue;
            }
            self.due.insert(*key);
            let other = owner.filter(|owner| *owner != key.sleeve);
            if let Some(owner) = other.filter(|_| stands.said.insert(*at)) {
                plan.withheld.push((make(&stands.reason), owner));
            }
        }
    }
}

/// What all quotes need.
#[derive(Default)]
struct Need {
    wrong: Vec<(Key, u64)>,
    larger: Vec<(Key, u64, i64)>,
    missing: Vec<(Key, At)>,
}

impl Need {
    fn count(&self) -> usize {
        self.wrong.len() + self.larger.len() + self.missing.len()
    }
}

/// Puts first what lies nearest to the other side's best price: that is the most urgent.
fn nearest_first<E>(
    missing: &[(Key, At)],
    mut touch: impl FnMut(InstrumentIdx, Side) -> Result<i64, E>,
) -> Result<Vec<(Key, At)>, E> {
    let mut far = Vec::with_capacity(missing.len());
    for (key, at) in missing {
        let side = if *at > 0 { Side::Buy } else { Side::Sell };
        let best = touch(key.instrument, side)?;
        far.push((best.abs_diff(at.abs()), (*key, *at)));
    }
    far.sort_by_key(|(distance, _)| *distance);
    Ok(far.into_iter().map(|(_, item)| item).collect())
}
