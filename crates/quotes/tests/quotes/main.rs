//! Our own quotes: what lives against a naive book, plans by hand, sums against naive ones.

#![allow(clippy::unwrap_used)] // what fails here fails the test

mod answers;
mod bench;
mod budget;
mod changes;
mod live;
mod naive;
mod own;
mod random;
mod sums;
mod wishes;

use cq_quotes::Key;
use cq_types::InstrumentIdx;

fn key(sleeve: usize, instrument: InstrumentIdx) -> Key {
    Key { sleeve, instrument }
}
