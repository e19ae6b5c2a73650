//! The pool's numbers as a recorder of the `metrics` crate gets them.

use std::collections::BTreeMap;
use std::time::Duration;

use leasehold::{Clock, Connection, ManualClock, Pool, Publisher};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

/// What a recorder has got, by name and labels.
type Got = BTreeMap<String, DebugValue>;

fn publish<K, C>(publisher: &mut Publisher<K, C>) -> Got {
    let recorder = DebuggingRecorder::new();
    assert!(metrics::with_local_recorder(&recorder, || publisher.publish()));
    let got = recorder.snapshotter().snapshot().into_vec().into_iter();
    got.map(|(key, unit, what, value)| {
        assert!(unit.is_some() && what.is_some(), "{key:?} is not described");
        let (name, labels) = key.key().clone().into_parts();
        let labels: Vec<String> = (labels.iter())
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        (format!("{} {}", name.as_str(), labels.join(" ")), value)
    })
    .collect()
}

fn times(got: &Got, name: &str) -> Vec<f64> {
    match &got.get(&format!("leasehold.pool.{name} pool=backend")) {
        Some(DebugValue::Histogram(times)) => times.iter().map(|time| time.0).collect(),
        None => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recorder_gets_every_number_and_each_time_once() {
    let clock = ManualClock::new();
    let builder = Pool::<&str, u32>::builder().name("backend");
    let pool = builder.clock(Clock::manual(&clock)).max_total(2).build();
    pool.measure_held(true);
    let mut publisher = pool.publisher();
    let vacancy = pool.try_lease(&"a").unwrap();
    clock.advance(30);
    let connection = vacancy.or_connect(|| Ok::<_, ()>(7)).unwrap();
    let _other = pool.try_lease(&"a").unwrap();
    assert!(pool.lease(&"a", Duration::ZERO).is_err());
    clock.advance(2_000);
    Connection::keep(connection);
    Connection::close(
        pool.try_lease(&"a")
            .unwrap()
            .or_connect(|| Ok::<_, ()>(8))
            .unwrap(),
    );

    let got = publish(&mut publisher);
    let expected = [
        ("leasehold.pool.leased pool=backend", 1),
        ("leasehold.pool.idle pool=backend", 0),
        ("leasehold.pool.pending pool=backend", 0),
        ("leasehold.pool.max pool=backend", 2),
    ];
    for (name, number) in expected {
        assert_eq!(
            got[name],
            DebugValue::Gauge(f64::from(number).into()),
            "{name}"
        );
    }
    let expected = [
        ("leasehold.pool.requests pool=backend result=hit", 1),
        ("leasehold.pool.requests pool=backend result=opening", 2),
        ("leasehold.pool.requests pool=backend result=timed_out", 1),
        ("leasehold.pool.requests pool=backend result=refused", 0),
        ("leasehold.pool.waited pool=backend", 1),
        ("leasehold.pool.opened pool=backend", 1),
        ("leasehold.pool.kept pool=backend", 1),
        ("leasehold.pool.closed pool=backend cause=lease", 1),
        ("leasehold.pool.closed pool=backend cause=peer", 0),
    ];
    for (name, number) in expected {
        assert_eq!(got[name], DebugValue::Counter(number), "{name}");
    }
    assert_eq!(times(&got, "opening"), [0.03]);
    assert_eq!(times(&got, "waiting"), [0.0]);
    let held = times(&got, "held");
    assert!(held.len() == 2 && held.contains(&2.0), "{held:?}");

    let again = publish(&mut publisher);
    assert!(times(&again, "opening").is_empty(), "it was handed over");
}

#[test]
fn a_publisher_keeps_no_pool_alive() {
    let pool: Pool<&str, u32> = Pool::new();
    let mut publisher = pool.publisher();
    assert!(publisher.publish(), "to nobody");
    drop(pool);
    assert!(!publisher.publish());
}
