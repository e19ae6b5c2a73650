package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Scripts.openAll;
import static io.leasehold.httpclient4.Scripts.script;
import static io.leasehold.httpclient4.Scripts.sorted;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.config.Registry;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.DnsResolver;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.HttpConnectionFactory;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.SchemePortResolver;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpContext;
import org.apache.http.protocol.HttpCoreContext;

/** What can be seen of a manager, and what it was told. */
final class ViewScripts {
    private ViewScripts() {}

    /** Adds the scripts. */
    static void add() {
        views();
        configuration();
        construction();
    }

    private static void views() {
        script("counts of a route never seen", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.counts(manager, stage.to("a"));
            stage.play("limit", () -> manager.getMaxPerRoute(stage.to("b")));
            stage.act("limit", () -> manager.setMaxPerRoute(stage.to("c"), 9));
        });
        script("routes in use", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.play("routes", () -> sorted(manager));
            HttpClientConnection a = stage.open(manager, stage.to("a"));
            stage.idle(manager, stage.to("b"));
            stage.play("routes", () -> sorted(manager));
            stage.release(manager, a);
            stage.play("routes", () -> sorted(manager));
            stage.play("a copy", () -> manager.getRoutes() != manager.getRoutes() && manager.getRoutes().remove(stage.to("a"))
                    && manager.getRoutes().contains(stage.to("a")));
        });
        script("routes no longer in use", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.counts(manager, stage.to("a"));
            stage.idle(manager, stage.to("b"));
            stage.play("routes", () -> sorted(manager));
            stage.act("close idle", () -> manager.closeIdleConnections(0, TimeUnit.SECONDS));
            stage.play("routes", () -> sorted(manager));
        });
        // The methods that a subclass may call, which 4.5 does not have.
        if (!Stage.RELEASE.equals("4.5")) {
            script("enumerate the idle", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setDefaultMaxPerRoute(5);
                HttpRoute a = stage.to("a");
                List<HttpClientConnection> all = openAll(stage, manager, a, stage.to("b"), a, a);
                stage.release(manager, all.get(0));
                stage.release(manager, all.get(1), "user", 1, TimeUnit.HOURS);
                stage.release(manager, all.get(2), null, -1, TimeUnit.HOURS);
                stage.play("entries", () -> {
                    List<String> entries = new ArrayList<>();
                    stage.enumerate("enumAvailable", manager, entry -> entries.add(entry + " " + entry.getConnection().isOpen() + " "
                            + (entry.getExpiry() == Long.MAX_VALUE) + " " + (entry.getValidityDeadline() == Long.MAX_VALUE) + " "
                            + entry.isClosed() + " " + entry.isExpired(System.currentTimeMillis()) + " "
                            + (entry.getUpdated() >= entry.getCreated()) + " "
                            + (Math.abs(entry.getUpdated() - System.currentTimeMillis()) < 3_600_000)));
                    return entries;
                });
                stage.act("close those of a", () -> stage.enumerate("enumAvailable", manager, entry -> {
                    if (entry.getRoute().equals(a)) {
                        entry.close();
                    }
                }));
                stage.awaitEnd(0);
                stage.awaitEnd(2);
                stage.counts(manager, a, stage.to("b"));
                stage.act("close the connections", () -> stage.enumerate("enumAvailable", manager, entry -> {
                    try {
                        entry.getConnection().shutdown();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                }));
                stage.awaitEnd(1);
                stage.counts(manager, a, stage.to("b"));
            });
            script("enumerate the idle and change them", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                stage.idle(manager, a);
                stage.act("give it a state", () -> stage.enumerate("enumAvailable", manager, entry -> entry.setState("user")));
                stage.counts(manager, a);
                stage.lease(manager, a);
                stage.lease(manager, a, "user");
            });
            script("enumerate the idle and let them expire", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                stage.idle(manager, a);
                stage.act("a millisecond", () -> stage.enumerate("enumAvailable", manager,
                        entry -> entry.updateExpiry(1, TimeUnit.MILLISECONDS)));
                stage.pass(30);
                stage.lease(manager, a);
            });
            script("enumerate the leased", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                HttpClientConnection leased = stage.open(manager, a);
                stage.idle(manager, stage.to("b"));
                stage.play("entries", () -> {
                    List<String> entries = new ArrayList<>();
                    stage.enumerate("enumLeased", manager, entry -> entries.add(entry + " " + entry.getConnection().isOpen()));
                    return entries;
                });
                stage.act("close them", () -> stage.enumerate("enumLeased", manager, entry -> entry.close()));
                stage.awaitEnd(0);
                stage.play("it is", () -> leased);
                stage.counts(manager, a);
                stage.release(manager, leased);
                stage.counts(manager, a);
            });
            script("enumerate with a callback that throws", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                stage.idle(manager, stage.to("a"));
                stage.act("enumerate", () -> stage.enumerate("enumAvailable", manager, entry -> {
                    throw new IllegalStateException("no more");
                }));
                stage.act("enumerate nothing", () -> stage.enumerate("enumAvailable", manager, null));
                stage.act("enumerate nothing", () -> stage.enumerate("enumLeased", manager, null));
                stage.counts(manager, stage.to("a"));
                stage.lease(manager, stage.to("a"));
            });
            script("enumerate after shut down", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                stage.idle(manager, stage.to("a"));
                stage.act("shut down", manager::shutdown);
                List<String> entries = new ArrayList<>();
                stage.act("idle", () -> stage.enumerate("enumAvailable", manager, entry -> entries.add(entry.toString())));
                stage.act("leased", () -> stage.enumerate("enumLeased", manager, entry -> entries.add(entry.toString())));
                stage.play("entries", () -> entries);
            });
        }
    }

    private static void configuration() {
        script("socket configurations", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpHost a = new HttpHost("a", stage.server().port());
            stage.play("default", manager::getDefaultSocketConfig);
            stage.play("of a", () -> manager.getSocketConfig(a));
            SocketConfig four = SocketConfig.custom().setSoTimeout(4444).build();
            SocketConfig five = SocketConfig.custom().setSoTimeout(5555).setTcpNoDelay(false).build();
            stage.act("default", () -> manager.setDefaultSocketConfig(four));
            stage.act("of a", () -> manager.setSocketConfig(a, five));
            stage.play("default", manager::getDefaultSocketConfig);
            stage.play("of a", () -> manager.getSocketConfig(a));
            stage.play("of A", () -> manager.getSocketConfig(new HttpHost("A", stage.server().port())));
            stage.play("of b", () -> manager.getSocketConfig(new HttpHost("b", 80)));
            HttpClientConnection connection = stage.open(manager, stage.to("a"));
            stage.play("timeout", connection::getSocketTimeout);
            stage.play("no delay", () -> ((ManagedHttpClientConnection) connection).getSocket().getTcpNoDelay());
            connection.setSocketTimeout(77);
            stage.release(manager, connection);
            HttpClientConnection again = stage.lease(manager, stage.to("a"));
            stage.play("timeout", again::getSocketTimeout);
            HttpClientConnection other = stage.open(manager, stage.to("b"));
            stage.play("timeout", other::getSocketTimeout);
            HttpClientConnection proxied = stage.open(manager,
                    new HttpRoute(new HttpHost("b", 80), null, new HttpHost("a", stage.server().port()), false));
            stage.play("timeout", proxied::getSocketTimeout);
            stage.release(manager, proxied);
            stage.play("timeout", () -> stage.lease(manager,
                    new HttpRoute(new HttpHost("b", 80), null, new HttpHost("a", stage.server().port()), false)).getSocketTimeout());
        });
        script("connection configurations", stage -> {
            List<String> asked = new ArrayList<>();
            ConnectionConfig[] known = new ConnectionConfig[4];
            PoolingHttpClientConnectionManager manager = stage.manager((route, config) -> {
                asked.add(route.getTargetHost().getHostName() + " with " + Arrays.asList(known).indexOf(config));
                return ManagedHttpClientConnectionFactory.INSTANCE.create(route, config);
            }, 0, TimeUnit.SECONDS);
            known[0] = ConnectionConfig.DEFAULT;
            for (int i = 1; i < 4; i++) {
                known[i] = ConnectionConfig.custom().setBufferSize(1000 + i).build();
            }
            stage.play("default", manager::getDefaultConnectionConfig);
            stage.play("of b", () -> manager.getConnectionConfig(new HttpHost("b", stage.server().port())));
            stage.lease(manager, stage.to("a"));
            stage.act("default", () -> manager.setDefaultConnectionConfig(known[1]));
            stage.act("of b", () -> manager.setConnectionConfig(new HttpHost("b", stage.server().port()), known[2]));
            stage.act("of the proxy", () -> manager.setConnectionConfig(new HttpHost("proxy", stage.server().port()), known[3]));
            stage.play("default", manager::getDefaultConnectionConfig);
            stage.play("of b", () -> manager.getConnectionConfig(new HttpHost("b", stage.server().port())));
            stage.lease(manager, stage.to("a"));
            stage.lease(manager, stage.to("b"));
            stage.lease(manager, stage.proxied("c"));
            stage.lease(manager, stage.tunnel());
            stage.act("default", () -> manager.setDefaultConnectionConfig(null));
            stage.lease(manager, stage.to("c"));
            stage.play("asked", () -> asked);
        });
        script("configurations of nothing", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpHost a = new HttpHost("a");
            stage.play("socket", () -> manager.getSocketConfig(null));
            stage.act("socket", () -> manager.setSocketConfig(null, SocketConfig.DEFAULT));
            stage.act("socket", () -> manager.setSocketConfig(a, null));
            stage.act("default socket", () -> manager.setDefaultSocketConfig(null));
            stage.play("connection", () -> manager.getConnectionConfig(null));
            stage.act("connection", () -> manager.setConnectionConfig(null, ConnectionConfig.DEFAULT));
            stage.act("connection", () -> manager.setConnectionConfig(a, null));
            stage.act("default connection", () -> manager.setDefaultConnectionConfig(null));
            stage.idle(manager, stage.to("a"));
        });
        for (int milliseconds : new int[] {0, -1, Integer.MIN_VALUE, 1, Integer.MAX_VALUE}) {
            script("validate after " + milliseconds + " ms", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                stage.play("before", manager::getValidateAfterInactivity);
                stage.act("set", () -> manager.setValidateAfterInactivity(milliseconds));
                stage.play("after", manager::getValidateAfterInactivity);
                stage.idle(manager, stage.to("a"));
                stage.pass(5);
                stage.lease(manager, stage.to("a"));
            });
        }
    }

    private static void construction() {
        HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> counting =
                (route, config) -> new ManagedHttpClientConnectionFactory().create(route, config);
        Class<?>[][] parameters = {
            {}, {long.class, TimeUnit.class}, {Registry.class}, {Registry.class, DnsResolver.class},
            {Registry.class, HttpConnectionFactory.class}, {HttpConnectionFactory.class},
            {Registry.class, HttpConnectionFactory.class, DnsResolver.class},
            {Registry.class, HttpConnectionFactory.class, SchemePortResolver.class, DnsResolver.class, long.class, TimeUnit.class},
            {HttpClientConnectionOperator.class, HttpConnectionFactory.class, long.class, TimeUnit.class},
        };
        for (Class<?>[] types : parameters) {
            String names = Arrays.toString(Arrays.stream(types).map(Class::getSimpleName).toArray());
            script("constructor " + names, stage -> {
                Object[] arguments = Arrays.stream(types).map(type -> type == long.class ? (Object) 1L : type == TimeUnit.class
                        ? TimeUnit.HOURS : type == Registry.class ? Stage.sockets() : type == DnsResolver.class ? Stage.names()
                        : type == HttpConnectionFactory.class ? counting : type == SchemePortResolver.class
                        ? (SchemePortResolver) HttpHost::getPort
                        : new org.apache.http.impl.conn.DefaultHttpClientConnectionOperator(Stage.sockets(), null, Stage.names())).toArray();
                PoolingHttpClientConnectionManager manager = stage.construct(types, arguments);
                HttpRoute here = new HttpRoute(new HttpHost("127.0.0.1", stage.server().port()));
                stage.idle(manager, here);
                stage.lease(manager, here);
                stage.counts(manager, here);
            });
            script("constructor " + names + " of nothing", stage -> {
                Object[] arguments = Arrays.stream(types).map(type -> type == long.class ? (Object) 1L : null).toArray();
                PoolingHttpClientConnectionManager manager = stage.play("construct", () -> {
                    // Without its name, which differs.
                    return Arrays.asList(stage.construct(types, arguments)) == null ? null : null;
                });
                stage.play("made", () -> manager == null);
            });
        }
        script("an operator of one's own", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(new HttpClientConnectionOperator() {
                @Override
                public void connect(ManagedHttpClientConnection connection, HttpHost host, InetSocketAddress local, int timeout,
                        SocketConfig config, HttpContext context) throws IOException {
                    throw new IOException("asked for " + host.getHostName() + " from " + local + " in " + timeout + " ms with " + config
                            + " on " + connection.getId());
                }

                @Override
                public void upgrade(ManagedHttpClientConnection connection, HttpHost host, HttpContext context) throws IOException {
                    throw new IOException("upgrade for " + host.getHostName() + " on " + connection.getId());
                }
            }, null, 1, TimeUnit.HOURS);
            for (HttpRoute route : Arrays.asList(stage.to("a"), stage.tunnel(),
                    new HttpRoute(new HttpHost("b"), InetAddress.getByName("127.0.0.1"), false))) {
                HttpClientConnection connection = stage.lease(manager, route);
                stage.act("connect", () -> manager.connect(connection, route, 1234, new HttpCoreContext()));
                stage.act("upgrade", () -> manager.upgrade(connection, route, new HttpCoreContext()));
                stage.release(manager, connection);
            }
            stage.counts(manager);
        });
    }
}
