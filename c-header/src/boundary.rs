//! The border between C and Rust: no panic crosses it, and no pointer is followed before it was looked at.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use leasehold::face::message_of;

use crate::status::*;

/// What a function's body answers; `?` ends it with an error.
pub(crate) type Answer = Result<lh_status, lh_status>;

/// Runs a function's body. Its panic is a status.
#[inline]
pub(crate) fn answer(body: impl FnOnce() -> Answer) -> lh_status {
    // Unwind safety: what a panic may have left in doubt is the engine's, which then serves nobody any more.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status) | Err(status)) => status,
        Err(panic) => report(panic),
    }
}

/// Logs a panic.
#[cold]
pub(crate) fn report(panic: Box<dyn Any + Send>) -> lh_status {
    log::error!("panic inside Leasehold: {}", message_of(&*panic));
    LH_PANICKED
}

/// A place that a function writes its output to.
pub(crate) struct Output<T>(NonNull<T>);

impl<T> Output<T> {
    /// # Safety
    ///
    /// `place` is NULL or the caller's to write to until the function returns.
    #[inline]
    pub(crate) unsafe fn new(place: *mut T) -> Result<Self, lh_status> {
        NonNull::new(place).map(Output).ok_or(LH_NULL_POINTER)
    }

    #[inline]
    pub(crate) fn write(self, value: T) {
        // SAFETY: `new`'s caller promised.
        unsafe { self.0.write(value) }
    }
}

/// The bytes that a pointer and a length name; `None` for NULL with length 0.
///
/// # Safety
///
/// `bytes` is NULL or points to `length` bytes that nobody writes to as long as the result is used.
pub(crate) unsafe fn bytes<'a>(
    bytes: *const c_void,
    length: usize,
) -> Result<Option<&'a [u8]>, lh_status> {
    if bytes.is_null() {
        return if length == 0 {
            Ok(None)
        } else {
            Err(LH_NULL_POINTER)
        };
    }
    if length > isize::MAX as usize {
        return Err(LH_INVALID_ARGUMENT);
    }
    // SAFETY: not NULL, of a size that a slice may have, and valid as the caller promised.
    Ok(Some(unsafe {
        std::slice::from_raw_parts(bytes.cast(), length)
    }))
}

/// Bytes of the program's to copy some into.
pub(crate) struct Buffer {
    place: *mut u8,
    capacity: usize,
}

impl Buffer {
    /// # Safety
    ///
    /// `place` is NULL, or `capacity` bytes at it are the caller's to write to until the function returns.
    pub(crate) unsafe fn new(place: *mut c_void, capacity: usize) -> Result<Self, lh_status> {
        if place.is_null() && capacity != 0 {
            return Err(LH_NULL_POINTER);
        }
        Ok(Buffer {
            place: place.cast(),
            capacity,
        })
    }

    /// Copies as many as there is room for.
    pub(crate) fn write(self, bytes: &[u8]) {
        let copied = bytes.len().min(self.capacity);
        if copied > 0 {
            // SAFETY: there is room, as `new`'s caller promised, and what is copied is ours.
            unsafe {
                self.place.copy_from_nonoverlapping(bytes.as_ptr(), copied);
            }
        }
    }
}

/// Reads an enum of the header from a number: C lets one have any value, and Rust does not.
macro_rules! from_number {
    ($name:ident: $($value:ident),+) => {
        impl TryFrom<u32> for $name {
            type Error = crate::status::lh_status;

            fn try_from(number: u32) -> Result<Self, Self::Error> {
                [$($name::$value),+]
                    .into_iter()
                    .find(|value| *value as u32 == number)
                    .ok_or(crate::status::LH_INVALID_ARGUMENT)
            }
        }
    };
}

pub(crate) use from_number;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_status() {
        assert_eq!(answer(|| panic!("on purpose")), LH_PANICKED);
        assert_eq!(
            answer(|| panic!("on purpose, {}", "formatted")),
            LH_PANICKED
        );
        assert_eq!(answer(|| std::panic::panic_any(7)), LH_PANICKED);
    }

    #[test]
    fn a_length_that_no_object_has_is_refused() {
        // SAFETY: refused before it is followed.
        let refused = unsafe { bytes(c"".as_ptr().cast(), usize::MAX) };
        assert_eq!(refused, Err(LH_INVALID_ARGUMENT));
    }
}
