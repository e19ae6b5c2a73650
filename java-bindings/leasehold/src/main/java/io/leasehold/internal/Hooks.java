package io.leasehold.internal;

import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Calls the hooks of requests that were answered: outside every lock, and after the threads that wait were woken. Those of a call that
 * ended leases or raised a limit it calls on that call's thread, one after the other; if that thread is in a hook already, when that one
 * has returned, so that the stack does not grow however many leases are chained. All others are called on the disposer's threads.
 *
 * <p>Which requests a thread has still to call is known to that thread alone. If it does not come to one, as the hook before hangs, the
 * housekeeper finds it ({@link HookedRequest#lookAfter}).
 */
final class Hooks {
    /** What the thread that is in a hook has to call then. Removed when it is in none, so that no thread keeps what is ours. */
    private static final ThreadLocal<Queue<HookedRequest>> RUNNING = new ThreadLocal<>();

    private Hooks() {}

    static void callHere(HookedRequest one) {
        Queue<HookedRequest> only = new ArrayDeque<>(1);
        only.add(one);
        callHere(only);
    }

    /** Calls the hooks of those who have an answer, on this thread if it may; null is nobody. Never throws. */
    static void callHere(Queue<HookedRequest> answered) {
        if (answered == null) {
            return;
        }
        try {
            Queue<HookedRequest> running = RUNNING.get();
            if (running != null) {
                running.addAll(answered);
            } else if (Housekeeper.isCurrent() || !hasStack(answered.peek().pool)) {
                callAside(answered);
            } else {
                callAll(answered);
            }
        } catch (Throwable e) {
            Log.warn(Texts.HOOK_FAILED, e);
        }
    }

    private static void callAll(Queue<HookedRequest> answered) {
        RUNNING.set(answered);
        try {
            for (HookedRequest next = answered.poll(); next != null; next = answered.poll()) {
                next.call();
            }
        } finally {
            RUNNING.remove();
        }
    }

    /** Whether there is enough for a hook, which is of somebody else than the call that it comes from. */
    private static boolean hasStack(NativePool pool) {
        try {
            pool.reserveStackForHook();
            return true;
        } catch (StackOverflowError e) {
            return false;
        }
    }

    /** Has the hooks called on the disposer's threads; null is nobody. Never throws. */
    static void callAside(Queue<HookedRequest> answered) {
        if (answered != null) {
            for (HookedRequest each : answered) {
                callAside(each);
            }
        }
    }

    /** As above; false if that is not possible now, and the housekeeper is to try again. */
    static boolean callAside(HookedRequest request) {
        try {
            Closings.add(new Closings.Telling(request));
            return true;
        } catch (Throwable e) {
            Log.warn(Texts.HOOK_FAILED, e);
            return false;
        }
    }
}
