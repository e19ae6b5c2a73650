/**
 * Real web servers, Debian's nginx and httpd and an embedded Tomcat, for tests, the demo and the benches.
 *
 * <p>Each is a child of this JVM with a configuration of its own in a directory of its own, on free loopback ports, and never outlives
 * the JVM. {@link io.leasehold.tests.servers.SocketTable} tells what became of the sockets.
 */
package io.leasehold.tests.servers;
