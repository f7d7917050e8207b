use cq_types::Ts;

use crate::line::{Line, Wake};
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
    /// can follow. Returns how often it was asked.
    ///
    /// # Errors
    /// As [`Self::advance`], and those of the strategy.
    pub fn run(&mut self, strategy: &mut dyn Strategy) -> Result<u64, LineError> {
        let mut asked = 0;
        loop {
            let wake = match self.advance(usize::MAX)? {
                Some(None) => return Ok(asked),
                Some(wake) => wake.filter(|wake| *wake != Wake::DataEnd),
                None => {
                    self.expect_rows()?;
                    None
                }
            };
            if let Some(wake) = wake {
                asked += 1;
                strategy.decide(self, wake)?;
                self.take_answers();
            }
        }
    }

    /// Lets `duration` pass, and returns whether the tape goes on: the loop of those who come
    /// from hftbacktest. Fills and other answers are folded as they arrive, without a wake-up.
    ///
    /// # Errors
    /// As [`Self::advance`]; when `duration` is not positive.
    pub fn elapse(&mut self, duration: Ts) -> Result<bool, LineError> {
        self.start()?;
        let until = self.now().saturating_add(duration);
        self.wake_at(until)?;
        loop {
            match self.advance(usize::MAX)? {
                Some(Some(Wake::Alarm)) if self.now() >= until => return Ok(true),
                Some(Some(Wake::DataEnd) | None) => return Ok(false),
                None => self.expect_rows()?,
                Some(_) => {}
            }
        }
    }

    /// Lets the answer to an order arrive, for `timeout` at most; returns whether it has.
    ///
    /// # Errors
    /// As [`Self::advance`]; when the order is unknown or `timeout` is not positive.
    pub fn wait_for(&mut self, order: u64, timeout: Ts) -> Result<bool, LineError> {
        let until = self.now().saturating_add(timeout);
        let before = self.answered(order)?;
        self.wake_at(until)?;
        while self.answered(order)? == before {
            match self.advance(1)? {
                Some(Some(Wake::Alarm)) if self.now() >= until => return Ok(false),
                Some(Some(Wake::DataEnd) | None) => return Ok(false),
                None => self.expect_rows()?,
                Some(_) => {}
            }
        }
        self.forget_alarm(until);
        Ok(true)
    }
}
