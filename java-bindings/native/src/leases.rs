//! Leases the long way, the routes they go to and the tickets that wait for them: one native for each call of the engine.

use crate::answer::{self, DONE, NOT_LEASED, NOTHING, PENDING, RETRY};
use crate::call::{ask, ask_with_stack, call};
use crate::env::This;
use crate::hit::verdict_of;
use crate::numbers;
use crate::stack;
use jni::EnvUnowned;
use jni::objects::JLongArray;
use jni::sys::{jboolean, jint, jlong};
use leasehold::engine::{Answer, GivenUp, Released};

/// From here on what the end of a lease answers is a cause, as in `Engine.java`.
const CLOSED: jint = 1;

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_addRoute<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    effects: JLongArray<'local>,
) -> jlong {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine
            .add_route(effects)
            .map_or_else(answer::of_refusal, numbers::of_route)
    })
}

/// `ticket` is 0 for a request that does not wait.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_lease<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    route: jlong,
    state: jint,
    ticket: jlong,
    effects: JLongArray<'local>,
) -> jlong {
    let ticket = (ticket != 0).then(|| numbers::ticket(ticket));
    call(&mut env, &this, address, &effects, |engine, effects| {
        answer::of_outcome(engine.lease(
            numbers::route_id(route),
            numbers::state(state),
            ticket,
            effects,
        ))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_reserveTicket<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
) -> jlong {
    ask_with_stack::<{ stack::FOR_TICKET }>(&mut env, &this, address, |engine| {
        engine
            .reserve_ticket()
            .map_or_else(answer::of_refusal, numbers::of_ticket)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_pollTicket<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    ticket: jlong,
) -> jlong {
    // The thread that asked may be another one.
    ask_with_stack::<{ stack::FOR_EFFECTS }>(&mut env, &this, address, |engine| {
        match engine.poll_ticket(numbers::ticket(ticket)) {
            Ok(Answer::Pending) => PENDING,
            Ok(Answer::AskAgain) => RETRY,
            Ok(Answer::Granted(grant)) => answer::of_grant(grant),
            Err(refusal) => answer::of_refusal(refusal),
        }
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_cancel<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    ticket: jlong,
    timed_out: jboolean,
    effects: JLongArray<'local>,
) -> jlong {
    let why = if timed_out {
        GivenUp::TimedOut
    } else {
        GivenUp::Cancelled
    };
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine
            .cancel(numbers::ticket(ticket), why, effects)
            .map_or(NOTHING, answer::of_grant)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_opened<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    lease: jlong,
) -> jlong {
    ask(address, |engine| {
        engine
            .opened(numbers::handle(lease))
            .map_or_else(answer::of_refusal, |()| DONE)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_reopen<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    lease: jlong,
) -> jlong {
    ask_with_stack::<{ stack::FOR_EFFECTS }>(&mut env, &this, address, |engine| {
        engine
            .reopen(numbers::handle(lease))
            .map_or(NOT_LEASED, |()| DONE)
    })
}

/// Another connection takes the place of a leased one, in the same entry: no event of the one before concerns it.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_renew<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    lease: jlong,
) -> jlong {
    ask(address, |engine| {
        engine
            .renew(numbers::handle(lease))
            .map_or(NOT_LEASED, |()| DONE)
    })
}

/// The look at a connection that was just leased has found it dead.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_noteStale<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    lease: jlong,
) {
    ask(address, |engine| {
        engine.note_stale(numbers::handle(lease));
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_release<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    lease: jlong,
    keep: jlong,
    state: jint,
    effects: JLongArray<'local>,
) -> jint {
    call(
        &mut env,
        &this,
        address,
        &effects,
        |engine, effects| match engine.release(
            numbers::handle(lease),
            verdict_of(keep),
            numbers::state(state),
            effects,
        ) {
            Ok(Released::Kept) => DONE,
            Ok(Released::Close(cause)) => jlong::from(CLOSED + cause as jint),
            Err(_) => NOT_LEASED,
        },
    ) as jint
}

/// How often a slot's entry has gone to a request that found a connection in it, since a request was given the right to open one.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_uses<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    slot: jint,
) -> jlong {
    ask(address, |engine| engine.uses(numbers::slot(slot)) as jlong)
}

/// True where somebody waits for a slot: [`serve`](Java_io_leasehold_internal_natives_Engine_serve) is to be called then.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_ack<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    slot: jint,
) -> jboolean {
    ask(address, |engine| {
        jlong::from(engine.ack(numbers::slot(slot)))
    }) == 1
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_serve<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine.serve(effects);
        DONE
    });
}
