//! Closing what nobody leased, and ending a pool.

use crate::answer::{self, DONE};
use crate::call::call;
use crate::env::{This, with_env};
use crate::numbers;
use crate::watch::NUMBERS;
use jni::EnvUnowned;
use jni::objects::{JIntArray, JLongArray};
use jni::sys::{jboolean, jint, jlong};
use leasehold::engine::ShutdownMode;

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_closeExpired<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine.close_expired(effects);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_closeIdle<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    millis: jlong,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine.close_idle(millis as u64, effects);
        DONE
    });
}

/// A route that is not known any more has nothing to clear.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_clearRoute<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    route: jlong,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine
            .clear_route(numbers::route_id(route), effects)
            .map_or_else(answer::of_refusal, |()| DONE)
    });
}

/// The events of this pool that stand in Java's array from one number to another, which may be any that Java has sent.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_peersClosed<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    events: JIntArray<'local>,
    from: jint,
    to: jint,
    effects: JLongArray<'local>,
) {
    let numbers = with_env(&mut env, Vec::new(), |env| {
        let length = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        let mut numbers = vec![0; length.min(events.len(env)?)];
        // Outside the array it is Java's own exception.
        events.get_region(env, from, &mut numbers)?;
        Ok(numbers)
    });
    if numbers.is_empty() {
        return;
    }
    call(&mut env, &this, address, &effects, |engine, effects| {
        for event in numbers.chunks_exact(NUMBERS) {
            engine.peer_closed(numbers::slot(event[1]), event[2] as u16, effects);
        }
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_clearConnection<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    slot: jint,
    opening: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine.clear_connection(numbers::slot(slot), opening as u16, effects);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_shutdown<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    immediate: jboolean,
    effects: JLongArray<'local>,
) {
    let mode = if immediate {
        ShutdownMode::Immediate
    } else {
        ShutdownMode::Graceful
    };
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine.shutdown(mode, effects);
        DONE
    });
}
