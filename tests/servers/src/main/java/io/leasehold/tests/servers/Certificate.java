package io.leasehold.tests.servers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyStore;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate for 127.0.0.1 that signs itself, made with the JDK's keytool; the same for all servers of this JVM, as that takes seconds. */
final class Certificate {
    private static final String PASSWORD = "password";
    private static KeyStore made;

    private final Path directory;
    private final KeyStore store;

    /** Writes the certificate and its key into the directory, as web servers want them. */
    Certificate(Path directory) throws Exception {
        this.directory = directory;
        store = store(directory);
        write(file(), "CERTIFICATE", store.getCertificate("server").getEncoded());
        write(keyFile(), "PRIVATE KEY", store.getKey("server", PASSWORD.toCharArray()).getEncoded());
    }

    private static synchronized KeyStore store(Path directory) throws Exception {
        if (made == null) {
            made = make(directory);
        }
        return made;
    }

    private static KeyStore make(Path directory) throws Exception {
        Path file = directory.resolve("certificate.p12");
        Process keytool = new ProcessBuilder(Paths.get(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-keyalg", "RSA", "-keysize", "2048", "-validity", "2", "-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-alias", "server",
                "-storetype", "PKCS12", "-storepass", PASSWORD, "-keystore", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start();
        if (keytool.waitFor() != 0) {
            throw new IOException("keytool made no certificate: " + Files.readAllLines(directory.resolve("output")));
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        return store;
    }

    Path file() {
        return directory.resolve("certificate.pem");
    }

    Path keyFile() {
        return directory.resolve("key.pem");
    }

    SSLContext trust() {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("server", store.getCertificate("server"));
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (Exception e) {
            throw new IllegalStateException("the JDK's TLS does not work", e);
        }
    }

    private static void write(Path file, String what, byte[] der) throws IOException {
        String text = "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + what + "-----\n";
        Files.write(file, text.getBytes(StandardCharsets.US_ASCII));
    }
}
