//! What a watched connection is known by.

use crate::engine::{Numbered, Slot};

const REGISTRATION_BITS: u32 = 28;
const SLOT_BITS: u32 = 20;
const OPENING_BITS: u32 = 16;

/// What a registration is known by: a number that stands for the pool among those that share the watch, the slot of
/// the entry and the number of its opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(u64);

impl Token {
    /// The largest number that a pool can have here; the least is 0.
    pub const MAX_POOL: u32 = (1 << REGISTRATION_BITS) - 2;

    /// The token of one opening. Of `pool` and `slot` the bits that a token has room for count.
    pub fn new(pool: u32, slot: Slot, opening: u16) -> Self {
        let pool = u64::from(pool) & ((1 << REGISTRATION_BITS) - 1);
        let slot = u64::from(slot.number()) & ((1 << SLOT_BITS) - 1);
        Token(pool << (SLOT_BITS + OPENING_BITS) | slot << OPENING_BITS | u64::from(opening))
    }

    /// The number that stands for the pool.
    pub fn pool(self) -> u32 {
        (self.0 >> (SLOT_BITS + OPENING_BITS)) as u32
    }

    /// The slot of the entry.
    pub fn slot(self) -> Slot {
        Slot::of((self.0 >> OPENING_BITS) as u32 & ((1 << SLOT_BITS) - 1))
    }

    /// Which opening of the slot it is; see [`Engine::opening`](crate::engine::Engine::opening).
    pub fn opening(self) -> u16 {
        self.0 as u16
    }

    /// The token as a number, for bindings to other languages.
    pub fn to_u64(self) -> u64 {
        self.0
    }

    /// The token that [`to_u64`](Self::to_u64) gave.
    pub fn from_u64(number: u64) -> Self {
        Token(number)
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_token_come_back() {
        let slot = Slot::of((1 << SLOT_BITS) - 1);
        let token = Token::new(Token::MAX_POOL, slot, u16::MAX);
        assert_eq!(Token::from_u64(token.to_u64()), token);
        assert_eq!(token.pool(), Token::MAX_POOL);
        assert_eq!(token.slot(), slot);
        assert_eq!(token.opening(), u16::MAX);
        let token = Token::new(0, Slot::of(7), 0);
        let parts = (token.pool(), token.slot().number(), token.opening());
        assert_eq!(parts, (0, 7, 0));
    }
}
