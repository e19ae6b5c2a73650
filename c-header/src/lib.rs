//! The C ABI of the Leasehold connection pool.
