package io.leasehold.tests.servers;

import java.util.ArrayList;
import java.util.List;

/** What is to be said about a server before it starts. */
public abstract class ServerBuilder<B extends ServerBuilder<B>> {
    static final class Document {
        final String name;
        final byte[] content;

        Document(String name, byte[] content) {
            this.name = name;
            this.content = content;
        }
    }

    final List<Document> documents = new ArrayList<>();
    final List<String> directives = new ArrayList<>();
    int ports = 1;
    long keepAliveMillis = 75_000;
    boolean tls;
    boolean http2;

    ServerBuilder() {
    }

    abstract String name();

    abstract B self();

    /** Starts the server and waits until it answers. */
    public abstract WebServer start() throws Exception;

    /** Starts a server that was just made. One that does not come up leaves nothing behind. */
    static <S extends WebServer> S started(S server) throws Exception {
        try {
            server.start();
        } catch (Throwable e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** How long the server keeps an idle connection; 75 seconds if not said. */
    public final B keepAlive(long millis) {
        keepAliveMillis = millis;
        return self();
    }

    /** Serves https, with a certificate for 127.0.0.1, see {@link WebServer#trust()}. */
    public final B tls() {
        tls = true;
        return self();
    }

    /** Speaks HTTP/2 with whoever asks for it over TLS. */
    public final B http2() {
        http2 = true;
        return tls();
    }

    /** On how many ports the server listens; one if not said. */
    public final B ports(int n) {
        ports = n;
        return self();
    }

    /** A file to serve, under {@code /name}. */
    public final B document(String name, byte[] content) {
        documents.add(new Document(name, content));
        return self();
    }

    /** A line of configuration, in the server's own language, valid for the whole server. */
    public final B directive(String line) {
        directives.add(line);
        return self();
    }

    @Override
    public final String toString() {
        return name();
    }
}
