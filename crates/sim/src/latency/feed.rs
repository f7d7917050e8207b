//! How long market data travels to us, where the tape does not say.
//!
//! A row is known no earlier than its recorded `ts_recv`, and no earlier than the model lets a
//! message of its venue time arrive: a real stamp is never improved, and none is delayed twice.

use std::sync::Arc;

use cq_types::Ts;

use super::{draw, interpolated, round, Leg, HOUR};

/// Which feed latency a run assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedLatencies {
    /// The same always, ns.
    Constant(Ts),
    /// Interpolated from recorded (`ts_event`, `ts_recv`); before the first and after the last,
    /// theirs.
    Recorded(Arc<[(Ts, Ts)]>),
    /// Drawn from samples, each as likely, the same for the same seed.
    Sampled {
        /// Latencies, ns.
        samples: Arc<[Ts]>,
        /// Of the draws.
        seed: u64,
    },
}

impl FeedLatencies {
    /// What of it cannot be, in words.
    fn flaw(&self) -> Option<String> {
        let odd = |ns: &Ts| !(0..=HOUR).contains(ns);
        let length = |ns: &Ts| format!("feed latency: expected 0 to one hour in ns, was {ns}");
        match self {
            Self::Constant(ns) => odd(ns).then(|| length(ns)),
            Self::Sampled { samples, .. } if samples.is_empty() => {
                Some("feed latency: expected at least one sample, was none".to_owned())
            }
            Self::Sampled { samples, .. } => samples.iter().find(|ns| odd(ns)).map(length),
            Self::Recorded(rows) if rows.is_empty() => {
                Some("feed latency: expected at least one recorded row, was none".to_owned())
            }
            Self::Recorded(rows) => {
                let grows = rows.windows(2).position(|w| w[1].0 <= w[0].0);
                if let Some(at) = grows {
                    return Some(format!(
                        "feed latency: expected venue times that grow, was {} after {} in row {}",
                        rows[at + 1].0,
                        rows[at].0,
                        at + 1
                    ));
                }
                let ways = rows.iter().map(|(event, recv)| recv.saturating_sub(*event));
                ways.filter(odd).map(|ns| length(&ns)).next()
            }
        }
    }
}

/// Stamps the rows of one stream, part after part, as if they were one.
#[derive(Debug, Clone)]
pub struct FeedLatency {
    model: Model,
    /// The last message as it was stamped, and when it is known.
    last: Option<((Ts, Ts), Ts)>,
}

#[derive(Debug, Clone)]
enum Model {
    Constant(Ts),
    Recorded(Vec<Leg>),
    Sampled { samples: Arc<[Ts]>, state: u64 },
}

impl FeedLatency {
    /// A stream of which no row was stamped yet.
    ///
    /// # Errors
    /// In words, where a latency is none.
    pub fn new(latencies: &FeedLatencies) -> Result<Self, String> {
        if let Some(flaw) = latencies.flaw() {
            return Err(flaw);
        }
        let model = match latencies {
            FeedLatencies::Constant(ns) => Model::Constant(*ns),
            FeedLatencies::Recorded(rows) => {
                let leg = |(at, recv): &(Ts, Ts)| Leg {
                    at: *at,
                    latency: recv - at,
                };
                Model::Recorded(rows.iter().map(leg).collect())
            }
            FeedLatencies::Sampled { samples, seed } => Model::Sampled {
                samples: Arc::clone(samples),
                state: *seed,
            },
        };
        Ok(Self { model, last: None })
    }

    /// Sets when the next rows are known; `recv` holds when they were recorded.
    ///
    /// Rows of one message (the same two stamps) are known together, and none before those that
    /// come before it.
    pub fn stamp(&mut self, event: &[Ts], recv: &mut [Ts]) {
        for (happened, known) in event.iter().zip(recv) {
            let stamps = (*happened, *known);
            *known = match self.last {
                Some((before, at)) if before == stamps => at,
                last => {
                    let modelled = happened.saturating_add(self.model.latency(*happened));
                    let at = (*known).max(modelled);
                    last.map_or(at, |(_, earlier)| at.max(earlier))
                }
            };
            self.last = Some((stamps, *known));
        }
    }
}

impl Model {
    fn latency(&mut self, ts: Ts) -> Ts {
        match self {
            Self::Constant(ns) => *ns,
            Self::Recorded(legs) => {
                round(legs, |leg| leg.at, ts).map_or(0, |(a, b)| interpolated(a, b, ts))
            }
            Self::Sampled { samples, state } => draw(state, samples),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(latencies: &FeedLatencies, rows: &[(Ts, Ts)]) -> Vec<Ts> {
        let (event, mut recv): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
        let mut stream = FeedLatency::new(latencies).unwrap();
        stream.stamp(&event, &mut recv);
        recv
    }

    #[test]
    fn a_row_is_known_by_the_later_of_its_stamp_and_the_model() {
        // 10 ns of model: the second row's own 15 stay, the others are moved.
        let rows = [(100, 100), (200, 215), (300, 303)];
        let found = known(&FeedLatencies::Constant(10), &rows);
        assert_eq!(found, [110, 215, 310]);
    }

    #[test]
    fn no_row_is_known_before_the_one_before_it() {
        let rows = [(100, 250), (110, 110), (300, 300)];
        assert_eq!(known(&FeedLatencies::Constant(10), &rows), [250, 250, 310]);
    }

    #[test]
    fn recorded_latencies_are_interpolated_by_venue_time() {
        // 10 ns at 1,000 and 30 at 2,000: 20 between them, and the ends' beyond.
        let recorded = FeedLatencies::Recorded(Arc::from([(1_000, 1_010), (2_000, 2_030)]));
        let rows = [(0, 0), (1_500, 1_500), (9_000, 9_000)];
        assert_eq!(known(&recorded, &rows), [10, 1_520, 9_030]);
    }

    #[test]
    fn a_message_is_drawn_once_whatever_its_rows_and_wherever_it_is_cut() {
        let sampled = FeedLatencies::Sampled {
            samples: Arc::from([5, 50, 500]),
            seed: 3,
        };
        // Ten messages, each of three rows, far enough apart to never wait for one another.
        let rows: Vec<_> = (0..30).map(|n| (n / 3 * 1_000, n / 3 * 1_000)).collect();
        let whole = known(&sampled, &rows);
        for frame in whole.chunks(3) {
            assert!(frame.iter().all(|ts| *ts == frame[0]), "{whole:?}");
        }
        let drawn: std::collections::BTreeSet<_> = whole
            .iter()
            .zip(&rows)
            .map(|(known, (event, _))| known - event)
            .collect();
        assert!(drawn.len() > 1 && drawn.iter().all(|ns| [5, 50, 500].contains(ns)));
        for cut in 1..rows.len() {
            let mut stream = FeedLatency::new(&sampled).unwrap();
            let (event, mut recv): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            stream.stamp(&event[..cut], &mut recv[..cut]);
            stream.stamp(&event[cut..], &mut recv[cut..]);
            assert_eq!(recv, whole, "{cut}");
        }
    }

    #[test]
    fn what_cannot_be_a_feed_latency_is_named() {
        let flaw = |latencies: FeedLatencies| FeedLatency::new(&latencies).unwrap_err();
        assert!(flaw(FeedLatencies::Constant(-1)).contains("was -1"));
        let back = FeedLatencies::Recorded(Arc::from([(5, 6), (5, 7)]));
        assert!(flaw(back).contains("was 5 after 5 in row 1"));
        let early = FeedLatencies::Recorded(Arc::from([(5, 4)]));
        assert!(flaw(early).contains("was -1"));
    }
}
