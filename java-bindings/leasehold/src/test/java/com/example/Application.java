package com.example;

import java.lang.invoke.MethodHandles;

/** Somebody else's code. */
public final class Application {
    /** What its class may do. */
    public static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

    private Application() {}
}
