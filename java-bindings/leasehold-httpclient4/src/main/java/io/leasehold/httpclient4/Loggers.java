package io.leasehold.httpclient4;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/**
 * HttpClient's own loggers by their names, so that an application's logging configuration shows our lines as it did HttpClient's. Each
 * manager has its own, as in HttpClient: whose they are may depend on the application that makes the manager, if HttpClient is shared by
 * several.
 */
final class Loggers {
    final Log manager = LogFactory.getLog(PoolingHttpClientConnectionManager.class);
    // The class of that name cannot be named here.
    final Log pool = LogFactory.getLog("org.apache.http.impl.conn.CPool");
    final Log connection = LogFactory.getLog(DefaultManagedHttpClientConnection.class);
}
