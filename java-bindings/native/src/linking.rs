//! Links every native of our classes as soon as the library is loaded.
//!
//! The JVM looks a native up when it is first called, by a Java call of several frames and by allocating. For many natives that first call
//! comes when something was decided and has to be carried out. There an overflow of the stack or an empty heap would lose it, as in
//! [`stack`](crate::stack).

use crate::env::{register_natives, with_env};
use jni::objects::JClass;
use jni::strings::JNIStr;
use jni::sys::JNINativeMethod;
use jni::{EnvUnowned, jni_str};
use std::ffi::c_void;

/// A native's name in Java, its signature, and where it is.
type Native = (
    &'static JNIStr,
    &'static JNIStr,
    unsafe extern "system" fn(),
);

/// The natives of one class. Only their addresses are wanted, so that their types here are not theirs.
macro_rules! natives {
    ($($name:literal $signature:literal $function:ident)*) => {{
        unsafe extern "system" {
            $(fn $function();)*
        }
        &[$((jni_str!($name), jni_str!($signature), $function as unsafe extern "system" fn())),*]
    }};
}

const KERNEL_CLOCK: &[Native] = natives! {
    "lastTick" "()J" Java_io_leasehold_internal_natives_KernelClock_lastTick
};

const ENGINE: &[Native] = natives! {
    "leaseHit" "(JJ)J" Java_io_leasehold_internal_natives_Engine_leaseHit
    "releaseHit" "(JJJ)I" Java_io_leasehold_internal_natives_Engine_releaseHit
    "releaseHitUntil" "(JJJ)I" Java_io_leasehold_internal_natives_Engine_releaseHitUntil
    "create" "(IIIJZZZZIZ)J" Java_io_leasehold_internal_natives_Engine_create
    "free" "(J)V" Java_io_leasehold_internal_natives_Engine_free
    "addRoute" "(J[J)J" Java_io_leasehold_internal_natives_Engine_addRoute
    "lease" "(JJIJ[J)J" Java_io_leasehold_internal_natives_Engine_lease
    "reserveTicket" "(J)J" Java_io_leasehold_internal_natives_Engine_reserveTicket
    "reserveStackForHook" "()V" Java_io_leasehold_internal_natives_Engine_reserveStackForHook
    "pollTicket" "(JJ)J" Java_io_leasehold_internal_natives_Engine_pollTicket
    "cancel" "(JJZ[J)J" Java_io_leasehold_internal_natives_Engine_cancel
    "opened" "(JJ)J" Java_io_leasehold_internal_natives_Engine_opened
    "reopen" "(JJ)J" Java_io_leasehold_internal_natives_Engine_reopen
    "renew" "(JJ)J" Java_io_leasehold_internal_natives_Engine_renew
    "noteStale" "(JJ)V" Java_io_leasehold_internal_natives_Engine_noteStale
    "counters" "(J[J)V" Java_io_leasehold_internal_natives_Engine_counters
    "metrics" "(J[J)V" Java_io_leasehold_internal_natives_Engine_metrics
    "routeMetrics" "(JJ[J)V" Java_io_leasehold_internal_natives_Engine_routeMetrics
    "measureHeld" "(JZ)V" Java_io_leasehold_internal_natives_Engine_measureHeld
    "recordOpening" "(JJ)V" Java_io_leasehold_internal_natives_Engine_recordOpening
    "watch" "(JJII)I" Java_io_leasehold_internal_natives_Engine_watch
    "release" "(JJJI[J)I" Java_io_leasehold_internal_natives_Engine_release
    "uses" "(JI)J" Java_io_leasehold_internal_natives_Engine_uses
    "ack" "(JI)Z" Java_io_leasehold_internal_natives_Engine_ack
    "serve" "(J[J)V" Java_io_leasehold_internal_natives_Engine_serve
    "closeExpired" "(J[J)V" Java_io_leasehold_internal_natives_Engine_closeExpired
    "closeIdle" "(JJ[J)V" Java_io_leasehold_internal_natives_Engine_closeIdle
    "clearRoute" "(JJ[J)V" Java_io_leasehold_internal_natives_Engine_clearRoute
    "peersClosed" "(J[III[J)V" Java_io_leasehold_internal_natives_Engine_peersClosed
    "clearConnection" "(JII[J)V" Java_io_leasehold_internal_natives_Engine_clearConnection
    "setSuspended" "(JZ[J)V" Java_io_leasehold_internal_natives_Engine_setSuspended
    "setMaxTotal" "(JI[J)V" Java_io_leasehold_internal_natives_Engine_setMaxTotal
    "setDefaultMaxPerRoute" "(JI[J)V" Java_io_leasehold_internal_natives_Engine_setDefaultMaxPerRoute
    "setMaxPerRoute" "(JJI[J)V" Java_io_leasehold_internal_natives_Engine_setMaxPerRoute
    "shutdown" "(JZ[J)V" Java_io_leasehold_internal_natives_Engine_shutdown
    "stats" "(J[I)V" Java_io_leasehold_internal_natives_Engine_stats
    "routeStats" "(JJ[I)V" Java_io_leasehold_internal_natives_Engine_routeStats
    "entries" "(JZ)[J" Java_io_leasehold_internal_natives_Engine_entries
    "advanceClock" "(JJ)V" Java_io_leasehold_internal_natives_Engine_advanceClock
};

const EFFECTS: &[Native] = natives! {
    "rest" "(J[J)V" Java_io_leasehold_internal_natives_Effects_rest
};

const ENGINE_LOG: &[Native] = natives! {
    "keep" "(I)V" Java_io_leasehold_internal_natives_EngineLog_keep
    "next" "()Ljava/lang/String;" Java_io_leasehold_internal_natives_EngineLog_next
};

const PEER_WATCH: &[Native] = natives! {
    "awaitEvents" "(I[I)I" Java_io_leasehold_internal_natives_PeerWatch_awaitEvents
    "wake" "()V" Java_io_leasehold_internal_natives_PeerWatch_wake
    "remove" "(I)V" Java_io_leasehold_internal_natives_PeerWatch_remove
};

const DESCRIPTORS: &[Native] = natives! {
    "setTcpKeepAlive" "(IIII)Ljava/lang/String;" Java_io_leasehold_internal_natives_Descriptors_setTcpKeepAlive
    "findFields" "()Ljava/lang/String;" Java_io_leasehold_internal_natives_Descriptors_findFields
    "descriptor" "(Ljava/net/Socket;)I" Java_io_leasehold_internal_natives_Descriptors_descriptor
    "below" "(Ljava/net/Socket;)Ljava/net/Socket;" Java_io_leasehold_internal_natives_Descriptors_below
    "field" "(Ljava/lang/Object;Ljava/lang/Class;Ljava/lang/String;Ljava/lang/String;)Ljava/lang/Object;" Java_io_leasehold_internal_natives_Descriptors_field
    "connects" "(I[BI[BI)Z" Java_io_leasehold_internal_natives_Descriptors_connects
    "ask" "(I)I" Java_io_leasehold_internal_natives_Descriptors_ask
};

const SECOND_DESCRIPTOR: &[Native] = natives! {
    "duplicate" "(I)I" Java_io_leasehold_internal_natives_SecondDescriptor_duplicate
    "shutdown" "(I)V" Java_io_leasehold_internal_natives_SecondDescriptor_shutdown
    "close" "(I)V" Java_io_leasehold_internal_natives_SecondDescriptor_close
};

/// Where a class does not have what is listed, or may not be told of it because it was compiled ahead of time, the JVM goes on looking up.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_NativeLibrary_link<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    clock: JClass<'local>,
    engine: JClass<'local>,
    effects: JClass<'local>,
    log: JClass<'local>,
    watch: JClass<'local>,
    descriptors: JClass<'local>,
    second: JClass<'local>,
) {
    with_env(&mut env, (), |env| {
        for (class, natives) in [
            (clock, KERNEL_CLOCK),
            (engine, ENGINE),
            (effects, EFFECTS),
            (log, ENGINE_LOG),
            (watch, PEER_WATCH),
            (descriptors, DESCRIPTORS),
            (second, SECOND_DESCRIPTOR),
        ] {
            let methods: Vec<JNINativeMethod> = natives
                .iter()
                .map(|&(name, signature, function)| JNINativeMethod {
                    name: name.as_ptr().cast_mut(),
                    signature: signature.as_ptr().cast_mut(),
                    fnPtr: function as *mut c_void,
                })
                .collect();
            // SAFETY: the functions are this library's, and `LinkingTest` compares the list with the classes. The library stays loaded for
            // as long as its classes' loader is there.
            let linked = unsafe { register_natives(env, &class, &methods) };
            if linked.is_err() {
                env.exception_clear();
            }
        }
        Ok(())
    });
}
