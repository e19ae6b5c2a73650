//! Hands a call's effects to Java, in an array of longs that Java made before the call.
//!
//! `[rest, count, what, which, what, which, …]`: `what` is a cause for a victim's slot, or one of the negative codes. What
//! does not fit stays here, boxed, and Java asks for it with `rest`, its address, until that is 0. In step with `Effects.java`.

use crate::numbers;
use jni::objects::{JClass, JLongArray};
use jni::sys::jlong;
use jni::{Env, EnvUnowned};
use leasehold::engine::Effects;

const WAKE: jlong = -1;
const RETIRED: jlong = -2;
/// Pairs that fit into one array.
const PAIRS: usize = 15;

/// In the order in which they are to be carried out.
type Rest = std::vec::IntoIter<(jlong, jlong)>;

/// Writes the effects into `array`.
pub(crate) fn hand_over(
    env: &Env<'_>,
    effects: Effects,
    array: &JLongArray<'_>,
) -> jni::errors::Result<()> {
    if effects.is_empty() {
        // As Java made it: nothing follows.
        return Ok(());
    }
    let victims = effects
        .victims
        .iter()
        .map(|v| (v.cause as jlong, jlong::from(numbers::of_slot(v.slot))));
    let wakes = effects
        .wakes
        .iter()
        .map(|ticket| (WAKE, numbers::of_ticket(*ticket)));
    let retired = effects
        .retired
        .iter()
        .map(|route| (RETIRED, numbers::of_route(*route)));
    // Who waits first: a close may hang.
    let all: Vec<_> = wakes.chain(victims).chain(retired).collect();
    hand_over_next(env, Box::new(all.into_iter()), array)
}

fn hand_over_next(
    env: &Env<'_>,
    mut rest: Box<Rest>,
    array: &JLongArray<'_>,
) -> jni::errors::Result<()> {
    let mut numbers: [jlong; 2 + 2 * PAIRS] = [0; 2 + 2 * PAIRS];
    let mut count = 0;
    for (what, which) in rest.by_ref().take(PAIRS) {
        numbers[2 + 2 * count] = what;
        numbers[3 + 2 * count] = which;
        count += 1;
    }
    numbers[1] = count as jlong;
    if rest.len() > 0 {
        numbers[0] = Box::into_raw(rest) as jlong;
    }
    array.set_region(env, 0, &numbers)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Effects_rest<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    rest: jlong,
    array: JLongArray<'local>,
) {
    crate::with_env(&mut env, (), |env| {
        // SAFETY: `Effects.java` alone knows the address, and asks for it once.
        let rest = unsafe { Box::from_raw(rest as *mut Rest) };
        hand_over_next(env, rest, &array)
    });
}
