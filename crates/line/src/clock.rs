use std::cmp::Ordering;

use cq_types::Ts;

use crate::cursor::NEVER;

/// What is due next, in the order of events at equal times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Market data becomes known.
    Known,
    /// An answer of the venue reaches us.
    Answer,
    /// The decision grid.
    Timer,
    /// A time at which the step asked to be woken.
    Alarm,
    /// Market data at the venue.
    Lived,
    /// A contract ends.
    Delisting,
    /// Funding is settled.
    Funding,
    /// The venue takes part of a position.
    Deleverage,
    /// The equity row.
    Sample,
    /// Orders that waited meet the open of a bar.
    Open,
    /// A message reaches the venue.
    Arrival,
    /// Money that was sent to a wallet is there.
    Transfer,
}

/// How many turns there are.
pub(crate) const COUNT: usize = 12;

/// Turns by rank.
const TURNS: [Turn; COUNT] = [
    Turn::Known,
    Turn::Answer,
    Turn::Timer,
    Turn::Alarm,
    Turn::Lived,
    Turn::Delisting,
    Turn::Funding,
    Turn::Deleverage,
    Turn::Sample,
    Turn::Open,
    Turn::Arrival,
    Turn::Transfer,
];

impl Turn {
    /// Whether it still happens at the very end of the tape: what became known, and what is
    /// owed for the time before. Nothing begins there.
    fn is_at_end(self) -> bool {
        matches!(
            self,
            Self::Known | Self::Answer | Self::Delisting | Self::Funding
        )
    }
}

/// What is due first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) ts: Ts,
    pub(crate) turn: Turn,
}

impl Next {
    /// How long it stays this one's turn, if it is due again by then; `due` and `end` are those
    /// that it came first of.
    pub(crate) fn until(self, due: [Ts; COUNT], end: Ts) -> Ts {
        let mut until = if self.turn.is_at_end() { end } else { end - 1 };
        for (other, rank) in due.into_iter().zip(TURNS) {
            // Of equal times the lower rank goes first.
            match (rank as u8).cmp(&(self.turn as u8)) {
                Ordering::Less => until = until.min(other - 1),
                Ordering::Equal => {}
                Ordering::Greater => until = until.min(other),
            }
        }
        until
    }
}

/// The first of the due times up to `end`; `None` when nothing is due.
/// At `end` itself only the turns of [`Turn::is_at_end`] come.
pub(crate) fn first(due: [Ts; COUNT], end: Ts) -> Option<Next> {
    let mut best = (NEVER, Turn::Known);
    for (ts, turn) in due.into_iter().zip(TURNS) {
        let is_due = ts < end || (ts == end && turn.is_at_end());
        if ts < best.0 && is_due {
            best = (ts, turn);
        }
    }
    let (ts, turn) = best;
    (ts != NEVER).then_some(Next { ts, turn })
}

/// Times lie within 146 years of 1970, so that a time and a duration always add up.
pub(crate) const FARTHEST: Ts = 1 << 62;
/// The longest duration, 73 years.
pub(crate) const LONGEST: Ts = 1 << 61;

/// Whether a time can be one.
pub(crate) fn is_time(ts: Ts) -> bool {
    (-FARTHEST..=FARTHEST).contains(&ts)
}

/// The first multiple of `step` at or after `ts`.
pub(crate) fn on_grid(ts: Ts, step: Ts) -> Ts {
    ts.div_euclid(step) * step + if ts.rem_euclid(step) == 0 { 0 } else { step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_anchored_at_the_epoch() {
        assert_eq!(on_grid(0, 10), 0);
        assert_eq!(on_grid(1, 10), 10);
        assert_eq!(on_grid(10, 10), 10);
        assert_eq!(on_grid(-1, 10), 0);
    }

    fn turn(due: [Ts; COUNT], end: Ts) -> Option<(Ts, Turn)> {
        first(due, end).map(|next| (next.ts, next.turn))
    }

    #[test]
    fn the_earliest_goes_first_and_ties_go_by_rank() {
        let mut due = [NEVER; COUNT];
        assert_eq!(turn(due, 9), None);
        due[10] = 5;
        due[2] = 5;
        assert_eq!(turn(due, 9), Some((5, Turn::Timer)));
        due[10] = 4;
        assert_eq!(turn(due, 9), Some((4, Turn::Arrival)));
    }

    #[test]
    fn at_the_end_only_what_is_owed_for_the_time_before_still_comes() {
        assert_eq!(turn([9; COUNT], 9), Some((9, Turn::Known)));
        let mut due = [9; COUNT];
        (due[0], due[1], due[5]) = (NEVER, NEVER, NEVER);
        assert_eq!(turn(due, 9), Some((9, Turn::Funding)));
        due[6] = 10;
        assert_eq!(turn(due, 9), None);
    }

    #[test]
    fn a_turn_lasts_until_another_is_due() {
        let until = |due, end| first(due, end).map(|next| next.until(due, end));
        let mut due = [NEVER; COUNT];
        due[4] = 4;
        assert_eq!(
            until(due, 9),
            Some(8),
            "the venue's data ends before the end"
        );
        due[10] = 6;
        assert_eq!(
            until(due, 9),
            Some(6),
            "a message that arrives then comes later"
        );
        due[2] = 6;
        assert_eq!(until(due, 9), Some(5), "a timer then comes first");
        due[0] = 3;
        assert_eq!(
            until(due, 9),
            Some(4),
            "what is known at 4 precedes the venue's 4"
        );
        assert_eq!(until([3, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], 9), Some(9));
    }
}
