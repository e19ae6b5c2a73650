package io.leasehold;

/** How long a request waits. */
interface Patience {
    /**
     * The time left.
     *
     * @return nanoseconds; zero or less is none
     */
    long nanosLeft();

    /**
     * Whether the request was cancelled.
     *
     * @return true if it need not wait on
     */
    boolean isCancelled();

    /**
     * A thread starts to wait and is to be unparked when time moves other than by itself.
     *
     * @param thread the thread
     */
    void startWaiting(Thread thread);

    /**
     * The thread waits no longer.
     *
     * @param thread the thread
     */
    void stopWaiting(Thread thread);
}
