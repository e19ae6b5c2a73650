//! A connection pool engine.
