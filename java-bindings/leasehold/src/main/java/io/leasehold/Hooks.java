package io.leasehold;

import io.leasehold.internal.housekeeping.Closings;
import io.leasehold.internal.housekeeping.HousekeeperThread;
import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Engine;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Calls the hooks of requests that were answered: outside every lock, and after the threads that wait were woken. Those of a call that
 * ended leases or raised a limit it calls on that call's thread, one after the other; if that thread is in a hook already, when that one
 * has returned, so that the stack does not grow however many leases are chained. All others are called on the disposer's threads.
 *
 * <p>Which requests a thread has still to call is known to that thread alone. If it does not come to one, as the hook before hangs, the
 * housekeeper finds it ({@link Waiter#lookAfter}).
 */
final class Hooks {
    /** What the thread that is in a hook has to call then. Removed when it is in none, so that no thread keeps what is ours. */
    private static final ThreadLocal<Queue<Runnable>> RUNNING = new ThreadLocal<>();

    private Hooks() {}

    static void callHere(Runnable one, Engine engine) {
        Queue<Runnable> only = new ArrayDeque<>(1);
        only.add(one);
        callHere(only, engine);
    }

    /**
     * Calls the hooks of those who have an answer, on this thread if it may. Never throws.
     *
     * @param answered the hooks, none of which throws; null for none
     * @param engine of the pool that has answered
     */
    static void callHere(Queue<Runnable> answered, Engine engine) {
        if (answered == null) {
            return;
        }
        try {
            Queue<Runnable> running = RUNNING.get();
            if (running != null) {
                running.addAll(answered);
            } else if (HousekeeperThread.isCurrent() || !hasStack(engine)) {
                callAside(answered);
            } else {
                callAll(answered);
            }
        } catch (Throwable e) {
            Log.warn(Texts.HOOK_FAILED, e);
        }
    }

    private static void callAll(Queue<Runnable> answered) {
        RUNNING.set(answered);
        try {
            for (Runnable next = answered.poll(); next != null; next = answered.poll()) {
                next.run();
            }
        } finally {
            RUNNING.remove();
        }
    }

    /** Whether there is enough for a hook, which is of somebody else than the call that it comes from. */
    private static boolean hasStack(Engine engine) {
        try {
            engine.needStackForHook();
            return true;
        } catch (StackOverflowError e) {
            return false;
        }
    }

    /** Has the hooks called on the disposer's threads; null is nobody. Never throws. */
    static void callAside(Queue<Runnable> answered) {
        if (answered != null) {
            for (Runnable each : answered) {
                callAside(each);
            }
        }
    }

    /** As above; false if that is not possible now, and the housekeeper is to try again. */
    static boolean callAside(Runnable hook) {
        try {
            Closings.add(new Telling(hook));
            return true;
        } catch (Throwable e) {
            Log.warn(Texts.HOOK_FAILED, e);
            return false;
        }
    }

    /** A hook to be called, which may hang as a close may. */
    static final class Telling extends Closings.Task {
        private final Runnable hook;

        Telling(Runnable hook) {
            this.hook = hook;
        }

        @Override
        protected void run() {
            hook.run();
        }
    }
}
