package io.leasehold.internal.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The loader's own words, as glibc 2.36, musl 1.2.3 and JDK 17 say them. {@code LoadingTest} has those that can be had here. */
class ObstacleTest {
    @Test
    void tooOldAGlibcIsToldFromAMuslThatLacksSomething() {
        assertEquals(Obstacle.LIBC_TOO_OLD, Obstacle.in("/tmp/l.so: /lib64/libc.so.6: version `GLIBC_2.17' not found (required by /tmp/l.so)"));
        assertEquals(Obstacle.LIBC_LACKS, Obstacle.in("Error relocating /tmp/l.so: __strdup: symbol not found"));
        assertEquals(Obstacle.LIBC_LACKS,
                Obstacle.in("Error loading shared library libgcc_s.so.1: No such file or directory (needed by /tmp/l.so)"));
        assertEquals(Obstacle.LIBC_LACKS, Obstacle.in("/tmp/l.so: undefined symbol: nobody_has_it"));
    }

    @Test
    void aFileForAnotherProcessorIsToldFromOneThatIsNotThere() {
        assertEquals(Obstacle.OTHER_PROCESSOR, Obstacle.in("/tmp/l.so: wrong ELF class: ELFCLASS32"));
        assertEquals(Obstacle.OTHER_PROCESSOR, Obstacle.in("/tmp/l.so: /tmp/l.so: cannot open shared object file: No such file or directory"
                + " (Possible cause: can't load AARCH64 .so on a AMD 64 platform)"));
        assertEquals(Obstacle.UNKNOWN, Obstacle.in("/tmp/l.so: cannot open shared object file: No such file or directory"));
    }

    @Test
    void eachSaysWhatItMeansAndWhatCanBeDone() {
        Set<String> said = new HashSet<>();
        for (Obstacle obstacle : Obstacle.values()) {
            said.add(obstacle.meaning());
            said.add(obstacle.advice());
        }
        assertFalse(said.contains(""));
        Error error = new UnsatisfiedLinkError("of the test's own making");
        LoadFailure failure = new LoadFailure("what stands in the way", error);
        assertEquals("what stands in the way", failure.message());
        assertSame(error, failure.error());
    }
}
