package io.leasehold.internal.housekeeping;

import io.leasehold.internal.natives.Effects;

/** A reference in the housekeeper's queue. */
public interface Collected {
    /**
     * Does what is to be done now that the referent is gone. Called on the housekeeper's thread, and again if it was cut off by want
     * of memory: nothing may be done twice then, nor be left out.
     *
     * @param effects for what calls on an engine bring about
     */
    void collected(Effects effects);
}
