use std::collections::VecDeque;

use cq_types::{InstrumentIdx, Ts};

use crate::order::{Amendment, Request};

/// What is said to the venue.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message {
    New(Request),
    Cancel(u64),
    Amend { order: u64, to: Amendment },
}

/// A message on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) decided: Ts,
    pub(crate) arrives: Ts,
    pub(crate) instrument: InstrumentIdx,
    pub(crate) message: Message,
}

/// What we sent and the venue has not seen yet, in the order in which it was sent.
#[derive(Debug, Default)]
pub(crate) struct Transit(VecDeque<Sent>);

impl Transit {
    /// One connection: a message never overtakes those that were sent before it.
    pub(crate) fn push(&mut self, mut sent: Sent) {
        if let Some(last) = self.0.back() {
            sent.arrives = sent.arrives.max(last.arrives);
        }
        self.0.push_back(sent);
    }

    pub(crate) fn next_arrival(&self) -> Option<Ts> {
        self.0.front().map(|sent| sent.arrives)
    }

    pub(crate) fn front(&self) -> Option<&Sent> {
        self.0.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Sent> {
        self.0.pop_front()
    }

    /// Lets all that is on its way about instruments arrive at `ts`, first of all; how much it is.
    pub(crate) fn hurry(&mut self, is_of: impl Fn(InstrumentIdx) -> bool, ts: Ts) -> usize {
        let taken = self.take(is_of);
        let count = taken.len();
        for sent in taken.into_iter().rev() {
            self.0.push_front(Sent {
                arrives: ts,
                ..sent
            });
        }
        count
    }

    /// Takes all that is on its way about instruments.
    pub(crate) fn take(&mut self, is_of: impl Fn(InstrumentIdx) -> bool) -> VecDeque<Sent> {
        let all = std::mem::take(&mut self.0).into_iter();
        let (taken, left) = all.partition(|sent| is_of(sent.instrument));
        self.0 = left;
        taken
    }

    /// Whether a cancellation of an order is on its way that was decided by `ts`.
    pub(crate) fn withdraws(&self, order: u64, ts: Ts) -> bool {
        self.0.iter().any(|sent| {
            sent.decided <= ts && matches!(sent.message, Message::Cancel(id) if id == order)
        })
    }
}
