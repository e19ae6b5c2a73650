package io.leasehold.httpclient3;

import io.leasehold.Leasehold;
import io.leasehold.LeaseholdUnavailableException;

/** Says at once, when a manager is made, that the native library is missing: 3.1's HttpClient then takes a manager of its own. */
final class Availability {
    private Availability() {}

    static void require() {
        Throwable cause = Leasehold.unavailabilityCause();
        if (cause != null) {
            throw new LeaseholdUnavailableException((LeaseholdUnavailableException) cause);
        }
    }
}
