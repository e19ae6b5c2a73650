package io.leasehold.httpclient5;

import java.util.logging.Logger;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;

/** A connection in memory, which logs how it is closed. */
class Conn implements ModalCloseable {
    static final String LOGGER = "io.leasehold.httpclient5.test";

    final String name;
    private volatile boolean isClosed;

    Conn(String name) {
        this.name = name;
    }

    boolean isClosed() {
        return isClosed;
    }

    @Override
    public void close(CloseMode mode) {
        isClosed = true;
        Logger.getLogger(LOGGER).info(name + " closed " + mode);
    }

    @Override
    public void close() {
        close(CloseMode.GRACEFUL);
    }

    @Override
    public String toString() {
        return name;
    }
}
