//! The watch of the sockets of all pools: one for each loaded library, made for the first socket and closed when the
//! library is unloaded.

use crate::answer::{DONE, NOT_LEASED, NOTHING};
use crate::env::{This, with_env};
use crate::numbers;
use crate::pool::pool;
use jni::EnvUnowned;
use jni::objects::{JClass, JIntArray};
use jni::sys::{jint, jlong};
use leasehold::face::{Token, Watch};
use std::os::fd::BorrowedFd;
use std::panic::catch_unwind;
use std::time::Duration;

static WATCH: Watch = Watch::new();

/// How many numbers an event has in Java's array, as in `PeerWatch.java`: the pool's number, the slot, the opening.
pub(crate) const NUMBERS: usize = 3;

/// Closes the watch. The library is being unloaded, so nobody waits on it any more.
pub(crate) fn close() {
    WATCH.close();
}

/// Watches a leased connection's socket as one of pool `number`; anything but `DONE` says that it is not watched.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_watch<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    lease: jlong,
    number: jint,
    descriptor: jint,
) -> jint {
    catch_unwind(|| {
        if descriptor < 0 {
            return NOTHING;
        }
        let handle = numbers::handle(lease);
        // SAFETY: see the crate's page.
        let Ok(opening) = unsafe { pool(address) }.engine.opening(handle) else {
            return NOT_LEASED;
        };
        let token = Token::new(number as u32, handle.slot(), opening);
        // SAFETY: not -1, and Java promises that nobody closes the socket meanwhile.
        match WATCH.add(unsafe { BorrowedFd::borrow_raw(descriptor) }, token) {
            true => DONE,
            false => NOTHING,
        }
    })
    .unwrap_or(NOTHING) as jint
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_PeerWatch_remove<'local>(
    _env: EnvUnowned<'local>,
    _class: JClass<'local>,
    descriptor: jint,
) {
    if descriptor < 0 {
        return;
    }
    let _ = catch_unwind(|| {
        // SAFETY: not -1. If it is another file's by now, that one is not watched: Java removes only who is registered under the
        // number.
        WATCH.remove(unsafe { BorrowedFd::borrow_raw(descriptor) });
    });
}

/// The one native that waits: called on the housekeeper's thread only. As many events as the array has room for, those of one pool
/// together, in the order in which they came.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_PeerWatch_awaitEvents<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    millis: jint,
    events: JIntArray<'local>,
) -> jint {
    with_env(&mut env, 0, |env| {
        let room = events.len(env)? / NUMBERS;
        let closed = catch_unwind(|| {
            wait(
                room,
                Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
            )
        });
        let numbers: Vec<jint> = closed
            .unwrap_or_default()
            .iter()
            .flat_map(|token| {
                [
                    token.pool() as jint,
                    numbers::of_slot(token.slot()),
                    jint::from(token.opening()),
                ]
            })
            .collect();
        events.set_region(env, 0, &numbers)?;
        Ok((numbers.len() / NUMBERS) as jint)
    })
}

fn wait(room: usize, timeout: Duration) -> Vec<Token> {
    let mut closed = Vec::new();
    if WATCH.wait(&mut closed, room, Some(timeout)).is_err() {
        // There is nothing to wait on, but who asked must not come back at once, again and again.
        std::thread::sleep(timeout);
    }
    closed.sort_by_key(|token| token.pool());
    closed
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_PeerWatch_wake<'local>(
    _env: EnvUnowned<'local>,
    _class: JClass<'local>,
) {
    let _ = catch_unwind(|| WATCH.wake());
}
