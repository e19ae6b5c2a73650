package io.leasehold.internal.natives;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file that is unpacked, and what others could have put in its way. */
class UnpackedTest {
    @TempDir
    Path parent;

    @Test
    void onlyItsUserCanEnterTheDirectoryAndReadTheFileAndBothGo() throws Exception {
        byte[] content = "library".getBytes(UTF_8);
        try (Unpacked unpacked = Unpacked.into(parent, "library.so", content)) {
            Path file = unpacked.file();
            assertArrayEquals(content, Files.readAllBytes(file));
            assertEquals("library.so", file.getFileName().toString());
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            assertEquals(parent, file.getParent().getParent());
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())));
            try (Unpacked another = Unpacked.into(parent, "library.so", content)) {
                assertNotEquals(file.getParent(), another.file().getParent());
            }
        }
        assertEquals(0, parent.toFile().list().length);
    }

    @Test
    void aPlantedFileIsNeitherTakenNorWrittenTo() throws Exception {
        Path planted = Files.write(parent.resolve("library.so"), "planted".getBytes(UTF_8));
        assertThrows(FileAlreadyExistsException.class, () -> Unpacked.write(planted, "library".getBytes(UTF_8)));
        assertEquals("planted", new String(Files.readAllBytes(planted), UTF_8));
    }

    @Test
    void aPlantedLinkIsNotFollowed() throws Exception {
        Path victim = Files.write(parent.resolve("victim"), "untouched".getBytes(UTF_8));
        Path planted = Files.createSymbolicLink(parent.resolve("library.so"), victim);
        assertThrows(FileAlreadyExistsException.class, () -> Unpacked.write(planted, "library".getBytes(UTF_8)));
        assertEquals("untouched", new String(Files.readAllBytes(victim), UTF_8));

        Path dangling = Files.createSymbolicLink(parent.resolve("other.so"), parent.resolve("made"));
        assertThrows(FileAlreadyExistsException.class, () -> Unpacked.write(dangling, "library".getBytes(UTF_8)));
        assertEquals(false, Files.exists(parent.resolve("made")));
    }

    @Test
    void whatCannotBeWrittenLeavesNothingBehind() {
        assertThrows(NoSuchFileException.class, () -> Unpacked.into(parent, "missing/library.so", "library".getBytes(UTF_8)));
        assertEquals(0, parent.toFile().list().length);
    }
}
