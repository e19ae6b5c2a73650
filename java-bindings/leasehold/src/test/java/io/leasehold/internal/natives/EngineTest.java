package io.leasehold.internal.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.Application;
import io.leasehold.ConnectionPool;
import io.leasehold.Ours;
import io.leasehold.testsupport.OwnLoader;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who is given an engine, and what its answers mean. */
class EngineTest {
    @BeforeAll
    static void loadTheLibrary() {
        assertNull(NativeLibrary.failure());
    }

    private static Engine engine(MethodHandles.Lookup maker) {
        return Engine.create(maker, 1, 1, 1, 0, false, false, false, false, 0, false);
    }

    /** Whose own lookup is no better than an application's; nor is that of what has a name like ours, or is not of that package itself. */
    @Test
    void noEngineIsMadeForAnApplication() throws Exception {
        try (OwnLoader others = OwnLoader.with(Ours.class)) {
            Class<?> another = others.loadClass(Ours.class.getName());
            assertNotSame(Ours.class, another);
            for (MethodHandles.Lookup lookup : Arrays.asList(Application.LOOKUP, MethodHandles.publicLookup(),
                    Application.LOOKUP.in(ConnectionPool.class), MethodHandles.lookup(),
                    (MethodHandles.Lookup) another.getField("LOOKUP").get(null))) {
                assertThrows(IllegalArgumentException.class, () -> engine(lookup), lookup::toString);
            }
        }
        Engine engine = engine(Ours.LOOKUP);
        assertThrows(IllegalStateException.class, engine::free);
        engine.forHousekeeper().free();
    }

    @Test
    void aGrantIsTheHandleOfWhatIsOpenOrTheComplementOfOneToOpen() {
        long handle = 1L << 52 | 1;
        for (long grant : new long[] {handle, ~handle}) {
            assertTrue(Engine.isGrant(grant));
            assertEquals(handle, Engine.handle(grant));
        }
        for (long refusal : new long[] {Engine.DONE, Engine.WAIT, Engine.WOULD_BLOCK, Engine.TOO_MANY_ROUTES}) {
            assertFalse(Engine.isGrant(refusal));
        }
    }
}
