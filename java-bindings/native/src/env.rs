//! How a native comes to the JNI environment, where it needs it.

use jni::objects::JObject;
use jni::{EnvUnowned, Outcome};

/// Runs what needs the JNI environment; whatever goes wrong in it is answered as `failed`.
pub(crate) fn with_env<'local, T>(
    env: &mut EnvUnowned<'local>,
    failed: T,
    body: impl FnOnce(&mut jni::Env<'local>) -> jni::errors::Result<T>,
) -> T {
    match env.with_env(body).into_outcome() {
        Outcome::Ok(answer) => answer,
        Outcome::Err(_) | Outcome::Panic(_) => failed,
    }
}

/// What `this` is called where a native does not look at it.
pub(crate) type This<'local> = JObject<'local>;
