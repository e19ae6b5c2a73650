//! The descriptor behind a `java.net.Socket`, and what the system says of it.
//!
//! There is no public way to a descriptor; JNI reads private fields on every JDK, whatever its modules allow Java code.
//! Where the fields lie differs by JDK and by kind of socket:
//!
//! - a plain socket has an implementation object, which may delegate to another one (JDK 13 and later), which has the
//!   descriptor;
//! - a TLS socket layered over another one has that one as `self`, which Java asks for;
//! - the socket of a channel has no implementation object, but its channel has the number.
//!
//! All these classes are the JDK's own, of the boot loader, so ids and classes found once stay good. A JDK that lacks
//! some of them only makes the sockets concerned unknown. What others have wrapped Java looks through, by fields that it
//! finds itself and that are read here.

use crate::env::{field_id, find_class, new_string, with_env};
use jni::errors::Result;
use jni::ids::JFieldID;
use jni::objects::{Global, JByteArray, JClass, JObject, JString};
use jni::signature::{JavaType, Primitive, RuntimeFieldSignature};
use jni::strings::{JNIStr, JNIString};
use jni::sys::{jboolean, jint};
use jni::{Env, EnvUnowned, jni_str};
use leasehold::socket::{Liveness, TcpKeepAlive, probe};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::{Shutdown, SocketAddrAny, getpeername, getsockname, shutdown};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::time::Duration;

const UNKNOWN: jint = -1;
// As in `Descriptors.java`.
const ALIVE: jint = 0;
const CLOSED: jint = 1;
const READABLE: jint = 2;

/// A class of the JDK and a field that its objects have.
struct Field {
    class: Global<JClass<'static>>,
    id: JFieldID,
}

struct Fields {
    socket_impl: Field,
    impl_fd: Field,
    number: Field,
    /// None on JDKs that have no delegation.
    delegate: Option<Field>,
    layered: Option<Field>,
    channel: Option<Field>,
    channel_number: Option<Field>,
}

/// Written once, when Java has loaded the library.
static FIELDS: OnceLock<Fields> = OnceLock::new();

impl Field {
    /// The field, or which one there is not.
    fn find(
        env: &mut Env<'_>,
        class: &JNIStr,
        name: &JNIStr,
        signature: &JNIStr,
    ) -> std::result::Result<Field, String> {
        let found: Result<Field> = (|| {
            let class = find_class(env, class)?;
            let id = field_id(env, &class, name, signature)?;
            Ok(Field {
                class: env.new_global_ref(class)?,
                id,
            })
        })();
        if found.is_err() {
            // NoClassDefFoundError or NoSuchFieldError: the answer says as much.
            env.exception_clear();
        }
        found.map_err(|_| format!("no {name} in {class}"))
    }

    fn is_of(&self, env: &mut Env<'_>, object: &JObject<'_>) -> Result<bool> {
        env.is_instance_of(object, &self.class)
    }

    fn object<'local>(
        &self,
        env: &mut Env<'local>,
        object: &JObject<'_>,
    ) -> Result<JObject<'local>> {
        // SAFETY: callers pass objects of `class`, or of a class that has it as declared type, never null; fields read
        // through this function were looked up with an object's signature.
        unsafe { env.get_field_unchecked(object, self.id, JavaType::Object) }?.l()
    }

    fn int(&self, env: &mut Env<'_>, object: &JObject<'_>) -> Result<jint> {
        // SAFETY: as above, with an int's signature.
        unsafe { env.get_field_unchecked(object, self.id, JavaType::Primitive(Primitive::Int)) }?
            .i()
    }
}

impl Fields {
    fn find(env: &mut Env<'_>) -> std::result::Result<Fields, String> {
        Ok(Fields {
            socket_impl: Field::find(
                env,
                jni_str!("java/net/Socket"),
                jni_str!("impl"),
                jni_str!("Ljava/net/SocketImpl;"),
            )?,
            impl_fd: Field::find(
                env,
                jni_str!("java/net/SocketImpl"),
                jni_str!("fd"),
                jni_str!("Ljava/io/FileDescriptor;"),
            )?,
            number: Field::find(
                env,
                jni_str!("java/io/FileDescriptor"),
                jni_str!("fd"),
                jni_str!("I"),
            )?,
            delegate: Field::find(
                env,
                jni_str!("java/net/DelegatingSocketImpl"),
                jni_str!("delegate"),
                jni_str!("Ljava/net/SocketImpl;"),
            )
            .ok(),
            layered: Field::find(
                env,
                jni_str!("sun/security/ssl/BaseSSLSocketImpl"),
                jni_str!("self"),
                jni_str!("Ljava/net/Socket;"),
            )
            .ok(),
            channel: Field::find(
                env,
                jni_str!("sun/nio/ch/SocketAdaptor"),
                jni_str!("sc"),
                jni_str!("Lsun/nio/ch/SocketChannelImpl;"),
            )
            .ok(),
            channel_number: Field::find(
                env,
                jni_str!("sun/nio/ch/SocketChannelImpl"),
                jni_str!("fdVal"),
                jni_str!("I"),
            )
            .ok(),
        })
    }

    /// What a TLS socket of the JDK's is layered over; null where there is none.
    fn below<'local>(
        &self,
        env: &mut Env<'local>,
        socket: &JObject<'local>,
    ) -> Result<JObject<'local>> {
        match &self.layered {
            Some(layered) if layered.is_of(env, socket)? => {
                let below = layered.object(env, socket)?;
                // One that has connected itself.
                Ok(match env.is_same_object(&below, socket)? {
                    true => JObject::null(),
                    false => below,
                })
            }
            _ => Ok(JObject::null()),
        }
    }

    /// A socket's own descriptor; -1 where there is none or no way to it.
    fn descriptor<'local>(&self, env: &mut Env<'local>, socket: JObject<'local>) -> Result<jint> {
        if let (Some(channel), Some(number)) = (&self.channel, &self.channel_number) {
            if channel.is_of(env, &socket)? {
                let channel = channel.object(env, &socket)?;
                return if channel.is_null() {
                    Ok(UNKNOWN)
                } else {
                    number.int(env, &channel)
                };
            }
        }
        let mut implementation = self.socket_impl.object(env, &socket)?;
        if let Some(delegate) = &self.delegate {
            while !implementation.is_null() && delegate.is_of(env, &implementation)? {
                implementation = delegate.object(env, &implementation)?;
            }
        }
        if implementation.is_null() {
            return Ok(UNKNOWN);
        }
        let descriptor = self.impl_fd.object(env, &implementation)?;
        if descriptor.is_null() {
            return Ok(UNKNOWN);
        }
        self.number.int(env, &descriptor)
    }
}

/// Looks the fields up. Null, or why plain sockets cannot be asked.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Descriptors_findFields<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JString<'local> {
    with_env(&mut env, JString::default(), |env| {
        match Fields::find(env) {
            Ok(fields) => {
                FIELDS.get_or_init(|| fields);
                Ok(JString::default())
            }
            Err(missing) => new_string(env, &missing),
        }
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Descriptors_descriptor<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    socket: JObject<'local>,
) -> jint {
    with_env(&mut env, UNKNOWN, |env| match FIELDS.get() {
        Some(fields) if !socket.is_null() => fields.descriptor(env, socket),
        _ => Ok(UNKNOWN),
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Descriptors_below<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    socket: JObject<'local>,
) -> JObject<'local> {
    with_env(&mut env, JObject::null(), |env| match FIELDS.get() {
        Some(fields) if !socket.is_null() => fields.below(env, &socket),
        _ => Ok(JObject::null()),
    })
}

/// What an object has in a field; null where it has nothing there. Throws NoSuchFieldError.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Descriptors_field<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    owner: JObject<'local>,
    declaring: JClass<'local>,
    name: JString<'local>,
    signature: JString<'local>,
) -> JObject<'local> {
    with_env(&mut env, JObject::null(), |env| {
        let name = JNIString::from(name.try_to_string(env)?);
        let signature = RuntimeFieldSignature::from_str(signature.try_to_string(env)?)?;
        if owner.is_null()
            || !matches!(signature.field_signature().ty(), JavaType::Object)
            || !env.is_instance_of(&owner, &declaring)?
        {
            return Ok(JObject::null());
        }
        let id = field_id(env, &declaring, &name, signature.field_signature().sig())?;
        // SAFETY: looked up in a class that the object is of, with an object's signature.
        unsafe { env.get_field_unchecked(&owner, id, JavaType::Object) }?.l()
    })
}

/// Whether a socket is connected from this address to that one.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Descriptors_connects<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    descriptor: jint,
    local: JByteArray<'local>,
    local_port: jint,
    peer: JByteArray<'local>,
    peer_port: jint,
) -> jboolean {
    with_env(&mut env, false, |env| {
        if descriptor < 0 {
            return Ok(false);
        }
        let local = (address(&env.convert_byte_array(local)?), local_port);
        let peer = (address(&env.convert_byte_array(peer)?), peer_port);
        // SAFETY: not -1, and Java promises that nobody closes the socket meanwhile.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let own = getsockname(descriptor).ok();
        let other = getpeername(descriptor).ok().flatten();
        Ok(own.is_some_and(|own| names(own, local))
            && other.is_some_and(|other| names(other, peer)))
    })
}

/// As Java has it: 4 bytes or 16.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// Whether what the system says is what Java says, for whom an IPv4 address is one also on a socket of IPv6.
fn names(system: SocketAddrAny, (address, port): (Option<IpAddr>, jint)) -> bool {
    SocketAddr::try_from(system).is_ok_and(|system| {
        Some(system.ip().to_canonical()) == address.map(|address| address.to_canonical())
            && jint::from(system.port()) == port
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Descriptors_ask<'local>(
    _env: EnvUnowned<'local>,
    _class: JClass<'local>,
    descriptor: jint,
) -> jint {
    catch_unwind(|| {
        if descriptor < 0 {
            return UNKNOWN;
        }
        // SAFETY: not -1. Java promises that nobody closes the socket meanwhile; if somebody does all the same, the probe
        // looks at whatever has the number by now, and takes nothing from it.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        match probe(descriptor) {
            Liveness::Alive => ALIVE,
            Liveness::Closed => CLOSED,
            Liveness::Readable => READABLE,
            // A socket that only passes on to another one has made itself one that was never connected.
            Liveness::Unconnected | Liveness::Unknown => UNKNOWN,
        }
    })
    .unwrap_or(UNKNOWN)
}
/// Null if it was set, else why not.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Descriptors_setTcpKeepAlive<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    descriptor: jint,
    idle: jint,
    interval: jint,
    probes: jint,
) -> JString<'local> {
    with_env(&mut env, JString::default(), |env| {
        if descriptor < 0 {
            return new_string(env, "there is no such socket");
        }
        let seconds = |number: jint| Duration::from_secs(u64::try_from(number).unwrap_or(0));
        // SAFETY: not -1, and Java promises that nobody closes the socket meanwhile.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        match TcpKeepAlive::new(seconds(idle), seconds(interval), probes as u32)
            .and_then(|keep_alive| keep_alive.set_on(descriptor))
        {
            Ok(()) => Ok(JString::default()),
            Err(error) => new_string(env, &error.to_string()),
        }
    })
}

/// A second descriptor, Java's to close; -1 if there is none to be had.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_SecondDescriptor_duplicate<'local>(
    _env: EnvUnowned<'local>,
    _class: JClass<'local>,
    descriptor: jint,
) -> jint {
    catch_unwind(|| {
        if descriptor < 0 {
            return UNKNOWN;
        }
        // SAFETY: not -1, and Java promises that nobody closes the socket meanwhile.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        // Not below 3, where a program that has closed its standard streams would write to it.
        fcntl_dupfd_cloexec(descriptor, 3).map_or(UNKNOWN, IntoRawFd::into_raw_fd)
    })
    .unwrap_or(UNKNOWN)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_SecondDescriptor_shutdown<'local>(
    _env: EnvUnowned<'local>,
    _class: JClass<'local>,
    descriptor: jint,
) {
    let _ = catch_unwind(|| {
        // SAFETY: it came from `duplicate`, and Java closes it only afterwards.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        // Fails where the connection has come to its end already.
        let _ = shutdown(descriptor, Shutdown::Both);
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_SecondDescriptor_close<'local>(
    _env: EnvUnowned<'local>,
    _class: JClass<'local>,
    descriptor: jint,
) {
    // SAFETY: it came from `duplicate`, and `SecondDescriptor.java`, which alone knows it, closes it once.
    drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
}
