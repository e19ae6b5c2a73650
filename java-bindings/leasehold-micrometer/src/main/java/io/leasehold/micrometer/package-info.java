/**
 * Meters of Leasehold's pools and managers for Micrometer: {@link io.leasehold.micrometer.LeaseholdMetrics}.
 */
package io.leasehold.micrometer;
