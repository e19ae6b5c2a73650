package io.leasehold.tests.modules;

/** Does not compile: what is imported is for this project's own managers. */
final class Managed {
    io.leasehold.managed.WeakInterner<Object> interner;
}
