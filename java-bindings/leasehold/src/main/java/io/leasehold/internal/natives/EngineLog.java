package io.leasehold.internal.natives;

import io.leasehold.internal.log.Log;

/**
 * Hands what the native library logs to the pool's logger: that a socket could not be watched. Lines wait in the native library, a
 * bounded number of them, until the housekeeper comes for them, who is woken for that; kept are only those that the logger wanted when
 * it last came.
 */
public final class EngineLog {
    private static final int WARNINGS = 1;
    private static final int ALL = 2;

    private EngineLog() {}

    /** Logs what has come since the last call, and says what is wanted from now on. On the housekeeper's thread. */
    public static void drain() {
        keep(Log.isDebug() ? ALL : WARNINGS);
        for (String line = next(); line != null; line = next()) {
            String text = line.substring(1);
            if (line.charAt(0) == '!') {
                Log.warn(text, null);
            } else {
                Log.debug(text);
            }
        }
    }

    private static native void keep(int level);

    /** The next line after a character that says how grave it is, or null. */
    private static native String next();
}
