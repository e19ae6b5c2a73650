package io.leasehold.internal;

/** The thread behind a ticket. */
final class Waiter {
    final Thread thread = Thread.currentThread();
    /** Written before the waiter is published. */
    long ticket;
}
