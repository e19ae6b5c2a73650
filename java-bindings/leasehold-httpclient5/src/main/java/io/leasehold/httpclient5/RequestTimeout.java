package io.leasehold.httpclient5;

import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.TimeoutValueException;

/**
 * What HttpCore says of a request whose caller asks for too long, and what the pool looked like then. That stands in the message, behind
 * HttpCore's own, since HttpClient's classic client makes an exception of its own of the message and passes no cause on.
 */
final class RequestTimeout extends TimeoutValueException {
    private static final long serialVersionUID = 1;

    private final String look;

    RequestTimeout(long millis, long waited, String look) {
        super(Timeout.ofMilliseconds(Math.max(0, millis)), Timeout.ofMilliseconds(Math.max(0, waited)));
        this.look = look;
    }

    @Override
    public String getMessage() {
        return super.getMessage() + "; " + look;
    }
}
