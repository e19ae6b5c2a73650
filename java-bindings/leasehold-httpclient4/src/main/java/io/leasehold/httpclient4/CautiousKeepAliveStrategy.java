package io.leasehold.httpclient4;

import java.util.concurrent.TimeUnit;
import org.apache.http.HeaderElement;
import org.apache.http.HeaderElementIterator;
import org.apache.http.HttpResponse;
import org.apache.http.conn.ConnectionKeepAliveStrategy;
import org.apache.http.message.BasicHeaderElementIterator;
import org.apache.http.protocol.HTTP;
import org.apache.http.protocol.HttpContext;

/**
 * Keeps idle connections for a little less than the server says, and not for ever where it says nothing.
 *
 * <p>A server that closes an idle connection does not know of a request that is on its way, and no check at the lease can: that request is
 * lost. This strategy has the client give up the connection first. HttpClient's own takes the server's whole time, and keeps a connection
 * without end if the response names none. For use with any connection manager:
 *
 * <pre>{@code HttpClients.custom()
 *         .setConnectionManager(manager)
 *         .setKeepAliveStrategy(new CautiousKeepAliveStrategy(1, 15, TimeUnit.SECONDS))
 *         .build();}</pre>
 *
 * <p>What counts is the {@code timeout} of {@code Keep-Alive} headers, in seconds. Of several the smallest counts, whoever has written them
 * on the way; HttpClient's own strategy takes the first. One that is negative or no number says nothing, as there, and one too large for a
 * number of milliseconds is the largest. The margin is taken from it. Where nothing is left, and for {@code timeout=0}, the answer is one
 * millisecond, the shortest time that connection managers understand: they take zero for no end. So a margin as long as a server's timeout
 * all but ends the reuse of its connections. Another strategy may be given, to read from a response what its server says.
 *
 * <p>Immutable, and safe for use by several threads if the other strategy is. Takes constant time besides it.
 */
public final class CautiousKeepAliveStrategy implements ConnectionKeepAliveStrategy {
    private static final long SHORTEST = 1;
    private static final long SILENT = -1;

    private final ConnectionKeepAliveStrategy servers;
    private final long margin;
    private final long ifSilent;

    /**
     * Creates a strategy that reads the {@code Keep-Alive} headers.
     *
     * @param margin how much sooner than the server to give up a connection; at least as long as a request may take to reach the server.
     *     Zero is the server's whole time; what is smaller than a millisecond is dropped
     * @param ifSilent for how long to keep a connection if the server names no time; at least a millisecond
     * @param unit the unit of both
     * @throws IllegalArgumentException if {@code margin} is negative, {@code ifSilent} less than a millisecond, or {@code unit} null
     */
    public CautiousKeepAliveStrategy(long margin, long ifSilent, TimeUnit unit) {
        this(CautiousKeepAliveStrategy::smallestTimeout, margin, ifSilent, unit);
    }

    /**
     * Creates a strategy on top of another.
     *
     * @param servers reads from a response how long the server keeps its connection, in milliseconds; negative is that it does not say
     * @param margin how much sooner than the server to give up a connection; at least as long as a request may take to reach the server.
     *     Zero is the server's whole time; what is smaller than a millisecond is dropped
     * @param ifSilent for how long to keep a connection if the server names no time; at least a millisecond
     * @param unit the unit of both
     * @throws IllegalArgumentException if {@code servers} or {@code unit} is null, {@code margin} is negative or {@code ifSilent} less than
     *     a millisecond
     */
    public CautiousKeepAliveStrategy(ConnectionKeepAliveStrategy servers, long margin, long ifSilent, TimeUnit unit) {
        if (servers == null) {
            throw new IllegalArgumentException("servers must not be null: leave it out for what the Keep-Alive headers say");
        }
        if (unit == null) {
            throw new IllegalArgumentException("unit must not be null: it is the unit of margin and ifSilent");
        }
        if (margin < 0) {
            throw new IllegalArgumentException("margin must not be negative, zero is none: " + margin + " " + unit);
        }
        if (unit.toMillis(ifSilent) < SHORTEST) {
            throw new IllegalArgumentException(
                    "ifSilent must be at least a millisecond: " + ifSilent + " " + unit + " (to keep connections for ever, use no such strategy)");
        }
        this.servers = servers;
        this.margin = unit.toMillis(margin);
        this.ifSilent = unit.toMillis(ifSilent);
    }

    /** Milliseconds; negative if the response names no time. */
    private static long smallestTimeout(HttpResponse response, HttpContext context) {
        long smallest = SILENT;
        HeaderElementIterator elements = new BasicHeaderElementIterator(response.headerIterator(HTTP.CONN_KEEP_ALIVE));
        while (elements.hasNext()) {
            HeaderElement element = elements.nextElement();
            if ("timeout".equalsIgnoreCase(element.getName())) {
                long said = millis(element.getValue());
                if (said >= 0 && (smallest == SILENT || said < smallest)) {
                    smallest = said;
                }
            }
        }
        return smallest;
    }

    private static long millis(String seconds) {
        if (seconds == null) {
            return SILENT;
        }
        try {
            return TimeUnit.SECONDS.toMillis(Math.max(Long.parseLong(seconds), SILENT));
        } catch (NumberFormatException e) {
            // A number of any length is one.
            return seconds.matches("\\d+") ? Long.MAX_VALUE : SILENT;
        }
    }

    /**
     * How long the connection that brought a response may be kept.
     *
     * @param response the response
     * @param context of the request; what it may be is up to the other strategy
     * @return milliseconds, at least one
     * @throws IllegalArgumentException if {@code response} is null
     */
    @Override
    public long getKeepAliveDuration(HttpResponse response, HttpContext context) {
        if (response == null) {
            throw new IllegalArgumentException("response must not be null: give the one whose connection is to be kept");
        }
        long said = servers.getKeepAliveDuration(response, context);
        return said < 0 ? ifSilent : Math.max(said - margin, SHORTEST);
    }
}
