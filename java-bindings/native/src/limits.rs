//! Changing limits, and holding all requests up.

use crate::answer::{self, DONE};
use crate::call::call;
use crate::env::This;
use crate::numbers;
use jni::EnvUnowned;
use jni::objects::JLongArray;
use jni::sys::{jboolean, jint, jlong};

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_setSuspended<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    wanted: jboolean,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        if wanted {
            engine.suspend(effects);
        } else {
            engine.resume(effects);
        }
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_setMaxTotal<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    max: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine.set_max_total(max as u32, effects);
        DONE
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_setDefaultMaxPerRoute<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    max: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine.set_default_max_per_route(max as u32, effects);
        DONE
    });
}

/// A negative limit is none of its own. A route that is not known any more gets its limit when it is next made.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_setMaxPerRoute<'local>(
    mut env: EnvUnowned<'local>,
    this: This<'local>,
    address: jlong,
    route: jlong,
    max: jint,
    effects: JLongArray<'local>,
) {
    call(&mut env, &this, address, &effects, |engine, effects| {
        engine
            .set_max_per_route(numbers::route_id(route), u32::try_from(max).ok(), effects)
            .map_or_else(answer::of_refusal, |()| DONE)
    });
}
