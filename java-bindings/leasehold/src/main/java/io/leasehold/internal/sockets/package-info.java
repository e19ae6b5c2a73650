/**
 * Sockets as far as the pool needs them: their descriptors, the probe that asks one whether its peer has closed, and the watch by which the
 * system tells of it.
 */
package io.leasehold.internal.sockets;
