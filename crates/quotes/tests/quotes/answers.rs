//! What the venue's answers do to one quote that lives, by hand.

use std::sync::Arc;

use cq_quotes::{Live, LiveQuote, QuoteError};

use super::key;

/// Sleeve 0 bids 10 at 50 in instrument 0, as order 1.
fn one() -> Live {
    let mut live = Live::default();
    let quote = LiveQuote::new(1, 7, 50, 10, Arc::from("why"));
    live.place(key(0, 0), quote).unwrap();
    live
}

#[test]
fn a_fill_in_part_leaves_the_rest_and_the_whole_leaves_nothing() {
    let mut live = one();
    assert_eq!(live.on_fill(1, 4), Ok(true));
    assert_eq!(live.working(key(0, 0)), [6, 0]);
    assert!(live.has(1));
    assert_eq!(live.on_fill(1, 6), Ok(true));
    assert_eq!(live.working(key(0, 0)), [0, 0]);
    assert!(!live.has(1));
    assert_eq!(live.on_fill(1, 1), Ok(false));
}

#[test]
fn a_fill_of_more_than_is_left_is_an_error_and_changes_nothing() {
    let mut live = one();
    live.on_fill(1, 4).unwrap();
    let error = live.on_fill(1, 7).unwrap_err();
    let (id, quantity, most) = (1, 7, 6);
    assert_eq!(error, QuoteError::Overfilled { id, quantity, most });
    assert_eq!(error.to_string(), "order 1: a fill of 7, expected 1 to 6");
    assert_eq!(live.working(key(0, 0)), [6, 0]);
}

#[test]
fn a_refusal_ends_a_new_order_and_keeps_one_whose_cancel_it_means() {
    let mut live = one();
    live.cancel(1);
    assert!(live.on_reject(1));
    assert!(!live.has(1));
    let mut live = one();
    live.on_ack(1);
    live.cancel(1);
    assert!(live.on_reject(1));
    assert!(!live.get(1).unwrap().1.is_cancelling);
    assert!(live.on_reject(1)); // nothing was asked of it: the order itself is refused
    assert!(!live.has(1));
}

#[test]
fn one_changed_to_less_than_is_filled_has_nothing_left() {
    let mut live = one();
    live.on_fill(1, 4).unwrap();
    live.amend(1, 3);
    assert!(live.on_amended(1, 3));
    assert_eq!(live.working(key(0, 0)), [0, 0]);
    assert_eq!(live.get(1).unwrap().1.quantity, 4);
    assert_eq!(live.get(1).unwrap().1.amended, None);
}

#[test]
fn a_place_is_free_again_once_its_order_is_gone() {
    let mut live = one();
    let again = || LiveQuote::new(2, 8, 50, 1, Arc::from("why"));
    assert_eq!(live.place(key(0, 0), again()), Err(QuoteError::TwoAtOne(2)));
    assert!(live.on_end(1));
    assert_eq!(live.place(key(0, 0), again()), Ok(()));
    assert_eq!(live.working(key(0, 0)), [1, 0]);
}

#[test]
fn more_than_can_be_counted_is_refused_and_changes_nothing() {
    let mut live = one();
    let huge = |at| LiveQuote::new(2, 8, at, i64::MAX - 9, Arc::from("why"));
    let error = live.place(key(0, 0), huge(49)).unwrap_err();
    let text = "order 2: what its side may trade is 2^63 units or more";
    assert_eq!(
        (&error, error.to_string().as_str()),
        (&QuoteError::TooLarge(2), text)
    );
    assert!(!live.has(2));
    assert_eq!(live.working(key(0, 0)), [10, 0]);
    assert_eq!(live.place(key(0, 0), huge(-51)), Ok(())); // the other side has room
    assert_eq!(live.count(key(0, 0), i64::MAX, false), Ok(()));
    assert_eq!(live.count(key(0, 0), 1, false), Err(QuoteError::Uncounted));
    assert_eq!(
        live.count(key(0, 0), i64::MIN, true),
        Err(QuoteError::Uncounted)
    );
    assert_eq!(live.beside(key(0, 0)), [i64::MAX, 0]);
    assert_eq!(live.working(key(0, 0)), [i64::MAX, i64::MAX - 9]);
}
