package io.leasehold.tests.servers;

import java.io.File;
import java.io.IOException;
import java.io.Reader;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http11.AbstractHttp11JsseProtocol;
import org.apache.juli.logging.Log;
import org.apache.juli.logging.LogFactory;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;

/** What a {@link io.leasehold.tests.servers.Tomcat} runs in its own JVM. */
final class TomcatProgram {
    /** The file of the properties of the connectors that serve. */
    static final String PROPERTIES = "connector.properties";

    private TomcatProgram() {
    }

    /** Takes the server's directory, the port of the status page, and the ports that serve. */
    public static void main(String[] args) throws Exception {
        Path directory = Paths.get(args[0]);
        int statusPort = Integer.parseInt(args[1]);
        AtomicLong connections = new AtomicLong();
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(directory.toString());
        Context context = tomcat.addContext("", directory.resolve("documents").toString());
        Tomcat.addServlet(context, "pages", new Pages(directory.resolve("documents"), statusPort, connections)).addMapping("/");
        tomcat.setConnector(connector(directory, statusPort, new AtomicLong()));
        Properties properties = new Properties();
        try (Reader in = Files.newBufferedReader(directory.resolve(PROPERTIES))) {
            properties.load(in);
        }
        for (int i = 2; i < args.length; i++) {
            Connector connector = connector(directory, Integer.parseInt(args[i]), connections);
            for (String name : properties.stringPropertyNames()) {
                if (!connector.setProperty(name, properties.getProperty(name))) {
                    throw new IllegalArgumentException("Tomcat's connector has no property " + name);
                }
            }
            tomcat.getService().addConnector(connector);
        }
        tomcat.start();
        String pid = Files.readSymbolicLink(Paths.get("/proc/self")).toString();
        Files.write(directory.resolve("pid"), pid.getBytes(StandardCharsets.US_ASCII));
        tomcat.getServer().await();
    }

    private static Connector connector(Path directory, int port, AtomicLong connections) {
        Connector connector = new Connector(new Http(connections));
        connector.setPort(port);
        connector.setProperty("address", "127.0.0.1");
        // A port that is taken ends the program.
        connector.setThrowOnFailure(true);
        return connector;
    }

    private static final class Pages extends HttpServlet {
        private static final long serialVersionUID = 1;

        private final transient Path documents;
        private final int statusPort;
        private final AtomicLong connections;

        Pages(Path documents, int statusPort, AtomicLong connections) {
            this.documents = documents;
            this.statusPort = statusPort;
            this.connections = connections;
        }

        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            String path = request.getRequestURI();
            response.setContentType("text/plain");
            if (request.getLocalPort() == statusPort) {
                response.getWriter().println(connections);
            } else if (path.equals(io.leasehold.tests.servers.Tomcat.CHUNKED)) {
                for (byte one : WebServer.GREETING.getBytes(StandardCharsets.US_ASCII)) {
                    response.getOutputStream().write(one);
                    response.flushBuffer();
                }
            } else {
                File document = documents.resolve(path.substring(1)).toFile();
                if (!document.isFile()) {
                    response.sendError(HttpServletResponse.SC_NOT_FOUND);
                    return;
                }
                if (path.equals(WebServer.GOODBYE)) {
                    response.setHeader("Connection", "close");
                }
                response.setContentLengthLong(document.length());
                Files.copy(document.toPath(), response.getOutputStream());
            }
        }
    }

    /** Tomcat's HTTP/1.1, counting the connections it accepts. */
    private static final class Http extends AbstractHttp11JsseProtocol<NioChannel> {
        private static final Log LOG = LogFactory.getLog(Http.class);

        Http(AtomicLong accepted) {
            super(new NioEndpoint() {
                @Override
                protected boolean setSocketOptions(SocketChannel socket) {
                    accepted.incrementAndGet();
                    return super.setSocketOptions(socket);
                }
            });
        }

        @Override
        protected Log getLog() {
            return LOG;
        }

        @Override
        protected String getNamePrefix() {
            return "http";
        }
    }
}
