//! Random operations on an engine and on the [model](super::model), compared after every one.
//!
//! `LEASEHOLD_MODEL_OPS` says how many operations each kind of pool gets, `LEASEHOLD_MODEL_SEED` repeats one
//! sequence. A sequence that fails is made as short as it still fails and printed.

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use super::super::Outcome;
use super::super::coordinator::order::CALM;
use super::super::coordinator::routes::IDLE_ROUTES;
use super::super::hit::FEW_COLLISIONS;
use super::super::thread::pretend_thread;
use super::super::{
    Answer, Cause, Clock, Config, Counters, Effects, Engine, EntryInfo, GivenUp, Grant, Handle,
    Hit, Keep, MAX_ENTRIES, ManualClock, NotLeased, Policy, Refusal, Released, RouteId,
    ShutdownMode, Slot, StateId, Stats, Ticket, Use, Verdict,
};
use super::audit::audit;
use super::model::{self, Id, Model, Rules, Seen};

/// One operation. What it names is taken modulo what there is, so that any part of a sequence is a sequence.
#[derive(Clone, Copy, Debug)]
enum Op {
    AddRoute(usize),
    AddManyRoutes,
    Lease {
        route: usize,
        state: u32,
        tries_hit: bool,
        waits: bool,
    },
    LeaseStaleRoute(usize),
    StandBy(usize),
    HoldRoute(usize),
    LetGoOfRoute(usize),
    Poll(usize),
    AskAgain(usize),
    Cancel(usize, GivenUp),
    NoteStale(usize),
    LookAt {
        which: usize,
        closes: bool,
    },
    UseDeadTicket(usize),
    Opened(usize),
    Reopen(usize),
    Renew(usize),
    UpdateExpiry(usize, Keep),
    Release {
        lease: usize,
        verdict: Verdict,
        state: u32,
        tries_hit: bool,
    },
    UseDeadHandle(usize),
    Ack(usize),
    AckAll,
    Advance(u64),
    CloseExpired,
    CloseIdle(u64),
    CloseIdleBeyond(usize, u32),
    ClearRoute(usize),
    PeerClosed(usize),
    ClearConnection(usize),
    SetMaxTotal(u32),
    SetDefaultMax(u32),
    SetMaxOf(usize, Option<u32>),
    Shutdown(ShutdownMode),
    Suspend,
    Resume,
    MeasureHeld(bool),
    RecordOpening(u64),
    BeThread(u32),
    Collide(usize),
    /// Nobody collides for long enough.
    GoCalm,
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What kind of pool, and how it is used.
#[derive(Clone, Copy, Debug)]
struct Setting {
    policy: Policy,
    own_route_first: bool,
    barging: bool,
    stripes: u32,
    max_total: u32,
    max_per_route: u32,
    max_waiters: u32,
    time_to_live: Option<u64>,
    connects_later: bool,
    /// How many states there are; 1 is none.
    states: u32,
    /// How often a lease is ended rather than begun, of 10.
    ends: u64,
}

/// The kind of pool a test is about.
#[derive(Clone, Copy, Debug)]
struct Kind {
    policy: Policy,
    own_route_first: bool,
    barging: bool,
    stripes: u32,
}

fn setting(kind: Kind, random: &mut Random) -> Setting {
    let is_large = random.one_in(64);
    let (max_total, max_per_route) = if is_large {
        (300, 200)
    } else {
        match random.below(8) {
            0 => (MAX_ENTRIES, MAX_ENTRIES),
            // HttpClient's, 3.1 as 4.5.
            1 => (20, 2),
            _ => (1 + random.below(8) as u32, 1 + random.below(4) as u32),
        }
    };
    Setting {
        policy: kind.policy,
        own_route_first: kind.own_route_first,
        barging: kind.barging,
        stripes: kind.stripes,
        max_total,
        max_per_route,
        max_waiters: if random.one_in(4) {
            random.below(4) as u32
        } else {
            u32::MAX
        },
        time_to_live: random.one_in(3).then(|| random.below(500)),
        states: 1 + random.below(3) as u32,
        ends: if is_large { 3 } else { 3 + random.below(4) },
        connects_later: random.one_in(4),
    }
}

fn random_keep(random: &mut Random) -> Keep {
    match random.below(6) {
        0 | 1 => Keep::For(random.below(600)),
        2 if random.one_in(4) => Keep::For(0),
        3 => Keep::AsBefore,
        4 if random.one_in(4) => Keep::For(u64::MAX - random.below(2_000_000)),
        _ => Keep::Forever,
    }
}

fn random_op(setting: &Setting, random: &mut Random) -> Op {
    let which = random.below(1 << 16) as usize;
    let state = if random.one_in(2) {
        0
    } else {
        random.below(u64::from(setting.states)) as u32
    };
    let begins = random.below(10) >= setting.ends;
    match random.below(1000) {
        0..560 if begins => Op::Lease {
            route: which,
            state,
            tries_hit: !random.one_in(4),
            waits: random.one_in(2),
        },
        0..560 => Op::Release {
            lease: which,
            verdict: match random.below(48) {
                0..4 => Verdict::Close,
                4 => Verdict::Lost,
                _ => Verdict::Keep(random_keep(random)),
            },
            state,
            tries_hit: !random.one_in(4),
        },
        560..680 => Op::Opened(which),
        680..770 => Op::Poll(which),
        770..776 => Op::StandBy(which),
        776..795 => Op::AskAgain(which),
        795..807 => Op::Cancel(which, GivenUp::TimedOut),
        807..820 => Op::Cancel(which, GivenUp::Cancelled),
        820..825 => Op::Reopen(which),
        825..830 => Op::Renew(which),
        830..850 => Op::UpdateExpiry(which, random_keep(random)),
        850..860 => Op::UseDeadHandle(which),
        860..865 => Op::UseDeadTicket(which),
        865..885 => Op::Ack(which),
        885..890 => Op::AckAll,
        890..930 => Op::Advance(if random.one_in(6) {
            random.below(400)
        } else {
            random.below(20)
        }),
        930..935 => Op::CloseExpired,
        935..937 => Op::CloseIdleBeyond(which, random.below(5) as u32),
        937..942 => Op::CloseIdle(20 + random.below(200)),
        942..945 => Op::ClearRoute(which),
        945..955 => Op::PeerClosed(which),
        955..960 => Op::ClearConnection(which),
        960..963 => Op::SetMaxTotal(random.below(u64::from(setting.max_total.min(300)) + 3) as u32),
        963..966 => {
            Op::SetDefaultMax(random.below(u64::from(setting.max_per_route.min(200)) + 2) as u32)
        }
        966..972 => Op::SetMaxOf(which, (!random.one_in(2)).then(|| random.below(5) as u32)),
        972..975 => Op::AddRoute(which),
        975 if random.one_in(2) => Op::AddManyRoutes,
        976..978 => Op::LeaseStaleRoute(which),
        978 if random.one_in(2) => Op::HoldRoute(which),
        978 => Op::LetGoOfRoute(which),
        979 if random.one_in(4) => Op::Shutdown(if random.one_in(2) {
            ShutdownMode::Graceful
        } else {
            ShutdownMode::Immediate
        }),
        980..984 => Op::Collide(which),
        984..986 => Op::GoCalm,
        986..988 => Op::NoteStale(which),
        988..992 => Op::LookAt {
            which,
            closes: random.one_in(3),
        },
        992..994 => Op::MeasureHeld(!random.one_in(3)),
        994 => Op::RecordOpening(random.below(1 << 20)),
        995 if random.one_in(2) => Op::Suspend,
        996..998 => Op::Resume,
        _ => Op::BeThread(random.below(32) as u32),
    }
}

fn pick<T: Copy>(from: &[T], which: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[which % from.len()])
}

fn millis(moment: Option<u64>, now: u64) -> Option<u64> {
    moment.map(|moment| moment.saturating_sub(now))
}

/// An engine, its model, and what their one user knows.
struct Pair {
    engine: Engine,
    clock: ManualClock,
    model: Model,
    effects: Effects,
    /// By the model's numbers.
    routes: Vec<RouteId>,
    /// The routes in use, by the model's numbers.
    active: Vec<usize>,
    held: Vec<Id>,
    waiting: Vec<Ticket>,
    dead_handles: Vec<Handle>,
    dead_tickets: Vec<Ticket>,
    all_handles: HashSet<Handle>,
    unacknowledged: Vec<Slot>,
    /// What was removed so far, by cause.
    removed: [u64; 8],
    /// What a watch would know: slot and opening, and which of the model's entries' openings that was.
    watched: Vec<(Slot, u16, Id, u32)>,
}

impl Pair {
    fn new(setting: &Setting) -> Self {
        pretend_thread(0);
        let clock = ManualClock::new();
        let engine = Engine::new(Config {
            max_total: setting.max_total,
            max_per_route: setting.max_per_route,
            max_waiters: setting.max_waiters,
            time_to_live: setting.time_to_live,
            policy: setting.policy,
            barging: setting.barging,
            stripes: Some(setting.stripes),
            clock: Clock::manual(&clock),
            own_route_first: setting.own_route_first,
            connects_later: setting.connects_later,
        });
        let rules = Rules {
            fifo: setting.policy == Policy::Fifo,
            barging: setting.barging,
            own_route_first: setting.own_route_first,
            connects_later: setting.connects_later,
            exact: true,
            max_waiters: setting.max_waiters,
            time_to_live: setting.time_to_live,
        };
        let mut pair = Pair {
            engine,
            clock,
            model: Model::new(rules, 1_000_000, setting.max_total, setting.max_per_route),
            effects: Effects::new(),
            routes: Vec::new(),
            active: Vec::new(),
            held: Vec::new(),
            waiting: Vec::new(),
            dead_handles: Vec::new(),
            dead_tickets: Vec::new(),
            all_handles: HashSet::new(),
            unacknowledged: Vec::new(),
            removed: [0; 8],
            watched: Vec::new(),
        };
        for _ in 0..4 {
            let route = pair.add_route();
            pair.active.push(route);
        }
        pair
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::AddRoute(which) => {
                let route = self.add_route();
                let place = which % self.active.len();
                self.active[place] = route;
            }
            Op::AddManyRoutes => {
                for _ in 0..IDLE_ROUTES + 6 {
                    let route = self.add_route();
                    let place = route % self.active.len();
                    self.active[place] = route;
                }
            }
            Op::Lease {
                route,
                state,
                tries_hit,
                waits,
            } => {
                let place = route % self.active.len();
                let route = self.active[place];
                if !(tries_hit && self.lease_hit(route, state)) {
                    let answer = self.lease(route, state, waits);
                    if answer == Err(Refusal::StaleRoute) {
                        self.active[place] = self.add_route();
                    }
                }
            }
            Op::LeaseStaleRoute(which) => {
                // Best one whose slot is another's by now.
                let active = self.routes[self.active[which % self.active.len()]];
                let before = |route: &RouteId| route.slot() == active.slot() && *route != active;
                let stale = self.routes.iter().rposition(before);
                let route = stale.unwrap_or(which % self.routes.len());
                self.lease_hit(route, 0);
                let _ = self.lease(route, 0, which % 2 == 0);
            }
            Op::StandBy(which) => {
                let route = self.active[which % self.active.len()];
                let ticket = self.reserve();
                self.stand_by_with(route, ticket);
            }
            Op::HoldRoute(which) => {
                let route = self.active[which % self.active.len()];
                let answer = self.engine.hold_route(self.routes[route]);
                assert_eq!(answer.is_ok(), self.model.routes[route].is_alive);
                self.model.routes[route].holders += u32::from(answer.is_ok());
            }
            Op::LetGoOfRoute(which) => {
                let holders = |route: &usize| self.model.routes[*route].holders > 0;
                let held: Vec<usize> = (0..self.routes.len()).filter(holders).collect();
                if let Some(route) = pick(&held, which) {
                    let answer = self.engine.let_go_of_route(self.routes[route]);
                    assert_eq!(answer, Ok(()));
                    self.model.routes[route].holders -= 1;
                }
            }
            Op::Poll(which) => self.poll(which),
            Op::AskAgain(which) => {
                if let Some(ticket) = pick(&self.waiting, which) {
                    self.ask_again(ticket);
                }
            }
            Op::Cancel(which, why) => self.cancel(which, why),
            Op::NoteStale(which) => {
                let id = pick(&self.held, which);
                if let Some(id) = id.filter(|id| self.model.entries[id].used == Use::Leased) {
                    self.engine.note_stale(self.handle_of(id));
                    self.model.note_stale(id);
                }
                self.follow(None);
            }
            Op::LookAt { which, closes } => self.look_at(which, closes),
            Op::UseDeadTicket(which) => self.use_dead_ticket(which),
            Op::Opened(which) => self.opened(which),
            Op::Reopen(which) => self.reopen(which),
            Op::Renew(which) => self.renew(which),
            Op::UpdateExpiry(which, keep) => self.update_expiry(which, keep),
            Op::Release {
                lease,
                verdict,
                state,
                tries_hit,
            } => self.release(lease, verdict, state, tries_hit),
            Op::UseDeadHandle(which) => self.use_dead_handle(which),
            Op::Ack(which) => {
                if !self.unacknowledged.is_empty() {
                    let place = which % self.unacknowledged.len();
                    let slot = self.unacknowledged.swap_remove(place);
                    // There are more slots than a sequence can take.
                    assert!(!self.engine.ack(slot));
                    assert!(!self.engine.ack(slot));
                }
            }
            Op::AckAll => self
                .unacknowledged
                .drain(..)
                .for_each(|slot| assert!(!self.engine.ack(slot))),
            Op::Advance(millis) => {
                self.clock.advance(millis);
                self.model.now += millis;
            }
            Op::CloseExpired => {
                self.engine.close_expired(&mut self.effects);
                self.follow(None);
                self.model.close_expired();
            }
            Op::CloseIdle(millis) => {
                self.engine.close_idle(millis, &mut self.effects);
                self.follow(None);
                self.model.close_idle(millis);
            }
            Op::CloseIdleBeyond(which, max) => {
                let route = self.active[which % self.active.len()];
                self.engine
                    .close_idle_beyond(self.routes[route], max, &mut self.effects);
                self.follow(None);
                if self.model.routes[route].is_alive {
                    self.model.close_idle_beyond(route, max as usize);
                }
            }
            Op::ClearRoute(which) => {
                let route = self.active[which % self.active.len()];
                let answer = self
                    .engine
                    .clear_route(self.routes[route], &mut self.effects);
                self.follow(None);
                assert_eq!(answer.is_ok(), self.model.routes[route].is_alive);
                self.model.clear_route(route);
            }
            Op::PeerClosed(which) => {
                if let Some((slot, opening, id, openings)) = pick(&self.watched, which) {
                    self.engine.peer_closed(slot, opening, &mut self.effects);
                    self.follow(None);
                    if self.is_current(id, openings) {
                        self.model.peer_closed(id);
                    }
                }
            }
            Op::ClearConnection(which) => {
                if let Some((slot, opening, id, openings)) = pick(&self.watched, which) {
                    self.engine
                        .clear_connection(slot, opening, &mut self.effects);
                    self.follow(None);
                    if self.is_current(id, openings) {
                        self.model.clear_connection(id);
                    }
                }
            }
            Op::SetMaxTotal(max) => {
                self.engine.set_max_total(max, &mut self.effects);
                self.follow(None);
                self.model.set_max_total(max);
            }
            Op::SetDefaultMax(max) => {
                self.engine
                    .set_default_max_per_route(max, &mut self.effects);
                self.follow(None);
                self.model.set_default_max(max);
            }
            Op::SetMaxOf(which, max) => {
                let route = self.active[which % self.active.len()];
                let answer =
                    self.engine
                        .set_max_per_route(self.routes[route], max, &mut self.effects);
                self.follow(None);
                assert_eq!(answer, self.model.set_max_of(route, max));
            }
            Op::Shutdown(mode) => {
                self.engine.shutdown(mode, &mut self.effects);
                self.follow(None);
                self.model.shutdown(mode);
            }
            Op::Suspend => {
                self.engine.suspend(&mut self.effects);
                self.follow(None);
                self.model.suspend();
            }
            Op::Resume => {
                self.engine.resume(&mut self.effects);
                self.follow(None);
                self.model.resume();
            }
            Op::MeasureHeld(wanted) => {
                self.engine.measure_held(wanted);
                self.model.measures_held = wanted;
            }
            Op::RecordOpening(micros) => {
                self.engine.record_opening(Duration::from_micros(micros));
                self.model.metrics.opening.record(micros);
            }
            Op::BeThread(number) => pretend_thread(number),
            Op::Collide(which) => {
                let route = self.active[which % self.active.len()];
                let shared = self.engine.routes.get(self.routes[route].slot());
                for _ in 0..=FEW_COLLISIONS {
                    self.engine.note_collision(shared.expect("it was interned"));
                }
            }
            // The first look may find collisions that were noted before.
            Op::GoCalm => {
                for _ in 0..2 {
                    self.clock.advance(CALM);
                    self.model.now += CALM;
                    self.engine.step(&mut self.effects, |_| {});
                }
                assert!(self.engine.is_narrow(), "nobody collides any more");
            }
        }
        self.note_order();
        self.compare();
    }

    /// As long as all hangs in one stripe the model decides by itself.
    fn note_order(&mut self) {
        let is_exact = self.engine.is_narrow();
        if is_exact && !self.model.rules.exact {
            let guard = self.engine.lock_stripe(0);
            let slots: Vec<Slot> = guard.by_release().collect();
            drop(guard);
            self.model.take_order_of(&slots);
        }
        self.model.rules.exact = is_exact;
    }

    /// Whether the connection that was an entry's `openings`th is there.
    fn is_current(&self, id: Id, openings: u32) -> bool {
        let entry = self.model.entries.get(&id);
        entry.is_some_and(|entry| entry.openings == openings && entry.used != Use::Opening)
    }

    /// Lets the model follow what the engine just did.
    fn follow(&mut self, leased: Option<Handle>) {
        let victims = self.effects.victims.iter();
        let given = |ticket: &Ticket| {
            let answer = self.engine.answers.get(ticket.slot())?;
            Some((*ticket, answer.given()?.slot()))
        };
        self.model.follow(Seen {
            leased: leased.map(Handle::slot),
            given: self.effects.wakes.iter().filter_map(given).collect(),
            victims: victims.map(|victim| (victim.slot, victim.cause)).collect(),
        });
    }

    fn add_route(&mut self) -> usize {
        let id = self
            .engine
            .add_route(&mut self.effects)
            .expect("there is room for routes");
        self.follow(None);
        for retired in std::mem::take(&mut self.effects.retired) {
            let route = self.routes.iter().position(|route| *route == retired);
            self.model.retire(route.expect("it was interned"));
        }
        let route = self.model.add_route();
        assert!(!self.routes.contains(&id));
        self.routes.push(id);
        let (alive, unused): (Vec<_>, Vec<_>) = (0..self.routes.len())
            .filter(|route| self.model.routes[*route].is_alive)
            .map(|route| (self.routes[route], self.model.is_unused(route)))
            .unzip();
        let unused = unused.iter().filter(|is_unused| **is_unused).count();
        assert!(
            unused <= IDLE_ROUTES + 1,
            "{unused} routes are kept for nothing"
        );
        let mut listed = self.engine.routes();
        let mut alive = alive;
        listed.sort();
        alive.sort();
        assert_eq!(listed, alive);
        route
    }

    /// The engine's handle is the model's entry's, from now on.
    fn bind(&mut self, handle: Handle, outcome: model::Outcome) {
        assert!(
            self.all_handles.insert(handle),
            "{handle:?} was given out before"
        );
        let slot = handle.slot();
        match outcome {
            model::Outcome::Idle(id) => match self.model.entries.get_mut(&id) {
                Some(entry) => {
                    assert_eq!(entry.slot, Some(slot), "another entry was to be leased");
                    entry.handle = Some(handle);
                    self.held.push(id);
                }
                // An immediate shutdown was faster than the waiter.
                None => self.dead_handles.push(handle),
            },
            model::Outcome::Open(id) => {
                assert_eq!(self.model.entry_in(slot), None, "the slot is in use");
                assert!(
                    !self.unacknowledged.contains(&slot),
                    "the slot holds a victim"
                );
                let entry = self.model.entries.get_mut(&id).expect("it is being opened");
                entry.slot = Some(slot);
                entry.handle = Some(handle);
                self.held.push(id);
            }
            model::Outcome::Wait => unreachable!("a wait has no handle"),
        }
    }

    fn lease_hit(&mut self, route: usize, state: u32) -> bool {
        let handle = self.engine.lease_hit(self.routes[route], StateId(state));
        self.follow(handle);
        match (handle, self.model.lease_hit(route, state)) {
            (Some(handle), Some(Some(outcome))) => {
                self.bind(handle, outcome);
                true
            }
            (None, Some(None) | None) => false,
            (handle, expected) => panic!("a hit gave {handle:?}, to be {expected:?}"),
        }
    }

    fn lease(&mut self, route: usize, state: u32, waits: bool) -> Result<(), Refusal> {
        let ticket = waits.then(|| self.reserve());
        self.lease_with(route, state, ticket)
    }

    fn reserve(&mut self) -> Ticket {
        let ticket = self.engine.reserve_ticket();
        let ticket = ticket.expect("there is room for tickets");
        self.model.reserve(ticket);
        ticket
    }

    fn ask_again(&mut self, ticket: Ticket) {
        let (route, state) = self.model.request(ticket).expect("it is alive");
        if self.model.stands_by(ticket) {
            self.stand_by_with(route, ticket);
        } else {
            let _ = self.lease_with(route, state, Some(ticket));
        }
    }

    fn stand_by_with(&mut self, route: usize, ticket: Ticket) {
        let answer = self
            .engine
            .stand_by(self.routes[route], ticket, &mut self.effects);
        self.follow_lease(&answer);
        let expected = self.model.stand_by(route, ticket);
        self.note_answer(ticket, &answer);
        let _ = self.check_lease(answer, expected);
    }

    fn lease_with(
        &mut self,
        route: usize,
        state: u32,
        ticket: Option<Ticket>,
    ) -> Result<(), Refusal> {
        let id = self.routes[route];
        let answer = self
            .engine
            .lease(id, StateId(state), ticket, &mut self.effects);
        self.follow_lease(&answer);
        let expected = self.model.lease(route, state, ticket);
        if let Some(ticket) = ticket {
            self.note_answer(ticket, &answer);
        }
        self.check_lease(answer, expected)
    }

    fn follow_lease(&mut self, answer: &Result<Outcome, Refusal>) {
        self.follow(match answer {
            Ok(Outcome::Granted(Grant::Idle(handle))) => Some(*handle),
            _ => None,
        });
    }

    fn note_answer(&mut self, ticket: Ticket, answer: &Result<Outcome, Refusal>) {
        self.waiting.retain(|waiting| *waiting != ticket);
        if *answer == Ok(Outcome::Wait) {
            self.waiting.push(ticket);
        } else {
            self.dead_tickets.push(ticket);
        }
    }

    fn check_lease(
        &mut self,
        answer: Result<Outcome, Refusal>,
        expected: Result<model::Outcome, Refusal>,
    ) -> Result<(), Refusal> {
        match (answer, expected) {
            (Ok(Outcome::Wait), Ok(model::Outcome::Wait)) => Ok(()),
            (Err(answer), Err(expected)) if answer == expected => Err(answer),
            (Ok(Outcome::Granted(grant)), Ok(outcome)) => {
                self.bind_grant(grant, outcome);
                Ok(())
            }
            (answer, expected) => panic!("a lease gave {answer:?}, to be {expected:?}"),
        }
    }

    fn bind_grant(&mut self, grant: Grant, outcome: model::Outcome) {
        match (grant, outcome) {
            (Grant::Idle(handle), model::Outcome::Idle(_))
            | (Grant::Open(handle), model::Outcome::Open(_)) => {
                self.bind(handle, outcome);
            }
            (grant, expected) => panic!("granted {grant:?}, to be {expected:?}"),
        }
    }

    fn poll(&mut self, which: usize) {
        let Some(ticket) = pick(&self.waiting, which) else {
            return;
        };
        let answer = self.engine.poll_ticket(ticket);
        if answer == Ok(Answer::AskAgain) {
            assert!(self.model.rules.barging);
            if which % 2 == 0 {
                self.ask_again(ticket);
            }
            return;
        }
        let expected = self.model.poll(ticket);
        if expected.is_some() {
            self.waiting.retain(|waiting| *waiting != ticket);
            self.dead_tickets.push(ticket);
        }
        match (answer, expected) {
            (Ok(Answer::Pending), None) => {}
            (Err(answer), Some(Err(expected))) if answer == expected => {}
            (Ok(Answer::Granted(grant)), Some(Ok(outcome))) => self.bind_grant(grant, outcome),
            (answer, expected) => panic!("a poll gave {answer:?}, to be {expected:?}"),
        }
    }

    fn look_at(&mut self, which: usize, closes: bool) {
        self.follow(None);
        let mut idle = self.engine.entries();
        idle.retain(|info| info.used == Use::Idle);
        let Some(info) = pick(&idle, which) else {
            return;
        };
        let slot = info.handle.slot();
        let id = self.model.entry_in(slot).expect("it was given out");
        if !closes && !self.model.is_left_by_a_look(id) {
            return;
        }
        let handle = self.engine.lease_entry(info.handle);
        let handle = handle.expect("it is idle");
        assert_eq!(self.engine.metrics(), self.model.metrics, "in the look");
        let verdict = match closes {
            true => Verdict::Close,
            false => Verdict::Unused,
        };
        let answer = self
            .engine
            .release(handle, verdict, info.state, &mut self.effects);
        self.follow(None);
        if closes {
            assert_eq!(answer, Ok(Released::Close(Cause::Requested)));
            self.unacknowledged.push(slot);
            self.removed[Cause::Requested as usize] += 1;
            self.model.close_looked_at(id);
        } else {
            assert_eq!(answer, Ok(Released::Kept));
            self.model.leave(id);
        }
        assert!(self.all_handles.insert(handle), "given out before");
        self.dead_handles.push(handle);
    }

    fn cancel(&mut self, which: usize, why: GivenUp) {
        let Some(ticket) = pick(&self.waiting, which) else {
            return;
        };
        let answer = self.engine.cancel(ticket, why, &mut self.effects);
        self.follow(None);
        self.waiting.retain(|waiting| *waiting != ticket);
        self.dead_tickets.push(ticket);
        match (answer, self.model.cancel(ticket, why)) {
            (None, None) => {}
            (Some(grant), Some(outcome)) => self.bind_grant(grant, outcome),
            (answer, expected) => panic!("a cancel gave {answer:?}, to be {expected:?}"),
        }
    }

    fn use_dead_ticket(&mut self, which: usize) {
        let Some(ticket) = pick(&self.dead_tickets, which) else {
            return;
        };
        assert!(!self.model.is_alive(ticket));
        let poll = self.engine.poll_ticket(ticket);
        assert_eq!(poll, Err(Refusal::StaleTicket));
        let cancelled = self
            .engine
            .cancel(ticket, GivenUp::Cancelled, &mut self.effects);
        assert_eq!(cancelled, None);
        let route = self.routes[self.active[0]];
        let lease = self
            .engine
            .lease(route, StateId::NONE, Some(ticket), &mut self.effects);
        assert_eq!(lease, Err(Refusal::StaleTicket));
        self.follow(None);
    }

    fn handle_of(&self, id: Id) -> Handle {
        self.model.entries[&id].handle.expect("it was given out")
    }

    fn opened(&mut self, which: usize) {
        let Some(id) = pick(&self.held, which) else {
            return;
        };
        let handle = self.handle_of(id);
        let answer = self.engine.opened(handle);
        if self.model.entries[&id].used != Use::Opening {
            assert!(answer.is_err());
            return;
        }
        assert_eq!(answer, self.model.opened(id));
        if answer.is_ok() {
            let opening = self.engine.opening(handle).expect("it is leased");
            let openings = self.model.entries[&id].openings;
            self.watched.push((handle.slot(), opening, id, openings));
        }
    }

    fn reopen(&mut self, which: usize) {
        let Some(id) = pick(&self.held, which) else {
            return;
        };
        let is_leased = self.model.entries[&id].used == Use::Leased;
        assert_eq!(self.engine.reopen(self.handle_of(id)).is_ok(), is_leased);
        if is_leased {
            self.model.reopen(id);
        }
    }

    fn renew(&mut self, which: usize) {
        let Some(id) = pick(&self.held, which) else {
            return;
        };
        let handle = self.handle_of(id);
        let is_leased = self.model.entries[&id].used == Use::Leased;
        assert_eq!(self.engine.renew(handle).is_ok(), is_leased);
        if is_leased {
            self.model.renew(id);
            let opening = self.engine.opening(handle).expect("it is leased");
            let openings = self.model.entries[&id].openings;
            self.watched.push((handle.slot(), opening, id, openings));
        }
    }

    fn update_expiry(&mut self, which: usize, keep: Keep) {
        let Some(id) = pick(&self.held, which) else {
            return;
        };
        let is_leased = self.model.entries[&id].used == Use::Leased;
        assert_eq!(
            self.engine.update_expiry(self.handle_of(id), keep).is_ok(),
            is_leased
        );
        if is_leased {
            self.model.update_expiry(id, keep);
        }
    }

    fn release(&mut self, which: usize, verdict: Verdict, state: u32, tries_hit: bool) {
        // Mostly what was opened.
        if which % 8 != 0 {
            self.opened(which);
        }
        let Some(id) = pick(&self.held, which) else {
            return;
        };
        let handle = self.handle_of(id);
        if let (Verdict::Keep(keep), 0, true) = (verdict, state, tries_hit) {
            let is_hit = self.model.is_release_hit(id);
            let hit = self.engine.release_hit(handle, keep);
            self.follow(None);
            assert_eq!(hit, Ok(if is_hit { Hit::Kept } else { Hit::Slow }));
            if is_hit {
                self.model.release_hit(id, keep);
                self.end(id, handle);
                return;
            }
        }
        let answer = self
            .engine
            .release(handle, verdict, StateId(state), &mut self.effects);
        self.follow(None);
        let expected = match self.model.release(id, verdict, state) {
            Some(cause) => Released::Close(cause),
            None => Released::Kept,
        };
        assert_eq!(answer, Ok(expected));
        if let Released::Close(cause) = expected {
            self.unacknowledged.push(handle.slot());
            self.removed[cause as usize] += 1;
        }
        self.end(id, handle);
    }

    fn end(&mut self, id: Id, handle: Handle) {
        self.held.retain(|held| *held != id);
        self.dead_handles.push(handle);
        self.use_dead_handle(self.dead_handles.len() - 1);
    }

    fn use_dead_handle(&mut self, which: usize) {
        let Some(handle) = pick(&self.dead_handles, which) else {
            return;
        };
        let keep = Keep::For(10);
        let close = self
            .engine
            .release(handle, Verdict::Close, StateId(1), &mut self.effects);
        let hit = self.engine.release_hit(handle, keep);
        assert_eq!(close, Err(NotLeased));
        assert!(matches!(hit, Ok(Hit::Slow) | Err(NotLeased)), "{hit:?}");
        assert_eq!(self.engine.reopen(handle), Err(NotLeased));
        assert_eq!(self.engine.renew(handle), Err(NotLeased));
        assert_eq!(self.engine.update_expiry(handle, keep), Err(NotLeased));
        assert_eq!(self.engine.opening(handle), Err(NotLeased));
        assert_eq!(self.engine.route_of(handle), Err(NotLeased));
        assert!(self.engine.opened(handle).is_err());
    }

    /// Compares effects, statistics and the listing.
    fn compare(&mut self) {
        self.compare_effects();
        let total = self.model.total();
        let available = self.model.idle_in_total();
        let stats = Stats {
            leased: total - available,
            pending: self.model.waiting(),
            available,
            max: self.model.max_total,
        };
        assert_eq!(self.engine.stats(), stats);
        for route in &self.active {
            let (allocated, available) = (
                self.model.allocated(*route),
                self.model.idle_of(*route).len() as u32,
            );
            let stats = self.model.routes[*route].is_alive.then(|| Stats {
                leased: allocated - available,
                pending: self.model.waiting_of(*route),
                available,
                max: self.model.max_of(*route),
            });
            assert_eq!(
                self.engine.route_stats(self.routes[*route]),
                stats,
                "route {route}"
            );
            let route = (self.routes[*route], &self.model.routes[*route]);
            let metrics = route.1.is_alive.then(|| route.1.metrics.clone());
            assert_eq!(self.engine.route_metrics(route.0).ok(), metrics);
        }
        assert_eq!(self.engine.is_shut_down(), self.model.is_shut);
        assert_eq!(self.engine.is_suspended(), self.model.is_suspended);
        self.compare_entries();
        self.compare_counters();
        self.model.check_nobody_sleeps_beside_idle();
        audit(&self.engine);
    }

    fn compare_effects(&mut self) {
        let effects = std::mem::take(&mut self.effects);
        let by_slot = |victims: &mut Vec<(Slot, Cause)>| {
            victims.sort_by_key(|(slot, cause)| (*slot, *cause as u8))
        };
        let mut victims: Vec<_> = effects
            .victims
            .iter()
            .map(|victim| (victim.slot, victim.cause))
            .collect();
        let mut expected = std::mem::take(&mut self.model.victims);
        for (_, cause) in &victims {
            self.removed[*cause as usize] += 1;
        }
        by_slot(&mut victims);
        by_slot(&mut expected);
        assert_eq!(victims, expected, "the victims");
        self.unacknowledged
            .extend(victims.iter().map(|(slot, _)| *slot));

        let wakes: HashSet<Ticket> = effects.wakes.iter().copied().collect();
        let expected: HashSet<Ticket> = std::mem::take(&mut self.model.wakes).into_iter().collect();
        if self.model.rules.barging {
            assert!(
                wakes.is_superset(&expected),
                "{expected:?} are to be woken, not {wakes:?}"
            );
            wakes
                .difference(&expected)
                .for_each(|ticket| self.model.note_nudge(*ticket));
        } else {
            assert_eq!(wakes, expected, "the woken");
        }
        assert!(effects.retired.is_empty());

        // What an immediate shutdown took from its holders.
        let (held, lost): (Vec<Id>, Vec<Id>) = self
            .held
            .iter()
            .partition(|id| self.model.entries.contains_key(*id));
        self.held = held;
        if !lost.is_empty() {
            assert!(self.model.is_shut);
        }
    }

    fn compare_counters(&self) {
        let removed = |cause: Cause| self.removed[cause as usize];
        let counters = Counters {
            closed_by_peer: removed(Cause::PeerClosed),
            stale: self.model.metrics.closed.stale,
            expired: removed(Cause::Expired),
            idle: removed(Cause::Idle),
            evicted: removed(Cause::Evicted),
            over_limit: removed(Cause::OverLimit),
            cleared: removed(Cause::Cleared),
        };
        assert_eq!(self.engine.counters(), counters);
        assert_eq!(self.engine.metrics(), self.model.metrics);

        let now = self.model.now;
        let idle = || {
            let entries = self.model.entries.values();
            entries.filter(|entry| entry.used == Use::Idle)
        };
        let longest_idle = idle().filter_map(|entry| entry.updated).min();
        assert_eq!(
            self.engine.longest_idle(),
            longest_idle.map(|since| now - since)
        );
        let next_expiry = idle().filter_map(|entry| millis(entry.expiry, now)).min();
        assert!(
            next_expiry
                .is_none_or(|next| self.engine.next_expiry().is_some_and(|told| told <= next)),
            "an idle connection expires in {next_expiry:?}"
        );
    }

    fn compare_entries(&self) {
        let now = self.model.now;
        let mut unseen: Vec<usize> = Vec::new();
        let mut expected = 0;
        let listing = self.engine.entries();
        for entry in self.model.entries.values() {
            let Some(slot) = entry.slot else {
                unseen.push(entry.route);
                continue;
            };
            expected += 1;
            let listed = listing.iter().find(|info| info.handle.slot() == slot);
            let listed = listed.unwrap_or_else(|| panic!("slot {slot} is not listed"));
            let info = EntryInfo {
                handle: entry
                    .handle
                    .filter(|_| entry.used != Use::Idle)
                    .unwrap_or(listed.handle),
                route: self.routes[entry.route],
                state: StateId(entry.state),
                used: entry.used,
                idle_since: entry.updated.map(|updated| now - updated),
                leased_for: (entry.used != Use::Idle).then(|| now - entry.leased),
                expires_in: millis(entry.expiry, now),
                ..*listed
            };
            assert_eq!(*listed, info);
        }
        // Granted, and not seen by their owners yet.
        let mut others: Vec<usize> = Vec::new();
        for info in listing
            .iter()
            .filter(|info| self.model.entry_in(info.handle.slot()).is_none())
        {
            assert_eq!((info.used, info.state), (Use::Opening, StateId::NONE));
            assert_eq!((info.idle_since, info.expires_in), (None, None));
            others.extend(self.routes.iter().position(|route| *route == info.route));
        }
        unseen.sort_unstable();
        others.sort_unstable();
        assert_eq!(others, unseen);
        assert_eq!(listing.len(), expected + unseen.len());
    }
}

/// Runs a sequence; the message and the place of the operation that failed.
fn run(setting: &Setting, ops: &[Op]) -> Result<(), (usize, String)> {
    let mut at = 0;
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut pair = Pair::new(setting);
        for (place, op) in ops.iter().enumerate() {
            at = place;
            pair.run(*op);
        }
    }));
    result.map_err(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        (at, message.unwrap_or_default())
    })
}

/// Leaves out what is not needed for the sequence to fail.
fn shrink(setting: &Setting, mut ops: Vec<Op>) -> Vec<Op> {
    let mut chunk = ops.len() / 2;
    while chunk > 0 {
        let mut start = 0;
        while start < ops.len() {
            let mut fewer = ops.clone();
            fewer.drain(start..(start + chunk).min(fewer.len()));
            match run(setting, &fewer) {
                Err((at, _)) => {
                    fewer.truncate(at + 1);
                    ops = fewer;
                }
                Ok(()) => start += chunk,
            }
        }
        chunk /= 2;
    }
    ops
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    Some(number.unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

const OPS_OF_A_SEQUENCE: u64 = 1000;

fn check_sequence(kind: Kind, seed: u64) {
    let mut random = Random(seed);
    let setting = setting(kind, &mut random);
    let ops: Vec<Op> = (0..OPS_OF_A_SEQUENCE)
        .map(|_| random_op(&setting, &mut random))
        .collect();
    let Err((at, _)) = run(&setting, &ops) else {
        return;
    };
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let ops = shrink(&setting, ops[..=at].to_vec());
    let (_, message) = run(&setting, &ops).expect_err("a shorter sequence still fails");
    panic::set_hook(hook);
    let listed: Vec<String> = ops.iter().map(|op| format!("    {op:?}")).collect();
    panic!(
        "{message}\n{setting:#?}\n{}\nrepeat with LEASEHOLD_MODEL_SEED={seed:#x}",
        listed.join("\n")
    );
}

fn check(kind: Kind) {
    if let Some(seed) = number_from("LEASEHOLD_MODEL_SEED") {
        return check_sequence(kind, seed);
    }
    let default = if cfg!(debug_assertions) {
        20_000
    } else {
        200_000
    };
    let ops = number_from("LEASEHOLD_MODEL_OPS").unwrap_or(default);
    let mut seeds = Random(0x1ea5_e401d);
    for _ in 0..ops.div_ceil(OPS_OF_A_SEQUENCE) {
        check_sequence(kind, seeds.next());
    }
}

macro_rules! kinds {
    ($($name:ident: $policy:ident, $stripes:literal, $barging:literal, $own_route_first:literal;)*) => {
        $(
            #[test]
            fn $name() {
                check(Kind {
                    policy: Policy::$policy,
                    stripes: $stripes,
                    barging: $barging,
                    own_route_first: $own_route_first,
                });
            }
        )*
    };
}

kinds! {
    lifo_in_exact_order: Lifo, 1, false, false;
    lifo_in_exact_order_with_barging: Lifo, 1, true, false;
    lifo_in_exact_order_own_route_first: Lifo, 1, false, true;
    lifo_over_stripes: Lifo, 8, false, false;
    lifo_over_stripes_with_barging: Lifo, 8, true, false;
    lifo_over_stripes_own_route_first: Lifo, 8, false, true;
    fifo: Fifo, 1, false, false;
    fifo_with_barging: Fifo, 1, true, false;
    fifo_own_route_first: Fifo, 1, false, true;
    fifo_own_route_first_with_barging: Fifo, 1, true, true;
}
