package io.leasehold.bench;

import java.nio.file.Files;
import java.nio.file.Paths;

/**
 * Has one thread do the same cycle for ever, for {@code bench/steps.py} to count its instructions. Each begins with a system call that
 * nothing else here makes, by which a cycle is told from the next.
 */
public final class Steps {
    private static final int WARM_UP = 200_000;

    private Steps() {
    }

    /** Takes the name of an {@link Entrant}, or nothing for a cycle that is the system call alone. Says the thread's number when warm. */
    public static void main(String[] args) throws Exception {
        Contender.User user = args.length == 0 ? route -> null : Entrant.valueOf(args[0]).make(1).user();
        for (int i = 0; i < WARM_UP; i++) {
            step(user);
        }
        System.out.println(Files.readSymbolicLink(Paths.get("/proc/thread-self")).getFileName());
        while (true) {
            step(user);
        }
    }

    private static Object step(Contender.User user) throws Exception {
        Thread.yield();
        return user.cycle(0);
    }
}
