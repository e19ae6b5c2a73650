//! The native half of the `io.leasehold` Java package: engine calls over raw longs.
