//! A face reduced to its duties: it keeps what would be connections, carries out effects, and notices when the engine
//! leases one twice, reuses a slot too early, or lets a waiter sleep.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::super::hit::FEW_COLLISIONS;
use super::super::sync;
use super::super::thread::pretend_thread;
use super::super::{
    Answer, Clock, Config, Effects, Engine, GivenUp, Grant, Handle, Hit, Keep, ManualClock,
    Numbered, Outcome, Refusal, Released, RouteId, ShutdownMode, Slot, StateId, Ticket, TicketSlot,
    Verdict,
};
use super::audit::audit;

#[cfg(loom)]
pub(super) use loom::thread;
#[cfg(all(shuttle, not(loom)))]
pub(super) use shuttle::thread;
#[cfg(not(any(loom, shuttle)))]
pub(super) use std::thread;

/// An engine and what its users know. The book-keeping is the standard library's even under a model checker: it is not
/// what is checked, and no call of the engine is made while it is locked.
pub(super) struct Pool {
    pub(super) engine: Engine,
    pub(super) clock: ManualClock,
    book: Mutex<Book>,
    /// Whom to wake, by ticket, where a thread sleeps on it. The checker's lock: when a waiter is published is checked.
    sleepers: sync::Mutex<HashMap<Ticket, thread::Thread>>,
}

#[derive(Default)]
struct Book {
    /// Slots that hold a connection or will, and whether somebody leases it.
    leased: HashMap<Slot, bool>,
    woken: HashSet<Ticket>,
    /// Tickets whose owners found an answer. Each was woken, too, once all calls are over.
    answered: HashSet<Ticket>,
    #[cfg(loom)]
    closed: u32,
}

/// What an operation leaves for the end of its scenario.
#[derive(Debug)]
pub(super) enum Left {
    Lease(Handle),
    Ticket(Ticket),
    Nothing,
}

impl Pool {
    /// Two stripes, no limits; `change` makes it what the scenario needs.
    pub(super) fn new(change: impl FnOnce(&mut Config)) -> Self {
        let clock = ManualClock::new();
        let mut config = Config {
            stripes: Some(2),
            clock: Clock::manual(&clock),
            ..Config::default()
        };
        change(&mut config);
        pretend_thread(0);
        Pool {
            engine: Engine::new(config),
            clock,
            book: Mutex::default(),
            sleepers: sync::Mutex::default(),
        }
    }

    /// A new route. The first segment of each array is there from the start: a checker knows nothing of the `OnceLock`
    /// that publishes one, and takes the atomics in it for shared too early.
    pub(super) fn add_route(&self) -> RouteId {
        let route = self.with_effects(|fx| self.engine.add_route(fx));
        let route = route.expect("there is room");
        self.engine.entries.grow_to(Slot::of(0));
        self.engine.answers.grow_to(TicketSlot::of(0));
        for stripe in &self.engine.stripes {
            stripe.grow_to_list_of(route.slot());
        }
        route
    }

    /// Each thread uses a stripe of its own for this route from now on.
    pub(super) fn spread(&self, route: RouteId) {
        self.collide(route, FEW_COLLISIONS + 1);
    }

    /// Callers find the stripe locked so often.
    pub(super) fn collide(&self, route: RouteId, times: u32) {
        let shared = self.engine.routes.get(route.slot());
        for _ in 0..times {
            self.engine.note_collision(shared.expect("it was interned"));
        }
    }

    /// Calls the engine and carries out what follows.
    pub(super) fn with_effects<T>(&self, call: impl FnOnce(&mut Effects) -> T) -> T {
        let mut effects = Effects::new();
        let result = call(&mut effects);
        for victim in &effects.victims {
            self.close(victim.slot);
        }
        self.book.lock().unwrap().woken.extend(&effects.wakes);
        for ticket in &effects.wakes {
            let sleeper = self.sleepers.lock().get(ticket).cloned();
            if let Some(thread) = sleeper {
                thread.unpark();
            }
        }
        result
    }

    fn close(&self, slot: Slot) {
        let mut book = self.book.lock().unwrap();
        let was_there = book.leased.remove(&slot);
        assert!(was_there.is_some(), "slot {slot} is closed twice");
        #[cfg(loom)]
        {
            book.closed += 1;
        }
        drop(book);
        if self.engine.ack(slot) {
            self.with_effects(|fx| self.engine.serve(fx));
        }
    }

    fn note_idle_leased(&self, handle: Handle) {
        let mut book = self.book.lock().unwrap();
        if let Some(is_leased) = book.leased.get_mut(&handle.slot()) {
            assert!(!*is_leased, "{handle:?} is leased twice");
            *is_leased = true;
            return;
        }
        drop(book);
        // An immediate shutdown has taken it since, or it is lost.
        assert!(self.engine.is_shut_down(), "{handle:?} was closed");
    }

    fn note_open(&self, handle: Handle) {
        let mut book = self.book.lock().unwrap();
        let before = book.leased.insert(handle.slot(), true);
        assert_eq!(before, None, "the slot of {handle:?} is reused too early");
        assert!(book.leased.len() <= 1 << 10);
    }

    /// Says that a connection was opened. False where the pool was shut down instead; then the lease is ended.
    pub(super) fn open(&self, handle: Handle) -> bool {
        if self.engine.opened(handle).is_ok() {
            return true;
        }
        self.discard(handle);
        false
    }

    pub(super) fn take(&self, grant: Grant) -> Left {
        match grant {
            Grant::Idle(handle) => {
                self.note_idle_leased(handle);
                Left::Lease(handle)
            }
            Grant::Open(handle) => {
                self.note_open(handle);
                if self.open(handle) {
                    Left::Lease(handle)
                } else {
                    Left::Nothing
                }
            }
        }
    }

    pub(super) fn lease_hit(&self, route: RouteId) -> Option<Handle> {
        let handle = self.engine.lease_hit(route, StateId::NONE)?;
        self.note_idle_leased(handle);
        Some(handle)
    }

    /// A whole lease: a hit, or what the coordinator says, or a place in the queue.
    pub(super) fn lease_for(&self, route: RouteId, state: StateId) -> Left {
        if let Some(handle) = self.engine.lease_hit(route, state) {
            self.note_idle_leased(handle);
            return Left::Lease(handle);
        }
        let ticket = self.engine.reserve_ticket().expect("there is room");
        self.ask(route, state, ticket)
    }

    pub(super) fn ask(&self, route: RouteId, state: StateId, ticket: Ticket) -> Left {
        let answer = self.with_effects(|fx| self.engine.lease(route, state, Some(ticket), fx));
        match answer {
            Ok(Outcome::Granted(grant)) => self.take(grant),
            Ok(Outcome::Wait) => Left::Ticket(ticket),
            Err(refusal) => {
                assert!(matches!(refusal, Refusal::ShutDown | Refusal::StaleRoute));
                Left::Nothing
            }
        }
    }

    pub(super) fn release(&self, handle: Handle) {
        self.release_for(handle, Keep::Forever);
    }

    /// A whole release: a hit, or what the coordinator says.
    pub(super) fn release_for(&self, handle: Handle, keep: Keep) {
        self.note_end(handle);
        if self.engine.release_hit(handle, keep) == Ok(Hit::Kept) {
            return;
        }
        self.end(handle, Verdict::Keep(keep), StateId::NONE);
    }

    pub(super) fn release_bound(&self, handle: Handle, state: StateId) {
        self.note_end(handle);
        self.end(handle, Verdict::Keep(Keep::Forever), state);
    }

    /// Takes each connection that is idle for a look, and leaves it as it was.
    pub(super) fn look_at_what_is_idle(&self) {
        for info in self.engine.entries() {
            if let Some(handle) = self.engine.lease_entry(info.handle) {
                self.note_idle_leased(handle);
                self.note_end(handle);
                self.end(handle, Verdict::Unused, info.state);
            }
        }
    }

    pub(super) fn discard(&self, handle: Handle) {
        self.note_end(handle);
        self.end(handle, Verdict::Close, StateId::NONE);
    }

    /// Before the call that ends the lease: the next may begin before that call returns.
    fn note_end(&self, handle: Handle) {
        let mut book = self.book.lock().unwrap();
        if let Some(is_leased) = book.leased.get_mut(&handle.slot()) {
            *is_leased = false;
        }
    }

    fn end(&self, handle: Handle, verdict: Verdict, state: StateId) {
        let answer = self.with_effects(|fx| self.engine.release(handle, verdict, state, fx));
        match answer {
            Ok(Released::Kept) => {}
            Ok(Released::Close(_)) => self.close(handle.slot()),
            // Only an immediate shutdown ends a lease that is not its own.
            Err(_) => assert!(self.engine.is_shut_down(), "{handle:?} was lost"),
        }
    }

    /// Ends a ticket as a timeout does: a grant that came first is used.
    pub(super) fn time_out(&self, ticket: Ticket) -> Left {
        match self.with_effects(|fx| self.engine.cancel(ticket, GivenUp::TimedOut, fx)) {
            Some(grant) => self.take(grant),
            None => Left::Nothing,
        }
    }

    /// Ends a ticket as a dropped future does: a grant that came first is given back.
    pub(super) fn drop_ticket(&self, ticket: Ticket) {
        match self.with_effects(|fx| self.engine.cancel(ticket, GivenUp::Cancelled, fx)) {
            Some(Grant::Idle(handle)) => {
                self.note_idle_leased(handle);
                self.note_end(handle);
                self.end(handle, Verdict::Keep(Keep::AsBefore), StateId::NONE);
            }
            Some(Grant::Open(handle)) => {
                self.note_open(handle);
                self.discard(handle);
            }
            None => {}
        }
    }

    /// What a waiter finds when it looks: its lease, or that it must go on waiting.
    pub(super) fn poll(&self, route: RouteId, ticket: Ticket) -> Left {
        let answer = self.engine.poll_ticket(ticket);
        if matches!(answer, Ok(Answer::AskAgain | Answer::Granted(_))) {
            self.book.lock().unwrap().answered.insert(ticket);
        }
        match answer {
            Ok(Answer::Pending) => Left::Ticket(ticket),
            Ok(Answer::AskAgain) => self.ask(route, StateId::NONE, ticket),
            Ok(Answer::Granted(grant)) => self.take(grant),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::ShutDown);
                Left::Nothing
            }
        }
    }

    /// Leases as a thread does: says whom to wake, enqueues, and sleeps until it is served. `None` after a shutdown.
    pub(super) fn wait_for(&self, route: RouteId) -> Option<Handle> {
        if let Some(handle) = self.lease_hit(route) {
            return Some(handle);
        }
        let ticket = self.engine.reserve_ticket().expect("there is room");
        self.publish(ticket);
        let mut left = self.ask(route, StateId::NONE, ticket);
        while let Left::Ticket(ticket) = left {
            left = self.poll(route, ticket);
            if let Left::Ticket(_) = left {
                thread::park();
            }
        }
        self.sleepers.lock().remove(&ticket);
        match left {
            Left::Lease(handle) => Some(handle),
            _ => None,
        }
    }

    fn publish(&self, ticket: Ticket) {
        let thread = thread::current();
        self.sleepers.lock().insert(ticket, thread);
    }

    pub(super) fn suspend(&self) {
        self.with_effects(|fx| self.engine.suspend(fx));
    }

    pub(super) fn resume(&self) {
        self.with_effects(|fx| self.engine.resume(fx));
    }

    pub(super) fn shut_down(&self, mode: ShutdownMode) {
        self.with_effects(|fx| self.engine.shutdown(mode, fx));
    }

    /// Ends every lease left and serves every waiter left by it, audits the pool, shuts it down, and sees that nothing
    /// remains. Every waiter must be served: a lost wake-up shows here.
    pub(super) fn finish(&self, route: RouteId, left: Vec<Left>) {
        audit(&self.engine);
        let (mut leases, mut tickets) = (Vec::new(), Vec::new());
        sort(left, &mut leases, &mut tickets);
        while !(leases.is_empty() && tickets.is_empty()) {
            for handle in leases.drain(..) {
                self.release(handle);
                audit(&self.engine);
            }
            let waiting = tickets.len();
            let polled = tickets.drain(..).map(|ticket| self.poll(route, ticket));
            let polled: Vec<Left> = polled.collect();
            sort(polled, &mut leases, &mut tickets);
            audit(&self.engine);
            assert!(
                waiting == 0 || tickets.len() < waiting,
                "nobody serves {tickets:?} in {:?}",
                self.engine
            );
        }
        let stats = self.engine.stats();
        assert_eq!((stats.leased, stats.pending), (0, 0));
        assert!(stats.available <= stats.max);
        self.shut_down(ShutdownMode::Graceful);
        audit(&self.engine);
        let book = self.book.lock().unwrap();
        assert!(book.leased.is_empty(), "{:?} are lost", book.leased);
        let asleep: Vec<_> = book.answered.difference(&book.woken).collect();
        assert!(asleep.is_empty(), "{asleep:?} were answered and not woken");
        assert_eq!(self.engine.stats().available, 0);
    }
}

/// What only small scenarios need.
#[cfg(loom)]
impl Pool {
    pub(super) fn lease(&self, route: RouteId) -> Left {
        self.lease_for(route, StateId::NONE)
    }

    /// A request that has the right to open already.
    pub(super) fn stand_by(&self, route: RouteId) -> Left {
        let ticket = self.engine.reserve_ticket().expect("there is room");
        let answer = self.with_effects(|fx| self.engine.stand_by(route, ticket, fx));
        match answer {
            Ok(Outcome::Granted(grant)) => self.take(grant),
            Ok(Outcome::Wait) => Left::Ticket(ticket),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::ShutDown);
                Left::Nothing
            }
        }
    }

    /// A lease that must be served at once, as at the start of a scenario.
    pub(super) fn lease_now(&self, route: RouteId) -> Handle {
        match self.lease(route) {
            Left::Lease(handle) => handle,
            other => panic!("nothing to be had: {other:?}"),
        }
    }

    /// A request that must wait, as at the start of a scenario.
    pub(super) fn wait(&self, route: RouteId) -> Ticket {
        match self.lease(route) {
            Left::Ticket(ticket) => ticket,
            other => panic!("no need to wait: {other:?}"),
        }
    }

    /// How many connections were closed so far.
    pub(super) fn closed(&self) -> u32 {
        self.book.lock().unwrap().closed
    }

    /// Why the engine removes what it removes in a call.
    pub(super) fn causes(&self, call: impl FnOnce(&mut Effects)) -> Vec<super::super::Cause> {
        self.with_effects(|fx| {
            call(fx);
            fx.victims.iter().map(|victim| victim.cause).collect()
        })
    }
}

fn sort(left: Vec<Left>, leases: &mut Vec<Handle>, tickets: &mut Vec<Ticket>) {
    for one in left {
        match one {
            Left::Lease(handle) => leases.push(handle),
            Left::Ticket(ticket) => tickets.push(ticket),
            Left::Nothing => {}
        }
    }
}
