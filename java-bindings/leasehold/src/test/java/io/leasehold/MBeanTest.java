package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.OwnLoader;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.management.Attribute;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMX;
import javax.management.MBeanRegistrationException;
import javax.management.MBeanServer;
import javax.management.ObjectInstance;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A pool is shown and operated by JMX where that is asked for, until it has ended. */
class MBeanTest {
    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    private final Disposals disposals = new Disposals();

    private ConnectionPool.Builder<String, Connection> builder() {
        return ConnectionPool.builder(disposals);
    }

    private static Lease<Connection> open(ConnectionPool<String, Connection> pool, String route, String connection) {
        Lease<Connection> lease = pool.tryLease(route);
        lease.opened(new Connection(connection));
        return lease;
    }

    private static Set<ObjectName> beans() throws Exception {
        return SERVER.queryNames(new ObjectName("io.leasehold:*"), null);
    }

    private static boolean isShown(String pool) throws Exception {
        return beans().stream().anyMatch(bean -> ObjectName.quote(pool).equals(bean.getKeyProperty("name")));
    }

    @Test
    void aSystemPropertyHasEachPoolShownAndItsBeanFollowsItsName() throws Exception {
        System.setProperty("io.leasehold.jmx", "true");
        try {
            ConnectionPool<String, Connection> pool = builder().name("shown").build();
            assertTrue(isShown("shown"));
            pool.setName("renamed");
            assertTrue(isShown("renamed"));
            assertFalse(isShown("shown"));
            pool.close();
            assertFalse(isShown("renamed"));
        } finally {
            System.clearProperty("io.leasehold.jmx");
        }
        ConnectionPool<String, Connection> other = builder().name("not shown").build();
        assertFalse(isShown("not shown"));
        other.setName("not shown either");
        assertFalse(isShown("not shown either"));
        other.close();
    }

    @Test
    void allNumbersAreThereForThePoolAndByRoute() throws Exception {
        ConnectionPool<String, Connection> pool = builder().name("orders \"new\"").maxTotal(5).maxPerRoute(3).build();
        ObjectName name = new ObjectName(pool.registerMBean());
        assertEquals(ObjectName.quote("orders \"new\""), name.getKeyProperty("name"));
        assertEquals(name.toString(), pool.registerMBean());
        Lease<Connection> held = open(pool, "a", "a");
        open(pool, "b", "b").release();
        pool.tryLease("b").release();
        assertEquals("orders \"new\"", SERVER.getAttribute(name, "Name"));
        assertEquals(false, SERVER.getAttribute(name, "ShutDown"));
        CompositeData total = (CompositeData) SERVER.getAttribute(name, "Total");
        assertEquals(Arrays.asList(1, 1, 0, 5), Arrays.asList(total.getAll(new String[] {"leased", "idle", "pending", "max"})));
        assertEquals(Arrays.asList(3L, 1L, 2L, 2L, 2L, 0L),
                Arrays.asList(total.getAll(new String[] {"leases", "hits", "openings", "opened", "kept", "leaked"})));
        TabularData routes = (TabularData) SERVER.getAttribute(name, "Routes");
        assertEquals(2, routes.size());
        CompositeData ofB = (CompositeData) routes.get(new Object[] {"b"}).get("value");
        assertEquals(Arrays.asList(0, 1, 3, 1L), Arrays.asList(ofB.getAll(new String[] {"leased", "idle", "max", "hits"})));
        assertEquals(4 + Metrics.COUNT + 1, total.getCompositeType().keySet().size(), total.getCompositeType().keySet().toString());
        String[] leases = (String[]) SERVER.getAttribute(name, "HeldLeases");
        assertEquals(1, leases.length);
        assertTrue(leases[0].startsWith("[route: a; held for "), leases[0]);
        SERVER.invoke(name, "measureHeld", new Object[] {true}, new String[] {"boolean"});
        held.release();
        for (String timer : new String[] {"Waiting", "Opening", "Held"}) {
            CompositeData times = (CompositeData) SERVER.getAttribute(name, timer);
            long count = timer.equals("Waiting") ? 0 : timer.equals("Opening") ? 2 : 1;
            assertEquals(count, times.get("count"), timer);
            assertTrue((long) times.get("max") >= (long) times.get("median"), timer);
            assertTrue((long) times.get("quantile99") >= (long) times.get("quantile95"), timer);
            assertTrue((long) times.get("sum") >= (long) times.get("max"), timer);
        }
        pool.close();
    }

    @Test
    void thePoolIsOperatedByItsBean() throws Exception {
        ConnectionPool<String, Connection> pool = builder().name("operated").build();
        ObjectName name = new ObjectName(pool.registerMBean());
        ConnectionPoolMXBean bean = JMX.newMXBeanProxy(SERVER, name, ConnectionPoolMXBean.class);
        bean.setMaxTotal(7);
        assertEquals(7, pool.getMaxTotal());
        assertEquals(7, bean.getMaxTotal());
        bean.setDefaultMaxPerRoute(6);
        assertEquals(6, pool.getDefaultMaxPerRoute());
        assertEquals(6, bean.getDefaultMaxPerRoute());
        open(pool, "a", "a").release();
        assertEquals(1, bean.setMaxPerRoute("a", 5));
        assertEquals(5, pool.getMaxPerRoute("a"));
        assertEquals(1, bean.setMaxPerRoute("a", -1));
        assertEquals(6, pool.getMaxPerRoute("a"));
        assertEquals(1, bean.setMaxPerRoute("a", 0));
        assertEquals(0, pool.getMaxPerRoute("a"));
        assertEquals(1, bean.setMaxPerRoute("a", -1));
        open(pool, "a", "a").release();
        assertEquals(0, bean.setMaxPerRoute("nowhere", 1));
        bean.closeIdle(TimeUnit.HOURS.toMillis(1));
        bean.closeExpired();
        assertEquals(1, bean.getTotal().getIdle());
        assertEquals(0, bean.clear("nowhere"));
        assertEquals(1, bean.clear("a"));
        assertEquals(1, bean.getRoutes().get("a").getClosedCleared());
        open(pool, "a", "a").release();
        bean.closeIdle(0);
        assertEquals(0, bean.getTotal().getIdle());
        assertFalse(bean.isLeaseStacks());
        SERVER.setAttribute(name, new Attribute("LeaseStacks", true));
        SERVER.setAttribute(name, new Attribute("LeakDetectionMillis", 60_000L));
        assertTrue(bean.isLeaseStacks());
        assertEquals(60_000, bean.getLeakDetectionMillis());
        Lease<Connection> held = open(pool, "a", "a");
        assertTrue(bean.getHeldLeases()[0].contains("\tat " + MBeanTest.class.getName() + ".open"), bean.getHeldLeases()[0]);
        open(pool, "a", "idle").release();
        bean.softEvict();
        assertEquals(0, bean.getTotal().getIdle());
        assertEquals(1, bean.getTotal().getLeased());
        held.release();
        assertEquals(0, bean.getTotal().getIdle());
        assertEquals(false, SERVER.getAttribute(name, "Suspended"));
        SERVER.invoke(name, "suspend", null, null);
        assertTrue(pool.isSuspended());
        assertEquals(true, SERVER.getAttribute(name, "Suspended"));
        assertNull(pool.tryLease("a"));
        SERVER.invoke(name, "resume", null, null);
        assertFalse(bean.isSuspended());
        open(pool, "a", "resumed").release();
        pool.close();
    }

    @Test
    void theBeanNamesTheLongestLeaseFirstAndClosesWhatHasExpired() throws Exception {
        ManualClock clock = new ManualClock();
        ConnectionPool<String, Connection> pool = builder().name("in order").manualClock(clock).build();
        ConnectionPoolMXBean bean = JMX.newMXBeanProxy(SERVER, new ObjectName(pool.registerMBean()), ConnectionPoolMXBean.class);
        Lease<Connection> first = open(pool, "first", "first");
        Lease<Connection> older = open(pool, "older", "older");
        clock.advance(1, TimeUnit.SECONDS);
        // In whatever order the engine names them.
        Lease<Connection> newer = open(pool, "newer", "newer");
        first.discard();
        Lease<Connection> newest = open(pool, "newest", "newest");
        clock.advance(1, TimeUnit.SECONDS);
        String[] held = bean.getHeldLeases();
        assertEquals(3, held.length);
        assertTrue(held[0].startsWith("[route: older; held for 2000 ms"), held[0]);
        newer.updateExpiry(5, TimeUnit.SECONDS);
        newer.release();
        clock.advance(6, TimeUnit.SECONDS);
        assertEquals(1, bean.getTotal().getIdle());
        bean.closeExpired();
        assertEquals(0, bean.getTotal().getIdle());
        newest.discard();
        older.discard();
        pool.close();
    }

    @Test
    void routesThatSayTheSameOfThemselvesAreNumbered() throws Exception {
        ConnectionPool<Object, Connection> pool = ConnectionPool.<Object, Connection>builder(disposals).name("namesakes").build();
        ConnectionPoolMXBean bean = JMX.newMXBeanProxy(SERVER, new ObjectName(pool.registerMBean()), ConnectionPoolMXBean.class);
        for (int i = 0; i < 3; i++) {
            pool.tryLease(new Object() {
                @Override
                public String toString() {
                    return "same";
                }
            }).opened(new Connection("held"));
        }
        assertEquals(new HashSet<>(Arrays.asList("same", "same-2", "same-3")), bean.getRoutes().keySet());
        pool.shutdown(ShutdownMode.IMMEDIATE);
    }

    @Test
    void aBeanThatOutlivesItsPoolOrCannotBeTakenOutSaysSo() throws Exception {
        RuntimeException refusal = new IllegalStateException("of the test's own making");
        Object[] bean = new Object[1];
        MBeanServer keeps = server((method, arguments) -> {
            if (method.getName().equals("unregisterMBean")) {
                throw refusal;
            }
            bean[0] = arguments[0];
            return new ObjectInstance((ObjectName) arguments[1], bean[0].getClass().getName());
        });
        PoolBean.Registered registered = PoolBean.register(builder().build(), keeps);
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            registered.end();
            assertTrue(log.thrown().contains(refusal));
        }
        Eventually.awaitAfterCollection("its pool is gone", () -> {
            try {
                return ((PoolBean) bean[0]).getName() == null;
            } catch (IllegalStateException e) {
                return e.getMessage().equals("the pool was garbage collected");
            }
        });
    }

    @Test
    void softEvictionClosesWhatIsIdleAtOnceAndWhatIsLeasedAtItsRelease() {
        ConnectionPool<String, Connection> pool = builder().build();
        pool.softEvict();
        Lease<Connection> leased = open(pool, "a", "leased");
        Lease<Connection> opening = pool.tryLease("b");
        open(pool, "a", "idle a").release();
        open(pool, "b", "idle b").release();
        pool.softEvict();
        assertEquals(2, disposals.count());
        leased.updateExpiry(1, TimeUnit.HOURS);
        leased.release();
        opening.opened(new Connection("opened since"));
        opening.release();
        assertEquals(4, disposals.count());
        assertEquals(4, pool.counters().cleared());
        open(pool, "a", "new").release();
        assertEquals("new", pool.tryLease("a").connection().toString());
    }

    @Test
    void ofTwoPoolsOfOneNameTheSecondHasANumber() throws Exception {
        ConnectionPool<String, Connection> one = builder().name("twins").build();
        ConnectionPool<String, Connection> other = builder().name("twins").build();
        assertEquals("io.leasehold:type=ConnectionPool,name=\"twins\"", one.registerMBean());
        assertEquals("io.leasehold:type=ConnectionPool,name=\"twins-2\"", other.registerMBean());
        other.setName("grown up");
        assertTrue(beans().contains(new ObjectName("io.leasehold:type=ConnectionPool,name=\"grown up\"")));
        assertFalse(beans().contains(new ObjectName("io.leasehold:type=ConnectionPool,name=\"twins-2\"")));
        one.close();
        other.close();
    }

    /** What a route that fails to say what it is, or says nothing, is called. */
    @Test
    void aRouteThatCannotSayWhatItIsHidesNoOther() throws Exception {
        Object nameless = new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("nameless");
            }
        };
        Object silent = new Object() {
            @Override
            public String toString() {
                return null;
            }
        };
        ConnectionPool<Object, Connection> pool = ConnectionPool.<Object, Connection>builder(disposals).name("nameless").build();
        ObjectName name = new ObjectName(pool.registerMBean());
        ConnectionPoolMXBean bean = JMX.newMXBeanProxy(SERVER, name, ConnectionPoolMXBean.class);
        for (Object route : new Object[] {nameless, silent, "a"}) {
            Lease<Connection> lease = pool.tryLease(route);
            lease.opened(new Connection("idle"));
            lease.release();
            pool.tryLease(route);
        }
        assertEquals(3, bean.getHeldLeases().length);
        assertEquals(new HashSet<>(Arrays.asList("a", "null", nameless.getClass().getName())), bean.getRoutes().keySet());
        assertEquals(1, bean.setMaxPerRoute("a", 5));
        assertEquals(1, bean.clear("null"));
        assertEquals(1, bean.clear(nameless.getClass().getName()));
        pool.shutdown(ShutdownMode.IMMEDIATE);
    }

    /** A server as some application servers have it, which puts more into the name of a bean. */
    @Test
    void aBeanThatItsServerCallsOtherwiseIsFoundThereAndTakenOut() throws Exception {
        ConnectionPool<String, Connection> pool = builder().name("renamed").build();
        MBeanServer renames = server((method, arguments) -> {
            if (method.getName().equals("registerMBean")) {
                arguments[1] = new ObjectName(arguments[1] + ",cell=here");
            }
            return method.invoke(SERVER, arguments);
        });
        PoolBean.Registered made = PoolBean.register(pool, renames);
        assertEquals("io.leasehold:type=ConnectionPool,name=\"renamed\",cell=here", made.name());
        made.end();
        assertFalse(SERVER.isRegistered(new ObjectName(made.name())));
        pool.close();
    }

    @Test
    void whateverAServerRefusesWithIsSaidInTheSameWay() {
        ConnectionPool<String, Connection> pool = builder().name("refused").build();
        for (Exception refusal : new Exception[] {new SecurityException("no"), new MBeanRegistrationException(null, "no")}) {
            MBeanServer refuses = server((method, arguments) -> {
                throw refusal;
            });
            IllegalStateException said = assertThrows(IllegalStateException.class, () -> PoolBean.register(pool, refuses));
            assertSame(refusal, said.getCause());
        }
        pool.close();
    }

    private interface Answer {
        Object to(Method method, Object[] arguments) throws Throwable;
    }

    private static MBeanServer server(Answer answer) {
        return (MBeanServer) Proxy.newProxyInstance(MBeanTest.class.getClassLoader(), new Class<?>[] {MBeanServer.class},
                (proxy, method, arguments) -> answer.to(method, arguments));
    }

    @Test
    void aPoolThatWasShutDownIsNotThereAndDoesNotComeBack() throws Exception {
        ConnectionPool<String, Connection> pool = builder().name("ended").build();
        ObjectName name = new ObjectName(pool.registerMBean());
        assertTrue(SERVER.isRegistered(name));
        pool.unregisterMBean();
        assertFalse(SERVER.isRegistered(name));
        pool.unregisterMBean();
        pool.registerMBean();
        assertTrue(SERVER.isRegistered(name));
        pool.shutdown(ShutdownMode.GRACEFUL);
        assertFalse(SERVER.isRegistered(name));
        assertNull(pool.registerMBean());
        assertFalse(SERVER.isRegistered(name));
    }

    /** One that has leased, and one that has not. */
    @Test
    void aPoolThatWasCollectedIsNotThere() throws Exception {
        for (boolean isUsed : new boolean[] {true, false}) {
            ConnectionPool<String, Connection> pool = builder().name("collected").build();
            ObjectName name = new ObjectName(pool.registerMBean());
            if (isUsed) {
                open(pool, "a", "a").release();
            }
            assertTrue(SERVER.isRegistered(name));
            pool = null;
            Eventually.awaitAfterCollection("the bean has gone", () -> !SERVER.isRegistered(name));
        }
    }

    @Test
    void whatWasDoneForAPoolIsUndoneOnceWhenItHasEnded() throws Exception {
        List<String> undone = new CopyOnWriteArrayList<>();
        ConnectionPool<String, Connection> pool = builder().build();
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            pool.whenEnded(() -> {
                throw new IllegalStateException("of the test's own making");
            });
            pool.whenEnded(() -> undone.add("shut down"));
            assertEquals(Collections.emptyList(), undone);
            pool.shutdown(ShutdownMode.GRACEFUL);
            pool.shutdown(ShutdownMode.IMMEDIATE);
            assertEquals(1, log.thrown().size());
        }
        assertEquals(Arrays.asList("shut down"), undone);
        pool.whenEnded(() -> undone.add("late"));
        assertEquals(Arrays.asList("shut down", "late"), undone);
        assertThrows(IllegalArgumentException.class, () -> pool.whenEnded(null));
        ConnectionPool<String, Connection> lost = builder().build();
        lost.whenEnded(() -> undone.add("collected"));
        lost = null;
        // So that the housekeeper is there.
        Lease<Connection> held = builder().build().tryLease("a");
        Eventually.awaitAfterCollection("it is undone", () -> undone.size() == 3);
        held.discard();
        assertEquals("collected", undone.get(2));
    }

    /** Runs in the class loader that comes and goes. */
    public static final class Application implements Supplier<String> {
        // As an application would: a pool in a static field, shut down before the application is undeployed.
        private static ConnectionPool<String, String> pool;

        @Override
        public String get() {
            pool = ConnectionPool.<String, String>builder((connection, cause) -> {}).name("undeployed").build();
            String name = pool.registerMBean();
            Lease<String> lease = pool.tryLease("a");
            lease.opened("connection");
            lease.release();
            return name;
        }

        /** As of an application's listener. */
        public void shutDown() {
            pool.shutdown(ShutdownMode.IMMEDIATE);
        }
    }

    private static WeakReference<ClassLoader> deployAndUndeploy() throws Exception {
        OwnLoader loader = OwnLoader.with(ConnectionPool.class, MBeanTest.class);
        Object application = loader.loadClass(Application.class.getName()).getDeclaredConstructor().newInstance();
        ObjectName name = new ObjectName((String) ((Supplier<?>) application).get());
        assertTrue(SERVER.isRegistered(name));
        assertNotNull(SERVER.getAttribute(name, "Total"));
        application.getClass().getMethod("shutDown").invoke(application);
        assertFalse(SERVER.isRegistered(name));
        loader.close();
        return new WeakReference<>(loader);
    }

    @Test
    @Tag("long")
    void anUndeployedApplicationWithARegisteredBeanIsCollectedAfterItsShutdown() throws Exception {
        WeakReference<ClassLoader> loader = deployAndUndeploy();
        Eventually.awaitAfterCollection("the application is unloaded", () -> loader.get() == null);
    }

    @Test
    void aServerToWhichEveryNameIsTakenIsGivenUp() {
        MBeanServer full = server((method, arguments) -> {
            throw new InstanceAlreadyExistsException(String.valueOf(arguments[1]));
        });
        ConnectionPool<String, Connection> pool = builder().name("taken").build();
        IllegalStateException said = assertThrows(IllegalStateException.class, () -> PoolBean.register(pool, full));
        assertTrue(said.getCause() instanceof InstanceAlreadyExistsException, said::toString);
        pool.close();
    }

    /** In a JVM of its own. */
    public static final class WithoutJmx {
        private WithoutJmx() {}

        public static void main(String[] arguments) {
            ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder((connection, cause) -> {}).name("plain").build();
            System.out.println(assertThrows(IllegalStateException.class, pool::registerMBean).getMessage());
            assertTrue(pool.tryLease("a").tryRelease());
            pool.close();
        }
    }

    @Test
    @Tag("long")
    void aJvmWithoutJmxIsToldWhatToDo() throws Exception {
        assumeTrue(!System.getProperty("java.specification.version").startsWith("1."), "Java 8 has no modules to leave out");
        String output = OwnJvm.run(WithoutJmx.class, Collections.emptyList(), "--limit-modules", "java.base,java.logging");
        assertTrue(output.contains("plain cannot be registered as a bean: this JVM is without the module java.management"), output);
    }

    /** Runs in the class loader that comes and goes, and forgets its pool. */
    public static final class Forgetful implements Supplier<String> {
        @Override
        public String get() {
            ConnectionPool<String, String> pool =
                    ConnectionPool.<String, String>builder((connection, cause) -> {}).name("forgotten").build();
            Lease<String> lease = pool.tryLease("a");
            lease.opened("connection");
            lease.release();
            return pool.registerMBean();
        }
    }

    private static WeakReference<ClassLoader> deployForgetUndeploy() throws Exception {
        OwnLoader loader = OwnLoader.with(ConnectionPool.class, MBeanTest.class);
        Object application = loader.loadClass(Forgetful.class.getName()).getDeclaredConstructor().newInstance();
        assertTrue(SERVER.isRegistered(new ObjectName((String) ((Supplier<?>) application).get())));
        // From now on it gives no class.
        loader.close();
        return new WeakReference<>(loader);
    }

    @Test
    @Tag("long")
    void anUndeployedApplicationThatHasForgottenItsPoolIsCollectedThoughItsBeanWasRegistered() throws Exception {
        WeakReference<ClassLoader> loader = deployForgetUndeploy();
        Eventually.awaitAfterCollection("the application is unloaded", () -> loader.get() == null);
        assertFalse(SERVER.isRegistered(new ObjectName("io.leasehold:type=ConnectionPool,name=\"forgotten\"")));
    }
}
