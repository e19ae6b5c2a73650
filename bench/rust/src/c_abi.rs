//! The C ABI, called as C programs call it: through the shared library.

use std::env::current_exe;
use std::ffi::{CString, c_char, c_void};
use std::hint::black_box;
use std::ptr::{null, null_mut};

use leasehold_c::{lh_lease, lh_lease_options, lh_pool, lh_pool_options, lh_route, lh_status};
use libloading::Library;

use crate::contender::{Contender, KEPT_FOR, TIMEOUT, key};

/// A pool of the shared library that lies beside this program.
pub(crate) struct SharedLibrary {
    pool: lh_pool,
    routes: Vec<lh_route>,
    lease: Lease,
    opened: Opened,
    release: Release,
    destroy: Destroy,
    /// Where the functions are.
    _library: Library,
}

type Create = unsafe extern "C" fn(*const lh_pool_options, *mut lh_pool) -> lh_status;
type Destroy = extern "C" fn(lh_pool) -> lh_status;
type Name = unsafe extern "C" fn(lh_pool, *const c_char, *mut lh_route) -> lh_status;
type Lease = unsafe extern "C" fn(
    lh_pool,
    lh_route,
    *const lh_lease_options,
    u64,
    *mut lh_lease,
    *mut *mut c_void,
) -> lh_status;
type Opened = extern "C" fn(lh_pool, lh_lease, *mut c_void) -> lh_status;
type Release = extern "C" fn(lh_pool, lh_lease, u64) -> lh_status;

/// The library's own function of a name. The crate's serves to check the type: calls to it would be inlined.
macro_rules! symbol {
    ($library:ident, $function:ident: $type:ty) => {{
        const _: $type = leasehold_c::$function;
        // SAFETY: the library is built from the crate, in which the function has this type.
        *unsafe { $library.get::<$type>(stringify!($function).as_bytes()) }
            .expect("the library has every function of the crate")
    }};
}

impl SharedLibrary {
    #[inline]
    fn lease(&self, route: lh_route) -> lh_lease {
        let mut lease = lh_lease { id: 0 };
        let mut data = null_mut();
        let timeout = TIMEOUT.as_millis() as u64;
        // SAFETY: NULL is the defaults, and the outputs are there.
        let status = unsafe {
            (self.lease)(
                self.pool,
                route,
                null(),
                timeout,
                &raw mut lease,
                &raw mut data,
            )
        };
        if status == lh_status::LH_VACANCY {
            check((self.opened)(self.pool, lease, null_mut()));
        } else {
            check(status);
        }
        black_box(data);
        lease
    }

    #[inline]
    fn release(&self, lease: lh_lease) {
        check((self.release)(
            self.pool,
            lease,
            KEPT_FOR.as_millis() as u64,
        ));
    }
}

#[inline]
fn check(status: lh_status) {
    assert_eq!(status, lh_status::LH_OK);
}

impl Contender for SharedLibrary {
    fn new(threads: usize, routes: usize) -> Self {
        let file = current_exe()
            .expect("this program has a path")
            .with_file_name("libleasehold_c.so");
        // SAFETY: a Rust library without initialisers of its own.
        let library = unsafe { Library::new(&file) }
            .unwrap_or_else(|error| panic!("{error}: build leasehold-c in the same profile"));
        let create = symbol!(library, lh_pool_create: Create);
        let name = symbol!(library, lh_route_of_name: Name);
        let mut pool = lh_pool { id: 0 };
        // SAFETY: NULL is the defaults, and the output is there.
        check(unsafe { create(null(), &raw mut pool) });
        let route = |number| {
            let key = CString::new(key(number)).expect("no NUL in it");
            let mut route = lh_route { id: 0 };
            // SAFETY: a C string and an output.
            check(unsafe { name(pool, key.as_ptr(), &raw mut route) });
            route
        };
        let made = SharedLibrary {
            pool,
            routes: (0..routes).map(route).collect(),
            lease: symbol!(library, lh_pool_lease: Lease),
            opened: symbol!(library, lh_lease_opened: Opened),
            release: symbol!(library, lh_lease_release: Release),
            destroy: symbol!(library, lh_pool_destroy: Destroy),
            _library: library,
        };
        for &route in &made.routes {
            let leased: Vec<lh_lease> = (0..threads).map(|_| made.lease(route)).collect();
            for lease in leased {
                made.release(lease);
            }
        }
        made
    }

    #[inline]
    fn cycle(&self, route: usize) {
        self.release(self.lease(self.routes[route]));
    }
}

impl Drop for SharedLibrary {
    fn drop(&mut self) {
        check((self.destroy)(self.pool));
    }
}
