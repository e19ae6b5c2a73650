package io.leasehold.tests.modules;

/** Does not compile: what is imported is not for applications. */
final class Natives {
    io.leasehold.internal.natives.Engine engine;
}
