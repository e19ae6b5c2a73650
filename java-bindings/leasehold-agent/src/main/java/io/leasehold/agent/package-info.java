/**
 * The Java agent, {@code java -javaagent:leasehold-agent.jar}: it puts the connection managers of Apache's HttpClients on Leasehold, in
 * programs that are not changed.
 */
package io.leasehold.agent;
