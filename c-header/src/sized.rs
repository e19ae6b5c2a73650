//! Structs that later versions of the library may add members to, at the end. A program built with a header of any version works with a
//! library of any version, because it says how large the struct is that it knows: options in their first member, statistics in an
//! argument of the function that writes them.
//!
//! The rule is one for all. A size below that of the struct's first version, or beyond what any version will have, is LH_BAD_SIZE. Of a
//! smaller struct than the library's the members that it has are read or written, and no byte behind them. Of a larger one, what the
//! library does not know is written as 0, and must be 0 where it is read.
//!
//! No struct has bytes between or behind its members that none of them has: those would be covered by the size, and a member that a later
//! version put there would be read from what nobody had written. The C tests are compiled with a warning of such bytes as an error.

use std::mem::size_of;

use crate::boundary::Output;
use crate::status::*;

/// Far more than any later version will have. What is larger was never set, and must not be walked along.
const MOST: usize = 4096;

/// A struct that may grow.
///
/// # Safety
///
/// The type is `repr(C)`, and any bytes are a valid value but for pointers that the program answers for. `FIRST_SIZE` is where a member
/// ends.
pub(crate) unsafe trait Growing: Copy {
    /// The size of the struct's first version.
    const FIRST_SIZE: usize;
}

/// A struct that the program fills in.
///
/// # Safety
///
/// It begins with its size as an `usize`.
pub(crate) unsafe trait Options: Growing + Default {}

fn checked<T: Growing>(size: usize) -> Result<usize, lh_status> {
    if (T::FIRST_SIZE..=MOST).contains(&size) {
        Ok(size)
    } else {
        Err(LH_BAD_SIZE)
    }
}

/// A place for a struct of which the program knows `size` bytes.
pub(crate) struct SizedOutput<T> {
    place: *mut T,
    size: usize,
}

impl<T: Growing> SizedOutput<T> {
    /// # Safety
    ///
    /// `place` is NULL, or `size` bytes at it are the caller's to write to until the function returns.
    pub(crate) unsafe fn new(place: *mut T, size: usize) -> Result<Self, lh_status> {
        // SAFETY: only looked at.
        unsafe { Output::new(place)? };
        Ok(SizedOutput {
            place,
            size: checked::<T>(size)?,
        })
    }

    pub(crate) fn write(self, value: T) {
        let known = self.size.min(size_of::<T>());
        let bytes = self.place.cast::<u8>();
        // SAFETY: all `size` bytes are the caller's, as `new`'s caller promised, and a T has as many as are copied.
        unsafe {
            bytes.copy_from_nonoverlapping((&raw const value).cast(), known);
            bytes.add(known).write_bytes(0, self.size - known);
        }
    }
}

/// Fills a struct of options with the defaults.
///
/// # Safety
///
/// As for [`SizedOutput::new`].
pub(crate) unsafe fn fill<T: Options>(
    options: *mut T,
    size: usize,
) -> Result<lh_status, lh_status> {
    // SAFETY: the caller's promise.
    unsafe { SizedOutput::new(options, size)? }.write(T::default());
    // SAFETY: its first member is there, as `size` is no smaller than the first version, and has the size.
    unsafe { options.cast::<usize>().write(size) };
    Ok(LH_OK)
}

/// The options at `options`. Members that the program's version does not know have the defaults, as all have for NULL.
///
/// # Safety
///
/// `options` is NULL or points to as many bytes as its first member says.
pub(crate) unsafe fn read<T: Options>(options: *const T) -> Result<T, lh_status> {
    let mut known = T::default();
    if options.is_null() {
        return Ok(known);
    }
    // SAFETY: the caller's promise.
    let size = checked::<T>(unsafe { options.cast::<usize>().read() })?;
    let bytes = options.cast::<u8>();
    let unknown = size.saturating_sub(size_of::<T>());
    // SAFETY: within `size`, which the caller says is there.
    let unknown = unsafe { std::slice::from_raw_parts(bytes.add(size - unknown), unknown) };
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(LH_INVALID_ARGUMENT);
    }
    // SAFETY: as many bytes are there as are copied, and a T has room for them.
    unsafe {
        bytes.copy_to_nonoverlapping((&raw mut known).cast(), size.min(size_of::<T>()));
    }
    Ok(known)
}

/// The numbers at `numbers`, of which the program knows `size` bytes.
///
/// # Safety
///
/// `numbers` is NULL or points to `size` bytes.
pub(crate) unsafe fn read_numbers<T: Growing>(
    numbers: *const T,
    size: usize,
) -> Result<T, lh_status> {
    if numbers.is_null() {
        return Err(LH_NULL_POINTER);
    }
    // One of a later version may say what the library cannot take into account.
    if checked::<T>(size)? > size_of::<T>() {
        return Err(LH_BAD_SIZE);
    }
    let mut known = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: as many bytes are there, a T has room for them, and any bytes are one.
    unsafe {
        let bytes = known.as_mut_ptr().cast::<u8>();
        bytes.copy_from_nonoverlapping(numbers.cast(), size);
        Ok(known.assume_init())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a second version.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Numbers {
        first: u64,
        second: u64,
    }

    // SAFETY: two numbers, of which the first is the first version's.
    unsafe impl Growing for Numbers {
        const FIRST_SIZE: usize = 8;
    }

    const NUMBERS: Numbers = Numbers {
        first: 1,
        second: 2,
    };

    /// What a program with a struct of `size` bytes finds in its memory, which is larger.
    fn written(size: usize) -> Result<[u64; 4], lh_status> {
        let mut memory = [7; 4];
        // SAFETY: `size` bytes of it may be written to, wherever that is done.
        unsafe { SizedOutput::new(memory.as_mut_ptr().cast::<Numbers>(), size)? }.write(NUMBERS);
        Ok(memory)
    }

    #[test]
    fn an_older_program_gets_what_it_knows_and_a_newer_one_zeros_beyond_that() {
        assert_eq!(written(8), Ok([1, 7, 7, 7]));
        assert_eq!(written(16), Ok([1, 2, 7, 7]));
        assert_eq!(written(24), Ok([1, 2, 0, 7]));
    }

    #[test]
    fn a_size_that_no_version_has_is_refused_and_nothing_written() {
        let mut numbers = Numbers {
            first: 7,
            second: 7,
        };
        for size in [0, 7, MOST + 1, usize::MAX] {
            // SAFETY: refused before it is written to.
            let refused = unsafe { SizedOutput::new(&raw mut numbers, size) };
            assert_eq!(refused.err(), Some(LH_BAD_SIZE));
        }
        assert_eq!(
            numbers,
            Numbers {
                first: 7,
                second: 7
            }
        );
        // SAFETY: as above.
        let refused = unsafe { SizedOutput::<Numbers>::new(std::ptr::null_mut(), 16) };
        assert_eq!(refused.err(), Some(LH_NULL_POINTER));
    }
}
