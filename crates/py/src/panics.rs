//! Panics, kept for who asks for them instead of printed.

use std::backtrace::Backtrace;
use std::panic;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps panics off standard error from here on; `last_panic` has them.
#[pyfunction]
pub fn keep_panics() {
    panic::set_hook(Box::new(|info| {
        let text = format!("{info}\n{}", Backtrace::force_capture());
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }));
}

/// What the last panic said, where it was and who called it, once.
#[pyfunction]
pub fn last_panic() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).take()
}
