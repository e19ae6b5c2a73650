//! Everything but hits: one native for each call of the engine.

use crate::answer::{self, BROKEN, DONE, NOT_LEASED, NOTHING, PENDING, RETRY};
use crate::effects::hand_over;
use crate::hit::keep_of;
use crate::pool::pool;
use crate::{This, with_env};
use jni::EnvUnowned;
use jni::objects::{JIntArray, JLongArray};
use jni::sys::{jboolean, jint, jlong};
use leasehold::engine::{
    Answer, Effects, Engine, Handle, Released, RouteId, ShutdownMode, StateId, Stats, Ticket, Use,
    Verdict,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Instead of milliseconds, as in `Engine.java`.
const CLOSE: jlong = -2;
/// From here on what the end of a lease answers is a cause, as in `Engine.java`.
const CLOSED: jint = 1;

fn route_id(number: jlong) -> RouteId {
    RouteId::from_u64(number as u64)
}

fn handle(number: jlong) -> Handle {
    Handle::from_u64(number as u64)
}

/// Makes one call on the engine and hands its effects over.
fn call<'local>(
    env: &mut EnvUnowned<'local>,
    address: jlong,
    array: &JLongArray<'local>,
    body: impl FnOnce(&Engine, &mut Effects) -> jlong,
) -> jlong {
    with_env(env, BROKEN, |env| {
        let mut effects = Effects::new();
        // SAFETY: see the crate's page.
        let answer = body(&unsafe { pool(address) }.engine, &mut effects);
        hand_over(env, effects, array)?;
        Ok(answer)
    })
}

/// Makes one call on the engine that has no effects.
fn ask(address: jlong, body: impl FnOnce(&Engine) -> jlong) -> jlong {
    // SAFETY: see the crate's page.
    let engine = &unsafe { pool(address) }.engine;
    catch_unwind(AssertUnwindSafe(|| body(engine))).unwrap_or(BROKEN)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_addRoute<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    effects: JLongArray<'local>,
) -> jlong {
    call(&mut env, address, &effects, |engine, effects| {
        engine
            .add_route(effects)
            .map_or_else(answer::of_refusal, |route| route.to_u64() as jlong)
    })
}

/// `ticket` is 0 for a request that does not wait.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_lease<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    route: jlong,
    state: jint,
    ticket: jlong,
    effects: JLongArray<'local>,
) -> jlong {
    let ticket = (ticket != 0).then(|| Ticket::from_u64(ticket as u64));
    call(&mut env, address, &effects, |engine, effects| {
        answer::of_outcome(engine.lease(route_id(route), StateId(state as u32), ticket, effects))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_reserveTicket<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
) -> jlong {
    ask(address, |engine| {
        engine
            .reserve_ticket()
            .map_or_else(answer::of_refusal, |ticket| ticket.to_u64() as jlong)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_pollTicket<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    ticket: jlong,
) -> jlong {
    ask(address, |engine| {
        match engine.poll_ticket(Ticket::from_u64(ticket as u64)) {
            Ok(Answer::Pending) => PENDING,
            Ok(Answer::AskAgain) => RETRY,
            Ok(Answer::Granted(grant)) => answer::of_grant(grant),
            Err(refusal) => answer::of_refusal(refusal),
        }
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_cancel<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    ticket: jlong,
    effects: JLongArray<'local>,
) -> jlong {
    call(&mut env, address, &effects, |engine, effects| {
        engine
            .cancel(Ticket::from_u64(ticket as u64), effects)
            .map_or(NOTHING, answer::of_grant)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_opened<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    lease: jlong,
) -> jlong {
    ask(address, |engine| {
        engine
            .opened(handle(lease))
            .map_or_else(answer::of_refusal, |()| DONE)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_reopen<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    lease: jlong,
) -> jlong {
    ask(address, |engine| {
        engine.reopen(handle(lease)).map_or(NOT_LEASED, |()| DONE)
    })
}

/// Another connection takes the place of a leased one, in the same entry: no event or mark of the one before concerns it.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_renew<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    lease: jlong,
) -> jlong {
    ask(address, |engine| {
        engine.renew(handle(lease)).map_or(NOT_LEASED, |()| DONE)
    })
}

/// The look at a connection that was just leased has found it dead.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_noteStale<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
) {
    ask(address, |engine| {
        engine.note_stale();
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_release<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    lease: jlong,
    keep: jlong,
    state: jint,
    effects: JLongArray<'local>,
) -> jint {
    let verdict = if keep == CLOSE {
        Verdict::Close
    } else {
        Verdict::Keep(keep_of(keep))
    };
    call(
        &mut env,
        address,
        &effects,
        |engine, effects| match engine.release(
            handle(lease),
            verdict,
            StateId(state as u32),
            effects,
        ) {
            Ok(Released::Kept) => DONE,
            Ok(Released::Close(cause)) => jlong::from(CLOSED + cause as jint),
            Err(_) => NOT_LEASED,
        },
    ) as jint
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_ack<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    slot: jint,
) {
    ask(address, |engine| {
        engine.ack(slot as u32);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_closeExpired<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    effects: JLongArray<'local>,
) {
    call(&mut env, address, &effects, |engine, effects| {
        engine.close_expired(effects);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_closeIdle<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    millis: jlong,
    effects: JLongArray<'local>,
) {
    call(&mut env, address, &effects, |engine, effects| {
        engine.close_idle(millis as u64, effects);
        DONE
    });
}

/// A route that is not known any more has nothing to clear.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_clearRoute<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    route: jlong,
    effects: JLongArray<'local>,
) {
    call(&mut env, address, &effects, |engine, effects| {
        engine
            .clear_route(route_id(route), effects)
            .map_or_else(answer::of_refusal, |()| DONE)
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_peerClosed<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    slot: jint,
    opening: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, address, &effects, |engine, effects| {
        engine.peer_closed(slot as u32, opening as u16, effects);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_clearConnection<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    slot: jint,
    opening: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, address, &effects, |engine, effects| {
        engine.clear_connection(slot as u32, opening as u16, effects);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_setMaxTotal<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    max: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, address, &effects, |engine, effects| {
        engine.set_max_total(max as u32, effects);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_setDefaultMaxPerRoute<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    max: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, address, &effects, |engine, effects| {
        engine.set_default_max_per_route(max as u32, effects);
        DONE
    });
}

/// A negative limit is none of its own. A route that is not known any more gets its limit when it is next made.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_setMaxPerRoute<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    route: jlong,
    max: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, address, &effects, |engine, effects| {
        engine
            .set_max_per_route(route_id(route), u32::try_from(max).ok(), effects)
            .map_or_else(answer::of_refusal, |()| DONE)
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_shutdown<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    immediate: jboolean,
    effects: JLongArray<'local>,
) {
    let mode = if immediate {
        ShutdownMode::Immediate
    } else {
        ShutdownMode::Graceful
    };
    call(&mut env, address, &effects, |engine, effects| {
        engine.shutdown(mode, effects);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_stats<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    numbers: JIntArray<'local>,
) {
    with_env(&mut env, (), |env| {
        // SAFETY: see the crate's page.
        let stats = unsafe { pool(address) }.engine.stats();
        numbers.set_region(env, 0, &counts(stats))
    });
}

/// In the order of `Counters.java`.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_counters<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    numbers: JLongArray<'local>,
) {
    with_env(&mut env, (), |env| {
        // SAFETY: see the crate's page.
        let counters = unsafe { pool(address) }.engine.counters();
        let counts = [
            counters.closed_by_peer,
            counters.stale,
            counters.expired,
            counters.idle,
            counters.evicted,
            counters.over_limit,
            counters.cleared,
        ];
        numbers.set_region(env, 0, &counts.map(|count| count as jlong))
    });
}

/// A route that is not known any more has nothing: the array stays as it was made.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_routeStats<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    route: jlong,
    numbers: JIntArray<'local>,
) {
    with_env(&mut env, (), |env| {
        // SAFETY: see the crate's page.
        match unsafe { pool(address) }.engine.route_stats(route_id(route)) {
            Some(stats) => numbers.set_region(env, 0, &counts(stats)),
            None => Ok(()),
        }
    });
}

fn counts(stats: Stats) -> [jint; 3] {
    [
        stats.leased as jint,
        stats.pending as jint,
        stats.available as jint,
    ]
}

/// Slot, number of its opening and route of each entry that is idle, or of each that is leased.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_entries<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    idle: jboolean,
) -> JLongArray<'local> {
    let wanted = if idle { Use::Idle } else { Use::Leased };
    with_env(&mut env, JLongArray::default(), |env| {
        // SAFETY: see the crate's page.
        let entries = unsafe { pool(address) }.engine.entries();
        let numbers: Vec<jlong> = entries
            .iter()
            .filter(|entry| entry.used == wanted)
            .flat_map(|entry| {
                [
                    jlong::from(entry.handle.slot()),
                    jlong::from(entry.opening),
                    entry.route.to_u64() as jlong,
                ]
            })
            .collect();
        let array = JLongArray::new(env, numbers.len())?;
        array.set_region(env, 0, &numbers)?;
        Ok(array)
    })
}
