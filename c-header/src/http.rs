//! What an HTTP/1 response's headers say about the connection it came on.

use std::borrow::Cow;
use std::ffi::c_char;

use leasehold::Reuse;

use crate::boundary::{Output, answer, bytes};
use crate::options::LH_FOREVER;
use crate::status::*;

/// Reads how long an HTTP/1 connection may be kept after a response: what lh_lease_release wants to know.
///
/// `minor_version` is the response's: 0 for HTTP/1.0, 1 for HTTP/1.1. `connection` and `keep_alive` are the values of the
/// headers of these names, `connection_length` and `keep_alive_length` bytes long, which need no terminating NUL; NULL
/// and 0 where there is none. Join several of one name by commas.
///
/// Writes to `keep_ms` milliseconds, or 0 for "close it", or LH_FOREVER for "keep it as long as it lasts". `close` in
/// Connection wins. HTTP/1.0 needs `keep-alive` there. Of Keep-Alive `timeout=seconds` is read, and `max=requests`, which is how many
/// requests are left. With max=0, as with timeout=0, the connection closes. Of several of one name the smallest counts. What cannot
/// be read is passed over. O(length).
///
/// LH_NULL_POINTER: `keep_ms`, or a value of a length other than 0, is NULL; LH_INVALID_ARGUMENT: a length is more than any
/// object has; LH_NO_MEMORY. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_http1_keep_alive(
    minor_version: u8,
    connection: *const c_char,
    connection_length: usize,
    keep_alive: *const c_char,
    keep_alive_length: usize,
    keep_ms: *mut u64,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let (connection, keep_alive, output) = unsafe {
            (
                bytes(connection.cast(), connection_length)?,
                bytes(keep_alive.cast(), keep_alive_length)?,
                Output::new(keep_ms)?,
            )
        };
        let connection = connection.map(readable).transpose()?;
        let keep_alive = keep_alive.map(readable).transpose()?;
        output.write(
            match Reuse::of_http1(minor_version, connection.as_deref(), keep_alive.as_deref()) {
                Reuse::Close => 0,
                Reuse::KeepFor(time) => time.as_millis().try_into().unwrap_or(LH_FOREVER),
                Reuse::Keep => LH_FOREVER,
            },
        );
        Ok(LH_OK)
    })
}

/// A header's value as text, with marks in place of what is none.
fn readable(value: &[u8]) -> Result<Cow<'_, str>, lh_status> {
    if let Ok(text) = std::str::from_utf8(value) {
        return Ok(Cow::Borrowed(text));
    }
    let mut text = String::new();
    // A mark takes three bytes, and what it stands for one at least.
    text.try_reserve_exact(value.len().saturating_mul(3))
        .map_err(|_| LH_NO_MEMORY)?;
    for chunk in value.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Ok(Cow::Owned(text))
}
