package io.leasehold.tests.demo;

/** The ways in which a connection comes to its end because somebody wants it to. */
enum Closing {
    ALWAYS_CLOSE("alwaysClose"),
    SHUTDOWN("shutdown()"),
    CLOSE_IDLE("closeIdleConnections(0)"),
    CLIENT_HEADER("client's Connection: close"),
    SERVER_HEADER("server's Connection: close");

    final String title;

    Closing(String title) {
        this.title = title;
    }
}
