//! The engine as a whole, against what it promises.
