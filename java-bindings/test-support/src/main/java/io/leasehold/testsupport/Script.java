package io.leasehold.testsupport;

/** What is played on both sides of a comparison. */
public interface Script<S extends ScriptStage> {
    /** Plays it on one side. */
    void play(S stage) throws Exception;
}
