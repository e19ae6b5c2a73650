//! A pool's numbers, in arrays that Java made before the call.

use crate::env::{This, new_longs, with_env};
use crate::numbers;
use crate::pool::pool;
use jni::objects::{JIntArray, JLongArray};
use jni::sys::{jboolean, jint, jlong};
use jni::{Env, EnvUnowned};
use leasehold::engine::{Counters, Metrics, Stats, Use};
use std::time::Duration;

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
        numbers.set_region(env, 0, &closed(&counters))
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_metrics<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    numbers: JLongArray<'local>,
) {
    with_env(&mut env, (), |env| {
        // SAFETY: see the crate's page.
        let metrics = unsafe { pool(address) }.engine.metrics();
        write(&metrics, &numbers, env)?;
        let mut at = COUNTS;
        for histogram in [&metrics.waiting, &metrics.opening, &metrics.held] {
            let times = histogram.numbers().map(|number| number as jlong);
            numbers.set_region(env, at as jint, &times)?;
            at += times.len();
        }
        Ok(())
    });
}

/// A route that is not known any more has nothing: the array stays as it was made.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_routeMetrics<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    route: jlong,
    numbers: JLongArray<'local>,
) {
    with_env(&mut env, (), |env| {
        // SAFETY: see the crate's page.
        match unsafe { pool(address) }
            .engine
            .route_metrics(numbers::route_id(route))
        {
            Ok(metrics) => write(&metrics, &numbers, env),
            Err(_) => Ok(()),
        }
    });
}

/// Has it measured how long connections are held, or no more.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_measureHeld<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    wanted: jboolean,
) {
    with_env(&mut env, (), |_| {
        // SAFETY: see the crate's page.
        unsafe { pool(address) }.engine.measure_held(wanted);
        Ok(())
    });
}

/// A connection was connected, which took so many nanoseconds.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_recordOpening<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    nanos: jlong,
) {
    with_env(&mut env, (), |_| {
        let took = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
        // SAFETY: see the crate's page.
        unsafe { pool(address) }.engine.record_opening(took);
        Ok(())
    });
}

/// How many counts there are, before the times.
const COUNTS: usize = 20;

/// The counts, in the order of `Metrics.java`.
fn write(
    metrics: &Metrics,
    numbers: &JLongArray<'_>,
    env: &mut Env<'_>,
) -> jni::errors::Result<()> {
    let counts = [
        metrics.hits,
        metrics.handed_over,
        metrics.openings,
        metrics.waited,
        metrics.timed_out,
        metrics.cancelled,
        metrics.refused,
        metrics.opened,
        metrics.unopened,
        metrics.kept,
        metrics.closed_by_lease,
        metrics.closed_by_shutdown,
        metrics.leaked,
    ];
    let counts = counts.map(|count| count as jlong);
    let closed = closed(&metrics.closed);
    const { assert!(COUNTS == 13 + 7) };
    numbers.set_region(env, 0, &counts)?;
    numbers.set_region(env, counts.len() as jint, &closed)
}

/// In the order of `Counters.java`.
fn closed(counters: &Counters) -> [jlong; 7] {
    [
        counters.closed_by_peer,
        counters.stale,
        counters.expired,
        counters.idle,
        counters.evicted,
        counters.over_limit,
        counters.cleared,
    ]
    .map(|count| count as jlong)
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

/// Slot, number of its opening, route and milliseconds since its lease, -1 for none, of each entry that is idle, or of each that is leased or being opened.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_entries<'local>(
    mut env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    idle: jboolean,
) -> JLongArray<'local> {
    let is_wanted = |used: Use| (used == Use::Idle) == idle;
    with_env(&mut env, JLongArray::default(), |env| {
        // SAFETY: see the crate's page.
        let entries = unsafe { pool(address) }.engine.entries();
        let numbers: Vec<jlong> = entries
            .iter()
            .filter(|entry| is_wanted(entry.used))
            .flat_map(|entry| {
                [
                    jlong::from(numbers::of_slot(entry.handle.slot())),
                    jlong::from(entry.opening),
                    numbers::of_route(entry.route),
                    entry
                        .leased_for
                        .map_or(-1, |millis| jlong::try_from(millis).unwrap_or(jlong::MAX)),
                ]
            })
            .collect();
        let array = new_longs(env, numbers.len())?;
        array.set_region(env, 0, &numbers)?;
        Ok(array)
    })
}
