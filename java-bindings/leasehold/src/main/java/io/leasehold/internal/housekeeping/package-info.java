/**
 * What happens without a call: the housekeeper's thread, its rounds and deadlines, the disposer's threads, and what is done for what the
 * collector has taken. Of a pool it knows the {@link io.leasehold.internal.housekeeping.Chores} only.
 */
package io.leasehold.internal.housekeeping;
