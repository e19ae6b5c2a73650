//! Tickets: the records of lease requests that wait.
//!
//! A waiter reserves a ticket, publishes under the ticket's slot how to wake it, and only then enqueues it (I13): a grant
//! that comes at once finds somebody to wake. The answer is one atomic cell, written once under the coordinator (I12) and
//! read by the waiter without it. It also tells whose answer is missing, so that a ticket that has ended is not taken for one that waits.
//!
//! Race window: a look at the cell without the coordinator may miss an answer that is just being written. It is harmless because whoever
//! writes it wakes the waiter afterwards, who then looks again.

use super::records::Records;
use super::routes::Queue;
use crate::engine::id::{Handle, Numbered, RouteSlot, StateId, Ticket, TicketSlot};
use crate::engine::outcome::{Answer, Grant, Refusal};
use crate::engine::segments::Segments;
use crate::engine::sync::atomic::{AtomicU64, Ordering};

/// Where a waiter reads its answer.
#[derive(Debug, Default)]
pub(in crate::engine) struct AnswerCell {
    /// 0 while no ticket is alive here, `PENDING` and its generation while one is without an answer. Written under the coordinator.
    code: AtomicU64,
}

/// No handle: those carry their pool's tag, which is never 0, in the bits above.
const PENDING: u64 = 1 << 32;
const OPEN: u64 = 1 << 63;
const SHUT_DOWN: u64 = u64::MAX;
const ASK_AGAIN: u64 = u64::MAX - 1;

impl AnswerCell {
    /// Whether the ticket of this generation is alive and has none.
    #[inline]
    fn is_awaited(&self, generation: u32) -> bool {
        self.code.load(Ordering::Acquire) == PENDING | u64::from(generation)
    }

    fn await_for(&self, generation: u32) {
        self.put(PENDING | u64::from(generation));
    }

    fn put(&self, code: u64) {
        self.code.store(code, Ordering::Release);
    }

    /// Leaves it awaited: the ticket may stay alive.
    fn take(&self, generation: u32) -> Result<Answer, Refusal> {
        let awaited = PENDING | u64::from(generation);
        let grant = match self.code.swap(awaited, Ordering::AcqRel) {
            code if code == awaited => return Ok(Answer::Pending),
            ASK_AGAIN => return Ok(Answer::AskAgain),
            SHUT_DOWN => return Err(Refusal::ShutDown),
            code if code & OPEN != 0 => Grant::Open(Handle::from_u64(code & !OPEN)),
            code => Grant::Idle(Handle::from_u64(code)),
        };
        Ok(Answer::Granted(grant))
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
impl AnswerCell {
    /// The idle connection that its ticket was given and has not taken yet.
    pub(in crate::engine) fn given(&self) -> Option<Handle> {
        match self.code.load(Ordering::Acquire) {
            SHUT_DOWN | ASK_AGAIN => None,
            code if code & OPEN != 0 || code < PENDING << 1 => None,
            code => Some(Handle::from_u64(code)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Free,
    Reserved,
    /// In its queue, to be served in this step or else to wait or to leave.
    Queued,
    /// In its queue beyond the step that put it there: only now it is counted, and seen in the numbers.
    Waiting,
    /// In its route's queue of those that stand by, who wait for no place and are not counted.
    StandingBy,
    Answered,
}

impl Stage {
    /// Whether its answer is still to come.
    fn is_queued(self) -> bool {
        matches!(self, Stage::Queued | Stage::Waiting | Stage::StandingBy)
    }
}

/// The half of a ticket under the coordinator.
#[derive(Debug)]
struct Record {
    generation: u32,
    stage: Stage,
    route: RouteSlot,
    state: StateId,
    /// Its place in the pool's one order of arrival.
    sequence: u64,
    /// Since when it waits, in microseconds of the exact clock.
    since: u64,
    earlier: Option<TicketSlot>,
    later: Option<TicketSlot>,
}

/// All tickets of a pool, under its coordinator.
#[derive(Debug, Default)]
pub(in crate::engine) struct Tickets {
    records: Records<TicketSlot, Record>,
    free: Vec<TicketSlot>,
    last_sequence: u64,
    waiting: u32,
}

impl Tickets {
    /// How many wait.
    pub(in crate::engine) fn waiting(&self) -> u32 {
        self.waiting
    }

    pub(in crate::engine) fn reserve(
        &mut self,
        tag: u32,
        answers: &Segments<TicketSlot, AnswerCell>,
    ) -> Option<Ticket> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let slot = self.records.add(Record {
                    generation: 0,
                    stage: Stage::Free,
                    route: RouteSlot::of(0),
                    state: StateId::NONE,
                    sequence: 0,
                    since: 0,
                    earlier: None,
                    later: None,
                })?;
                answers.grow_to(slot);
                slot
            }
        };
        let record = &mut self.records[slot];
        record.generation = record.generation.wrapping_add(1);
        record.stage = Stage::Reserved;
        cell(answers, slot).await_for(record.generation);
        Some(Ticket::new(tag, slot, record.generation))
    }

    /// The slot of a ticket that is alive.
    pub(in crate::engine) fn find(&self, tag: u32, ticket: Ticket) -> Option<TicketSlot> {
        let record = self.records.get(ticket.slot())?;
        (ticket.tag() == tag
            && record.generation == ticket.generation()
            && record.stage != Stage::Free)
            .then_some(ticket.slot())
    }

    pub(in crate::engine) fn is_queued(&self, slot: TicketSlot) -> bool {
        self.records[slot].stage.is_queued()
    }

    pub(in crate::engine) fn stands_by(&self, slot: TicketSlot) -> bool {
        self.records[slot].stage == Stage::StandingBy
    }

    pub(in crate::engine) fn id(&self, tag: u32, slot: TicketSlot) -> Ticket {
        Ticket::new(tag, slot, self.records[slot].generation)
    }

    pub(in crate::engine) fn route(&self, slot: TicketSlot) -> RouteSlot {
        self.records[slot].route
    }

    pub(in crate::engine) fn state(&self, slot: TicketSlot) -> StateId {
        self.records[slot].state
    }

    pub(in crate::engine) fn sequence(&self, slot: TicketSlot) -> u64 {
        self.records[slot].sequence
    }

    /// Appends a reserved ticket to its route's queue.
    pub(in crate::engine) fn enqueue(
        &mut self,
        slot: TicketSlot,
        route: RouteSlot,
        state: StateId,
        queue: &mut Queue,
    ) {
        self.last_sequence += 1;
        let earlier = queue.tail;
        let record = &mut self.records[slot];
        record.stage = Stage::Queued;
        record.route = route;
        record.state = state;
        record.sequence = self.last_sequence;
        record.earlier = earlier;
        record.later = None;
        match earlier {
            Some(earlier) => self.records[earlier].later = Some(slot),
            None => queue.head = Some(slot),
        }
        queue.tail = Some(slot);
    }

    /// Counts a queued ticket, which stays where it is: it waits since `now`, in microseconds.
    pub(in crate::engine) fn wait(&mut self, slot: TicketSlot, queue: &mut Queue, now: u64) {
        self.records[slot].stage = Stage::Waiting;
        self.records[slot].since = now;
        queue.waiting += 1;
        self.waiting += 1;
    }

    /// Has a reserved ticket stand by, as the last of its route's.
    pub(in crate::engine) fn stand_by(
        &mut self,
        slot: TicketSlot,
        route: RouteSlot,
        standby: &mut Queue,
    ) {
        self.enqueue(slot, route, StateId::NONE, standby);
        self.records[slot].stage = Stage::StandingBy;
    }

    /// Takes a queued ticket out of the queue that it is in. Tells since when it has waited, in microseconds, if it has.
    pub(in crate::engine) fn unlink(&mut self, slot: TicketSlot, queue: &mut Queue) -> Option<u64> {
        let record = &mut self.records[slot];
        let waited = (record.stage == Stage::Waiting).then_some(record.since);
        debug_assert!(record.stage.is_queued());
        record.stage = Stage::Reserved;
        let (earlier, later) = (record.earlier.take(), record.later.take());
        match earlier {
            Some(earlier) => self.records[earlier].later = later,
            None => queue.head = later,
        }
        match later {
            Some(later) => self.records[later].earlier = earlier,
            None => queue.tail = earlier,
        }
        if waited.is_some() {
            queue.waiting -= 1;
            self.waiting -= 1;
        }
        waited
    }

    /// Answers a ticket that was taken out of its queue.
    pub(in crate::engine) fn answer(
        &mut self,
        slot: TicketSlot,
        answer: Result<Grant, Refusal>,
        cells: &Segments<TicketSlot, AnswerCell>,
    ) {
        self.records[slot].stage = Stage::Answered;
        cell(cells, slot).put(match answer {
            Ok(Grant::Idle(handle)) => handle.to_u64(),
            Ok(Grant::Open(handle)) => handle.to_u64() | OPEN,
            // The one refusal that comes to those who wait.
            Err(_) => SHUT_DOWN,
        });
    }

    /// Takes every ticket out of its queue and answers it that the pool is shut down, whatever became of the queues. Tells whose they
    /// are.
    pub(in crate::engine) fn refuse_all(
        &mut self,
        tag: u32,
        cells: &Segments<TicketSlot, AnswerCell>,
    ) -> Vec<Ticket> {
        let mut refused = Vec::new();
        for (slot, record) in self.records.iter_mut() {
            if !record.stage.is_queued() {
                continue;
            }
            record.stage = Stage::Answered;
            record.earlier = None;
            record.later = None;
            if let Some(cell) = cells.get(slot) {
                cell.put(SHUT_DOWN);
            }
            refused.push(Ticket::new(tag, slot, record.generation));
        }
        self.waiting = 0;
        refused
    }

    /// Tells a ticket that stays queued to ask again.
    pub(in crate::engine) fn nudge(
        &self,
        slot: TicketSlot,
        cells: &Segments<TicketSlot, AnswerCell>,
    ) {
        cell(cells, slot).put(ASK_AGAIN);
    }

    /// The answer; the ticket is dead then, unless it is still in its queue or was never put there.
    pub(in crate::engine) fn take_answer(
        &mut self,
        slot: TicketSlot,
        cells: &Segments<TicketSlot, AnswerCell>,
    ) -> Result<Answer, Refusal> {
        let record = &self.records[slot];
        let answer = cell(cells, slot).take(record.generation);
        if record.stage == Stage::Answered {
            self.free(slot, cells);
        }
        answer
    }

    /// Every reserved or queued ticket's life ends here.
    pub(in crate::engine) fn free(
        &mut self,
        slot: TicketSlot,
        cells: &Segments<TicketSlot, AnswerCell>,
    ) {
        cell(cells, slot).put(0);
        self.records[slot].stage = Stage::Free;
        self.free.push(slot);
    }
}

/// Whether `ticket`, of this pool, is alive and has no answer, without the coordinator.
#[inline]
pub(in crate::engine) fn is_awaited(
    cells: &Segments<TicketSlot, AnswerCell>,
    ticket: Ticket,
) -> bool {
    cells
        .get(ticket.slot())
        .is_some_and(|cell| cell.is_awaited(ticket.generation()))
}

fn cell(cells: &Segments<TicketSlot, AnswerCell>, slot: TicketSlot) -> &AnswerCell {
    cells.get(slot).expect("a reserved ticket has a cell")
}
