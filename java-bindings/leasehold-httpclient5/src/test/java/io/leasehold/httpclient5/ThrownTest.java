package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.FileNotFoundException;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** What a method has thrown that was called by its name comes out as if it had been called. */
class ThrownTest {
    @Test
    void whatTheMethodDeclaresIsReturnedAndWhatIsUncheckedIsThrown() throws Exception {
        IOException declared = new FileNotFoundException();
        assertSame(declared, Thrown.as(declared, IOException.class));
        RuntimeException unchecked = new IllegalStateException();
        assertSame(unchecked, assertThrows(IllegalStateException.class, () -> Thrown.as(unchecked, IOException.class)));
        assertSame(unchecked, Thrown.as(unchecked, Exception.class));
        Error error = new OutOfMemoryError();
        assertSame(error, assertThrows(OutOfMemoryError.class, () -> Thrown.as(error, IOException.class)));
    }
}
