package io.leasehold.testsupport;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A recording by the JDK's flight recorder, of this JVM or another, read with the JDK's own parser. By reflection, as these tests are
 * compiled for Java 8, whose API has none of it.
 */
public final class FlightRecording implements AutoCloseable {
    private static final String OURS = "io.leasehold.";

    /** One of the library's events. */
    public static final class Recorded {
        private final String name;
        private final Map<String, Object> fields;

        private Recorded(String name, Map<String, Object> fields) {
            this.name = name;
            this.fields = fields;
        }

        /** Its name, without the library's. */
        public String name() {
            return name;
        }

        /** What a field has; for times a {@link Duration}, or an instant. */
        public Object get(String field) {
            if (!fields.containsKey(field)) {
                throw new IllegalArgumentException(name + " has no " + field + ", but " + fields);
            }
            return fields.get(field);
        }

        @Override
        public String toString() {
            return name + fields;
        }
    }

    private final Object recording;

    private FlightRecording() throws Exception {
        recording = Class.forName("jdk.jfr.Recording").getConstructor().newInstance();
        call(recording, "start");
    }

    /** Begins one. Without settings of its own, all of an application's events are in it. */
    public static FlightRecording begin() throws Exception {
        return new FlightRecording();
    }

    /** Whether this JVM has the recorder. */
    public static boolean isPossible() {
        try {
            return (Boolean) Class.forName("jdk.jfr.FlightRecorder").getMethod("isAvailable").invoke(null);
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    /** The library's events so far that are about a pool of this name, in the order of their times. The recording goes on. */
    public List<Recorded> of(String pool) throws Exception {
        Path file = Files.createTempFile("leasehold", ".jfr");
        try {
            recording.getClass().getMethod("dump", Path.class).invoke(recording, file);
            List<Recorded> events = read(file);
            events.removeIf(event -> !event.get("pool").equals(pool));
            return events;
        } finally {
            Files.delete(file);
        }
    }

    /** The library's events in a recording that some JVM has written to this file, in the order of their times. */
    public static List<Recorded> read(Path file) throws Exception {
        Method read = Class.forName("jdk.jfr.consumer.RecordingFile").getMethod("readAllEvents", Path.class);
        List<Object[]> found = new ArrayList<>();
        for (Object event : (List<?>) read.invoke(null, file)) {
            Recorded recorded = recorded(event);
            if (recorded != null) {
                found.add(new Object[] {call(event, "getEndTime"), recorded});
            }
        }
        found.sort((one, other) -> ((java.time.Instant) one[0]).compareTo((java.time.Instant) other[0]));
        List<Recorded> all = new ArrayList<>();
        found.forEach(each -> all.add((Recorded) each[1]));
        return all;
    }

    private static Recorded recorded(Object event) throws Exception {
        Object type = call(event, "getEventType");
        String name = (String) call(type, "getName");
        if (!name.startsWith(OURS)) {
            return null;
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (Object field : (List<?>) call(event, "getFields")) {
            String named = (String) call(field, "getName");
            fields.put(named, event.getClass().getMethod("getValue", String.class).invoke(event, named));
        }
        fields.put("duration", call(event, "getDuration"));
        if (fields.containsKey("age")) {
            fields.put("age", event.getClass().getMethod("getDuration", String.class).invoke(event, "age"));
        }
        return new Recorded(name.substring(OURS.length()), fields);
    }

    private static Object call(Object object, String method) throws Exception {
        return object.getClass().getMethod(method).invoke(object);
    }

    @Override
    public void close() throws Exception {
        call(recording, "close");
    }
}
