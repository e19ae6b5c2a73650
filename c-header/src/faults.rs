//! Faults on demand, for tests.

use crate::boundary::answer;
use crate::status::*;

/// Panics inside, as a defect would.
#[unsafe(no_mangle)]
pub extern "C" fn lh_fault_panic() -> lh_status {
    answer(|| panic!("on demand"))
}
