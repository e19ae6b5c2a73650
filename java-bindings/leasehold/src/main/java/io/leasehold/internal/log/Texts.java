package io.leasehold.internal.log;

/**
 * What is said where something was taken and must still be done, however short memory is. A literal is made when the code that names it
 * runs for the first time, and that may fail; these are made together, when this class is initialized.
 */
public final class Texts {
    public static final String OF = made(": ");
    public static final String NO_THREAD = made("no thread could be started to close connections, which is tried again");
    public static final String SOCKET_FAILED = made("a connection's socket failed before it was closed, which it is all the same");
    public static final String ASKING_FAILED = made("a connection's socket failed when it was asked: it counts as one of which nothing is known");
    public static final String DISPOSING = made("disposing of a connection to ");
    public static final String DISPOSING_FOR = made(": ");
    public static final String LET_GO_FAILED = made("a disposer failed when it was told that a connection was let go (");
    public static final String LET_GO_FAILED_END = made(")");
    public static final String MAY_BLOCK_FAILED = made("a disposer failed to say whether closing a connection may block: it is taken to");
    public static final String IS_CLOSED_FAILED = made("it could not be told whether a connection was closed: it is taken for open");
    public static final String NEEDS_HELP_FAILED = made("it could not be told whether a leased connection needs help: it gets none");
    public static final String HELP_FAILED = made("a leased connection could not be helped");
    public static final String CLOSE_FAILED = made("a disposer failed to close a connection (");
    public static final String CLOSE_FAILED_END = made("): it may still be open");
    public static final String EFFECT_FAILED = made("a pool failed to carry out what it had decided");
    public static final String WORK_FAILED = made("the housekeeper failed at its work, which goes on");
    public static final String PEER_CLOSED_FAILED = made("the housekeeper failed to close what a peer had closed");
    public static final String TIDY_FAILED = made("the housekeeper failed to clean up after a lease or pool");
    public static final String LOOK_FAILED = made("the housekeeper failed to look after a pool");
    public static final String NUMBERS_FAILED = made("the numbers of a pool could not be told");
    public static final String NO_HOUSEKEEPER = made("the housekeeper could not be started, which is tried again");
    public static final String LEAK = made("a lease to ");
    public static final String LEAK_END = made(" was garbage collected without having been released: its connection is closed");
    public static final String HELD = made("a lease to ");
    public static final String HELD_END = made(" has been held for longer than leaks are detected after, and was taken here");
    public static final String HOOK_FAILED = made("a hook failed that was told of a lease request's answer");
    public static final String UNDO_FAILED = made("what was done for a pool could not be undone at its end");
    public static final String CLOSE_LISTENER_FAILED = made("a listener failed that was told of a connection's end");
    public static final String LISTENER_FAILED = made("a leak listener failed");
    public static final String RESUMPTION_FAILED = made("what was to be done once the pool was resumed failed");
    public static final String LINE_FAILED = made("a line of the log could not be made");
    public static final String LOG_FAILED = made("the log of io.leasehold.ConnectionPool has failed");

    private Texts() {}

    /** The text itself, but by a call: what a compiler can evaluate it would put where it is used, a literal again. */
    private static String made(String text) {
        return text;
    }
}
