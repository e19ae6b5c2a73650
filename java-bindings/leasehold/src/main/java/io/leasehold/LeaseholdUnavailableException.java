package io.leasehold;

/**
 * The native library could not be loaded. The message says what was tried and what to set; each attempt's own error is
 * among {@link #getSuppressed()}.
 *
 * @see Leasehold#isAvailable()
 */
public final class LeaseholdUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message what was tried and what to set
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
