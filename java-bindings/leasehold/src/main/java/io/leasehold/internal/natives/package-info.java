/**
 * The native library, how it is loaded, and every {@code native} method of ours, each behind what makes a wrong call harmless.
 */
package io.leasehold.internal.natives;
