//! Carrying out what the engine decides, with no lock held and whatever panics.
//!
//! The order: first every victim is taken out of its place, which runs nobody's code and frees the slots. Then all who were answered
//! are told, and only then are connections closed and keys forgotten, since a close may hang and a key's drop may, too. So who is
//! told may open a connection while a victim is still closing: a limit is the pool's count, and a server may see one connection more
//! for each of those.
//!
//! Each of these is a step by itself. After a panic in one the others are taken all the same, and then the panic goes on. Whoever unwinds
//! drops the outcome of the call. That owns what the call was granted, and so gives it back.

use crate::engine::{
    Cause, Effects, Engine, Handle, NotLeased, Released, RouteId, StateId, Ticket, Verdict, Victim,
};

use crate::panics::Panics;

/// What a face does for the kit. All but [`take`](Self::take) may be called in any order, and may panic.
pub trait Face {
    /// A connection that was taken out of its place, to be closed.
    type Closing;

    /// The engine that decides.
    fn engine(&self) -> &Engine;

    /// Takes a victim's connection out of its place; `None` where it was still to be opened, or its lease's holder has it. Runs no
    /// code but the face's own, and does not panic.
    ///
    /// # Safety
    ///
    /// The engine has handed this victim to the caller alone, who has not acknowledged it yet.
    unsafe fn take(&self, victim: Victim) -> Option<Self::Closing>;

    /// Tells the owner of a ticket that there is an answer.
    fn wake(&self, ticket: Ticket);

    /// Closes what was taken.
    fn close(&self, closing: Self::Closing);

    /// Forgets a route that the engine has reclaimed.
    fn forget(&self, route: RouteId);

    /// Does what is left to do. A face may do it later instead, where it holds nobody up.
    fn deliver(&self, work: Work<Self::Closing>) {
        work.carry_out(self);
    }
}

/// What is left to do after a call of the engine, the places of its victims being empty.
#[derive(Debug)]
#[must_use = "victims are to be closed and waiters to be told"]
pub struct Work<C> {
    /// Whom to tell first.
    pub wakes: Vec<Ticket>,
    /// What to close then.
    pub closings: Vec<C>,
    /// What to forget last.
    pub retired: Vec<RouteId>,
}

impl<C> Work<C> {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.wakes.is_empty() && self.closings.is_empty() && self.retired.is_empty()
    }

    /// Does all of it, and then goes on with the first panic.
    pub fn carry_out<F: Face<Closing = C> + ?Sized>(self, face: &F) {
        let mut panics = Panics::new();
        for ticket in self.wakes {
            panics.catch(|| face.wake(ticket));
        }
        for closing in self.closings {
            panics.catch(|| face.close(closing));
        }
        for route in self.retired {
            panics.catch(|| face.forget(route));
        }
        panics.resume();
    }
}

/// Calls the engine and carries out what follows, also where `call` or what follows panics.
///
/// What `call` returns is to own what it was granted: it is dropped where what follows panics.
pub fn with_effects<F: Face + ?Sized, T>(
    face: &F,
    call: impl FnOnce(&Engine, &mut Effects) -> T,
) -> T {
    let mut pending = Pending {
        face,
        effects: Effects::new(),
    };
    let outcome = call(face.engine(), &mut pending.effects);
    drop(pending);
    outcome
}

/// Ends a lease or a right to open under the coordinator. Its connection, if it is not kept, is to lie in its place, as one that is
/// kept is, and goes as a victim does, before the others. `cause` is why, where the engine cannot know.
pub fn end<F: Face + ?Sized>(
    face: &F,
    handle: Handle,
    verdict: Verdict,
    state: StateId,
    cause: Option<Cause>,
) -> Result<(), NotLeased> {
    with_effects(face, |engine, effects| {
        if let Released::Close(seen) = engine.release(handle, verdict, state, effects)? {
            let own = Victim {
                slot: handle.slot(),
                cause: cause.unwrap_or(seen),
            };
            effects.victims.insert(0, own);
        }
        Ok(())
    })
}

/// Effects that are carried out when it is dropped.
struct Pending<'a, F: Face + ?Sized> {
    face: &'a F,
    effects: Effects,
}

impl<F: Face + ?Sized> Drop for Pending<'_, F> {
    fn drop(&mut self) {
        if self.effects.is_empty() {
            return;
        }
        let (face, engine) = (self.face, self.face.engine());
        let mut effects = std::mem::take(&mut self.effects);
        let mut closings = Vec::new();
        while !effects.victims.is_empty() {
            let mut is_slot_waited_for = false;
            for victim in std::mem::take(&mut effects.victims) {
                // SAFETY: the engine has handed it to this call, and it is acknowledged once, below.
                closings.extend(unsafe { face.take(victim) });
                is_slot_waited_for |= engine.ack(victim.slot);
            }
            if is_slot_waited_for {
                engine.serve(&mut effects);
            }
        }
        face.deliver(Work {
            closings,
            wakes: effects.wakes,
            retired: effects.retired,
        });
    }
}
