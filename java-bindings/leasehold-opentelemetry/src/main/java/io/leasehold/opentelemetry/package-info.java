/**
 * Instruments of Leasehold's pools and managers for OpenTelemetry: {@link io.leasehold.opentelemetry.LeaseholdTelemetry}.
 */
package io.leasehold.opentelemetry;
