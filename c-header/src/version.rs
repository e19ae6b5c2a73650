//! The version, at run time.

use std::ffi::{CStr, c_char};

const TEXT: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a version has no NUL"),
    };

const NUMBER: u32 = number_of(env!("CARGO_PKG_VERSION_MAJOR")) << 16
    | number_of(env!("CARGO_PKG_VERSION_MINOR")) << 8
    | number_of(env!("CARGO_PKG_VERSION_PATCH"));

const fn number_of(digits: &str) -> u32 {
    let (digits, mut number, mut index) = (digits.as_bytes(), 0, 0);
    while index < digits.len() {
        number = number * 10 + (digits[index] - b'0') as u32;
        index += 1;
    }
    assert!(number < 256);
    number
}

/// The version of the library in use as major << 16 | minor << 8 | patch. LH_VERSION_NUMBER is that of the header.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_version_number() -> u32 {
    NUMBER
}

/// The version of the library in use as text, such as "0.1.0". One with more behind the number, such as
/// "0.1.0-SNAPSHOT", is on its way there. Valid for ever. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_version_text() -> *const c_char {
    TEXT.as_ptr()
}
