package io.leasehold.httpclient5;

import java.lang.reflect.Field;
import org.apache.hc.core5.http2.config.H2Config;
import org.apache.hc.core5.reactor.IOEventHandler;

/**
 * How many streams the peer of an HTTP/2 connection allows at a time. HttpCore keeps that to itself: it lets what is too much wait in the
 * session. So it is read where it is kept, and is taken to be what RFC 9113 recommends as the least where it is not found.
 */
final class Http2Limit {
    private static final int UNKNOWN = 100;
    private static final String PACKAGE = "org.apache.hc.core5.http2.impl.nio.";
    // Null where the version has them otherwise.
    private static final Field MULTIPLEXER = field("AbstractH2IOEventHandler", "streamMultiplexer");
    private static final Field CONFIG = field("AbstractH2StreamMultiplexer", "remoteConfig");

    private Http2Limit() {}

    private static Field field(String type, String name) {
        try {
            Field field = Class.forName(PACKAGE + type, false, H2Config.class.getClassLoader()).getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }

    /** By the handler of its session, once the peer's settings have come. */
    static int of(IOEventHandler handler) {
        try {
            Object config = CONFIG.get(MULTIPLEXER.get(handler));
            return config instanceof H2Config ? ((H2Config) config).getMaxConcurrentStreams() : UNKNOWN;
        } catch (IllegalAccessException | RuntimeException e) {
            // It has another handler, or another way to keep it.
            return UNKNOWN;
        }
    }
}
