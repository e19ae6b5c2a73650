package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.DataInputStream;
import java.io.InputStream;
import org.junit.jupiter.api.Test;

/** What the published jar must hold for the library to load. */
class PackagingTest {
    @Test
    void nativeLibraryIsAResourceNamedByPlatformAndVersion() throws Exception {
        String arch = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        String path = "/META-INF/native/linux-" + arch + "/libleasehold-jni-" + System.getProperty("leasehold.version") + ".so";
        assertNotNull(PackagingTest.class.getResource(path + ".sha256"), "its checksum");
        try (InputStream library = PackagingTest.class.getResourceAsStream(path)) {
            assertNotNull(library, path);
            assertEquals(0x7f454c46, new DataInputStream(library).readInt(), "ELF magic");
        }
    }
}
