package io.leasehold.tests.httpclient4;

import io.leasehold.testsupport.LogCapture;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.LogRecord;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What HttpClient logs at debug level of the lives of connections, each line as {@code Logger: text}. What differs from run to run is
 * replaced: connections are numbered from 0 as they appear, the server is {@code SERVER}, the date of an expiry {@code DATE}.
 */
final class PoolLog implements AutoCloseable {
    /** Lines about the course of a request, about opening and about socket options; they are others' business. */
    private static final Pattern LEFT_OUT = Pattern.compile(
            "Executing request .*|(Target|Proxy) auth state: .*|Opening connection .*|Connecting to .*|Connection established .*"
                    + "|Connection can be kept alive .*|http-outgoing-\\d+: set socket timeout to \\d+");
    private static final Pattern NUMBER = Pattern.compile("(id: ?|http-outgoing-)(\\d+)");
    private static final String MANAGER = "PoolingHttpClientConnectionManager: ";

    private final LogCapture capture = LogCapture.of("org.apache.http.impl");
    // Entries of the pool and connections of the client are numbered each on their own.
    private final List<String> entries = new ArrayList<>();
    private final List<String> connections = new ArrayList<>();

    /** The lines since the last call. */
    List<String> take() {
        List<String> lines = new ArrayList<>();
        for (LogRecord record : capture.records()) {
            if (!LEFT_OUT.matcher(record.getMessage()).matches()) {
                String logger = record.getLoggerName().substring(record.getLoggerName().lastIndexOf('.') + 1);
                lines.add(logger + ": " + numbered(record.getMessage())
                        .replaceAll("127\\.0\\.0\\.1:\\d+", "SERVER").replaceAll("expired @ .*", "expired @ DATE"));
            }
        }
        capture.clear();
        return lines;
    }

    private String numbered(String line) {
        Matcher matcher = NUMBER.matcher(line);
        StringBuffer result = new StringBuffer();
        while (matcher.find()) {
            List<String> seen = matcher.group(1).startsWith("id") ? entries : connections;
            if (!seen.contains(matcher.group(2))) {
                seen.add(matcher.group(2));
            }
            matcher.appendReplacement(result, "$1" + seen.indexOf(matcher.group(2)));
        }
        return matcher.appendTail(result).toString();
    }

    @Override
    public void close() {
        capture.close();
    }

    /** A request for a connection, all connections there are being to its route. */
    static String request(int idle, int allocated) {
        return MANAGER + "Connection request: [route: {}->http://SERVER]" + numbers(idle, allocated);
    }

    static String leased(int connection) {
        return MANAGER + "Connection leased: [id: " + connection + "][route: {}->http://SERVER]" + numbers(0, 1);
    }

    /** How long the connection can be kept alive: "for 5.0 seconds", or "indefinitely". */
    static String kept(int connection, String howLong) {
        return MANAGER + "Connection [id: " + connection + "][route: {}->http://SERVER] can be kept alive " + howLong;
    }

    /** A connection that is idle now. */
    static String released(int connection) {
        return MANAGER + "Connection released: [id: " + connection + "][route: {}->http://SERVER]" + numbers(1, 1);
    }

    /** A connection that is gone now. */
    static String givenUp(int connection) {
        return MANAGER + "Connection released: [id: " + connection + "][route: {}->http://SERVER]" + numbers(0, 0);
    }

    static String expired(int connection) {
        return "CPool: Connection [id:" + connection + "][route:{}->http://SERVER][state:null] expired @ DATE";
    }

    static String closed(int connection) {
        return "DefaultManagedHttpClientConnection: http-outgoing-" + connection + ": Close connection";
    }

    static String discarded() {
        return "MainClientExec: Connection discarded";
    }

    private static String numbers(int idle, int allocated) {
        return "[total available: " + idle + "; route allocated: " + allocated + " of 32; total allocated: " + allocated + " of 200]";
    }
}
