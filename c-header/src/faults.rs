//! Faults on demand, for tests.

use std::panic::resume_unwind;

use crate::boundary::answer;
use crate::status::*;

/// Panics inside, as a defect would, but for the line on stderr: in a test's log that would look like a failure.
#[unsafe(no_mangle)]
pub extern "C" fn lh_fault_panic() -> lh_status {
    answer(|| resume_unwind(Box::new("on demand")))
}
