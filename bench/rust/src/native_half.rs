//! The native half of a hit of the Java library, called as a JVM calls it, but that no JVM is there.
//!
//! Only counted, never timed: what a call costs in Java is more than this, and is measured there.

use std::env::current_exe;
use std::hint::black_box;
use std::ptr::{null, null_mut};

use libloading::Library;

use crate::contender::{Contender, KEPT_FOR};

/// A pool of the natives' shared library that lies beside this program, built with the feature `counted`.
pub(crate) struct NativeHalf {
    address: i64,
    route: i64,
    lease_hit: LeaseHit,
    release_hit: ReleaseHit,
    /// Where the functions are.
    _library: Library,
}

/// What stands in for a JVM's environment and object: the two natives of a hit look at neither.
type Unused = *const u8;
type CountedPool = extern "system" fn() -> i64;
type CountedRoute = extern "system" fn(i64) -> i64;
type LeaseHit = extern "system" fn(*mut u8, Unused, i64, i64) -> i64;
type ReleaseHit = extern "system" fn(*mut u8, Unused, i64, i64, i64) -> i32;

impl Contender for NativeHalf {
    fn new(_threads: usize, _routes: usize) -> Self {
        let file = current_exe()
            .expect("this program has a path")
            .with_file_name("libleasehold_jni.so");
        // SAFETY: a Rust library without initialisers of its own.
        let library = unsafe { Library::new(&file) }.unwrap_or_else(|error| {
            panic!("{error}: build leasehold-jni with the feature counted")
        });
        let symbol = "the library has every function of the crate";
        // SAFETY: these are the types of the crate's functions, whose environment and object are pointers that are not looked at.
        let (counted_pool, counted_route, lease_hit, release_hit) = unsafe {
            let native = "Java_io_leasehold_internal_natives_Engine_";
            (
                *library
                    .get::<CountedPool>(b"leasehold_counted_pool")
                    .expect(symbol),
                *library
                    .get::<CountedRoute>(b"leasehold_counted_route")
                    .expect(symbol),
                *library
                    .get::<LeaseHit>(format!("{native}leaseHit").as_bytes())
                    .expect(symbol),
                *library
                    .get::<ReleaseHit>(format!("{native}releaseHit").as_bytes())
                    .expect(symbol),
            )
        };
        let address = counted_pool();
        NativeHalf {
            address,
            route: counted_route(address),
            lease_hit,
            release_hit,
            _library: library,
        }
    }

    #[inline]
    fn cycle(&self, _route: usize) {
        let lease = (self.lease_hit)(null_mut(), null(), self.address, self.route);
        assert!(lease > 0, "the one connection is idle");
        let keep = KEPT_FOR.as_millis() as i64;
        let done = (self.release_hit)(null_mut(), null(), self.address, black_box(lease), keep);
        assert_eq!(done, 0, "nobody waits");
    }
}
