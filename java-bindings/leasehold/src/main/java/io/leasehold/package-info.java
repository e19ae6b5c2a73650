/** A native connection pool for Java. */
package io.leasehold;
