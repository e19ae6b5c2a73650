//! A pool as a reader would write it down: plain vectors, one thread, no stripes, nothing clever.
//!
//! What the engine leaves open is told by [`Seen`]: where callers have collided often any idle entry of the route that fits may be
//! leased, and of several that were released in the same millisecond any may be evicted first. Before, and after a calm, the
//! model decides by itself and takes no hint.
//!
//! With barging, a waiter is told to ask again rather than given a connection; the model does not predict these
//! nudges but checks what they are for: nobody sleeps at the head of a queue beside an idle entry.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    Cause, GivenUp, Handle, Keep, Metrics, Refusal, ShutdownMode, Slot, Ticket, Use, Verdict,
};

/// An entry's name in the model; the engine's slot is known only once somebody has seen it.
pub(super) type Id = u64;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) slot: Option<Slot>,
    pub(super) handle: Option<Handle>,
    pub(super) route: usize,
    pub(super) state: u32,
    pub(super) used: Use,
    pub(super) updated: Option<u64>,
    /// When it was leased, given to be opened, or opened.
    pub(super) leased: u64,
    pub(super) expiry: Option<u64>,
    pub(super) end_of_life: Option<u64>,
    /// How often it was opened.
    pub(super) openings: u32,
    is_closed_by_peer: bool,
    is_cleared: bool,
}

impl Entry {
    /// Why it is not to be used again.
    fn cause_of_death(&self) -> Option<Cause> {
        match (self.is_closed_by_peer, self.is_cleared) {
            (true, _) => Some(Cause::PeerClosed),
            (false, true) => Some(Cause::Cleared),
            (false, false) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) is_alive: bool,
    pub(super) limit: Option<u32>,
    /// How many rely on its id: it is not reclaimed.
    pub(super) holders: u32,
    /// It has had a connection bound to a state: leases and releases of it are never hits again.
    stateful: bool,
    pub(super) metrics: Metrics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Idle(Id),
    Open(Id),
    Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reserved,
    Waiting,
    StandingBy,
    Answered(Result<Outcome, Refusal>),
}

#[derive(Clone, Debug)]
struct Request {
    ticket: Ticket,
    route: usize,
    state: u32,
    stage: Stage,
    /// Since when it waits, if it ever had to.
    since: Option<u64>,
    /// Told to ask again and has not asked since.
    nudged: bool,
}

/// What the engine did in the call that the model is to follow.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The slot of the idle entry that was leased.
    pub(super) leased: Option<Slot>,
    /// The slots of the idle entries that were given to those who waited.
    pub(super) given: BTreeMap<Ticket, Slot>,
    pub(super) victims: Vec<(Slot, Cause)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) fifo: bool,
    pub(super) barging: bool,
    pub(super) own_route_first: bool,
    pub(super) connects_later: bool,
    /// All that is idle is in one stripe, and what becomes idle joins it: the order is exact.
    pub(super) exact: bool,
    pub(super) max_waiters: u32,
    pub(super) time_to_live: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) rules: Rules,
    pub(super) now: u64,
    pub(super) max_total: u32,
    pub(super) default_max: u32,
    pub(super) is_shut: bool,
    pub(super) is_suspended: bool,
    pub(super) routes: Vec<Route>,
    pub(super) entries: BTreeMap<Id, Entry>,
    next_id: Id,
    /// Idle entries, the least recently released first.
    idle: Vec<Id>,
    /// All requests with a ticket that is alive, in order of arrival where they wait.
    requests: Vec<Request>,
    /// What the call under way must have for effects.
    pub(super) victims: Vec<(Slot, Cause)>,
    pub(super) wakes: Vec<Ticket>,
    pub(super) metrics: Metrics,
    /// How long connections are held is measured.
    pub(super) measures_held: bool,
    seen: Seen,
}

impl Model {
    pub(super) fn new(rules: Rules, now: u64, max_total: u32, default_max: u32) -> Self {
        Model {
            rules,
            now,
            max_total,
            default_max,
            is_shut: false,
            is_suspended: false,
            routes: Vec::new(),
            entries: BTreeMap::new(),
            next_id: 0,
            idle: Vec::new(),
            requests: Vec::new(),
            victims: Vec::new(),
            wakes: Vec::new(),
            metrics: Metrics::default(),
            measures_held: false,
            seen: Seen::default(),
        }
    }

    /// The next call of the model follows what the engine was seen to do.
    pub(super) fn follow(&mut self, seen: Seen) {
        self.seen = seen;
        self.victims.clear();
        self.wakes.clear();
    }

    // ----- questions -----

    pub(super) fn max_of(&self, route: usize) -> u32 {
        self.routes[route].limit.unwrap_or(self.default_max)
    }

    pub(super) fn allocated(&self, route: usize) -> u32 {
        self.entries
            .values()
            .filter(|entry| entry.route == route)
            .count() as u32
    }

    pub(super) fn total(&self) -> u32 {
        self.entries.len() as u32
    }

    pub(super) fn idle_of(&self, route: usize) -> Vec<Id> {
        let of_route = |id: &Id| self.entries[id].route == route;
        self.idle.iter().copied().filter(of_route).collect()
    }

    pub(super) fn idle_in_total(&self) -> u32 {
        self.idle.len() as u32
    }

    pub(super) fn waiting(&self) -> u32 {
        self.queue().count() as u32
    }

    pub(super) fn waiting_of(&self, route: usize) -> u32 {
        self.queue()
            .filter(|request| request.route == route)
            .count() as u32
    }

    /// Neither entries nor waiters nor holders nor a limit of its own: may be reclaimed.
    pub(super) fn is_unused(&self, route: usize) -> bool {
        self.allocated(route) == 0
            && self.waiting_of(route) == 0
            && self.standing_by_of(route).is_none()
            && self.routes[route].limit.is_none()
            && self.routes[route].holders == 0
    }

    pub(super) fn entry_in(&self, slot: Slot) -> Option<Id> {
        let mut entries = self.entries.iter();
        entries
            .find(|(_, entry)| entry.slot == Some(slot))
            .map(|(id, _)| *id)
    }

    fn queue(&self) -> impl Iterator<Item = &Request> {
        self.requests
            .iter()
            .filter(|request| request.stage == Stage::Waiting)
    }

    /// Who has stood by longest on the route.
    fn standing_by_of(&self, route: usize) -> Option<Ticket> {
        let mut requests = self.requests.iter();
        let first = requests.find(|it| it.stage == Stage::StandingBy && it.route == route);
        first.map(|request| request.ticket)
    }

    fn head_of(&self, route: usize) -> Option<&Request> {
        self.queue().find(|request| request.route == route)
    }

    /// The first in the order of arrival whose own route has room.
    fn first_eligible(&self) -> Option<&Request> {
        self.queue()
            .find(|request| self.allocated(request.route) < self.max_of(request.route))
    }

    fn has_room(&self, route: usize) -> bool {
        self.total() < self.max_total && self.allocated(route) < self.max_of(route)
    }

    fn is_expired(&self, id: Id) -> bool {
        self.entries[&id]
            .expiry
            .is_some_and(|expiry| self.now >= expiry)
    }

    fn is_over(&self, route: usize) -> bool {
        self.total() > self.max_total || self.allocated(route) > self.max_of(route)
    }

    fn position(&self, ticket: Ticket) -> Option<usize> {
        self.requests
            .iter()
            .position(|request| request.ticket == ticket)
    }

    fn is_waiting(&self, ticket: Ticket) -> bool {
        self.queue().any(|request| request.ticket == ticket)
    }

    /// What a lease or release may not do without the coordinator.
    fn keeps_hits_off(&self, route: usize) -> bool {
        self.is_shut
            || self.is_suspended
            || self.is_over(route)
            || self.first_eligible().is_some()
            || self.routes[route].stateful
    }

    // ----- steps -----

    /// Counts for the pool and for a route.
    fn count(&mut self, route: usize, add: impl Fn(&mut Metrics)) {
        add(&mut self.metrics);
        add(&mut self.routes[route].metrics);
    }

    fn count_closed(&mut self, route: usize, cause: Cause) {
        self.count(route, |it| {
            let count = match cause {
                Cause::Requested => &mut it.closed_by_lease,
                Cause::ShutDown => &mut it.closed_by_shutdown,
                Cause::PeerClosed => &mut it.closed.closed_by_peer,
                Cause::Expired => &mut it.closed.expired,
                Cause::Idle => &mut it.closed.idle,
                Cause::Evicted => &mut it.closed.evicted,
                Cause::OverLimit => &mut it.closed.over_limit,
                Cause::Cleared => &mut it.closed.cleared,
            };
            *count += 1;
        });
    }

    fn remove(&mut self, id: Id, cause: Cause) {
        self.count_closed(self.entries[&id].route, cause);
        let entry = self.entries.remove(&id).expect("it is alive");
        self.idle.retain(|idle| *idle != id);
        self.victims
            .push((entry.slot.expect("its slot was seen"), cause));
    }

    fn lease_idle(&mut self, id: Id) -> Outcome {
        self.idle.retain(|idle| *idle != id);
        let now = self.now;
        let entry = self.entries.get_mut(&id).expect("it is idle");
        entry.used = Use::Leased;
        entry.leased = now;
        entry.handle = None;
        let route = entry.route;
        self.count(route, |it| it.hits += 1);
        Outcome::Idle(id)
    }

    fn open(&mut self, route: usize) -> Outcome {
        self.count(route, |it| it.openings += 1);
        let id = self.next_id;
        self.next_id += 1;
        let entry = Entry {
            slot: None,
            handle: None,
            route,
            state: 0,
            used: Use::Opening,
            updated: None,
            leased: self.now,
            expiry: None,
            end_of_life: None,
            openings: 0,
            is_closed_by_peer: false,
            is_cleared: false,
        };
        self.entries.insert(id, entry);
        Outcome::Open(id)
    }

    /// An idle entry that fits; those that have expired are removed on the way to it.
    fn sweep(&mut self, route: usize, state: u32) -> Option<Outcome> {
        let found = self.sweep_for(route, state);
        if found.is_none() && state != 0 {
            return self.sweep_for(route, 0);
        }
        found
    }

    fn sweep_for(&mut self, route: usize, state: u32) -> Option<Outcome> {
        let mut idle = self.idle_of(route);
        if !self.rules.fifo {
            idle.reverse();
        }
        if self.rules.exact {
            for id in idle {
                if self.is_expired(id) {
                    self.remove(id, Cause::Expired);
                } else if self.entries[&id].state == state {
                    return Some(self.lease_idle(id));
                }
            }
            return None;
        }
        let (expired, alive): (Vec<Id>, Vec<Id>) =
            idle.into_iter().partition(|id| self.is_expired(*id));
        let fits: Vec<Id> = alive
            .into_iter()
            .filter(|id| self.entries[id].state == state)
            .collect();
        for id in expired {
            let slot = self.entries[&id].slot.expect("its slot was seen");
            if fits.is_empty() || self.seen.victims.contains(&(slot, Cause::Expired)) {
                self.remove(id, Cause::Expired);
            }
        }
        let seen = self.seen.leased;
        let found = fits.iter().find(|id| self.entries[*id].slot == seen);
        found.or(fits.first()).map(|id| self.lease_idle(*id))
    }

    /// Removes the least recently released of some idle entries.
    fn evict(&mut self, candidates: Vec<Id>, cause: Cause) -> bool {
        let Some(&oldest) = candidates.first() else {
            return false;
        };
        if self.rules.exact {
            self.remove(oldest, cause);
            return true;
        }
        let stamp = self.entries[&oldest].updated;
        let place_seen = |id: &Id| {
            let entry = &self.entries[id];
            let victim = (entry.slot.expect("its slot was seen"), cause);
            let place = self.seen.victims.iter().position(|seen| *seen == victim);
            place.filter(|_| entry.updated == stamp)
        };
        let seen = candidates.iter().filter(|id| place_seen(id).is_some());
        let chosen = seen.min_by_key(|id| place_seen(id)).copied();
        let chosen = chosen.unwrap_or(oldest);
        self.remove(chosen, cause);
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Outcome, Refusal>) {
        let place = self.position(ticket).expect("it waits");
        self.requests[place].stage = Stage::Answered(answer);
        self.wakes.push(ticket);
        self.measure_waiting(place);
    }

    /// A request waits no more, if it did.
    fn measure_waiting(&mut self, place: usize) {
        if let Some(since) = self.requests[place].since {
            self.metrics.waiting.record((self.now - since) * 1000);
        }
    }

    /// The lease of a connection ends.
    fn measure_held(&mut self, id: Id) {
        let entry = &self.entries[&id];
        if self.measures_held && entry.used == Use::Leased {
            self.metrics.held.record((self.now - entry.leased) * 1000);
        }
    }

    /// The right to open for those who have waited longest, as long as there is room or it can be made.
    fn settle(&mut self) {
        if self.is_suspended {
            return;
        }
        while let Some(first) = self.first_eligible() {
            let (ticket, route) = (first.ticket, first.route);
            if self.total() < self.max_total {
                let outcome = self.open(route);
                self.answer(ticket, Ok(outcome));
            } else if !self.evict(self.idle.clone(), Cause::Evicted) {
                return;
            }
        }
    }

    /// What the head of a queue may have without anybody releasing: an idle entry, or the place of one that is bound
    /// to others.
    fn serve_head(&mut self, route: usize) {
        let Some(head) = self.head_of(route).filter(|_| !self.is_suspended) else {
            return;
        };
        let (ticket, state) = (head.ticket, head.state);
        if let Some(outcome) = self.sweep(route, state) {
            self.answer(ticket, Ok(outcome));
        } else if self.allocated(route) >= self.max_of(route) {
            self.evict(self.idle_of(route), Cause::Evicted);
        }
    }

    fn close_surplus_of(&mut self, route: usize) {
        while self.allocated(route) > self.max_of(route)
            && self.evict(self.idle_of(route), Cause::OverLimit)
        {}
    }

    // ----- calls -----

    pub(super) fn add_route(&mut self) -> usize {
        self.routes.push(Route {
            is_alive: true,
            limit: None,
            holders: 0,
            stateful: false,
            metrics: Metrics::default(),
        });
        self.routes.len() - 1
    }

    /// `Some` where a hit is certain, `Some(None)` where there is none for certain.
    pub(super) fn lease_hit(&mut self, route: usize, state: u32) -> Option<Option<Outcome>> {
        let is_kept_off = self.keeps_hits_off(route)
            || !self.routes[route].is_alive
            || (self.waiting_of(route) > 0 && !self.rules.barging);
        let idle = self.idle_of(route);
        if is_kept_off || state != 0 || idle.is_empty() {
            return Some(None);
        }
        let first = if self.rules.fifo {
            idle[0]
        } else {
            idle[idle.len() - 1]
        };
        if self.rules.exact {
            let hit = (!self.is_expired(first)).then(|| self.lease_idle(first));
            return Some(hit);
        }
        let seen = idle
            .iter()
            .find(|id| self.entries[*id].slot == self.seen.leased);
        match seen.copied().filter(|id| !self.is_expired(*id)) {
            Some(id) => Some(Some(self.lease_idle(id))),
            None if idle.iter().any(|id| self.is_expired(*id)) => None,
            None => Some(Some(self.lease_idle(first))),
        }
    }

    pub(super) fn reserve(&mut self, ticket: Ticket) {
        self.requests.push(Request {
            ticket,
            route: 0,
            state: 0,
            stage: Stage::Reserved,
            since: None,
            nudged: false,
        });
    }

    pub(super) fn lease(
        &mut self,
        route: usize,
        state: u32,
        ticket: Option<Ticket>,
    ) -> Result<Outcome, Refusal> {
        let Some(ticket) = ticket else {
            let nobody = Ticket::from_u64(u64::MAX);
            self.reserve(nobody);
            let outcome = self.lease(route, state, Some(nobody));
            return match outcome {
                Ok(Outcome::Wait) | Err(Refusal::QueueFull) => {
                    self.requests.retain(|request| request.ticket != nobody);
                    self.settle();
                    Err(Refusal::WouldBlock)
                }
                served => served,
            };
        };
        let place = self.position(ticket).ok_or(Refusal::StaleTicket)?;
        match self.requests[place].stage {
            Stage::Answered(answer) => {
                self.requests.remove(place);
                return answer;
            }
            Stage::Waiting => return Ok(self.ask_again(place)),
            Stage::StandingBy => unreachable!("it stands by"),
            Stage::Reserved => {}
        }
        let outcome = self.arrive(place, route, state, ticket);
        // One that would not wait is no request that waits.
        if ticket != Ticket::from_u64(u64::MAX) {
            match outcome {
                Ok(Outcome::Wait) => {
                    self.count(route, |it| it.waited += 1);
                    let place = self.position(ticket).expect("it waits");
                    self.requests[place].since = Some(self.now);
                }
                Err(Refusal::QueueFull) => self.count(route, |it| it.refused += 1),
                _ => {}
            }
        }
        outcome
    }

    /// The request of a ticket that was only reserved until now.
    fn arrive(
        &mut self,
        place: usize,
        route: usize,
        state: u32,
        ticket: Ticket,
    ) -> Result<Outcome, Refusal> {
        let mut request = self.requests.remove(place);
        if self.is_shut {
            return Err(Refusal::ShutDown);
        }
        if !self.routes[route].is_alive {
            return Err(Refusal::StaleRoute);
        }
        let is_first = self.waiting_of(route) == 0 || self.rules.barging;
        if is_first && !self.is_suspended {
            let found = self.sweep(route, state);
            self.settle();
            if let Some(outcome) = found {
                return Ok(outcome);
            }
            if self.has_room(route) {
                return Ok(self.open(route));
            }
        }
        let is_full = self.waiting() >= self.rules.max_waiters;
        request.route = route;
        request.state = state;
        request.stage = Stage::Waiting;
        self.requests.push(request);
        if self.waiting_of(route) == 1 {
            self.serve_head(route);
        }
        self.settle();
        self.take_or_wait(ticket, is_full)
    }

    pub(super) fn stand_by(&mut self, route: usize, ticket: Ticket) -> Result<Outcome, Refusal> {
        let mut place = self.position(ticket).ok_or(Refusal::StaleTicket)?;
        match self.requests[place].stage {
            Stage::Answered(answer) => {
                self.requests.remove(place);
                return answer;
            }
            Stage::Waiting => unreachable!("it waits for a place"),
            Stage::StandingBy => self.requests[place].nudged = false,
            Stage::Reserved => {
                // It arrives only now.
                let mut request = self.requests.remove(place);
                if self.is_shut {
                    return Err(Refusal::ShutDown);
                }
                if !self.routes[route].is_alive {
                    return Err(Refusal::StaleRoute);
                }
                request.route = route;
                request.stage = Stage::StandingBy;
                place = self.requests.len();
                self.requests.push(request);
            }
        }
        let found = match self.head_of(route) {
            None if !self.is_suspended => self.sweep(route, 0),
            _ => None,
        };
        if found.is_some() {
            self.requests.remove(place);
        }
        self.settle();
        Ok(found.unwrap_or(Outcome::Wait))
    }

    /// Whether a ticket stands by.
    pub(super) fn stands_by(&self, ticket: Ticket) -> bool {
        let place = self.position(ticket);
        place.is_some_and(|place| self.requests[place].stage == Stage::StandingBy)
    }

    /// With barging: the connection that was there may be taken by now, and something else may be there.
    fn ask_again(&mut self, place: usize) -> Outcome {
        self.requests[place].nudged = false;
        let Request { ticket, route, .. } = self.requests[place];
        if self
            .head_of(route)
            .is_some_and(|head| head.ticket == ticket)
        {
            self.serve_head(route);
            self.settle();
        }
        self.take_or_wait(ticket, false).expect("it may wait")
    }

    fn take_or_wait(&mut self, ticket: Ticket, is_full: bool) -> Result<Outcome, Refusal> {
        let place = self.position(ticket).expect("it was queued");
        match self.requests[place].stage {
            Stage::Answered(answer) => {
                self.requests.remove(place);
                // Its owner need not be woken for its own call's answer.
                self.wakes.retain(|wake| *wake != ticket);
                answer
            }
            _ if is_full => {
                self.requests.remove(place);
                self.settle();
                Err(Refusal::QueueFull)
            }
            _ => Ok(Outcome::Wait),
        }
    }

    /// `None` also stands for "ask again", which is no answer.
    pub(super) fn poll(&mut self, ticket: Ticket) -> Option<Result<Outcome, Refusal>> {
        let place = self.position(ticket)?;
        let Stage::Answered(answer) = self.requests[place].stage else {
            return None;
        };
        self.requests.remove(place);
        Some(answer)
    }

    /// The route and state a request with a ticket asks for.
    pub(super) fn request(&self, ticket: Ticket) -> Option<(usize, u32)> {
        let request = &self.requests[self.position(ticket)?];
        Some((request.route, request.state))
    }

    pub(super) fn is_alive(&self, ticket: Ticket) -> bool {
        self.position(ticket).is_some()
    }

    pub(super) fn cancel(&mut self, ticket: Ticket, why: GivenUp) -> Option<Outcome> {
        let place = self.position(ticket)?;
        if self.requests[place].stage == Stage::Waiting {
            self.measure_waiting(place);
        }
        let request = self.requests.remove(place);
        if request.stage == Stage::Waiting {
            self.count(request.route, |it| match why {
                GivenUp::TimedOut => it.timed_out += 1,
                GivenUp::Cancelled => it.cancelled += 1,
            });
        }
        match request.stage {
            Stage::Answered(answer) => answer.ok(),
            _ => {
                self.settle();
                None
            }
        }
    }

    pub(super) fn opened(&mut self, id: Id) -> Result<(), Refusal> {
        if self.is_shut {
            return Err(Refusal::ShutDown);
        }
        let end_of_life = self
            .rules
            .time_to_live
            .map(|millis| self.now.saturating_add(millis));
        let now = self.now;
        let entry = self.entries.get_mut(&id).expect("it is being opened");
        let took = (now - entry.leased) * 1000;
        entry.used = Use::Leased;
        entry.leased = now;
        entry.end_of_life = end_of_life;
        entry.expiry = end_of_life;
        entry.openings += 1;
        let route = entry.route;
        self.count(route, |it| it.opened += 1);
        if !self.rules.connects_later {
            self.metrics.opening.record(took);
        }
        Ok(())
    }

    pub(super) fn reopen(&mut self, id: Id) {
        let now = self.now;
        let entry = self.entries.get_mut(&id).expect("it is leased");
        entry.used = Use::Opening;
        entry.leased = now;
        entry.is_closed_by_peer = false;
        entry.is_cleared = false;
    }

    pub(super) fn renew(&mut self, id: Id) {
        let entry = self.entries.get_mut(&id).expect("it is leased");
        entry.expiry = entry.end_of_life;
        entry.is_closed_by_peer = false;
        entry.openings += 1;
    }

    pub(super) fn update_expiry(&mut self, id: Id, keep: Keep) {
        let now = self.now;
        let entry = self.entries.get_mut(&id).expect("it is leased");
        let promised = match keep {
            Keep::For(millis) => Some(now.saturating_add(millis)),
            Keep::Forever => None,
            Keep::AsBefore => return,
        };
        // The end of time is no expiry.
        let promised = promised.filter(|moment| *moment != u64::MAX);
        entry.expiry = match (promised, entry.end_of_life) {
            (Some(promised), Some(end)) => Some(promised.min(end)),
            (promised, end) => promised.or(end),
        };
    }

    /// Whether a release of a leased entry without a state is a hit.
    pub(super) fn is_release_hit(&self, id: Id) -> bool {
        let entry = &self.entries[&id];
        !self.keeps_hits_off(entry.route)
            && self.waiting_of(entry.route) == 0
            && self.standing_by_of(entry.route).is_none()
            && entry.cause_of_death().is_none()
            && entry.used == Use::Leased
    }

    pub(super) fn release_hit(&mut self, id: Id, keep: Keep) {
        self.measure_held(id);
        self.update_expiry(id, keep);
        self.make_idle(id);
    }

    fn make_idle(&mut self, id: Id) {
        let now = self.now;
        let entry = self.entries.get_mut(&id).expect("it was leased");
        entry.used = Use::Idle;
        entry.updated = Some(now);
        let route = entry.route;
        self.idle.push(id);
        self.count(route, |it| it.kept += 1);
    }

    /// The look at a leased connection has found it to be of no use.
    pub(super) fn note_stale(&mut self, id: Id) {
        self.count(self.entries[&id].route, |it| it.closed.stale += 1);
    }

    /// Whether an idle entry that was only looked at is idle again.
    pub(super) fn is_left_by_a_look(&self, id: Id) -> bool {
        let route = self.entries[&id].route;
        let is_wanted = self.first_eligible().is_some()
            || self.waiting_of(route) > 0
            || self.standing_by_of(route).is_some();
        !self.is_shut && !self.is_over(route) && (self.is_suspended || !is_wanted)
    }

    /// It was looked at and left: of those of its age it comes last.
    pub(super) fn leave(&mut self, id: Id) {
        let updated = self.entries[&id].updated;
        self.idle.retain(|idle| *idle != id);
        let place = (self.idle).partition_point(|idle| self.entries[idle].updated <= updated);
        self.idle.insert(place, id);
    }

    /// It was looked at, and is closed.
    pub(super) fn close_looked_at(&mut self, id: Id) {
        self.idle.retain(|idle| *idle != id);
        self.entries.get_mut(&id).expect("it was idle").used = Use::Leased;
        self.close(id, Cause::Requested);
    }

    /// `Some(cause)`: the caller closes it.
    pub(super) fn release(&mut self, id: Id, verdict: Verdict, state: u32) -> Option<Cause> {
        self.measure_held(id);
        let entry = self.entries[&id].clone();
        let route = entry.route;
        let keep = match verdict {
            Verdict::Keep(keep) if entry.used == Use::Leased => keep,
            Verdict::Lost => {
                self.count(route, |it| it.leaked += 1);
                return self.close(id, Cause::Requested);
            }
            _ => return self.close(id, Cause::Requested),
        };
        if let Some(cause) = entry.cause_of_death() {
            return self.close(id, cause);
        }
        if self.is_shut {
            return self.close(id, Cause::ShutDown);
        }
        if self.is_over(route) {
            return self.close(id, Cause::OverLimit);
        }
        self.routes[route].stateful |= state != 0;
        self.entries.get_mut(&id).expect("it is leased").state = state;
        self.update_expiry(id, keep);
        if self.is_suspended {
            self.make_idle(id);
            return None;
        }

        let own = self.head_of(route).cloned();
        let other = self
            .queue()
            .find(|it| it.route != route && self.allocated(it.route) < self.max_of(it.route));
        let other = other.and_then(|other| self.position(other.ticket));
        let place = own.as_ref().and_then(|own| self.position(own.ticket));
        let own_is_first = self.rules.own_route_first || other.is_none() || place < other;
        match (own, other) {
            (Some(own), _) if own_is_first => self.hand_over(id, &own),
            // Its place is the other's.
            (_, Some(_)) => self.close(id, Cause::Evicted),
            (_, None) if self.hand_to_standby(id) => None,
            (_, None) => {
                self.make_idle(id);
                None
            }
        }
    }

    fn hand_to_standby(&mut self, id: Id) -> bool {
        let entry = &self.entries[&id];
        let first = self.standing_by_of(entry.route);
        let Some(ticket) = first.filter(|_| entry.state == 0 && !self.is_expired(id)) else {
            return false;
        };
        self.pass_on(id, ticket);
        true
    }

    fn pass_on(&mut self, id: Id, to: Ticket) {
        let now = self.now;
        let entry = self.entries.get_mut(&id).expect("it is leased");
        entry.handle = None;
        entry.leased = now;
        let route = entry.route;
        self.count(route, |it| {
            it.kept += 1;
            it.handed_over += 1;
        });
        self.answer(to, Ok(Outcome::Idle(id)));
    }

    fn hand_over(&mut self, id: Id, own: &Request) -> Option<Cause> {
        let state = self.entries[&id].state;
        if state != own.state && state != 0 {
            return self.replace(id, own, Cause::Evicted);
        }
        if self.is_expired(id) {
            return self.replace(id, own, Cause::Expired);
        }
        if self.rules.barging {
            self.make_idle(id);
            return None;
        }
        self.pass_on(id, own.ticket);
        self.settle();
        None
    }

    /// The caller closes it, and the waiter opens one in its place.
    fn replace(&mut self, id: Id, own: &Request, cause: Cause) -> Option<Cause> {
        self.entries.remove(&id);
        self.count_closed(own.route, cause);
        let outcome = self.open(own.route);
        self.answer(own.ticket, Ok(outcome));
        self.settle();
        Some(cause)
    }

    fn close(&mut self, id: Id, cause: Cause) -> Option<Cause> {
        let entry = self.entries.remove(&id).expect("it is alive");
        let route = entry.route;
        match entry.used {
            Use::Opening => self.count(route, |it| it.unopened += 1),
            _ => self.count_closed(route, cause),
        }
        let is_own_first = self.rules.own_route_first && !self.is_suspended;
        if let Some(own) = self.head_of(route).filter(|_| is_own_first) {
            let ticket = own.ticket;
            if self.has_room(route) {
                let outcome = self.open(route);
                self.answer(ticket, Ok(outcome));
            }
        }
        self.settle();
        Some(cause)
    }

    pub(super) fn close_expired(&mut self) {
        for id in self.idle.clone() {
            if self.is_expired(id) {
                self.remove(id, Cause::Expired);
            }
        }
        self.settle();
    }

    pub(super) fn close_idle(&mut self, millis: u64) {
        let Some(cutoff) = self.now.checked_sub(millis) else {
            return;
        };
        for id in self.idle.clone() {
            if self.entries[&id]
                .updated
                .is_some_and(|updated| updated <= cutoff)
            {
                // What is removed of one stripe lets waiters in, and the next may have the oldest of another evicted, which is due.
                let slot = self.entries[&id].slot.expect("its slot was seen");
                let is_evicted = self.seen.victims.contains(&(slot, Cause::Evicted));
                let cause = match is_evicted && !self.rules.exact {
                    true => Cause::Evicted,
                    false => Cause::Idle,
                };
                self.remove(id, cause);
            }
        }
        self.settle();
    }

    pub(super) fn close_idle_beyond(&mut self, route: usize, max: usize) {
        while self.idle_of(route).len() > max {
            self.evict(self.idle_of(route), Cause::OverLimit);
        }
        self.settle();
    }

    pub(super) fn clear_route(&mut self, route: usize) {
        for id in self.idle_of(route) {
            self.remove(id, Cause::Cleared);
        }
        for entry in self
            .entries
            .values_mut()
            .filter(|entry| entry.route == route)
        {
            entry.is_cleared = true;
        }
        self.settle();
    }

    /// The peer has closed the connection that is in the entry now.
    pub(super) fn peer_closed(&mut self, id: Id) {
        let entry = self.entries.get_mut(&id).expect("it is alive");
        if entry.used == Use::Idle {
            self.remove(id, Cause::PeerClosed);
            self.settle();
        } else {
            entry.is_closed_by_peer = true;
        }
    }

    /// The connection that is in the entry now is not wanted any more.
    pub(super) fn clear_connection(&mut self, id: Id) {
        let entry = self.entries.get_mut(&id).expect("it is alive");
        if entry.used == Use::Idle {
            self.remove(id, Cause::Cleared);
            self.settle();
        } else {
            entry.is_cleared = true;
        }
    }

    pub(super) fn set_max_total(&mut self, max: u32) {
        self.max_total = max;
        while self.total() > max && self.evict(self.idle.clone(), Cause::OverLimit) {}
        self.settle();
    }

    pub(super) fn set_default_max(&mut self, max: u32) {
        self.default_max = max;
        for route in 0..self.routes.len() {
            self.close_surplus_of(route);
        }
        self.settle();
    }

    pub(super) fn set_max_of(&mut self, route: usize, max: Option<u32>) -> Result<(), Refusal> {
        if !self.routes[route].is_alive {
            return Err(Refusal::StaleRoute);
        }
        self.routes[route].limit = max;
        self.close_surplus_of(route);
        self.settle();
        Ok(())
    }

    pub(super) fn shutdown(&mut self, mode: ShutdownMode) {
        self.is_shut = true;
        for id in self.idle.clone() {
            self.remove(id, Cause::ShutDown);
        }
        let requests = self.requests.iter();
        let waiting = requests.filter(|it| matches!(it.stage, Stage::Waiting | Stage::StandingBy));
        let waiting: Vec<Request> = waiting.cloned().collect();
        for request in waiting {
            if request.stage == Stage::Waiting {
                self.count(request.route, |it| it.refused += 1);
            }
            self.answer(request.ticket, Err(Refusal::ShutDown));
        }
        if mode == ShutdownMode::Immediate {
            let leased: Vec<Id> = self
                .entries
                .iter()
                .filter(|(_, entry)| entry.used == Use::Leased)
                .map(|(id, _)| *id)
                .collect();
            for id in leased {
                self.measure_held(id);
                self.remove(id, Cause::ShutDown);
            }
        }
    }

    pub(super) fn suspend(&mut self) {
        self.is_suspended = true;
    }

    /// Those who wait, one after the other; who then stands by.
    pub(super) fn resume(&mut self) {
        if !std::mem::take(&mut self.is_suspended) {
            return;
        }
        let waiting: Vec<Ticket> = self.queue().map(|request| request.ticket).collect();
        if self.rules.own_route_first {
            for ticket in &waiting {
                self.give_idle(*ticket);
            }
        }
        for ticket in waiting {
            if self.give_idle(ticket) {
                continue;
            }
            let Some(route) = self.headed_by(ticket) else {
                continue;
            };
            if self.allocated(route) >= self.max_of(route) {
                self.evict(self.idle_of(route), Cause::Evicted);
            }
            if self.allocated(route) < self.max_of(route) {
                if self.total() >= self.max_total {
                    self.evict(self.idle.clone(), Cause::Evicted);
                }
                if self.has_room(route) {
                    let outcome = self.open(route);
                    self.answer(ticket, Ok(outcome));
                }
            }
        }
        for route in 0..self.routes.len() {
            while let Some(ticket) = self.standing_by_of(route) {
                self.seen.leased = self.seen.given.get(&ticket).copied();
                match self.head_of(route) {
                    None => match self.sweep(route, 0) {
                        Some(outcome) => self.answer(ticket, Ok(outcome)),
                        None => break,
                    },
                    Some(_) => break,
                }
            }
        }
        self.settle();
    }

    /// The route in whose queue the ticket is the first.
    fn headed_by(&self, ticket: Ticket) -> Option<usize> {
        let route = self.request(ticket)?.0;
        let head = self.head_of(route)?;
        (head.ticket == ticket).then_some(route)
    }

    /// Gives what is idle to who is the first in its queue.
    fn give_idle(&mut self, ticket: Ticket) -> bool {
        let Some(route) = self.headed_by(ticket) else {
            return false;
        };
        let (_, state) = self.request(ticket).expect("it waits");
        self.seen.leased = self.seen.given.get(&ticket).copied();
        let found = self.sweep(route, state);
        if let Some(outcome) = found {
            self.answer(ticket, Ok(outcome));
        }
        found.is_some()
    }

    // ----- what the engine tells -----

    /// The engine has put what is idle in order, which of several of one millisecond is its own affair.
    pub(super) fn take_order_of(&mut self, slots: &[Slot]) {
        let ids = slots
            .iter()
            .map(|slot| self.entry_in(*slot).expect("it is alive"));
        let ids: Vec<Id> = ids.collect();
        assert!(ids.is_sorted_by_key(|id| self.entries[id].updated));
        assert_eq!(BTreeSet::from_iter(&ids), BTreeSet::from_iter(&self.idle));
        self.idle = ids;
    }

    /// The engine has reclaimed a route.
    pub(super) fn retire(&mut self, route: usize) {
        assert!(self.is_unused(route), "route {route} is in use");
        self.routes[route].is_alive = false;
    }

    /// With barging: the engine has told the ticket's owner to ask again.
    pub(super) fn note_nudge(&mut self, ticket: Ticket) {
        if self.is_waiting(ticket) || self.stands_by(ticket) {
            let place = self.position(ticket).expect("it waits");
            self.requests[place].nudged = true;
        }
    }

    /// Nobody sleeps at the head of a queue beside an idle entry of its route, nor stands by beside one that he could use.
    /// Unless the pool is suspended.
    pub(super) fn check_nobody_sleeps_beside_idle(&self) {
        if self.is_suspended {
            return;
        }
        for route in 0..self.routes.len() {
            let head = self.head_of(route);
            // With barging it may lie there for the head, who was told.
            let standing = self.standing_by_of(route).filter(|_| head.is_none());
            if let Some(place) = standing.and_then(|ticket| self.position(ticket)) {
                let request = &self.requests[place];
                let usable = |id: &Id| self.entries[id].state == 0 && !self.is_expired(*id);
                let idle = self.idle_of(route);
                assert!(
                    request.nudged || !idle.iter().any(usable),
                    "{:?} stands by beside {idle:?}",
                    request.ticket
                );
            }
            let Some(head) = head else {
                continue;
            };
            let idle = self.idle_of(route);
            assert!(
                idle.is_empty() || head.nudged,
                "{:?} sleeps beside {idle:?}",
                head.ticket
            );
        }
    }
}
