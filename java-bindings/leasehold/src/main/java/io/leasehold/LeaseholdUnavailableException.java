package io.leasehold;

/**
 * The native library could not be loaded. The message is one sentence: what is needed, what was found, what stands in the way, and what can be
 * done about that. The system's own error, if there is one, is among {@link #getSuppressed()}.
 *
 * @see Leasehold#isAvailable()
 */
public final class LeaseholdUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message what is needed, what was found, and what can be done
     */
    public LeaseholdUnavailableException(String message) {
        super(message);
    }

    /**
     * Creates an exception with the stack of the caller, for an attempt that failed earlier.
     *
     * @param earlier what failed when the library was first needed
     */
    public LeaseholdUnavailableException(LeaseholdUnavailableException earlier) {
        super(earlier.getMessage(), earlier);
    }
}
