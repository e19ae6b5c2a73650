//! The native half of the `io.leasehold` Java package: the engine's calls over numbers.
//!
//! Every exported function belongs to a `native` method of the same name in `io.leasehold.internal.natives`, which must
//! therefore not be relocated. None of them waits, but the one in [`watch`] that the housekeeper calls. None unwinds into the
//! JVM: a panic is caught, printed by the panic hook, and answered as [`answer::BROKEN`] or, where Java has another way to go on,
//! as what leads it there: a hit that misses is asked for again the long way, an unknown socket is not asked.
//!
//! The two that a hit needs, [`hit`], touch no Java object and not even the JNI environment, which would cost more than
//! they do.
//!
//! # Safety of addresses
//!
//! Java hands a pool's address back as a number, which only the class `Engine` knows. It is good from `create` to `free`, and Java
//! calls `free` only when no call can be under way or follow: each native is an instance method of the object that owns the pool,
//! which is therefore reachable during the call, and `free` is called once that object is unreachable. Whatever else a native is
//! given, a descriptor or an array, may be wrong without harm to the JVM: nulls and negative numbers are looked for.

mod answer;
mod call;
mod clock;
mod effects;
mod env;
mod hit;
mod leases;
mod limits;
mod linking;
mod log;
mod numbers;
mod pool;
mod sockets;
mod stack;
mod stats;
mod upkeep;
mod watch;

use env::with_env;
use jni::EnvUnowned;
use jni::objects::{JClass, JString};
use jni::sys::JavaVM;
use std::ffi::c_void;

/// The library's version, for Java to compare with its own.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_NativeLibrary_nativeVersion<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JString<'local> {
    with_env(&mut env, JString::default(), |env| {
        env::new_string(env, env!("CARGO_PKG_VERSION"))
    })
}

/// The class loader is gone, and with it every Java object that could still use a pool: those that nobody was left to free
/// are freed now, before the library is unmapped.
#[unsafe(no_mangle)]
extern "system" fn JNI_OnUnload(_vm: *mut JavaVM, _reserved: *mut c_void) {
    pool::free_all();
    watch::close();
}
