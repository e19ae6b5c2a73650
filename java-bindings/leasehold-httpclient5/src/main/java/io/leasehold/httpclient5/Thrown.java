package io.leasehold.httpclient5;

/** What a method has thrown that was called by its name. */
final class Thrown {
    private Thrown() {}

    /** It, as the type that the method declares; what is unchecked is thrown. */
    static <E extends Exception> E as(Throwable thrown, Class<E> type) {
        if (thrown instanceof RuntimeException && !type.isInstance(thrown)) {
            throw (RuntimeException) thrown;
        }
        if (thrown instanceof Error) {
            throw (Error) thrown;
        }
        return type.cast(thrown);
    }
}
