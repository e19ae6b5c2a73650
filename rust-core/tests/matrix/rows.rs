//! Every call by which a pool may come to run a caller's code, and those by which it may not.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use leasehold::{Connection, Lease, LeaseError, Pool, Reuse, State};

use crate::common::{LONG, eventually};
use crate::faults::{self, Key, Name, WAKERS, WIRES, Wire, key};
use crate::stage::{self, Load, Pooled, Settings, Stage, alice, poll};

/// A call in some manner.
pub(crate) struct Row {
    /// What is called, as the surface's own look at the sources names it; more than one where one cannot be without the other.
    pub(crate) calls: &'static [&'static str],
    pub(crate) how: &'static str,
    /// Where it makes sense.
    pub(crate) wants: fn(Settings, Load) -> bool,
    pub(crate) run: fn(&mut Stage),
}

const ANY: fn(Settings, Load) -> bool = |_, _| true;
const IDLE: fn(Settings, Load) -> bool = |_, load| load == Load::Idle;
const CROWDED: fn(Settings, Load) -> bool = |_, load| load == Load::Crowded;
const PLAIN: fn(Settings, Load) -> bool =
    |settings, load| settings == Settings::Plain && load == Load::Idle;
const KEPT: fn(Settings, Load) -> bool =
    |settings, load| settings == Settings::Kept && load == Load::Idle;

const SHORT: Duration = Duration::from_millis(1);

const fn row(
    calls: &'static [&'static str],
    how: &'static str,
    wants: fn(Settings, Load) -> bool,
    run: fn(&mut Stage),
) -> Row {
    Row {
        calls,
        how,
        wants,
        run,
    }
}

/// That a call has come to its end, or has panicked.
#[derive(Default)]
struct Over(AtomicBool);

impl Over {
    fn is_so(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn at_end(&self) -> impl Drop {
        struct AtEnd<'a>(&'a Over);

        impl Drop for AtEnd<'_> {
            fn drop(&mut self) {
                self.0.0.store(true, Ordering::SeqCst);
            }
        }

        AtEnd(self)
    }
}

fn look<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(&faults::waker()))
}

fn ready<T>(outcome: Poll<Result<T, ()>>) -> Result<T, LeaseError> {
    match outcome {
        Poll::Ready(outcome) => Ok(outcome.expect("it opens")),
        Poll::Pending => panic!("it is there"),
    }
}

/// The last reference to a pool is dropped.
fn end_pool(s: &mut Stage) {
    drop(s.pool.take());
}

/// Has the housekeeper close what is idle, and waits until that was dropped.
fn have_closed(s: &Stage, what: &str, due: impl FnOnce()) {
    let left = s.wires_but_idle(WIRES.count());
    due();
    eventually(what, || WIRES.count() <= left);
}

pub(crate) static ROWS: &[Row] = &[
    row(&["Pool::try_lease"], "a known key", ANY, |s| {
        let lease = s.pool().try_lease(&key(1));
        s.hold(lease);
    }),
    row(
        &["Pool::try_lease"],
        "a key whose idle ones may be dead",
        ANY,
        |s| {
            let lease = s.pool().try_lease(&key(2));
            s.hold(lease);
        },
    ),
    row(&["Pool::try_lease"], "a new key", ANY, |s| {
        let lease = s.pool().try_lease(&key(9));
        s.hold(lease);
    }),
    row(&["Pool::lease"], "a known key", ANY, |s| {
        let lease = s.pool().lease(&key(1), SHORT);
        s.hold(lease);
    }),
    row(&["Pool::lease"], "a new key", ANY, |s| {
        let lease = s.pool().lease(&key(9), SHORT);
        s.hold(lease);
    }),
    row(&["Pool::lease"], "served while it waits", CROWDED, |s| {
        faults::inside(|| s.waiters.clear());
        let (pool, held) = (s.pool().clone(), s.held());
        let over = Over::default();
        thread::scope(|scope| {
            scope.spawn(|| {
                faults::inside(|| {
                    eventually("it waits", || pool.stats().pending == 1 || over.is_so());
                    Connection::keep(held);
                });
            });
            let _over = over.at_end();
            let lease = s.pool().lease(&key(1), LONG);
            s.hold(lease);
        });
    }),
    row(
        &["Pool::lease_async", "Future for LeaseFuture"],
        "a known key",
        ANY,
        |s| {
            let future = s.pool().lease_async(&key(1));
            s.ask(future);
        },
    ),
    row(
        &["Pool::lease_async", "Future for LeaseFuture"],
        "a new key",
        ANY,
        |s| {
            let future = s.pool().lease_async(&key(9));
            s.ask(future);
        },
    ),
    row(&["Future for LeaseFuture"], "polled again", CROWDED, |s| {
        let outcome = poll(&mut s.waiters[0], &faults::waker());
        assert!(outcome.is_pending() || s.pool().is_shut_down());
        if outcome.is_ready() {
            drop(s.waiters.remove(0));
        }
    }),
    row(
        &["Future for LeaseFuture"],
        "polled when it was answered",
        CROWDED,
        |s| {
            faults::inside(|| Connection::keep(s.held()));
            let mut answered = s.waiters.remove(0);
            let Poll::Ready(lease) = poll(&mut answered, &faults::waker()) else {
                panic!("it was answered");
            };
            s.hold(lease);
        },
    ),
    row(&["Drop for LeaseFuture"], "that waits", CROWDED, |s| {
        drop(s.waiters.remove(0));
    }),
    row(
        &["Drop for LeaseFuture"],
        "that was answered",
        CROWDED,
        |s| {
            faults::inside(|| Connection::keep(s.held()));
            drop(s.waiters.remove(0));
        },
    ),
    row(
        &["Drop for LeaseFuture"],
        "that was given the right to open",
        CROWDED,
        |s| {
            faults::inside(|| {
                drop(s.waiters.remove(0));
                drop(s.waiters.remove(0));
                drop(s.vacancy());
            });
            drop(s.waiters.remove(0));
        },
    ),
    row(&["Debug for LeaseFuture"], "", CROWDED, |s| {
        assert!(!format!("{:?}", s.waiters).is_empty());
    }),
    row(
        &["Pool::request", "Request::try_lease", "Request::bound_to"],
        "",
        ANY,
        |s| {
            let alice = alice();
            let lease = s.pool().request(&key(2)).bound_to(&alice).try_lease();
            s.hold(lease);
        },
    ),
    row(&["Request::lease"], "", ANY, |s| {
        let alice = alice();
        let lease = s.pool().request(&key(1)).bound_to(&alice).lease(SHORT);
        s.hold(lease);
    }),
    row(&["Request::lease_async"], "", ANY, |s| {
        let alice = alice();
        let future = s.pool().request(&key(1)).bound_to(&alice).lease_async();
        s.ask(future);
    }),
    row(&["Request::lease_async"], "dropped unpolled", ANY, |s| {
        drop(s.pool().request(&key(9)).lease_async());
    }),
    row(&["Request::lease_async_within"], "", ANY, |s| {
        let future = s.pool().request(&key(1)).lease_async_within(LONG);
        s.ask(future);
    }),
    row(&["Request::lease_async_within"], "dropped", CROWDED, |s| {
        let future = s.pool().request(&key(1)).lease_async_within(LONG);
        s.ask(future);
        drop(s.waiters.pop());
    }),
    row(
        &["Request::lease_async_within"],
        "its time is up",
        CROWDED,
        |s| {
            let future = s
                .pool()
                .request(&key(1))
                .lease_async_within(Duration::from_secs(1));
            s.ask(future);
            if s.waiters.len() < 4 {
                // The pool was shut down.
                return;
            }
            let wakers = WAKERS.count();
            s.clock.advance(1_000);
            eventually("the housekeeper wakes it", || WAKERS.count() < wakers);
            let outcome = poll(&mut s.waiters[3], &faults::waker());
            assert!(outcome.is_ready());
            s.waiters.pop();
        },
    ),
    row(&["Debug for Request"], "", PLAIN, |s| {
        assert!(!format!("{:?}", s.pool().request(&key(1))).is_empty());
    }),
    row(
        &["Pool::route", "Drop for Route", "Debug for Route"],
        "a known key",
        ANY,
        |s| {
            let route = s.pool().route(&key(1)).unwrap();
            assert!(!format!("{route:?}").is_empty());
            drop(route);
        },
    ),
    row(&["Pool::route"], "a new key", ANY, |s| {
        drop(s.pool().route(&key(9)).unwrap());
    }),
    row(&["Clone for Route"], "", ANY, |s| {
        drop(s.route.as_ref().unwrap().clone());
    }),
    row(
        &["Route::lease_async"],
        "that outlives its route",
        ANY,
        |s| {
            let future = s.route.take().unwrap().lease_async();
            s.ask(future);
        },
    ),
    row(&["Route::try_lease", "Route::request"], "", ANY, |s| {
        let lease = s.route.as_ref().unwrap().try_lease();
        s.hold(lease);
    }),
    row(&["Route::lease"], "", ANY, |s| {
        let lease = s.route.as_ref().unwrap().lease(SHORT);
        s.hold(lease);
    }),
    row(&["Route::lease_async"], "", ANY, |s| {
        let future = s.route.as_ref().unwrap().lease_async();
        s.ask(future);
    }),
    row(&["Pool::close_expired"], "", ANY, |s| {
        if s.settings != Settings::Kept {
            s.clock.advance(100_000);
        }
        s.pool().close_expired();
    }),
    row(&["Pool::try_lease"], "what has expired", ANY, |s| {
        if s.settings != Settings::Kept {
            s.clock.advance(100_000);
        }
        let lease = s.pool().try_lease(&key(1));
        s.hold(lease);
    }),
    row(&["Pool::close_idle"], "", ANY, |s| {
        s.pool().close_idle(Duration::ZERO)
    }),
    row(&["Pool::retain"], "", ANY, |s| {
        s.pool().retain(faults::is_kept)
    }),
    row(&["Pool::clear"], "", ANY, |s| s.pool().clear(&key(2))),
    row(&["Pool::clear"], "a borrowed key", ANY, |s| {
        s.pool().clear(&2)
    }),
    row(&["Pool::set_max_total"], "lowered", ANY, |s| {
        s.pool().set_max_total(1)
    }),
    row(&["Pool::set_max_total"], "raised", ANY, |s| {
        s.pool().set_max_total(9)
    }),
    row(&["Pool::set_max_per_route"], "lowered", ANY, |s| {
        s.pool().set_max_per_route(1)
    }),
    row(&["Pool::set_max_per_route"], "raised", ANY, |s| {
        s.pool().set_max_per_route(9)
    }),
    row(&["Pool::set_max_of"], "lowered", ANY, |s| {
        s.pool().set_max_of(&key(2), Some(0)).unwrap()
    }),
    row(&["Pool::set_max_of"], "a new key", ANY, |s| {
        s.pool().set_max_of(&key(9), None).unwrap()
    }),
    row(&["Pool::suspend"], "", ANY, |s| s.pool().suspend()),
    row(&["Pool::resume"], "", ANY, |s| {
        faults::inside(|| {
            s.pool().suspend();
            let future = s.pool().lease_async(&key(1));
            s.ask(future);
            Connection::keep(s.held());
            if s.settings != Settings::Kept {
                s.clock.advance(100_000);
            }
        });
        s.pool().resume();
    }),
    row(&["Pool::shutdown"], "", ANY, |s| s.pool().shutdown()),
    row(
        &[
            "Pool::is_shut_down",
            "Pool::is_suspended",
            "Pool::stats",
            "Pool::counters",
            "Pool::metrics",
            "Pool::measure_held",
            "Pool::name",
            "Debug for Pool",
        ],
        "",
        ANY,
        |s| {
            let pool = s.pool();
            assert_eq!(pool.stats().max, 5);
            assert_eq!(pool.counters().cleared, 0);
            pool.measure_held(true);
            assert!(!pool.name().is_empty());
            assert_eq!(pool.metrics().closed.cleared, 0);
            assert!(!pool.is_shut_down() && !pool.is_suspended());
            assert!(format!("{pool:?}").contains("Pool"));
        },
    ),
    #[cfg(feature = "metrics")]
    row(
        &[
            "Pool::publisher",
            "Publisher::publish",
            "Debug for Publisher",
        ],
        "",
        ANY,
        |s| {
            let mut publisher = s.pool().publisher();
            assert!(publisher.publish() && format!("{publisher:?}").contains("Publisher"));
        },
    ),
    row(&["Pool::stats_of"], "", ANY, |s| {
        assert_eq!(s.pool().stats_of(&key(1)).max, 3);
    }),
    row(&["Pool::stats_of"], "a borrowed key", ANY, |s| {
        assert_eq!(s.pool().stats_of(&1).max, 3);
    }),
    row(&["Pool::metrics_of"], "", ANY, |s| {
        assert_eq!(s.pool().metrics_of(&key(1)).closed.expired, 0);
    }),
    row(&["Pool::metrics_of"], "a borrowed key", ANY, |s| {
        assert_eq!(s.pool().metrics_of(&1).closed.expired, 0);
    }),
    row(&["Pool::entries"], "", ANY, |s| {
        assert!(!s.pool().entries().is_empty() || s.pool().is_shut_down());
    }),
    row(&["Clone for Pool"], "", ANY, |s| drop(s.pool().clone())),
    row(&["Pool::new", "Default for Pool"], "", PLAIN, |_| {
        drop((Pooled::new(), Pooled::default()));
    }),
    row(
        &[
            "Pool::builder",
            "Builder::max_total",
            "Builder::max_per_route",
            "Builder::max_idle_per_route",
            "Builder::is_usable",
            "Builder::max_waiters",
            "Builder::time_to_live",
            "Builder::policy",
            "Builder::barging",
            "Builder::clock",
            "Builder::name",
            "Builder::note_callers",
            "Builder::build",
            "Builder::evict_expired",
            "Builder::evict_idle",
            "Builder::close_aside",
            "Builder::wait_at_end",
            "Builder::watch_by",
            "Builder::watch",
            "Builder::usable_when_readable",
            "Builder::tcp_keep_alive",
            "Clone for Builder",
            "Debug for Builder",
        ],
        "",
        PLAIN,
        |_| {
            let builder = Pool::<Key, Wire>::builder()
                .name("backend")
                .note_callers(true)
                .max_total(1)
                .max_per_route(1)
                .max_waiters(1)
                .max_idle_per_route(1)
                .is_usable(faults::is_usable)
                .time_to_live(LONG)
                .policy(leasehold::Policy::Fifo)
                .barging(true)
                .clock(leasehold::Clock::monotonic())
                .evict_expired(true)
                .evict_idle(LONG)
                .close_aside(true)
                .wait_at_end(false)
                .watch_by(leasehold::Watching::Probe, faults::descriptor)
                .watch(leasehold::Watching::Both)
                .usable_when_readable(faults::usable_when_readable)
                .tcp_keep_alive(stage::keep_alive());
            assert!(!format!("{:?}", builder.clone()).is_empty());
            drop(builder.build());
        },
    ),
    row(&["Connection::keep"], "", ANY, |s| {
        Connection::keep(s.held())
    }),
    row(&["Connection::keep"], "bound to somebody", ANY, |s| {
        let mut held = s.held();
        Connection::bind(&mut held, Some(&alice()));
        Connection::keep(held);
    }),
    row(&["Connection::keep"], "another in its place", ANY, |s| {
        **s.held.as_mut().unwrap() = Wire::open();
        Connection::keep(s.held());
    }),
    row(&["Connection::keep_for"], "", ANY, |s| {
        Connection::keep_for(s.held(), LONG)
    }),
    row(
        &["Connection::keep_as_promised", "Connection::update_expiry"],
        "",
        ANY,
        |s| {
            let mut held = s.held();
            Connection::update_expiry(&mut held, LONG);
            Connection::keep_as_promised(held);
        },
    ),
    row(&["Connection::release"], "kept", ANY, |s| {
        Connection::release(s.held(), Reuse::KeepFor(LONG))
    }),
    row(&["Connection::release"], "closed", ANY, |s| {
        Connection::release(s.held(), Reuse::Close)
    }),
    row(&["Connection::close"], "", ANY, |s| {
        Connection::close(s.held())
    }),
    row(&["Drop for Connection"], "", ANY, |s| drop(s.held())),
    row(&["Connection::bind"], "", ANY, |s| {
        let held = s.held.as_mut().unwrap();
        Connection::bind(held, Some(&alice()));
        Connection::bind(held, None);
    }),
    row(&["Connection::into_inner"], "", ANY, |s| {
        let wire = Connection::into_inner(s.held());
        faults::inside(|| drop(wire));
    }),
    row(
        &["Connection::age", "Connection::is_reused"],
        "",
        ANY,
        |s| {
            let held = s.held.as_ref().unwrap();
            assert_eq!(Connection::age(held), Duration::ZERO);
            assert!(!Connection::is_reused(held));
        },
    ),
    row(&["Connection::replace"], "", ANY, |s| {
        let (wire, vacancy) = Connection::replace(s.held()).unwrap();
        s.hold(Ok(Lease::Vacancy(vacancy)));
        faults::inside(|| drop(wire));
    }),
    row(
        &[
            "Deref for Connection",
            "DerefMut for Connection",
            "Debug for Connection",
        ],
        "",
        ANY,
        |s| {
            let held = s.held.as_mut().unwrap();
            assert_eq!(held.deref().number(), held.deref_mut().number());
            assert!(!format!("{held:?}").is_empty());
        },
    ),
    row(&["Vacancy::fill", "Debug for Vacancy"], "", ANY, |s| {
        let vacancy = s.vacancy();
        assert!(!format!("{vacancy:?}").is_empty());
        let connection = vacancy.fill(Wire::open());
        s.hold(Ok(Lease::Connection(connection)));
    }),
    row(&["Drop for Vacancy"], "", ANY, |s| drop(s.vacancy())),
    row(&["Lease::or_connect"], "a connection", ANY, |s| {
        let lease = Lease::Connection(s.held());
        let connection = lease.or_connect(Wire::connector()).unwrap();
        s.hold(Ok(Lease::Connection(connection)));
    }),
    row(&["Lease::or_connect"], "a vacancy", ANY, |s| {
        let lease = Lease::Vacancy(s.vacancy());
        let connection = lease.or_connect(Wire::connector()).unwrap();
        s.hold(Ok(Lease::Connection(connection)));
    }),
    row(
        &["Lease::or_connect_async", "Future for Connecting"],
        "a connection",
        ANY,
        |s| {
            let lease = Lease::Connection(s.held());
            let mut future = lease.or_connect_async(Wire::opener());
            let connected = ready(look(&mut future));
            s.hold(connected.map(|it| Lease::Connection(it.connection)));
        },
    ),
    row(&["Drop for Connecting"], "a connection", ANY, |s| {
        let lease = Lease::Connection(s.held());
        drop(faults::inside(|| lease.or_connect_async(Wire::opener())));
    }),
    row(
        &["Lease::or_connect_async", "Future for Connecting"],
        "a vacancy",
        ANY,
        |s| {
            let lease = Lease::Vacancy(s.vacancy());
            let mut future = lease.or_connect_async(Wire::opener());
            assert!(look(&mut future).is_pending());
            let connected = ready(look(&mut future));
            s.hold(connected.map(|it| Lease::Connection(it.connection)));
        },
    ),
    row(&["Drop for Connecting"], "that stands by", ANY, |s| {
        let lease = Lease::Vacancy(s.vacancy());
        let mut future = faults::inside(|| lease.or_connect_async(Wire::opener()));
        let outcome = faults::inside(|| look(&mut future));
        assert!(outcome.is_pending());
        drop(future);
    }),
    row(
        &[
            "Future for Connecting",
            "Future for Unfinished",
            "Debug for Connecting",
            "Debug for Connected",
            "Debug for Unfinished",
        ],
        "what is released comes first",
        IDLE,
        |s| {
            let busy = faults::inside(|| s.opened_beside_the_vacancy());
            let lease = Lease::Vacancy(s.vacancy());
            let mut future = lease.or_connect_async(Wire::opener());
            assert!(look(&mut future).is_pending());
            assert!(!format!("{future:?}").is_empty());
            faults::inside(|| Connection::keep(busy));
            let connected = ready(look(&mut future)).unwrap();
            assert!(!format!("{connected:?}").is_empty());
            s.hold(Ok(Lease::Connection(connected.connection)));
            // None where the pool was shut down: nothing is handed over then.
            if let Some(mut unfinished) = connected.unfinished {
                let opened = ready(look(&mut unfinished));
                // Not by the end of the scope, whose panic would leak what is returned.
                drop(unfinished);
                s.hold(opened.map(Lease::Connection));
            }
        },
    ),
    row(&["Drop for Unfinished"], "", IDLE, |s| {
        let busy = faults::inside(|| s.opened_beside_the_vacancy());
        let lease = Lease::Vacancy(s.vacancy());
        let connected = faults::inside(|| {
            let mut future = lease.or_connect_async(Wire::opener());
            assert!(look(&mut future).is_pending());
            Connection::keep(busy);
            ready(look(&mut future)).unwrap()
        });
        s.hold(Ok(Lease::Connection(connected.connection)));
        // None where the disposer's thread has shut the pool down meanwhile: nothing is handed over then.
        drop(connected.unfinished);
    }),
    row(&["Drop for Connecting"], "that was answered", IDLE, |s| {
        let busy = faults::inside(|| s.opened_beside_the_vacancy());
        let lease = Lease::Vacancy(s.vacancy());
        let future = faults::inside(|| {
            let mut future = lease.or_connect_async(Wire::opener());
            assert!(look(&mut future).is_pending());
            Connection::keep(busy);
            future
        });
        drop(future);
    }),
    row(&["Drop for Pool"], "the last reference", IDLE, |s| {
        faults::inside(|| s.leave_the_pool_alone());
        end_pool(s);
    }),
    row(
        &["State::new", "State::try_new", "Debug for State"],
        "",
        PLAIN,
        |_| {
            assert_eq!(State::new(Name), State::try_new(Name).unwrap());
            assert!(!format!("{:?}", State::new(Name)).is_empty());
        },
    ),
    row(&["the housekeeper"], "what has expired", KEPT, |s| {
        have_closed(s, "what has expired", || s.clock.advance(100_000));
    }),
    row(&["the housekeeper"], "what was idle for long", KEPT, |s| {
        have_closed(s, "what was idle for long", || s.clock.advance(1_000_000));
    }),
    row(&["the housekeeper"], "what peers close", KEPT, |s| {
        have_closed(s, "what peers have closed", || s.close_idle_peers());
    }),
];
