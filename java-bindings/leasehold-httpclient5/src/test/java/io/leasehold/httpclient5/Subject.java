package io.leasehold.httpclient5;

import io.leasehold.Watching;
import java.net.Socket;
import org.apache.hc.core5.pool.ConnPoolListener;
import org.apache.hc.core5.pool.DisposalCallback;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.pool.StrictConnPool;
import org.apache.hc.core5.util.TimeValue;

/** The sides of a comparison. */
enum Subject {
    STOCK {
        @Override
        ManagedConnPool<String, Conn> pool(int perRoute, int total, TimeValue timeToLive, PoolReusePolicy policy,
                DisposalCallback<Conn> disposal, ConnPoolListener<String> listener) {
            return new StrictConnPool<>(perRoute, total, timeToLive, policy, disposal, listener);
        }
    },
    LEASEHOLD {
        @Override
        ManagedConnPool<String, Conn> pool(int perRoute, int total, TimeValue timeToLive, PoolReusePolicy policy,
                DisposalCallback<Conn> disposal, ConnPoolListener<String> listener) {
            // Of a socket it is known whether its close may block: what shows none is closed on another thread.
            return new LeaseholdConnPool<>(perRoute, total, timeToLive, policy, disposal, listener,
                    connection -> NEVER_CONNECTED, Watching.OFF);
        }
    };

    private static final Socket NEVER_CONNECTED = new Socket();

    abstract ManagedConnPool<String, Conn> pool(int perRoute, int total, TimeValue timeToLive, PoolReusePolicy policy,
            DisposalCallback<Conn> disposal, ConnPoolListener<String> listener);
}
