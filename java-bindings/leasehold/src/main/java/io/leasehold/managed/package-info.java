/**
 * What a manager of somebody else's connections needs beside the pool, once for all of them. For this project's own managers: it may change
 * with any version.
 */
package io.leasehold.managed;
