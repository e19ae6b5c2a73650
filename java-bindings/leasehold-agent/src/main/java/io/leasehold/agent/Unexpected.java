package io.leasehold.agent;

/** Why a class is left alone; the message is the end of a sentence. */
final class Unexpected extends Exception {
    private static final long serialVersionUID = 1;

    Unexpected(String why) {
        super(why, null, false, false);
    }
}
