use cq_types::{InstrumentIdx, Qty, Ts};

/// The venue's own signed positions, and what each was before the moment of its last trade.
#[derive(Debug, Clone)]
pub(crate) struct Positions(Vec<Position>);

#[derive(Debug, Clone, Copy)]
struct Position {
    qty: i64,
    traded: Ts,
    before: i64,
}

impl Position {
    /// One that nothing was traded of yet.
    const fn untraded(qty: i64) -> Self {
        Self {
            qty,
            traded: Ts::MIN,
            before: qty,
        }
    }
}

impl Positions {
    pub(crate) fn flat(count: usize) -> Self {
        Self(vec![Position::untraded(0); count])
    }

    pub(crate) fn of(&self, instrument: InstrumentIdx) -> i64 {
        self.get(instrument).qty
    }

    /// The position just before `ts`, which is no earlier than the last trade: who trades at the
    /// moment of a settlement does not take part in it.
    pub(crate) fn before(&self, instrument: InstrumentIdx, ts: Ts) -> Qty {
        let position = self.get(instrument);
        Qty(if position.traded >= ts {
            position.before
        } else {
            position.qty
        })
    }

    /// Sets a position that was taken before the tape began.
    pub(crate) fn set(&mut self, instrument: InstrumentIdx, qty: Qty) {
        if let Some(position) = self.0.get_mut(usize::from(instrument)) {
            *position = Position::untraded(qty.0);
        }
    }

    pub(crate) fn trade(&mut self, instrument: InstrumentIdx, signed: i64, ts: Ts) {
        if let Some(position) = self.0.get_mut(usize::from(instrument)) {
            if ts > position.traded {
                (position.traded, position.before) = (ts, position.qty);
            }
            position.qty += signed;
        }
    }

    fn get(&self, instrument: InstrumentIdx) -> Position {
        let at = self.0.get(usize::from(instrument));
        at.copied().unwrap_or(Position::untraded(0))
    }
}
