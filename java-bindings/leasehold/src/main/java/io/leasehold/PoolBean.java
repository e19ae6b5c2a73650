package io.leasehold;

import io.leasehold.internal.log.Log;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * The bean of a pool, which the JVM's server of beans holds and which therefore refers to the pool weakly. Nothing here is used, and
 * nothing of JMX loaded, before a bean is wanted.
 */
final class PoolBean implements ConnectionPoolMXBean {
    private static final int MOST = 1000;
    /** How many names are tried. */
    private static final int MOST_NAMES = 10_000;

    private final WeakReference<Operated<Object>> pool;

    @SuppressWarnings("unchecked") // It is given back routes that it has named.
    private PoolBean(Operated<?> pool) {
        this.pool = new WeakReference<>((Operated<Object>) pool);
    }

    /** A bean that is registered. */
    static final class Registered {
        private final MBeanServer server;
        // What the server calls it, which may be more than it was told: some application servers put into it where they run.
        private final ObjectName name;

        private Registered(MBeanServer server, ObjectName name) {
            this.server = server;
            this.name = name;
        }

        /** Its name among beans. */
        String name() {
            return name.toString();
        }

        /** Takes it out. What fails is logged: there is nothing else that could be done. */
        void end() {
            try {
                server.unregisterMBean(name);
            } catch (InstanceNotFoundException e) {
                // Somebody else has.
            } catch (JMException | RuntimeException e) {
                Log.warn("the bean " + name + " could not be unregistered", e);
            }
        }
    }

    /**
     * Registers a bean under the pool's name, with a number behind it if that is taken.
     *
     * @param pool its pool
     * @return what takes it out again
     * @throws IllegalStateException if the server refuses
     */
    static Registered register(Operated<?> pool) {
        try {
            return register(pool, ManagementFactory.getPlatformMBeanServer());
        } catch (SecurityException e) {
            throw refused(pool, e);
        }
    }

    /** As above, in that server. */
    static Registered register(Operated<?> pool, MBeanServer server) {
        String wanted = pool.name();
        InstanceAlreadyExistsException taken = null;
        for (int number = 1; number <= MOST_NAMES; number++) {
            String name = number == 1 ? wanted : wanted + "-" + number;
            try {
                ObjectName bean = new ObjectName("io.leasehold:type=ConnectionPool,name=" + ObjectName.quote(name));
                return new Registered(server, server.registerMBean(new PoolBean(pool), bean).getObjectName());
            } catch (InstanceAlreadyExistsException e) {
                taken = e;
            } catch (JMException | RuntimeException e) {
                throw refused(pool, e);
            }
        }
        throw refused(pool, taken);
    }

    private static IllegalStateException refused(Operated<?> pool, Exception why) {
        return new IllegalStateException(pool.name() + " could not be registered as a bean", why);
    }

    private Operated<Object> pool() {
        Operated<Object> present = pool.get();
        if (present == null) {
            throw new IllegalStateException("the pool was garbage collected");
        }
        return present;
    }

    /** Does something with each route of a name; how many there are. */
    private int forEach(String name, Consumer<Object> action) {
        int count = 0;
        for (Object route : pool().routes()) {
            if (Log.shown(route).equals(name)) {
                action.accept(route);
                count++;
            }
        }
        return count;
    }

    @Override
    public String getName() {
        return pool().name();
    }

    @Override
    public boolean isShutDown() {
        return pool().isShutDown();
    }

    @Override
    public int getMaxTotal() {
        return pool().getMaxTotal();
    }

    @Override
    public void setMaxTotal(int max) {
        pool().setMaxTotal(max);
    }

    @Override
    public int getDefaultMaxPerRoute() {
        return pool().getDefaultMaxPerRoute();
    }

    @Override
    public void setDefaultMaxPerRoute(int max) {
        pool().setDefaultMaxPerRoute(max);
    }

    @Override
    public int setMaxPerRoute(String route, int max) {
        Operated<Object> pool = pool();
        return forEach(route, each -> {
            if (max < 0) {
                pool.removeMaxPerRoute(each);
            } else {
                pool.setMaxPerRoute(each, max);
            }
        });
    }

    @Override
    public ConnectionPoolNumbers getTotal() {
        Operated<Object> pool = pool();
        return new SeenNumbers(pool.stats(), pool.metrics());
    }

    @Override
    public ConnectionPoolTimes getWaiting() {
        return new SeenTimes(pool().metrics().waiting());
    }

    @Override
    public ConnectionPoolTimes getOpening() {
        return new SeenTimes(pool().metrics().opening());
    }

    @Override
    public ConnectionPoolTimes getHeld() {
        return new SeenTimes(pool().metrics().held());
    }

    @Override
    public void measureHeld(boolean measured) {
        pool().measureHeld(measured);
    }

    @Override
    public Map<String, ConnectionPoolNumbers> getRoutes() {
        Operated<Object> pool = pool();
        Map<String, ConnectionPoolNumbers> numbers = new LinkedHashMap<>();
        for (Object route : pool.routes()) {
            if (numbers.size() == MOST) {
                break;
            }
            String name = Log.shown(route);
            String free = name;
            for (int number = 2; numbers.containsKey(free); number++) {
                free = name + "-" + number;
            }
            numbers.put(free, new SeenNumbers(pool.stats(route), pool.metrics(route)));
        }
        return numbers;
    }

    @Override
    public String[] getHeldLeases() {
        List<HeldLease> held = pool().heldLeases();
        held.sort((one, other) -> Long.compare(other.heldMillis(), one.heldMillis()));
        List<String> texts = new ArrayList<>();
        for (HeldLease lease : held.subList(0, Math.min(MOST, held.size()))) {
            StringBuilder text = new StringBuilder(lease.toString());
            if (lease.stack() != null) {
                for (StackTraceElement frame : lease.stack().getStackTrace()) {
                    text.append("\n\tat ").append(frame);
                }
            }
            texts.add(text.toString());
        }
        return texts.toArray(new String[0]);
    }

    @Override
    public boolean isLeaseStacks() {
        return pool().isLeaseStacks();
    }

    @Override
    public void setLeaseStacks(boolean wanted) {
        pool().setLeaseStacks(wanted);
    }

    @Override
    public long getLeakDetectionMillis() {
        return pool().getLeakDetectionMillis();
    }

    @Override
    public void setLeakDetectionMillis(long millis) {
        pool().setLeakDetectionThreshold(millis, TimeUnit.MILLISECONDS);
    }

    @Override
    public void closeIdle(long millis) {
        pool().closeIdle(millis, TimeUnit.MILLISECONDS);
    }

    @Override
    public void closeExpired() {
        pool().closeExpired();
    }

    @Override
    public int clear(String route) {
        return forEach(route, pool()::clear);
    }

    @Override
    public void softEvict() {
        pool().softEvict();
    }

    @Override
    public boolean isSuspended() {
        return pool().isSuspended();
    }

    @Override
    public void suspend() {
        pool().suspend();
    }

    @Override
    public void resume() {
        pool().resume();
    }
}
