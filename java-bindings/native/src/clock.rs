//! The wall clock as of the kernel's last tick, which costs less to read than the precise one.

use jni::sys::{JNIEnv, jclass, jlong};
use rustix::time::{ClockId, clock_gettime};

/// Milliseconds since the beginning of 1970.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_KernelClock_lastTick(
    _env: *mut JNIEnv,
    _class: jclass,
) -> jlong {
    last_tick()
}

/// The same, for natives that need it.
#[inline]
pub(crate) fn last_tick() -> jlong {
    let time = clock_gettime(ClockId::RealtimeCoarse);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
