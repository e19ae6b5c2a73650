package io.leasehold.httpclient5;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnectionShutdownException;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.DisposalCallback;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.Args;
import org.apache.hc.core5.util.Deadline;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pool whose entries share connections that speak HTTP/2. An entry of the pool below, which is a place, is a {@link Carrier} here, and
 * whoever leases gets an entry of his own, with a {@link Share} of a carrier. A carrier is leased below as long as anybody has a share of
 * it: many streams are one connection. When its last share ends it is released, and read below as any other entry.
 *
 * <p><b>When a connection is shared.</b> It has proven to be HTTP/2 when it has answered a ping: by then the peer's settings have come, and
 * its limit of streams is kept from the first of them on. Whoever waits for the route then, bound to nobody, gets a share, and so does who
 * comes later, as long as there are streams left.
 *
 * <p><b>Nobody is passed by newcomers.</b> All who wait stand in one order of arrival, and each has a request of its own in the pool below,
 * too. A share goes to the first who waits for the route, and to a newcomer if nobody does. Shares would keep a connection in use for ever,
 * and with it the place that somebody may wait for who cannot have a share: so nobody gets one as long as somebody waits who came before
 * him, and who could have the place if the connection came to rest. Whenever somebody waits no longer, those who were held up are looked
 * after again.
 *
 * <p>A pool that is suspended gives no shares. What became of shares meanwhile is seen when it is resumed.
 *
 * <p><b>Who answers whom.</b> A request has its answer from whoever takes it out of the order of arrival, under the lock. An entry that
 * comes from below for a request that was taken out goes back.
 *
 * <p><b>Who refers to whom.</b> An entry refers to its share, that to its carrier, and that to the entry below; from here all that is
 * leased is referred to weakly. So a carrier whose shares are all lost is lost with its entry below, and the pool there closes the
 * connection.
 *
 * <p>Nothing but what concerns this is done under the lock: no connection is closed, and no callback called.
 */
final class SharingPool extends PassingPool<ManagedAsyncClientConnection> {
    // That of HttpClient's own pool that shares, as of 5.5.
    private static final Logger LOG = LoggerFactory.getLogger("org.apache.hc.client5.http.impl.nio.H2SharingConnPool");

    private final LeaseholdConnPool<HttpRoute, ManagedAsyncClientConnection> pool;
    private final ConnectionConfigs configs;
    private final Lock lock = new ReentrantLock();
    // All the rest is under the lock.
    private final Map<HttpRoute, Group> groups = new HashMap<>();
    /** Who waits, in the order of arrival. */
    private final Set<Waiter> waiters = new LinkedHashSet<>();
    /** Routes with a share for who waits, but somebody else has waited for longer, or the pool is suspended. */
    private final Set<Group> heldUp = new LinkedHashSet<>();
    private final Map<PoolEntry<HttpRoute, ManagedAsyncClientConnection>, WeakReference<Share>> shares = new WeakHashMap<>();
    private final ReferenceQueue<Carrier> lost = new ReferenceQueue<>();
    /** Who is to be told by a thread that tells somebody just now: so that the stack does not grow. */
    private final ThreadLocal<Deque<Waiter>> toTell = new ThreadLocal<>();

    SharingPool(LeaseholdConnPool<HttpRoute, ManagedAsyncClientConnection> pool, ConnectionConfigs configs) {
        super(pool);
        this.pool = pool;
        this.configs = configs;
        pool.managed().pool().whenResumed(this::serveHeldUp);
    }

    /** What is known of a route: whoever waits for it, bound to nobody, and the connections that are shared. */
    private static final class Group {
        final HttpRoute route;
        final Deque<Waiter> waiters = new ArrayDeque<>();
        final List<CarrierReference> carriers = new ArrayList<>();

        Group(HttpRoute route) {
            this.route = route;
        }
    }

    private static final class CarrierReference extends WeakReference<Carrier> {
        final Group group;

        CarrierReference(Carrier carrier, Group group, ReferenceQueue<Carrier> lost) {
            super(carrier, lost);
            this.group = group;
        }
    }

    /** An entry of the pool below, leased for all who have a share of it. Its fields are under the lock. */
    private static final class Carrier {
        final PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry;
        final boolean isBound;
        /** Null while there is none. */
        ReactorConnection connection;
        /** How many have a share. */
        int shares = 1;
        /** Whether others may get a share. */
        boolean isShared;
        /** Whether the connection is to be closed when nobody has it any more. */
        boolean isUnfit;
        /** To whom it is bound from now on; and for how long it is to be kept. Of whoever said so last. */
        Object state;
        Deadline expiry;

        Carrier(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry, boolean isBound) {
            this.entry = entry;
            this.isBound = isBound;
            connection = (ReactorConnection) entry.getConnection();
        }
    }

    /** What an entry refers to of ours, as the callback by which it closes its connections. */
    private static final class Share implements DisposalCallback<ManagedAsyncClientConnection> {
        // Under the lock. Null if its endpoint has no place: it was released, or has closed what others go on with.
        private Carrier carrier;
        private boolean isReleased;

        @Override
        public void execute(ManagedAsyncClientConnection connection, CloseMode mode) {
            connection.close(mode);
        }
    }

    /** A request. */
    private final class Waiter extends BasicFuture<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> {
        final HttpRoute route;
        final boolean isBound;
        // Its entry: another's that has lost its place, or a new one.
        final PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry;
        final Share share;
        // Its request in the pool below. Written by the thread that asks.
        private volatile Future<?> below;

        Waiter(HttpRoute route, boolean isBound, PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry, Share share,
                FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> callback) {
            super(callback);
            this.route = route;
            this.isBound = isBound;
            this.entry = entry;
            this.share = share;
        }

        /** It waits below no longer. */
        void leaveBelow() {
            Future<?> request = below;
            if (request != null) {
                request.cancel(true);
            }
        }

        @Override
        public boolean cancel() {
            if (!take(this)) {
                return false;
            }
            leaveBelow();
            super.cancel(true);
            serveHeldUp();
            return true;
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return cancel();
        }
    }

    /** Takes a request out, to answer it; false if somebody else has. */
    private boolean take(Waiter waiter) {
        lock.lock();
        try {
            return isTaken(waiter);
        } finally {
            lock.unlock();
        }
    }

    private boolean isTaken(Waiter waiter) {
        if (!waiters.remove(waiter)) {
            return false;
        }
        Group group = groups.get(waiter.route);
        if (group != null) {
            group.waiters.remove(waiter);
            tidy(group);
        }
        return true;
    }

    private void tidy(Group group) {
        if (group.waiters.isEmpty() && group.carriers.isEmpty()) {
            groups.remove(group.route, group);
        }
    }

    @Override
    public Future<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> lease(HttpRoute route, Object state, Timeout requestTimeout,
            FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> callback) {
        Args.notNull(route, "Route");
        Args.notNull(requestTimeout, "Request timeout");
        if (pool.isShutdown()) {
            throw Request.shutDown();
        }
        Share share = new Share();
        return request(route, state, requestTimeout, new PoolEntry<>(route, null, share), share, callback);
    }

    /** Asks for a place for an entry that has none. */
    private Future<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> request(HttpRoute route, Object state, Timeout timeout,
            PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry, Share share,
            FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> callback) {
        Waiter waiter = new Waiter(route, state != null, entry, share, callback);
        boolean isAsked = false;
        try {
            if (isServedAtOnce(waiter)) {
                tell(waiter);
            } else {
                waiter.below = pool.lease(route, state, timeout, new Granted(waiter));
                if (waiter.isDone()) {
                    waiter.leaveBelow();
                }
            }
            isAsked = true;
        } finally {
            if (!isAsked) {
                // Nobody is to wait behind it.
                take(waiter);
                serveHeldUp();
            }
        }
        return waiter;
    }

    /** Has a request wait, unless there is a share for it now. */
    private boolean isServedAtOnce(Waiter waiter) {
        lock.lock();
        try {
            forgetLost();
            shares.put(waiter.entry, new WeakReference<>(waiter.share));
            Group group = waiter.isBound ? null : groups.computeIfAbsent(waiter.route, Group::new);
            waiters.add(waiter);
            if (group == null) {
                return false;
            }
            group.waiters.add(waiter);
            return group.waiters.peek() == waiter && isServed(group);
        } finally {
            lock.unlock();
        }
    }

    /** Is told what a request in the pool below has come to. */
    private final class Granted implements FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> {
        private final Waiter waiter;

        Granted(Waiter waiter) {
            this.waiter = waiter;
        }

        @Override
        public void completed(PoolEntry<HttpRoute, ManagedAsyncClientConnection> granted) {
            try {
                granted(waiter, granted);
            } catch (Throwable e) {
                try {
                    failed(e instanceof Exception ? (Exception) e : new ExecutionException(e));
                } finally {
                    if (!isCarried(waiter, granted)) {
                        pool.release(granted, false);
                    }
                }
            }
        }

        @Override
        public void failed(Exception e) {
            if (take(waiter)) {
                waiter.failed(e);
                serveHeldUp();
            }
        }

        /** By who has answered it. */
        @Override
        public void cancelled() {}
    }

    private boolean isCarried(Waiter waiter, PoolEntry<HttpRoute, ManagedAsyncClientConnection> granted) {
        lock.lock();
        try {
            return waiter.share.isReleased || waiter.share.carrier != null && waiter.share.carrier.entry == granted;
        } finally {
            lock.unlock();
        }
    }

    /** Lost carriers are no route's any more. */
    private void forgetLost() {
        for (Reference<?> gone = lost.poll(); gone != null; gone = lost.poll()) {
            Group group = ((CarrierReference) gone).group;
            group.carriers.remove(gone);
            tidy(group);
        }
    }

    /** Gives the first who waits for a route a share, if there is one for him. Under the lock. */
    private boolean isServed(Group group) {
        Waiter waiter = group.waiters.peek();
        Carrier carrier = waiter == null ? null : leastShared(group);
        if (carrier == null) {
            return false;
        }
        // Who resumes the pool has it say so before he serves those who are held up, which takes the lock.
        if (pool.managed().pool().isSuspended() || isAnyoneBefore(waiter)) {
            heldUp.add(group);
            return false;
        }
        carrier.shares++;
        waiter.share.carrier = carrier;
        waiter.entry.assignConnection(lent(waiter.share, carrier.connection));
        if (LOG.isDebugEnabled()) {
            LOG.debug("Sharing connection {} for message exchange multiplexing (lease count = {})",
                    carrier.connection.getId(), carrier.shares);
        }
        isTaken(waiter);
        return true;
    }

    private Carrier leastShared(Group group) {
        Carrier least = null;
        for (CarrierReference reference : group.carriers) {
            Carrier carrier = reference.get();
            if (carrier != null && !carrier.isUnfit && (least == null || carrier.shares < least.shares)
                    && carrier.connection.isOpen() && carrier.shares < carrier.connection.streamLimit()
                    && !configs.isTooOld(carrier.entry)) {
                least = carrier;
            }
        }
        return least;
    }

    /** Whether somebody has waited for longer who could have a place if a connection of the route came to rest. */
    private boolean isAnyoneBefore(Waiter waiter) {
        boolean isFull = false;
        boolean isFullKnown = false;
        for (Waiter other : waiters) {
            if (other == waiter) {
                return false;
            }
            if (other.route.equals(waiter.route)) {
                return true;
            }
            if (!isFullKnown) {
                PoolStats stats = pool.getTotalStats();
                isFull = stats.getLeased() + stats.getAvailable() >= stats.getMax();
                isFullKnown = true;
            }
            if (isFull) {
                return true;
            }
        }
        return false;
    }

    /** Tells who was given a share. */
    private void deliver(Waiter waiter) {
        try {
            waiter.leaveBelow();
        } finally {
            tell(waiter);
        }
    }

    /** Tells who waits of his entry; after those that this thread is telling, if it is called in their course. */
    private void tell(Waiter waiter) {
        Deque<Waiter> others = toTell.get();
        if (others != null) {
            others.add(waiter);
            return;
        }
        Deque<Waiter> all = new ArrayDeque<>();
        toTell.set(all);
        try {
            for (Waiter each = waiter; each != null; each = all.poll()) {
                try {
                    each.completed(each.entry);
                } catch (Throwable e) {
                    Request.callbackFailed(e);
                }
            }
        } finally {
            toTell.remove();
        }
    }

    /** Serves who waits for a route, as far as there are streams, and whoever was held up by them. */
    private void serve(HttpRoute route) {
        for (;;) {
            Waiter waiter;
            lock.lock();
            try {
                Group group = groups.get(route);
                waiter = group == null ? null : served(group);
            } finally {
                lock.unlock();
            }
            if (waiter == null) {
                break;
            }
            deliver(waiter);
        }
        serveHeldUp();
    }

    /** The first who waits for a route, if he was given a share; null otherwise. Under the lock. */
    private Waiter served(Group group) {
        Waiter waiter = group.waiters.peek();
        return isServed(group) ? waiter : null;
    }

    /** Serves whoever was held up, by one who waits no longer or by a pool that was suspended. */
    private void serveHeldUp() {
        for (;;) {
            Waiter waiter = null;
            lock.lock();
            try {
                List<Group> all = new ArrayList<>(heldUp);
                heldUp.clear();
                for (Group group : all) {
                    if (waiter == null) {
                        waiter = served(group);
                    }
                    if (waiter != null) {
                        heldUp.add(group);
                    }
                }
            } finally {
                lock.unlock();
            }
            if (waiter == null) {
                return;
            }
            deliver(waiter);
        }
    }

    /** An entry has come from below. */
    private void granted(Waiter waiter, PoolEntry<HttpRoute, ManagedAsyncClientConnection> granted) {
        ReactorConnection connection = (ReactorConnection) granted.getConnection();
        if (connection != null && configs.isOverAtLease(granted)) {
            granted.discardConnection(CloseMode.GRACEFUL);
        } else if (connection != null && connection.isHttp2() && configs.isPingDue(granted)) {
            // A server that is silent is waited for no longer than usual.
            connection.activate();
            connection.ping(isAlive -> {
                if (!isAlive) {
                    granted.discardConnection(CloseMode.GRACEFUL);
                }
                begin(waiter, granted);
            });
            return;
        }
        begin(waiter, granted);
    }

    private void begin(Waiter waiter, PoolEntry<HttpRoute, ManagedAsyncClientConnection> granted) {
        Carrier carrier = new Carrier(granted, waiter.isBound);
        lock.lock();
        try {
            if (isTaken(waiter)) {
                waiter.share.carrier = carrier;
                if (carrier.connection != null) {
                    waiter.entry.assignConnection(lent(waiter.share, carrier.connection));
                }
            } else {
                carrier = null;
            }
        } finally {
            lock.unlock();
        }
        if (carrier == null) {
            // It has had its answer.
            pool.release(granted, true);
            return;
        }
        try {
            prove(carrier);
        } finally {
            tell(waiter);
            serve(waiter.route);
        }
    }

    /** Shares a connection from when it has proven to be HTTP/2. */
    private void prove(Carrier carrier) {
        ReactorConnection connection = carrier.connection;
        if (connection == null || carrier.isBound || !connection.isHttp2()) {
            return;
        }
        if (connection.isProven()) {
            share(carrier, connection);
        } else {
            connection.ping(isAlive -> {
                if (isAlive) {
                    connection.hasProven();
                    share(carrier, connection);
                    serve(carrier.entry.getRoute());
                }
            });
        }
    }

    private void share(Carrier carrier, ReactorConnection connection) {
        lock.lock();
        try {
            if (carrier.connection == connection && carrier.shares > 0 && !carrier.isShared) {
                carrier.isShared = true;
                Group group = groups.computeIfAbsent(carrier.entry.getRoute(), Group::new);
                group.carriers.add(new CarrierReference(carrier, group, lost));
            }
        } finally {
            lock.unlock();
        }
    }

    /** Others get no share of it any more. Under the lock. */
    private void unshare(Carrier carrier) {
        if (!carrier.isShared) {
            return;
        }
        carrier.isShared = false;
        Group group = groups.get(carrier.entry.getRoute());
        for (Iterator<CarrierReference> all = group.carriers.iterator(); all.hasNext(); ) {
            if (all.next().get() == carrier) {
                all.remove();
            }
        }
        tidy(group);
    }

    private Share shareOf(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry) {
        WeakReference<Share> share = shares.get(entry);
        return share == null ? null : share.get();
    }

    /** Whether an entry has a place, so that a connection may be opened for it. */
    boolean hasPlace(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry) {
        lock.lock();
        try {
            Share share = shareOf(entry);
            return share == null || share.isReleased || share.carrier != null;
        } finally {
            lock.unlock();
        }
    }

    /** Asks for a place for an entry that has lost its own, as it had a share of a connection that was closed while others had it. */
    Future<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> requestPlace(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry,
            Timeout timeout, FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> callback) {
        Share share;
        lock.lock();
        try {
            share = shareOf(entry);
        } finally {
            lock.unlock();
        }
        return request(entry.getRoute(), null, timeout, entry, share, callback);
    }

    /** A connection was opened for an entry: what that is to have of it. */
    SharedConnection opened(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry, ReactorConnection connection) {
        Carrier carrier;
        Share share;
        lock.lock();
        try {
            share = shareOf(entry);
            carrier = share == null ? null : share.carrier;
            if (carrier == null || carrier.connection != null) {
                // Its endpoint was released meanwhile, or has two opened at once.
                throw new ConnectionShutdownException();
            }
            carrier.connection = connection;
            carrier.entry.assignConnection(connection);
        } finally {
            lock.unlock();
        }
        pool.opened(connection);
        prove(carrier);
        return lent(share, connection);
    }

    /** The protocol of an entry's connection may be another by now. */
    void upgraded(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry) {
        Carrier carrier;
        lock.lock();
        try {
            Share share = shareOf(entry);
            carrier = share == null ? null : share.carrier;
        } finally {
            lock.unlock();
        }
        if (carrier != null) {
            prove(carrier);
        }
    }

    private SharedConnection lent(Share share, ReactorConnection connection) {
        return new SharedConnection(connection, (closed, mode) -> close(share, closed, mode));
    }

    /** An endpoint closes its connection. */
    private void close(Share share, SharedConnection closed, CloseMode mode) {
        Carrier alone = null;
        lock.lock();
        try {
            Carrier carrier = share.carrier;
            if (carrier == null || carrier.connection != closed.connection()) {
                return;
            }
            unshare(carrier);
            if (carrier.shares == 1) {
                // The place stays, for another.
                carrier.connection = null;
                carrier.isUnfit = false;
                carrier.state = null;
                carrier.expiry = null;
                alone = carrier;
            } else {
                carrier.isUnfit = true;
                carrier.shares--;
                share.carrier = null;
            }
        } finally {
            lock.unlock();
        }
        if (alone != null) {
            alone.entry.discardConnection(mode);
        } else {
            closed.cancelExchange();
        }
    }

    @Override
    public void release(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry, boolean reusable) {
        if (entry == null) {
            return;
        }
        Carrier ended = null;
        lock.lock();
        try {
            Share share = shareOf(entry);
            if (share == null || share.isReleased) {
                if (pool.isShutdown()) {
                    return;
                }
                throw new IllegalStateException("Pool entry is not present in the set of leased entries");
            }
            share.isReleased = true;
            Carrier carrier = share.carrier;
            share.carrier = null;
            if (carrier != null) {
                note(carrier, entry, reusable);
                if (--carrier.shares == 0) {
                    unshare(carrier);
                    ended = carrier;
                }
            }
        } finally {
            lock.unlock();
        }
        if (ended != null) {
            end(ended);
        } else {
            serve(entry.getRoute());
        }
    }

    /**
     * As {@link #release}, not to be used again, of an entry that nobody else can release any more; does nothing if it was released, or is
     * null.
     */
    void giveBack(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry) {
        boolean isLeased;
        lock.lock();
        try {
            Share share = shareOf(entry);
            isLeased = share != null && !share.isReleased;
        } finally {
            lock.unlock();
        }
        if (isLeased) {
            release(entry, false);
        }
    }

    /** What was written on an entry, and what is to become of its connection. Under the lock. */
    private void note(Carrier carrier, PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry, boolean reusable) {
        if (!reusable) {
            carrier.isUnfit = true;
            return;
        }
        carrier.expiry = entry.getExpiryDeadline();
        if (entry.getState() != null) {
            carrier.state = entry.getState();
            // It is bound to somebody from now on.
            unshare(carrier);
        }
    }

    /** The last share of a carrier has ended. */
    private void end(Carrier carrier) {
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry = carrier.entry;
        ReactorConnection connection = carrier.connection;
        boolean isReusable = false;
        try {
            if (connection != null && !carrier.isUnfit && connection.isOpen()) {
                entry.updateState(carrier.state);
                entry.updateExpiry(TimeValue.ofMilliseconds(Math.max(1, carrier.expiry.getValue() - System.currentTimeMillis())));
                connection.passivate();
                isReusable = true;
            }
        } finally {
            pool.release(entry, isReusable);
        }
    }

    @Override
    public void setMaxTotal(int max) {
        super.setMaxTotal(max);
        serveHeldUp();
    }
}
