use cq_types::Ts;

use crate::line::{Line, Phase, Wake};
use crate::LineError;

/// A strategy in Rust: research on the simulator at full speed.
///
/// It has the line itself in hand, so it can reach no venue but the simulated one; what is to
/// trade on paper or live is written for the step.
pub trait Strategy {
    /// Decides at a wake-up: reads what is known, places and cancels.
    ///
    /// # Errors
    /// Those of the line's commands; they end the run.
    fn decide(&mut self, line: &mut Line, wake: Wake) -> Result<(), LineError>;
}

impl<F: FnMut(&mut Line, Wake) -> Result<(), LineError>> Strategy for F {
    fn decide(&mut self, line: &mut Line, wake: Wake) -> Result<(), LineError> {
        self(line, wake)
    }
}

impl Line {
    /// Runs to the end with a strategy that is asked at each wake-up but the last, which nothing
    /// can follow. Returns how often it was asked; `None` where [`Self::wants`] says what is
    /// missing: the same call then goes on.
    ///
    /// # Errors
    /// As [`Self::advance`], and those of the strategy.
    pub fn run(&mut self, strategy: &mut dyn Strategy) -> Result<Option<u64>, LineError> {
        loop {
            match self.advance(usize::MAX)? {
                Some(None) => return Ok(Some(self.asked)),
                Some(Some(Wake::DataEnd)) => {}
                Some(Some(wake)) => {
                    self.asked += 1;
                    strategy.decide(self, wake)?;
                    self.books.unread.clear();
                }
                None if self.wants().is_some() => return Ok(None),
                None => {}
            }
        }
    }

    /// Lets time pass to `until`, and returns whether the tape goes on: the loop of those who come
    /// from hftbacktest. Fills and other answers are folded as they arrive, without a wake-up, and
    /// not kept for [`Self::take_answers`]. `None` where [`Self::wants`] says what is missing; the
    /// same call then goes on.
    ///
    /// # Errors
    /// As [`Self::advance`]; when `until` has passed.
    pub fn pass_to(&mut self, until: Ts) -> Result<Option<bool>, LineError> {
        self.start()?;
        if self.phase == Phase::Ended {
            return Ok(Some(false));
        }
        self.wake_at(until)?;
        let passed = loop {
            match self.advance(usize::MAX)? {
                Some(Some(Wake::Alarm)) if self.now() >= until => break Some(true),
                Some(Some(Wake::DataEnd) | None) => break Some(false),
                None if self.wants().is_some() => break None,
                _ => {}
            }
        };
        self.books.unread.clear();
        Ok(passed)
    }

    /// Lets time pass until more than `before` answers to an order have arrived, to `until` at
    /// most; returns whether they have, `None` as [`Self::pass_to`].
    ///
    /// # Errors
    /// As [`Self::advance`]; when the order is unknown or `until` has passed.
    pub fn wait_for(
        &mut self,
        order: u64,
        before: u32,
        until: Ts,
    ) -> Result<Option<bool>, LineError> {
        self.answered(order)?;
        self.wake_at(until)?;
        while self.answered(order)? <= before {
            match self.advance(1)? {
                Some(Some(Wake::Alarm)) if self.now() >= until => return Ok(Some(false)),
                Some(Some(Wake::DataEnd) | None) => return Ok(Some(false)),
                None if self.wants().is_some() => return Ok(None),
                _ => {}
            }
        }
        self.forget_alarm(until);
        Ok(Some(true))
    }
}
