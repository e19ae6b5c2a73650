package io.leasehold.testsupport;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Provider;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * One self-signed identity for localhost, made by the JDK's keytool, and the TLS contexts of both sides. All tests of a JVM have the
 * same, as making one takes seconds.
 */
public final class TestTls {
    private static final String ALIAS = "test";
    private static final char[] PASSWORD = "leasehold".toCharArray();
    private static final KeyStore IDENTITY = makeIdentity();
    private static final SSLContext CONTEXT = makeContext();

    private TestTls() {}

    /** A context that has the identity and trusts it. */
    public static SSLContext context() {
        return CONTEXT;
    }

    /** The same by another implementation of TLS. */
    public static SSLContext context(Provider provider) throws GeneralSecurityException {
        return initialized(SSLContext.getInstance("TLS", provider));
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

    /** Writes the identity's certificate and its key into files, as web servers want them. */
    public static void write(Path certificate, Path key) throws IOException, GeneralSecurityException {
        write(certificate, "CERTIFICATE", IDENTITY.getCertificate(ALIAS).getEncoded());
        write(key, "PRIVATE KEY", IDENTITY.getKey(ALIAS, PASSWORD).getEncoded());
    }

    /** Writes a store that trusts the identity, as other JVMs want it. */
    public static void writeTrust(Path file, String password) throws IOException, GeneralSecurityException {
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        trust.setCertificateEntry(ALIAS, IDENTITY.getCertificate(ALIAS));
        try (OutputStream out = Files.newOutputStream(file)) {
            trust.store(out, password.toCharArray());
        }
    }

    private static void write(Path file, String what, byte[] der) throws IOException {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        String text = "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n";
        Files.write(file, text.getBytes(StandardCharsets.US_ASCII));
    }

    private static KeyStore makeIdentity() {
        try {
            Path directory = Files.createTempDirectory("leasehold-tls");
            Path file = directory.resolve("identity.p12");
            File keytool = Paths.get(System.getProperty("java.home"), "bin", "keytool").toFile();
            Process process = new ProcessBuilder(keytool.getPath(), "-genkeypair", "-alias", ALIAS, "-keyalg", "EC",
                    "-groupname", "secp256r1", "-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1",
                    "-validity", "2", "-storetype", "PKCS12",
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
            return store;
        } catch (IOException | GeneralSecurityException | InterruptedException e) {
            throw new IllegalStateException("no TLS identity for the tests", e);
        }
    }

    private static SSLContext makeContext() {
        try {
            return initialized(SSLContext.getInstance("TLS"));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK's TLS does not work", e);
        }
    }

    private static SSLContext initialized(SSLContext context) throws GeneralSecurityException {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(IDENTITY, PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(IDENTITY);
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
