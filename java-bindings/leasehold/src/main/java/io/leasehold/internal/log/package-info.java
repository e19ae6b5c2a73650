/**
 * The lines that the library logs, which never fail whoever logs them, and their texts.
 */
package io.leasehold.internal.log;
