//! Whether the calling thread has the stack that Java needs after a call, for what the call has decided.
//!
//! An overflow is an exception that any Java call may throw. Between what a native has taken or decided and what Java makes of it none may
//! come, so the native looks first, and throws it before anything was done. Nobody says how much stack a thread has left, but the JVM looks
//! itself when native code calls Java: this calls a method that does nothing from as far down as Java may have to go.

use crate::env::{method_id, with_env};
use jni::errors::Result;
use jni::ids::JMethodID;
use jni::objects::{JClass, JObject};
use jni::signature::{Primitive, ReturnType};
use jni::{Env, EnvUnowned, jni_str};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// What carrying out a call's effects takes in interpreted code, several times over. It is less than what every JVM leaves native code
/// below a Java frame, so that this frame itself is always there.
pub(crate) const FOR_EFFECTS: usize = 16 << 10;
/// For a ticket, which a later call of the same caller must be able to give back.
pub(crate) const FOR_TICKET: usize = FOR_EFFECTS + (8 << 10);

/// For somebody else's hook, on a thread that did not ask for it: less than what every JVM leaves native code, too.
const FOR_HOOK: usize = 48 << 10;

/// That method; none where the class is compiled ahead of time and native code may not call it, as nobody has said that it does.
/// Written once, with the first pool. It is good for as long as its class, and so for as long as this library.
static METHOD: OnceLock<Option<JMethodID>> = OnceLock::new();

/// Finds the method in the class `Engine`.
pub(crate) fn prepare<'local>(env: &mut EnvUnowned<'local>, engine: &JClass<'local>) {
    with_env(env, (), |env| {
        METHOD.get_or_init(|| {
            let found = method_id(env, engine, jni_str!("hasStack"), jni_str!("()Z"));
            if found.is_err() {
                env.exception_clear();
            }
            found.ok()
        });
        Ok(())
    });
}

/// An error, and a pending StackOverflowError, unless the thread has so many bytes left. `this` is an `Engine`.
#[inline(never)]
pub(crate) fn reserve<const BYTES: usize>(env: &mut Env<'_>, this: &JObject<'_>) -> Result<()> {
    let below = [MaybeUninit::<u8>::uninit(); BYTES];
    black_box(&below);
    if let Some(method) = METHOD.get().copied().flatten() {
        // SAFETY: the method is one of the object's class, without arguments, and returns a boolean.
        unsafe {
            env.call_method_unchecked(this, method, ReturnType::Primitive(Primitive::Boolean), &[])
        }?;
    }
    black_box(&below);
    Ok(())
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_reserveStackForHook<'local>(
    mut env: EnvUnowned<'local>,
    this: JObject<'local>,
) {
    with_env(&mut env, (), |env| reserve::<FOR_HOOK>(env, &this));
}
