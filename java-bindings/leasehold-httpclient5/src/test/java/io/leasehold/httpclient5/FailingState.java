package io.leasehold.httpclient5;

import io.leasehold.testsupport.Faults;

/** Who a connection is bound to, by the application's own comparison, which can fail. */
final class FailingState {
    static final String EQUALS = "a state's equals";
    static final String HASH_CODE = "a state's hashCode";
    static final String TO_STRING = "a state's toString";

    private final String name;
    private final Faults faults;

    FailingState(String name, Faults faults) {
        this.name = name;
        this.faults = faults;
    }

    /** An equal one that is another object. */
    FailingState like() {
        return new FailingState(name, faults);
    }

    @Override
    public boolean equals(Object other) {
        faults.pass(EQUALS);
        return other instanceof FailingState && ((FailingState) other).name.equals(name);
    }

    @Override
    public int hashCode() {
        faults.pass(HASH_CODE);
        return 7;
    }

    @Override
    public String toString() {
        faults.pass(TO_STRING);
        return name;
    }
}
