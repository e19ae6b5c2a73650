package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.util.Set;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

/** The bean of a pool that is registered twice at once, or while the pool ends. */
class AttendancesTest {
    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    private final Attendances attendances = new Attendances();
    private boolean isAsked;

    /** A pool during whose registration something else happens, when it is asked for its name. */
    private Operated<?> pool(String name, Runnable meanwhile) {
        return (Operated<?>) Proxy.newProxyInstance(AttendancesTest.class.getClassLoader(), new Class<?>[] {Operated.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("hashCode")) {
                        return System.identityHashCode(proxy);
                    }
                    if (!isAsked) {
                        isAsked = true;
                        meanwhile.run();
                    }
                    return name;
                });
    }

    private static Set<ObjectName> beans(String name) throws Exception {
        return SERVER.queryNames(new ObjectName("io.leasehold:name=\"" + name + "*\",*"), null);
    }

    @Test
    void aPoolThatEndsWhileItsBeanIsRegisteredHasNone() throws Exception {
        assertNull(attendances.register(pool("ends meanwhile", attendances::end)));
        assertTrue(beans("ends meanwhile").isEmpty());
        assertFalse(attendances.unregister());
    }

    @Test
    void ofTwoThatRegisterABeanAtOnceOneHasDoneIt() throws Exception {
        Operated<?>[] pool = new Operated<?>[1];
        String[] first = new String[1];
        pool[0] = pool("registered twice", () -> first[0] = attendances.register(pool[0]));
        assertEquals("io.leasehold:type=ConnectionPool,name=\"registered twice\"", attendances.register(pool[0]));
        assertEquals("io.leasehold:type=ConnectionPool,name=\"registered twice\"", first[0]);
        assertEquals(1, beans("registered twice").size());
        attendances.end();
        assertTrue(beans("registered twice").isEmpty());
    }

    @Test
    void whatCannotBeRegisteredCostsNobodyHisPool() {
        IllegalStateException refusal = new IllegalStateException("of the test's own making");
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            attendances.registerIfPossible(pool("refused", () -> {
                throw refusal;
            }));
            assertTrue(log.thrown().contains(refusal));
        }
    }
}
