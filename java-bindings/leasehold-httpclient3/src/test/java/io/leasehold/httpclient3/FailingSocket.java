package io.leasehold.httpclient3;

import io.leasehold.testsupport.Faults;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;

/** A socket that is connected to nothing, and of which everything that HttpClient asks can fail. */
final class FailingSocket extends Socket {
    static final String CLOSE = "a socket's close";
    static final String OPTIONS = "a socket's options";
    static final String STREAMS = "a socket's streams";

    private final Faults faults;

    FailingSocket(Faults faults) {
        this.faults = faults;
    }

    @Override
    public InputStream getInputStream() {
        faults.pass(STREAMS);
        return new ByteArrayInputStream(new byte[0]) {
            @Override
            public int read() {
                faults.pass(STREAMS);
                return super.read();
            }

            @Override
            public int available() {
                faults.pass(STREAMS);
                return super.available();
            }

            @Override
            public void close() throws IOException {
                faults.pass(STREAMS);
                super.close();
            }
        };
    }

    @Override
    public OutputStream getOutputStream() {
        faults.pass(STREAMS);
        return new ByteArrayOutputStream() {
            @Override
            public void flush() {
                faults.pass(STREAMS);
            }

            @Override
            public void close() throws IOException {
                faults.pass(STREAMS);
                super.close();
            }
        };
    }

    @Override
    public void close() throws IOException {
        faults.pass(CLOSE);
        super.close();
    }

    @Override
    public void setTcpNoDelay(boolean on) {
        faults.pass(OPTIONS);
    }

    @Override
    public void setSoTimeout(int timeout) {
        faults.pass(OPTIONS);
    }

    @Override
    public int getSoLinger() throws SocketException {
        faults.pass(OPTIONS);
        return -1;
    }

    @Override
    public int getReceiveBufferSize() {
        faults.pass(OPTIONS);
        return 2048;
    }

    @Override
    public int getSendBufferSize() {
        faults.pass(OPTIONS);
        return 2048;
    }
}
