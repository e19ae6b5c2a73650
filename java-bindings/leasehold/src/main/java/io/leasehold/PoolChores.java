package io.leasehold;

import io.leasehold.internal.housekeeping.Chores;
import io.leasehold.internal.housekeeping.Housekeeper;
import io.leasehold.internal.housekeeping.KeptPool;
import io.leasehold.internal.jfr.FlightEvents;
import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import java.lang.invoke.MethodHandles;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/**
 * What the housekeeper does for a pool, by way of an object of its own that refers to the same engine: so nothing of this leads to the pool
 * that its users have, and that one can be collected.
 */
final class PoolChores implements Chores, LeaseRef.Owner {
    /** The classes that are used here and on the disposer's threads. */
    static final Class<?>[] USES = {
        Cause.class, Cell.class, Cells.class, CloseListener.class, Disposal.class, Disposal.Closing.class, Disposer.class, Help.class,
        Help.Giving.class, HookedRequest.class, Hooks.class, Hooks.Telling.class, HeldLease.class, HeldLeases.class, LeakListener.class,
        LeaseRef.class, LeaseRef.Owner.class, LeaseStack.class,
        Listing.class, Listing.Item.class, NativePool.class,
        ParkedThread.class, PoolChores.class, PoolLook.class, PoolName.class, PoolState.class,
        RouteRef.class, Routes.class, Slots.class, States.class, Strays.class,
        Termination.class, Waiter.class,
        // What disposers use.
        Sockets.class
    };

    private final NativePool pool;
    private final PoolState state;
    // The housekeeper's thread's own: when the pool was seen to be used, and looked at for that, both in the pool's time.
    private long usedAt;
    private long askedAt;

    private PoolChores(NativePool pool) {
        this.pool = pool;
        state = pool.state;
    }

    /**
     * Makes a pool in the engine, and has the housekeeper take care of it.
     *
     * @param state what Java knows of it
     * @return the pool
     */
    static NativePool newPool(PoolState state) {
        Leasehold.requireAvailable();
        PoolState.Constants constants = state.constants;
        Engine engine = Engine.create(MethodHandles.lookup(), state.limits.ofRoutes(), state.limits.total(), constants.maxWaiters,
                constants.timeToLive, constants.fifo, constants.barging, constants.ownRouteFirst, constants.connectsLater,
                constants.stripes, constants.manualClock);
        Engine own = engine.forHousekeeper();
        // Until the housekeeper takes care of it, nobody else would free the engine's memory.
        boolean isTaken = false;
        try {
            NativePool pool = new NativePool(state, engine);
            NativePool housekeepers = new NativePool(state, own);
            PoolChores chores = new PoolChores(housekeepers);
            KeptPool kept = Housekeeper.take(engine, own, chores, constants.evicts(), USES);
            isTaken = true;
            pool.kept = kept;
            pool.owner = chores;
            housekeepers.kept = kept;
            housekeepers.owner = chores;
            prepareEvents(engine);
            return pool;
        } finally {
            if (!isTaken) {
                own.free();
            }
        }
    }

    /** Has the events loaded that a recorder wants, if it was started meanwhile; later where there is little stack. */
    private static void prepareEvents(Engine engine) {
        if (FlightEvents.isToBePrepared()) {
            try {
                engine.needStackForHook();
            } catch (StackOverflowError e) {
                return;
            }
            FlightEvents.prepare();
        }
    }

    @Override
    public boolean lookAfterRequests(Effects effects) {
        boolean isAnyOverdue = false;
        // Not by a function: on the housekeeper's thread there may be no class loader left to make it.
        for (Waiter request : state.requests) {
            isAnyOverdue |= request.lookAfter(effects);
        }
        return isAnyOverdue;
    }

    @Override
    public boolean lookAfterConnections(Effects effects, int[] numbers) {
        prepareEvents(pool.engine);
        evict(effects);
        boolean isUnused = isUnused();
        if (isUnused) {
            closeIdle(state.constants.unusedMillis, effects);
        }
        pool.engine.stats(numbers);
        boolean isLeased = numbers[0] > 0;
        boolean isIdleOrPending = numbers[1] > 0 || numbers[2] > 0;
        boolean isToBeWarnedOf = state.warnOfHeld();
        return isIdleOrPending || isToBeWarnedOf || isLeased && !isUnused || !state.requests.isEmpty();
    }

    /** Does what the builder asked for. */
    private void evict(Effects effects) {
        if (state.constants.evictExpired) {
            pool.engine.closeExpired(effects);
            pool.carryOut(effects);
        }
        if (state.constants.evictIdle > 0) {
            closeIdle(state.constants.evictIdle, effects);
        }
        if (state.constants.isClosed != null) {
            closeClosed(state.constants.isClosed, effects);
        }
        if (state.constants.help != null) {
            helpLeased(state.constants.help);
        }
    }

    /**
     * Has those helped that need it.
     *
     * <p>Race window: a connection may have been released since the engine has named it. It is harmless because help is for the connection,
     * whoever has it.
     */
    private void helpLeased(Help help) {
        long[] leased = pool.engine.entries(false);
        for (int i = 0; i < leased.length; i += Engine.ENTRY_WORDS) {
            Cell cell = state.cells.get((int) leased[i]);
            if (cell != null) {
                help.giveIfNeeded(cell.connection, state.name);
            }
        }
    }

    /** Disposes of the idle connections that somebody else has closed. */
    private void closeClosed(Predicate<Object> isClosed, Effects effects) {
        // Mostly there is none, and then it need not be found out which opening a connection is of.
        boolean isAny = false;
        long[] idle = pool.engine.entries(true);
        for (int i = 0; i < idle.length && !isAny; i += Engine.ENTRY_WORDS) {
            Cell cell = state.cells.get((int) idle[i]);
            isAny = cell != null && tells(isClosed, cell.connection, state.name);
        }
        if (!isAny) {
            return;
        }
        // Not by a function: on the housekeeper's thread there may be no class loader left to make it.
        for (Listing.Item item : Listing.of(pool, true)) {
            if (tells(isClosed, item.connection(), state.name)) {
                int[] event = {pool.kept.number(), item.slot, item.opening};
                pool.engine.peersClosed(event, 0, event.length, effects);
                pool.carryOut(effects);
            }
        }
    }

    private static boolean tells(Predicate<Object> isClosed, Object connection, PoolName name) {
        try {
            return connection != null && isClosed.test(connection);
        } catch (Throwable e) {
            Log.warnOf(name, Texts.IS_CLOSED_FAILED, e);
            return false;
        }
    }

    private void closeIdle(long millis, Effects effects) {
        pool.engine.closeIdle(millis, effects);
        pool.carryOut(effects);
    }

    /** Whether no lease has begun or ended for as long as the setting says. */
    private boolean isUnused() {
        long limit = state.constants.unusedMillis;
        if (limit == 0) {
            return false;
        }
        long time = state.millis();
        boolean isDue = time - usedAt >= limit;
        // To ask takes time in proportion to the connections.
        if (isDue || time - askedAt >= limit / 16) {
            askedAt = time;
            if (state.wasUsed()) {
                usedAt = time;
                isDue = false;
            }
        }
        return isDue;
    }

    @Override
    public void willTellNumbers() {
        tellNumbers(state, null);
    }

    @Override
    public void tellNumbers() {
        tellNumbers(state, pool);
    }

    /** Tells who listens a pool's numbers; of null, that they will be told. Never throws: whoever resumes the pool calls this, too. */
    static void tellNumbers(PoolState state, NativePool pool) {
        BiConsumer<Long, Long> told = state.numbersListener;
        if (told != null) {
            try {
                if (pool == null) {
                    told.accept(null, null);
                    return;
                }
                long[] numbers = new long[Metrics.COUNT_WITH_TIMES];
                pool.metrics(numbers);
                Metrics metrics = new Metrics(numbers);
                told.accept(metrics.leases(), metrics.openings());
            } catch (Throwable e) {
                Log.debug(Texts.NUMBERS_FAILED, e);
            }
        }
    }

    @Override
    public void noteClosed(int[] events, int from, int to, Effects effects) {
        pool.engine.peersClosed(events, from, to, effects);
    }

    @Override
    public void carryOut(Effects effects) {
        pool.carryOut(effects);
    }

    @Override
    public void leaked(LeaseRef lease, Effects effects) {
        if (!pool.kept.isFreed()) {
            pool.releaseLeaked(lease, effects);
        }
    }

    @Override
    public void endLeases(Effects effects) {
        for (Listing.Item item : Listing.of(pool, false)) {
            LeaseRef lease = state.cells.get(item.slot).lease;
            if (!lease.isEnded()) {
                leaked(lease, effects);
            }
        }
    }

    @Override
    public void end(Effects effects) {
        state.collected = true;
        state.shutDown(true);
        pool.engine.shutdown(true, effects);
        pool.carryOut(effects);
    }
}
