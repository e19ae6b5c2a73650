//! How a native comes to the JNI environment, where it needs it, and what of it may throw.
//!
//! The crate's own methods look at what was thrown, to name it in their error. For that they load the classes of the exceptions that they
//! know, by Java calls which themselves throw where the heap is full, and look at that exception in turn, until the stack is used up and the
//! JVM dies. So what may throw is called here without them. The exception stays pending, and Java meets it when the native returns.

use jni::errors::{Error, Result};
use jni::ids::{JFieldID, JMethodID};
use jni::objects::{JClass, JLongArray, JObject, JString};
use jni::strings::{JNIStr, JNIString};
use jni::sys::{JNINativeMethod, jsize};
use jni::{Env, EnvUnowned, Outcome};

/// Runs what needs the JNI environment; whatever goes wrong in it is answered as `failed`.
pub(crate) fn with_env<'local, T>(
    env: &mut EnvUnowned<'local>,
    failed: T,
    body: impl FnOnce(&mut Env<'local>) -> Result<T>,
) -> T {
    match env.with_env(body).into_outcome() {
        Outcome::Ok(answer) => answer,
        Outcome::Err(_) | Outcome::Panic(_) => failed,
    }
}

/// What `this` is called where a native does not look at it.
pub(crate) type This<'local> = JObject<'local>;

/// A function of JNI 1.1, which every JVM has; an error if it leaves an exception pending. None may be pending before.
macro_rules! jni_1_1 {
    ($env:expr, $function:ident $(, $argument:expr)*) => {{
        let env = $env.get_raw();
        let answer = ((**env).v1_1.$function)(env $(, $argument)*);
        match $env.exception_check() {
            true => Err(Error::JavaException),
            false => Ok(answer),
        }
    }};
}

pub(crate) fn new_string<'local>(env: &mut Env<'local>, text: &str) -> Result<JString<'local>> {
    let text = JNIString::from(text);
    // SAFETY: the text ends in a zero and is encoded as Java wants it; what is answered is a local reference to a string.
    unsafe {
        let string = jni_1_1!(env, NewStringUTF, text.as_ptr())?;
        Ok(JString::from_raw(env, string))
    }
}

pub(crate) fn new_longs<'local>(
    env: &mut Env<'local>,
    length: usize,
) -> Result<JLongArray<'local>> {
    let length = jsize::try_from(length).unwrap_or(jsize::MAX);
    // SAFETY: the length is not negative; what is answered is a local reference to an array of longs.
    unsafe {
        let array = jni_1_1!(env, NewLongArray, length)?;
        Ok(JLongArray::from_raw(env, array))
    }
}

pub(crate) fn find_class<'local>(env: &mut Env<'local>, name: &JNIStr) -> Result<JClass<'local>> {
    // SAFETY: the name ends in a zero; what is answered is a local reference to a class.
    unsafe {
        let class = jni_1_1!(env, FindClass, name.as_ptr())?;
        Ok(JClass::from_raw(env, class))
    }
}

pub(crate) fn field_id(
    env: &mut Env<'_>,
    class: &JClass<'_>,
    name: &JNIStr,
    signature: &JNIStr,
) -> Result<JFieldID> {
    // SAFETY: the class is one, and the strings end in zeros; an id is answered where nothing is thrown.
    unsafe {
        let id = jni_1_1!(
            env,
            GetFieldID,
            class.as_raw(),
            name.as_ptr(),
            signature.as_ptr()
        )?;
        Ok(JFieldID::from_raw(id))
    }
}

pub(crate) fn method_id(
    env: &mut Env<'_>,
    class: &JClass<'_>,
    name: &JNIStr,
    signature: &JNIStr,
) -> Result<JMethodID> {
    // SAFETY: as for a field.
    unsafe {
        let id = jni_1_1!(
            env,
            GetMethodID,
            class.as_raw(),
            name.as_ptr(),
            signature.as_ptr()
        )?;
        Ok(JMethodID::from_raw(id))
    }
}

/// Tells the JVM where natives of a class are.
///
/// # Safety
///
/// Each function must be what its name and signature say, and stay loaded for as long as the class.
pub(crate) unsafe fn register_natives(
    env: &mut Env<'_>,
    class: &JClass<'_>,
    natives: &[JNINativeMethod],
) -> Result<()> {
    // SAFETY: the array has so many elements, and their strings end in zeros; the rest is the caller's promise.
    unsafe {
        jni_1_1!(
            env,
            RegisterNatives,
            class.as_raw(),
            natives.as_ptr(),
            natives.len() as jsize
        )?;
    }
    Ok(())
}
