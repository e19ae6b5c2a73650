package io.leasehold;

/** What the operating system knows of a socket that nobody reads from at the moment. */
public enum Liveness {
    /** Connected, and nothing waits to be read. */
    ALIVE,
    /** The peer has closed its side or reset the connection, or this side has closed. */
    CLOSED,
    /**
     * Bytes wait to be read. On a plain idle connection they belong to no request, and it is not fit for use; on TLS they may be harmless
     * (a session ticket) or the peer's goodbye, and behind a socket of others' making anything: only the connection itself can tell.
     */
    READABLE,
    /** No descriptor could be reached, or the platform cannot be asked: ask the connection itself. */
    UNKNOWN;

    /**
     * What this means for a connection between two requests: bytes that wait on a plain one, such as a late 408, would be taken for the
     * next response.
     *
     * @param isTls whether TLS runs over the connection
     * @return {@link #ALIVE}, fit for a request; {@link #CLOSED}, unfit; or {@link #UNKNOWN}, which only the connection itself can tell
     */
    public Liveness betweenRequests(boolean isTls) {
        return this != READABLE ? this : isTls ? UNKNOWN : CLOSED;
    }
}
