/**
 * What is told to the JDK's flight recorder.
 */
package io.leasehold.internal.jfr;
