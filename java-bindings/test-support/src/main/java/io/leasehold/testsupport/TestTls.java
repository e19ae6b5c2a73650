package io.leasehold.testsupport;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** One self-signed identity for localhost, made by the JDK's keytool, and the TLS contexts of both sides. */
public final class TestTls {
    private static final char[] PASSWORD = "leasehold".toCharArray();
    private static final SSLContext CONTEXT = makeContext();

    private TestTls() {}

    /** A context that has the identity and trusts it. */
    public static SSLContext context() {
        return CONTEXT;
    }

    /** Layers the server's side of TLS over an accepted socket. The handshake happens with the first byte. */
    public static SSLSocket server(Socket accepted) throws IOException {
        SSLSocket socket = (SSLSocket) CONTEXT.getSocketFactory().createSocket(accepted, null, accepted.getPort(), true);
        socket.setUseClientMode(false);
        return socket;
    }

    /** Layers the client's side of TLS over a connected socket. */
    public static SSLSocket client(Socket connected, String host, int port, boolean autoClose) throws IOException {
        return (SSLSocket) CONTEXT.getSocketFactory().createSocket(connected, host, port, autoClose);
    }

    private static SSLContext makeContext() {
        try {
            Path directory = Files.createTempDirectory("leasehold-tls");
            Path file = directory.resolve("identity.p12");
            File keytool = Paths.get(System.getProperty("java.home"), "bin", "keytool").toFile();
            Process process = new ProcessBuilder(keytool.getPath(), "-genkeypair", "-alias", "test", "-keyalg", "EC", "-groupname", "secp256r1",
                    "-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1", "-validity", "2", "-storetype", "PKCS12",
                    "-keystore", file.toString(), "-storepass", new String(PASSWORD)).redirectErrorStream(true).start();
            try (InputStream said = process.getInputStream()) {
                byte[] buffer = new byte[4096];
                while (said.read(buffer) >= 0) {
                    // Read to the end, so that keytool never waits for us.
                }
            }
            if (process.waitFor() != 0) {
                throw new IllegalStateException("keytool failed");
            }
            KeyStore store = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(file)) {
                store.load(in, PASSWORD);
            }
            Files.delete(file);
            Files.delete(directory);
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, PASSWORD);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException | InterruptedException e) {
            throw new IllegalStateException("no TLS identity for the tests", e);
        }
    }
}
