package io.leasehold.httpclient3;

import org.apache.commons.httpclient.params.HttpConnectionManagerParams;

/**
 * Manager parameters whose two limits can be read without a lock when they were set here, as they usually are. What is not set
 * here is looked up along the chain of defaults as ever.
 */
final class ManagerParams extends HttpConnectionManagerParams {
    private static final long serialVersionUID = 1L;

    // What is set here under the two names, or null. Written under this object's monitor.
    private volatile Object hostLimits;
    private volatile Object totalLimit;

    @Override
    public synchronized void setParameter(String name, Object value) {
        super.setParameter(name, value);
        if (MAX_HOST_CONNECTIONS.equals(name)) {
            hostLimits = value;
        } else if (MAX_TOTAL_CONNECTIONS.equals(name)) {
            totalLimit = value;
        }
    }

    @Override
    public synchronized void clear() {
        super.clear();
        hostLimits = null;
        totalLimit = null;
    }

    /** The value of {@link #MAX_HOST_CONNECTIONS}, null if it is set nowhere. */
    static Object hostLimits(HttpConnectionManagerParams params) {
        Object here = params instanceof ManagerParams ? ((ManagerParams) params).hostLimits : null;
        return here != null ? here : params.getParameter(MAX_HOST_CONNECTIONS);
    }

    /** The value of {@link #MAX_TOTAL_CONNECTIONS}, null if it is set nowhere. */
    static Object totalLimit(HttpConnectionManagerParams params) {
        Object here = params instanceof ManagerParams ? ((ManagerParams) params).totalLimit : null;
        return here != null ? here : params.getParameter(MAX_TOTAL_CONNECTIONS);
    }
}
