//! A pool's numbers, in arrays that Java made before the call.

use crate::env::{This, new_longs, with_env};
use crate::numbers;
use crate::pool::pool;
use jni::EnvUnowned;
use jni::objects::{JIntArray, JLongArray};
use jni::sys::{jboolean, jint, jlong};
use leasehold::engine::{Stats, Use};

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_stats<'local>(
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
extern "system" fn Java_io_leasehold_internal_natives_Engine_counters<'local>(
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
extern "system" fn Java_io_leasehold_internal_natives_Engine_routeStats<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    route: jlong,
    numbers: JIntArray<'local>,
) {
    with_env(&mut env, (), |env| {
        // SAFETY: see the crate's page.
        match unsafe { pool(address) }
            .engine
            .route_stats(numbers::route_id(route))
        {
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
extern "system" fn Java_io_leasehold_internal_natives_Engine_entries<'local>(
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
                    jlong::from(numbers::of_slot(entry.handle.slot())),
                    jlong::from(entry.opening),
                    numbers::of_route(entry.route),
                ]
            })
            .collect();
        let array = new_longs(env, numbers.len())?;
        array.set_region(env, 0, &numbers)?;
        Ok(array)
    })
}
