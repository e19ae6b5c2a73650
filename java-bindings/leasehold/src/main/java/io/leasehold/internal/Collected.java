package io.leasehold.internal;

/** A reference in the housekeeper's queue. */
interface Collected {
    /** Does what is to be done now that the referent is gone. Called once, on the housekeeper's thread. */
    void collected();
}
