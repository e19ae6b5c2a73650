package io.leasehold.agent;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.util.function.BiConsumer;

/** Starts the agent with its options: the first time that these are right, and no more. */
public final class Starter implements BiConsumer<String, Instrumentation> {
    private final File jar;
    // Written by the first agent of this JVM that starts. Who comes here waits for others.
    private boolean isStarted;

    /**
     * Of an agent's jar.
     *
     * @param jar the file
     */
    public Starter(File jar) {
        this.jar = jar;
    }

    @Override
    public void accept(String arguments, Instrumentation instrumentation) {
        try {
            if (isStarted) {
                Report.say("this is a second copy of the agent, which does nothing: the first goes on alone");
                return;
            }
            Options options = new Options(arguments, System.getProperties());
            Report report = new Report(options);
            new Changes(options, report, new Payload(jar, instrumentation)).begin(instrumentation);
            // From here on it is the one that goes on; who could not start may be tried again, with other options.
            isStarted = true;
            if (report.isAwaited()) {
                Runtime.getRuntime().addShutdownHook(new Thread(report, "leasehold-agent report"));
            }
        } catch (IllegalArgumentException e) {
            Report.say(e.getMessage() + "; the program runs without the agent");
        } catch (Throwable e) {
            Report.say("it cannot start, and the program runs without it: " + Report.told(e));
        }
    }
}
