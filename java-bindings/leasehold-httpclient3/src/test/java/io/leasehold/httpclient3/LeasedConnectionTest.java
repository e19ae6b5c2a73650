package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.httpclient.HttpConnection;
import org.junit.jupiter.api.Test;

/** A leased connection has nothing of its own: what it inherits and does not pass on would answer from a connection that does not exist. */
class LeasedConnectionTest {
    @Test
    void everyPublicMethodIsPassedOn() {
        Set<String> inherited = new TreeSet<>();
        for (Method method : HttpConnection.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())) {
                try {
                    LeasedConnection.class.getDeclaredMethod(method.getName(), method.getParameterTypes());
                } catch (NoSuchMethodException e) {
                    inherited.add(method.toString());
                }
            }
        }
        assertEquals(new TreeSet<String>(), inherited);
    }
}
