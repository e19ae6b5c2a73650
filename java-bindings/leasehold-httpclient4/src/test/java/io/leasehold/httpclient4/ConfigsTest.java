package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which configuration holds for which connection. */
class ConfigsTest {
    private final List<ConnectionConfig> used = new ArrayList<>();
    private final LeaseholdHttpClientConnectionManager manager =
            new LeaseholdHttpClientConnectionManager((HttpRoute route, ConnectionConfig config) -> {
                used.add(config);
                return ManagedHttpClientConnectionFactory.INSTANCE.create(route, config);
            });
    private Loopback server;

    @BeforeEach
    void start() throws IOException {
        server = new Loopback();
    }

    @AfterEach
    void stop() throws IOException {
        manager.shutdown();
        server.close();
    }

    @Test
    void aConnectionIsMadeWithTheConfigurationOfItsProxyItsTargetOrAll() throws Exception {
        HttpHost target = new HttpHost("target", 80);
        HttpHost proxy = new HttpHost("proxy", 3128);
        ConnectionConfig forAll = config(1);
        ConnectionConfig forTarget = config(2);
        ConnectionConfig forProxy = config(3);
        HttpRoute route = new HttpRoute(target, null, proxy, false);
        assertNull(manager.getDefaultConnectionConfig());
        keep(manager, lease(manager, route, null));
        manager.setDefaultConnectionConfig(forAll);
        keep(manager, lease(manager, route, null));
        manager.setConnectionConfig(target, forTarget);
        keep(manager, lease(manager, route, null));
        manager.setConnectionConfig(proxy, forProxy);
        keep(manager, lease(manager, route, null));
        assertSame(ConnectionConfig.DEFAULT, used.get(0));
        assertSame(forAll, used.get(1));
        assertSame(forTarget, used.get(2));
        assertSame(forProxy, used.get(3));
        assertSame(forAll, manager.getDefaultConnectionConfig());
        assertSame(forTarget, manager.getConnectionConfig(target));
        assertNull(manager.getConnectionConfig(new HttpHost("other")));
    }

    private static ConnectionConfig config(int fragmentSizeHint) {
        return ConnectionConfig.custom().setFragmentSizeHint(fragmentSizeHint).build();
    }

    @Test
    void theSocketTimeoutIsThatOfTheHostWhileLeasedAndNoneWhileIdle() throws Exception {
        assertNull(manager.getDefaultSocketConfig());
        SocketConfig forAll = SocketConfig.custom().setSoTimeout(1111).build();
        manager.setDefaultSocketConfig(forAll);
        assertSame(forAll, manager.getDefaultSocketConfig());
        ManagedHttpClientConnection[] own = new ManagedHttpClientConnection[1];
        HttpClientConnection connection = leaseOpen(manager, server.route(), null);
        manager.enumLeased(entry -> own[0] = entry.getConnection());
        assertEquals(1111, connection.getSocketTimeout());
        keep(manager, connection);
        assertEquals(0, own[0].getSocketTimeout());

        SocketConfig forHost = SocketConfig.custom().setSoTimeout(2222).build();
        manager.setSocketConfig(server.host(), forHost);
        assertSame(forHost, manager.getSocketConfig(server.host()));
        connection = lease(manager, server.route(), null);
        assertEquals(2222, connection.getSocketTimeout());
        connection.setSocketTimeout(3333);
        keep(manager, connection);
        assertEquals(0, own[0].getSocketTimeout());
    }

    @Test
    void theSocketConfigurationThroughAProxyIsTheProxys() throws Exception {
        HttpRoute proxied = new HttpRoute(new HttpHost("target", 80), null, server.host(), false);
        manager.setSocketConfig(server.host(), SocketConfig.custom().setSoTimeout(2222).build());
        manager.setSocketConfig(proxied.getTargetHost(), SocketConfig.custom().setSoTimeout(3333).build());
        keep(manager, leaseOpen(manager, proxied, null));
        assertEquals(2222, lease(manager, proxied, null).getSocketTimeout());
    }

    @Test
    void aTimeoutThatWasSetOnTheSocketItselfDoesNotReachTheNextUser() throws Exception {
        for (int i = 0; i < 3; i++) {
            HttpClientConnection connection = leaseOpen(manager, server.route(), null);
            assertEquals(0, connection.getSocketTimeout());
            ((ManagedHttpClientConnection) connection).getSocket().setSoTimeout(4444);
            keep(manager, connection);
        }
    }

    @Test
    void aTimeoutThatIsSetOnASocketSeenEarlierDoesNotReachTheNextUser() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, server.route(), null);
        Socket seen = ((ManagedHttpClientConnection) connection).getSocket();
        keep(manager, connection);
        connection = lease(manager, server.route(), null);
        seen.setSoTimeout(4444);
        keep(manager, connection);
        assertEquals(0, lease(manager, server.route(), null).getSocketTimeout());
    }

    @Test
    void socketsThatAreConnectedWhileTcpKeepAliveIsSetHaveIt() throws Exception {
        for (boolean isSet : new boolean[] {false, true, false}) {
            if (isSet) {
                manager.setTcpKeepAlive(60, 10, 3);
            } else {
                manager.disableTcpKeepAlive();
            }
            HttpClientConnection connection = leaseOpen(manager, server.route(), null);
            assertEquals(isSet, ((ManagedHttpClientConnection) connection).getSocket().getKeepAlive());
            connection.close();
            keep(manager, connection);
        }
    }
}
