package io.leasehold;

import java.lang.invoke.MethodHandles;

/** A class of the one package whose classes may make engines. */
public final class Ours {
    /** What it may do. */
    public static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

    private Ours() {}
}
