package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TcpState;
import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who closes first, as the kernel has it: that side keeps TIME_WAIT. The same on 3.1's managers and on ours. */
class WireTest {
    private ScriptedServer server;

    @BeforeEach
    void start() throws IOException {
        server = ScriptedServer.plain();
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    @ParameterizedTest
    @EnumSource
    void alwaysCloseClosesFirst(Subject subject) throws Exception {
        get(subject.simple(true), "/ok");
        assertClientKeepsTimeWait();
    }

    @ParameterizedTest
    @EnumSource
    void shutdownClosesFirst(Subject subject) throws Exception {
        SimpleHttpConnectionManager manager = subject.simple(false);
        get(manager, "/ok");
        manager.shutdown();
        assertClientKeepsTimeWait();
    }

    @ParameterizedTest
    @EnumSource
    void closingIdleConnectionsClosesFirst(Subject subject) throws Exception {
        SimpleHttpConnectionManager manager = subject.simple(false);
        get(manager, "/ok");
        manager.closeIdleConnections(0);
        assertClientKeepsTimeWait();
    }

    @ParameterizedTest
    @EnumSource
    void shutdownOfTheMultiThreadedManagerClosesFirst(Subject subject) throws Exception {
        MultiThreadedHttpConnectionManager manager = subject.multi();
        get(manager, "/ok");
        manager.shutdown();
        assertClientKeepsTimeWait();
    }

    @ParameterizedTest
    @EnumSource
    void closingIdleConnectionsOfTheMultiThreadedManagerClosesFirst(Subject subject) throws Exception {
        MultiThreadedHttpConnectionManager manager = subject.multi();
        get(manager, "/ok");
        manager.closeIdleConnections(0);
        assertClientKeepsTimeWait();
    }

    @ParameterizedTest
    @EnumSource
    void aRequestThatSaysCloseMakesTheClientCloseFirstWhereTheServerLeavesItTo(Subject subject) throws Exception {
        SimpleHttpConnectionManager manager = subject.simple(false);
        HttpClient client = client(manager);
        GetMethod get = new GetMethod("/ok");
        get.setRequestHeader("Connection", "close");
        client.executeMethod(get);
        get.getResponseBodyAsString();
        get.releaseConnection();
        assertClientKeepsTimeWait();
    }

    @ParameterizedTest
    @EnumSource
    void aServerThatSaysCloseClosesFirst(Subject subject) throws Exception {
        for (HttpConnectionManager manager : new HttpConnectionManager[] {subject.simple(false), subject.multi()}) {
            HttpClient client = client(manager);
            GetMethod get = new GetMethod("/close");
            client.executeMethod(get);
            // The server is first, for certain: the client has not read the body's end yet.
            ScriptedServer.Peer peer = server.peers().get(server.peers().size() - 1);
            peer.awaitEnd();
            get.getResponseBodyAsString();
            get.releaseConnection();
            awaitStates(peer, "server TIME_WAIT");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aServerThatClosesWithoutAWordLeavesNothingBehindAfterTheNextRequest(Subject subject) throws Exception {
        for (HttpConnectionManager manager : new HttpConnectionManager[] {subject.simple(false), subject.multi()}) {
            get(manager, "/drop");
            ScriptedServer.Peer peer = server.peers().get(server.peers().size() - 1);
            peer.awaitEnd();
            get(manager, "/ok");
            awaitStates(peer, "server TIME_WAIT");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAbortedResponseIsReset(Subject subject) throws Exception {
        for (HttpConnectionManager manager : new HttpConnectionManager[] {subject.simple(false), subject.multi()}) {
            GetMethod get = new GetMethod("/big");
            client(manager).executeMethod(get);
            ScriptedServer.Peer peer = server.peers().get(server.peers().size() - 1);
            get.abort();
            get.releaseConnection();
            awaitStates(peer, "");
            peer.awaitEnd();
        }
    }

    private void assertClientKeepsTimeWait() throws Exception {
        ScriptedServer.Peer peer = server.peer(0);
        peer.awaitEnd();
        assertEquals("end of stream", peer.end());
        awaitStates(peer, "client TIME_WAIT");
    }

    /** Waits until the kernel knows this connection in these states and no others, each with the side that has it. */
    private void awaitStates(ScriptedServer.Peer peer, String expected) throws Exception {
        String[] last = new String[1];
        try {
            Eventually.await("states " + expected, () -> {
                last[0] = String.join(", ", states(peer));
                return last[0].equals(expected);
            });
        } catch (AssertionError e) {
            throw new AssertionError("expected <" + expected + ">, last seen <" + last[0] + ">", e);
        }
    }

    private Set<String> states(ScriptedServer.Peer peer) throws IOException {
        Set<String> states = new TreeSet<>();
        add(states, "client", TcpState.of(peer.clientPort(), server.port()));
        add(states, "server", TcpState.of(server.port(), peer.clientPort()));
        return states;
    }

    private static void add(Set<String> states, String side, int state) {
        if (state != TcpState.NONE) {
            states.add(side + (state == TcpState.TIME_WAIT ? " TIME_WAIT" : " state " + state));
        }
    }

    private HttpClient client(HttpConnectionManager manager) {
        HttpClient client = new HttpClient(manager);
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", server.port(), "http");
        client.setHostConfiguration(configuration);
        return client;
    }

    private void get(HttpConnectionManager manager, String path) throws IOException {
        GetMethod get = new GetMethod(path);
        try {
            assertEquals(200, client(manager).executeMethod(get));
            get.getResponseBodyAsString();
        } finally {
            get.releaseConnection();
        }
    }
}
