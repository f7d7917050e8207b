//! How long messages to and from the venue travel.

mod feed;

use std::sync::Arc;

use cq_types::Ts;

pub use feed::{FeedLatencies, FeedLatency};

/// Longest latency, ns.
const HOUR: Ts = 3_600_000_000_000;

/// What becomes of a message to the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It arrives at this time.
    Arrives(Ts),
    /// The venue turns it away before its engine sees it; we know at this time.
    Lost(Ts),
}

/// How long messages travel, ns.
pub trait Latency: Send + Sync {
    /// What becomes of a message that is sent at `now`.
    fn entry(&mut self, now: Ts) -> Passage;
    /// When an answer that the venue gives at `ts` reaches us.
    fn response(&mut self, ts: Ts) -> Ts;
}

/// Which latencies a run assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Latencies {
    /// The same always.
    Constant {
        /// To the venue, ns.
        entry: Ts,
        /// Back to us, ns.
        response: Ts,
    },
    /// Interpolated from recorded round trips; before the first and after the last, theirs.
    Recorded(Arc<[RoundTrip]>),
    /// Drawn from samples, each as likely, the same for the same seed.
    Sampled {
        /// To the venue, ns.
        entry: Arc<[Ts]>,
        /// Back to us, ns.
        response: Arc<[Ts]>,
        /// Of the draws.
        seed: u64,
    },
}

/// A recorded order: when it was sent, when the venue had it, when its answer was here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// Sent, our clock.
    pub sent: Ts,
    /// At the venue; `None` where it was turned away.
    pub venue: Option<Ts>,
    /// Answered, our clock.
    pub answered: Ts,
}

impl Latencies {
    /// The same with draws of its own for the `n`-th of several venues, so that venues of one
    /// seed do not draw alike. The first, 0, keeps its seed.
    #[must_use]
    pub fn of_venue(mut self, n: u64) -> Self {
        // An odd constant: no two seeds that a person would choose meet.
        const APART: u64 = 0x2545_F491_4F6C_DD1D;
        if let Self::Sampled { seed, .. } = &mut self {
            *seed = seed.wrapping_add(n.wrapping_mul(APART));
        }
        self
    }

    pub(crate) fn model(&self) -> Box<dyn Latency> {
        match self {
            Self::Constant { entry, response } => Box::new(Constant {
                entry: *entry,
                response: *response,
            }),
            Self::Recorded(trips) => Box::new(Recorded {
                answers: trips.iter().filter_map(Leg::back).collect(),
                trips: Arc::clone(trips),
            }),
            Self::Sampled {
                entry,
                response,
                seed,
            } => Box::new(Sampled {
                entry: Arc::clone(entry),
                response: Arc::clone(response),
                state: *seed,
            }),
        }
    }

    /// The longest way to the venue, ns.
    pub(crate) fn longest_entry(&self) -> Ts {
        match self {
            Self::Constant { entry, .. } => *entry,
            Self::Recorded(trips) => {
                let ways = trips.iter().filter_map(|t| Some(t.venue? - t.sent));
                ways.max().unwrap_or(0)
            }
            Self::Sampled { entry, .. } => entry.iter().copied().max().unwrap_or(0),
        }
    }

    /// What of it cannot be, in words.
    pub(crate) fn flaw(&self) -> Option<(&'static str, &'static str, String)> {
        const LENGTH: &str = "0 to one hour in ns";
        let odd = |ns: &Ts| !(0..=HOUR).contains(ns);
        match self {
            Self::Constant { entry, response } => {
                let named = [
                    ("entry_latency_ns", entry),
                    ("response_latency_ns", response),
                ];
                let found = named.into_iter().find(|(_, ns)| odd(ns));
                found.map(|(key, ns)| (key, LENGTH, ns.to_string()))
            }
            Self::Recorded(trips) => {
                let ways = |t: &RoundTrip| {
                    [
                        t.venue.map_or(0, |v| v - t.sent),
                        t.answered - t.venue.unwrap_or(t.sent),
                    ]
                };
                if trips.is_empty() || trips.iter().all(|t| t.venue.is_none()) {
                    return Some((
                        "latency_rows",
                        "at least one order that arrived",
                        "none".to_owned(),
                    ));
                }
                if let Some(at) = trips.windows(2).position(|w| w[1].sent <= w[0].sent) {
                    return Some((
                        "latency_rows",
                        "times of sending that grow",
                        format!("row {}", at + 1),
                    ));
                }
                let at = trips.iter().position(|t| ways(t).iter().any(odd))?;
                Some((
                    "latency_rows",
                    "sent, venue, answered in this order, within an hour",
                    format!("row {at}"),
                ))
            }
            Self::Sampled {
                entry, response, ..
            } => {
                for (key, samples) in [
                    ("entry_samples_ns", entry),
                    ("response_samples_ns", response),
                ] {
                    if samples.is_empty() {
                        return Some((key, "at least one sample", "none".to_owned()));
                    }
                    if let Some(ns) = samples.iter().find(|ns| odd(ns)) {
                        return Some((key, LENGTH, ns.to_string()));
                    }
                }
                None
            }
        }
    }
}

struct Constant {
    entry: Ts,
    response: Ts,
}

impl Latency for Constant {
    fn entry(&mut self, now: Ts) -> Passage {
        Passage::Arrives(now.saturating_add(self.entry))
    }

    fn response(&mut self, ts: Ts) -> Ts {
        ts.saturating_add(self.response)
    }
}

struct Recorded {
    trips: Arc<[RoundTrip]>,
    answers: Vec<Leg>,
}

/// A latency that was measured at a time.
#[derive(Debug, Clone, Copy)]
struct Leg {
    at: Ts,
    latency: Ts,
}

impl Leg {
    fn back(trip: &RoundTrip) -> Option<Self> {
        let at = trip.venue?;
        let latency = trip.answered - at;
        Some(Self { at, latency })
    }

    /// The latency at `ts` between two measurements.
    fn between(self, other: Self, ts: Ts) -> Ts {
        let slope = (other.latency - self.latency) as f64 / (other.at - self.at) as f64;
        #[allow(clippy::cast_possible_truncation)] // both ends are bounded by an hour
        let more = (slope * (ts - self.at) as f64) as i64;
        self.latency + more
    }
}

/// The measurements round `ts`: the same one twice before the first and after the last.
fn round<T: Copy>(rows: &[T], at: impl Fn(&T) -> Ts, ts: Ts) -> Option<(T, T)> {
    let after = rows.partition_point(|row| at(row) <= ts);
    let first = rows.get(after.saturating_sub(1)).copied()?;
    let last = rows.get(after).copied().filter(|_| after > 0);
    Some((first, last.unwrap_or(first)))
}

fn interpolated(a: Leg, b: Leg, ts: Ts) -> Ts {
    if b.at > a.at {
        a.between(b, ts)
    } else {
        a.latency
    }
}

impl Latency for Recorded {
    fn entry(&mut self, now: Ts) -> Passage {
        let Some((a, b)) = round(&self.trips, |t| t.sent, now) else {
            return Passage::Arrives(now);
        };
        if let (Some(first), Some(last)) = (a.venue, b.venue) {
            let leg = |t: RoundTrip, venue| Leg {
                at: t.sent,
                latency: venue - t.sent,
            };
            let way = interpolated(leg(a, first), leg(b, last), now);
            return Passage::Arrives(now.saturating_add(way));
        }
        // Beside one that was turned away, one that is sent now is turned away as well.
        let leg = |t: RoundTrip| Leg {
            at: t.sent,
            latency: t.answered - t.sent,
        };
        Passage::Lost(now.saturating_add(interpolated(leg(a), leg(b), now)))
    }

    fn response(&mut self, ts: Ts) -> Ts {
        round(&self.answers, |leg| leg.at, ts)
            .map_or(ts, |(a, b)| ts.saturating_add(interpolated(a, b, ts)))
    }
}

struct Sampled {
    entry: Arc<[Ts]>,
    response: Arc<[Ts]>,
    state: u64,
}

/// One of `samples`; the generator is `SplitMix64` (Steele, Lea, Flood 2014).
fn draw(state: &mut u64, samples: &[Ts]) -> Ts {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    let scaled = (u128::from(z) * samples.len() as u128) >> 64;
    let at = usize::try_from(scaled).unwrap_or(0);
    samples.get(at).copied().unwrap_or(0)
}

impl Latency for Sampled {
    fn entry(&mut self, now: Ts) -> Passage {
        Passage::Arrives(now.saturating_add(draw(&mut self.state, &self.entry)))
    }

    fn response(&mut self, ts: Ts) -> Ts {
        ts.saturating_add(draw(&mut self.state, &self.response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> Latencies {
        let trip = |sent, venue: Ts, answered| RoundTrip {
            sent,
            venue: Some(venue).filter(|v| *v > 0),
            answered,
        };
        Latencies::Recorded(Arc::from([
            trip(1_000, 1_010, 1_014),
            trip(2_000, 2_030, 2_050),
            trip(3_000, 0, 3_100),
            trip(4_000, 4_010, 4_020),
        ]))
    }

    #[test]
    fn recorded_latencies_are_interpolated_and_kept_at_the_ends() {
        let mut model = recorded().model();
        for (now, way) in [(0, 10), (1_000, 10), (1_500, 20), (1_999, 29), (9_999, 10)] {
            assert_eq!(model.entry(now), Passage::Arrives(now + way), "{now}");
        }
        for (ts, way) in [(0, 4), (1_010, 4), (1_520, 12), (2_030, 20), (9_999, 10)] {
            assert_eq!(model.response(ts), ts + way, "{ts}");
        }
    }

    #[test]
    fn beside_a_message_that_was_turned_away_others_are_too() {
        let mut model = recorded().model();
        assert_eq!(model.entry(2_500), Passage::Lost(2_500 + 75));
        assert_eq!(model.entry(3_500), Passage::Lost(3_500 + 60));
        assert_eq!(model.entry(4_000), Passage::Arrives(4_000 + 10)); // one was measured then
    }

    #[test]
    fn samples_are_drawn_alike_for_the_same_seed() {
        let latencies = |seed| Latencies::Sampled {
            entry: Arc::from([1, 2, 3]),
            response: Arc::from([40, 50]),
            seed,
        };
        let draws = |seed| -> Vec<_> {
            let mut model = latencies(seed).model();
            (0..300)
                .map(|_| (model.entry(0), model.response(0)))
                .collect()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        for way in 1..=3 {
            let count = draws(7)
                .iter()
                .filter(|d| d.0 == Passage::Arrives(way))
                .count();
            assert!((70..=130).contains(&count), "{way}: {count}");
        }
    }

    #[test]
    fn venues_of_one_seed_draw_differently_and_the_first_as_given() {
        let latencies = Latencies::Sampled {
            entry: (0..1_000).collect(),
            response: Arc::from([0]),
            seed: 7,
        };
        let draws = |n| -> Vec<_> {
            let mut model = latencies.clone().of_venue(n).model();
            (0..50).map(|_| model.entry(0)).collect()
        };
        let alone: Vec<_> = {
            let mut model = latencies.model();
            (0..50).map(|_| model.entry(0)).collect()
        };
        assert_eq!(draws(0), alone);
        assert_ne!(draws(1), alone);
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn what_cannot_be_a_latency_is_named() {
        let flaw = |latencies: Latencies| latencies.flaw().map(|(key, ..)| key);
        assert_eq!(flaw(recorded()), None);
        assert_eq!(
            flaw(Latencies::Recorded(Arc::from([]))),
            Some("latency_rows")
        );
        let back = RoundTrip {
            sent: 5,
            venue: Some(4),
            answered: 9,
        };
        assert_eq!(
            flaw(Latencies::Recorded(Arc::from([back]))),
            Some("latency_rows")
        );
        let entry = Latencies::Constant {
            entry: -1,
            response: 0,
        };
        assert_eq!(flaw(entry), Some("entry_latency_ns"));
    }
}
