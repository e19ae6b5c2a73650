//! How a native makes its call: the engine behind an address, panics caught, effects handed over.

use crate::answer::BROKEN;
use crate::effects::hand_over;
use crate::env::{This, with_env};
use crate::pool::pool;
use crate::stack::{self, reserve};
use jni::EnvUnowned;
use jni::objects::JLongArray;
use jni::sys::jlong;
use leasehold::engine::{Effects, Engine};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Makes one call on the engine and hands its effects over. Where it answers there is stack enough to carry them out.
pub(crate) fn call<'local>(
    env: &mut EnvUnowned<'local>,
    this: &This<'local>,
    address: jlong,
    array: &JLongArray<'local>,
    body: impl FnOnce(&Engine, &mut Effects) -> jlong,
) -> jlong {
    with_env(env, BROKEN, |env| {
        reserve::<{ stack::FOR_EFFECTS }>(env, this)?;
        let mut effects = Effects::new();
        // SAFETY: see the crate's page.
        let engine = &unsafe { pool(address) }.engine;
        let answer = catch_unwind(AssertUnwindSafe(|| body(engine, &mut effects)));
        // Also of a call that panicked: it has refused all who wait.
        hand_over(env, effects, array)?;
        Ok(answer.unwrap_or(BROKEN))
    })
}

/// Makes one call on the engine that has no effects, but leaves Java something to do for which there is so much stack where it answers.
pub(crate) fn ask_with_stack<'local, const BYTES: usize>(
    env: &mut EnvUnowned<'local>,
    this: &This<'local>,
    address: jlong,
    body: impl FnOnce(&Engine) -> jlong,
) -> jlong {
    with_env(env, BROKEN, |env| {
        reserve::<BYTES>(env, this)?;
        Ok(ask(address, body))
    })
}

/// Makes one call on the engine that has no effects.
pub(crate) fn ask(address: jlong, body: impl FnOnce(&Engine) -> jlong) -> jlong {
    // SAFETY: see the crate's page.
    let engine = &unsafe { pool(address) }.engine;
    catch_unwind(AssertUnwindSafe(|| body(engine))).unwrap_or(BROKEN)
}
