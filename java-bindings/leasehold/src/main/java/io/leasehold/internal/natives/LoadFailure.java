package io.leasehold.internal.natives;

/** Why the native library is not there. */
public final class LoadFailure {
    private final String message;
    private final Throwable error;

    LoadFailure(String message, Throwable error) {
        this.message = message;
        this.error = error;
    }

    /**
     * What is needed, what was found, what stands in the way, and what can be done.
     *
     * @return one sentence
     */
    public String message() {
        return message;
    }

    /**
     * The system's own error.
     *
     * @return null if there is none
     */
    public Throwable error() {
        return error;
    }
}
