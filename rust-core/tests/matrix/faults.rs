//! Every piece of a caller's code that a pool may call, each of which does what the test wants when its turn comes: it panics, or calls
//! the pool. And how many of what it was given are left.

use std::borrow::Borrow;
use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::ptr::{NonNull, null};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use crate::common::eventually;

/// A piece of a caller's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Piece {
    KeyHash,
    KeyEq,
    KeyBorrow,
    KeyClone,
    KeyDrop,
    ConnectionDrop,
    AsFd,
    UsableWhenReadable,
    IsUsable,
    Descriptor,
    IsKept,
    WakerClone,
    WakerWake,
    WakerDrop,
    Logger,
    Connect,
    ConnectDrop,
    Opening,
    OpeningDrop,
    StateName,
}

impl Piece {
    pub(crate) const ALL: [Piece; 20] = [
        Piece::KeyHash,
        Piece::KeyEq,
        Piece::KeyBorrow,
        Piece::KeyClone,
        Piece::KeyDrop,
        Piece::ConnectionDrop,
        Piece::AsFd,
        Piece::UsableWhenReadable,
        Piece::IsUsable,
        Piece::Descriptor,
        Piece::IsKept,
        Piece::WakerClone,
        Piece::WakerWake,
        Piece::WakerDrop,
        Piece::Logger,
        Piece::Connect,
        Piece::ConnectDrop,
        Piece::Opening,
        Piece::OpeningDrop,
        Piece::StateName,
    ];
}

/// What the armed piece does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Nothing: its turns are counted.
    Count,
    /// It panics at this turn, the first being number 0.
    PanicAt(usize),
    PanicAlways,
    /// It calls the pool at every turn.
    CallBack,
    /// It shuts the pool down at its first turn.
    ShutDown,
}

/// What every panic on purpose brings. Its own drop panics, with another.
pub(crate) struct OnPurpose;

impl Drop for OnPurpose {
    fn drop(&mut self) {
        resume_unwind(Box::new(OnPurpose));
    }
}

struct Armed {
    piece: Piece,
    deed: Deed,
    turns: usize,
    done: usize,
    call_back: fn(Deed, Piece),
}

static ARMED: Mutex<Option<Armed>> = Mutex::new(None);

/// What calls the pool at the moment, on whichever thread: the housekeeper and several disposers may be at it at once. Begun with the
/// lock above held, so that after a disarming no more begin.
static UNDER_WAY: Census = Census(AtomicUsize::new(0));

thread_local! {
    /// The thread is in a piece's deed: what that calls in its turn does nothing.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn arm(piece: Piece, deed: Deed, call_back: fn(Deed, Piece)) {
    *ARMED.lock().unwrap() = Some(Armed {
        piece,
        deed,
        turns: 0,
        done: 0,
        call_back,
    });
}

/// How often the piece had its turn, and how often it did something. Whatever it did has ended then.
pub(crate) fn disarm() -> (usize, usize) {
    let armed = ARMED.lock().unwrap().take().expect("something is armed");
    eventually("whoever calls the pool is done", || UNDER_WAY.count() == 0);
    (armed.turns, armed.done)
}

fn turn_of(piece: Piece) {
    if IS_INSIDE.get() {
        return;
    }
    let mut armed = ARMED.lock().unwrap();
    let Some(its) = armed.as_mut().filter(|armed| armed.piece == piece) else {
        return;
    };
    let turn = its.turns;
    its.turns += 1;
    let (deed, call_back) = (its.deed, its.call_back);
    let is_to_act = match deed {
        Deed::Count => false,
        Deed::PanicAt(number) => turn == number,
        Deed::ShutDown => turn == 0,
        Deed::PanicAlways | Deed::CallBack => true,
    };
    its.done += usize::from(is_to_act);
    if is_to_act {
        UNDER_WAY.add();
    }
    drop(armed);
    if !is_to_act {
        return;
    }
    let _under_way = UNDER_WAY.remove();
    match deed {
        Deed::PanicAt(_) | Deed::PanicAlways => resume_unwind(Box::new(OnPurpose)),
        _ => inside(|| call_back(deed, piece)),
    }
}

/// Runs something in which no piece has a turn.
pub(crate) fn inside<T>(run: impl FnOnce() -> T) -> T {
    struct Reset(bool);

    impl Drop for Reset {
        fn drop(&mut self) {
            IS_INSIDE.set(self.0);
        }
    }

    let _reset = Reset(IS_INSIDE.replace(true));
    run()
}

/// How many there are of something.
pub(crate) struct Census(AtomicUsize);

impl Census {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// One goes when what this returns is dropped.
    fn remove(&'static self) -> impl Drop {
        struct Removal(&'static Census);

        impl Drop for Removal {
            fn drop(&mut self) {
                self.0.0.fetch_sub(1, Ordering::SeqCst);
            }
        }

        Removal(self)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) static KEYS: Census = Census(AtomicUsize::new(0));
pub(crate) static WIRES: Census = Census(AtomicUsize::new(0));
pub(crate) static WAKERS: Census = Census(AtomicUsize::new(0));

/// A key. What the pool has made of it has a drop's turn; what a caller lends has none, as a panic of that is no call's.
#[derive(Debug)]
pub(crate) struct Key {
    number: u32,
    is_clone: bool,
}

pub(crate) fn key(number: u32) -> Key {
    KEYS.add();
    Key {
        number,
        is_clone: false,
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        turn_of(Piece::KeyHash);
        self.number.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        turn_of(Piece::KeyEq);
        self.number == other.number
    }
}

impl Eq for Key {}

/// The borrowed form: a number hashes and compares as its key does.
impl Borrow<u32> for Key {
    fn borrow(&self) -> &u32 {
        turn_of(Piece::KeyBorrow);
        &self.number
    }
}

impl Clone for Key {
    fn clone(&self) -> Key {
        turn_of(Piece::KeyClone);
        let mut clone = key(self.number);
        clone.is_clone = true;
        clone
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _removal = KEYS.remove();
        if self.is_clone {
            turn_of(Piece::KeyDrop);
        }
    }
}

/// The other ends of what is open.
static PEERS: LazyLock<Mutex<HashMap<usize, UnixStream>>> = LazyLock::new(Mutex::default);

static OPENED: AtomicUsize = AtomicUsize::new(0);

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    number: usize,
    socket: UnixStream,
}

impl Wire {
    pub(crate) fn open() -> Wire {
        let (socket, peer) = UnixStream::pair().unwrap();
        socket.set_nonblocking(true).unwrap();
        let number = OPENED.fetch_add(1, Ordering::SeqCst);
        PEERS.lock().unwrap().insert(number, peer);
        WIRES.add();
        Wire { number, socket }
    }

    /// What a program opens connections by.
    pub(crate) fn connector() -> impl FnOnce() -> Result<Wire, ()> {
        let captured = Captured;
        move || {
            turn_of(Piece::Connect);
            let wire = Wire::open();
            // Not by the end of the scope, whose panic would leak what is returned.
            drop(captured);
            Ok(wire)
        }
    }

    /// What an asynchronous program opens them by.
    pub(crate) fn opener() -> impl FnOnce() -> Opening {
        let captured = Captured;
        move || {
            turn_of(Piece::Connect);
            drop(captured);
            Opening { is_asked: false }
        }
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }
}

/// What a program's closure has with it.
struct Captured;

impl Drop for Captured {
    fn drop(&mut self) {
        turn_of(Piece::ConnectDrop);
    }
}

/// A connection that is open at the second look.
pub(crate) struct Opening {
    is_asked: bool,
}

impl Future for Opening {
    type Output = Result<Wire, ()>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        turn_of(Piece::Opening);
        match std::mem::replace(&mut self.is_asked, true) {
            true => Poll::Ready(Ok(Wire::open())),
            false => Poll::Pending,
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        turn_of(Piece::OpeningDrop);
    }
}

/// The peer closes the connection.
pub(crate) fn shut_peer(number: usize) {
    if let Some(peer) = PEERS.lock().unwrap().get(&number) {
        peer.shutdown(Shutdown::Both).unwrap();
    }
}

/// A connection was not dropped yet.
pub(crate) fn is_open(number: usize) -> bool {
    PEERS.lock().unwrap().contains_key(&number)
}

/// The peer sends what nobody has asked for.
pub(crate) fn send_from_peer(number: usize) {
    use std::io::Write;
    let mut peers = PEERS.lock().unwrap();
    let peer = peers.get_mut(&number).expect("it is open");
    peer.write_all(b"!").unwrap();
}

impl Drop for Wire {
    fn drop(&mut self) {
        struct Closing(usize);

        impl Drop for Closing {
            fn drop(&mut self) {
                let peer = PEERS.lock().unwrap().remove(&self.0);
                drop(peer);
            }
        }

        // Whoever sees that it is gone knows that its turn is over.
        let _removal = WIRES.remove();
        let _closing = Closing(self.number);
        turn_of(Piece::ConnectionDrop);
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        turn_of(Piece::AsFd);
        self.socket.as_fd()
    }
}

pub(crate) fn usable_when_readable(_: &Wire) -> bool {
    turn_of(Piece::UsableWhenReadable);
    true
}

pub(crate) fn is_usable(_: &Wire) -> bool {
    turn_of(Piece::IsUsable);
    true
}

pub(crate) fn is_kept(_: &Key, wire: &Wire) -> bool {
    turn_of(Piece::IsKept);
    wire.number % 2 == 0
}

pub(crate) fn descriptor(wire: &Wire) -> Option<BorrowedFd<'_>> {
    turn_of(Piece::Descriptor);
    Some(wire.socket.as_fd())
}

/// What names a state.
pub(crate) struct Name;

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        turn_of(Piece::StateName);
        b"alice"
    }
}

/// A waker of an executor's.
pub(crate) fn waker() -> Waker {
    WAKERS.add();
    // SAFETY: the functions of the table keep to what `RawWaker` asks for: nothing lies behind the pointer.
    unsafe { Waker::from_raw(raw_waker(null())) }
}

/// What is lent has no pointer, and no drop's turn, as with keys.
fn raw_waker(data: *const ()) -> RawWaker {
    unsafe fn clone(_: *const ()) -> RawWaker {
        turn_of(Piece::WakerClone);
        WAKERS.add();
        raw_waker(NonNull::dangling().as_ptr())
    }
    unsafe fn wake(_: *const ()) {
        let _removal = WAKERS.remove();
        turn_of(Piece::WakerWake);
    }
    unsafe fn wake_by_ref(_: *const ()) {
        turn_of(Piece::WakerWake);
    }
    unsafe fn drop(data: *const ()) {
        let _removal = WAKERS.remove();
        if !data.is_null() {
            turn_of(Piece::WakerDrop);
        }
    }
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);
    RawWaker::new(data, &TABLE)
}

/// Lines at error, as far as the logger took them.
static ERRORS: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        turn_of(Piece::Logger);
        if record.level() == log::Level::Error {
            ERRORS.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn flush(&self) {}
}

/// How many lines at error there were since this was last asked.
pub(crate) fn take_errors() -> usize {
    ERRORS.swap(0, Ordering::SeqCst)
}

pub(crate) fn errors() -> usize {
    ERRORS.load(Ordering::SeqCst)
}
