//! Keys and their routes: each distinct key has one route id as long as the engine keeps the route alive.
//!
//! Looked up in one of a few tables, each written only when a key is new or its route was reclaimed; several, so that one that grows
//! holds up no more than its part of the keys. A key's own `Hash` and `Eq` run under a table's lock, never under one of the engine's.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use crate::locks::Mutex;
use hashbrown::HashTable;

use crate::engine::{Effects, Engine, Refusal, RouteId, Segments};
use crate::sharded_lock::ShardedLock;

const TABLES: usize = 8;

/// Keys and their routes.
#[derive(Debug)]
pub struct Interner<K> {
    hasher: RandomState,
    tables: [ShardedLock<Table<K>>; TABLES],
    /// The key of each live route, by its slot. Written by whoever interns or forgets it.
    keys: Segments<Mutex<Option<Known<K>>>>,
}

type Known<K> = (RouteId, Arc<K>);

type Table<K> = HashTable<(Arc<K>, RouteId)>;

impl<K: Eq + Hash> Default for Interner<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Eq + Hash> Interner<K> {
    /// No key is known yet.
    pub fn new() -> Self {
        Interner {
            hasher: RandomState::new(),
            tables: [const { ShardedLock::new(HashTable::new()) }; TABLES],
            keys: Segments::new(),
        }
    }

    /// The route of a key that is known.
    pub fn find(&self, key: &K) -> Option<RouteId> {
        let hash = self.hasher.hash_one(key);
        let table = self.table(hash).read();
        table
            .find(hash, |(known, _)| **known == *key)
            .map(|(_, id)| *id)
    }

    /// The route of a key, a new one if it is not known or its route is `stale`.
    ///
    /// Refused where more than a million routes are alive at once.
    pub fn intern(
        &self,
        engine: &Engine,
        key: &Arc<K>,
        stale: Option<RouteId>,
        effects: &mut Effects,
    ) -> Result<RouteId, Refusal> {
        let hash = self.hasher.hash_one(&**key);
        let is_fresh = |id: RouteId| Some(id) != stale;
        if let Some(id) = self.find(key).filter(|id| is_fresh(*id)) {
            return Ok(id);
        }
        let new = engine.add_route(effects)?;
        let mut table = self.table(hash).write();
        if let Some(entry) = table.find_mut(hash, |(known, _)| **known == **key) {
            if is_fresh(entry.1) {
                // Somebody was faster; the new route has nothing and is reclaimed in time.
                return Ok(entry.1);
            }
            entry.1 = new;
        } else {
            let hasher = &self.hasher;
            table.insert_unique(hash, (Arc::clone(key), new), |(known, _)| {
                hasher.hash_one(&**known)
            });
        }
        drop(table);
        self.remember_key(new, key);
        Ok(new)
    }

    /// Does something with the route of a key: with a new route as often as the engine reclaims it in between.
    ///
    /// Refused as [`intern`](Self::intern) or `action` is.
    pub fn with_route<T>(
        &self,
        engine: &Engine,
        key: &Arc<K>,
        effects: &mut Effects,
        mut action: impl FnMut(RouteId, &mut Effects) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut stale = None;
        loop {
            let route = self.intern(engine, key, stale, effects)?;
            match action(route, effects) {
                Err(Refusal::StaleRoute) => stale = Some(route),
                outcome => return outcome,
            }
        }
    }

    /// Notes the key of a new route. The slot may still know the route before it, whose retirement nobody has carried
    /// out yet, or already the one after it, where the new one was reclaimed on the spot: the older is forgotten here.
    fn remember_key(&self, new: RouteId, key: &Arc<K>) {
        let mut kept = self.keys.grow_to(new.slot()).lock();
        let older = match &*kept {
            // Of one slot's ids the later is the greater.
            Some((known, _)) if known.to_u64() > new.to_u64() => Some((new, Arc::clone(key))),
            _ => kept.replace((new, Arc::clone(key))),
        };
        drop(kept);
        if let Some((id, key)) = older {
            self.forget_key(id, &key);
        }
    }

    /// Forgets a route that the engine has reclaimed.
    pub fn forget(&self, retired: RouteId) {
        if let Some(key) = self.take_key(retired) {
            self.forget_key(retired, &key);
        }
    }

    fn forget_key(&self, id: RouteId, key: &K) {
        let hash = self.hasher.hash_one(key);
        let mut table = self.table(hash).write();
        let removed = table
            .find_entry(hash, |(known, of)| *of == id && **known == *key)
            .ok()
            .map(|entry| entry.remove().0);
        drop(table);
        // Dropped here, with no lock held: a key's drop is the user's code.
        drop(removed);
    }

    fn take_key(&self, id: RouteId) -> Option<Arc<K>> {
        let mut kept = self.keys.get(id.slot())?.lock();
        match &*kept {
            Some((known, _)) if *known == id => kept.take().map(|(_, key)| key),
            _ => None,
        }
    }

    /// The key of a live route.
    pub fn key_of(&self, id: RouteId) -> Option<Arc<K>> {
        let kept = self.keys.get(id.slot())?.lock();
        let (known, key) = kept.as_ref()?;
        (*known == id).then(|| Arc::clone(key))
    }

    fn table(&self, hash: u64) -> &ShardedLock<Table<K>> {
        // The table itself uses the hash's top and bottom bits.
        &self.tables[(hash >> 32) as usize % TABLES]
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::engine::Config;

    fn interned(interner: &Interner<&'static str>, engine: &Engine, key: &'static str) -> RouteId {
        let mut effects = Effects::new();
        let route = interner.intern(engine, &Arc::new(key), None, &mut effects);
        for retired in effects.retired {
            interner.forget(retired);
        }
        route.unwrap()
    }

    #[test]
    fn equal_keys_have_one_route_until_it_is_forgotten() {
        let (interner, engine) = (Interner::new(), Engine::new(Config::default()));
        let route = interned(&interner, &engine, "a");
        assert_eq!(interned(&interner, &engine, "a"), route);
        assert_ne!(interned(&interner, &engine, "b"), route);
        assert_eq!(interner.find(&"a"), Some(route));
        assert_eq!(interner.key_of(route).as_deref(), Some(&"a"));
        interner.forget(route);
        assert_eq!(interner.find(&"a"), None);
        assert_eq!(interner.key_of(route), None);
    }

    #[test]
    fn a_stale_route_is_replaced_and_its_late_retirement_takes_nothing_away() {
        let (interner, engine) = (Interner::new(), Engine::new(Config::default()));
        let stale = interned(&interner, &engine, "a");
        let mut effects = Effects::new();
        let mut asked = Vec::new();
        let fresh = interner.with_route(&engine, &Arc::new("a"), &mut effects, |route, _| {
            asked.push(route);
            match route == stale {
                true => Err(Refusal::StaleRoute),
                false => Ok(route),
            }
        });
        let fresh = fresh.unwrap();
        assert_eq!(asked, [stale, fresh]);
        interner.forget(stale);
        assert_eq!(interner.find(&"a"), Some(fresh));
        assert_eq!(interner.key_of(fresh).as_deref(), Some(&"a"));
    }

    /// Two routes that had one slot one after the other.
    fn of_one_slot(engine: &Engine) -> [RouteId; 2] {
        let mut effects = Effects::new();
        let first = engine.add_route(&mut effects).unwrap();
        loop {
            let next = engine.add_route(&mut effects).unwrap();
            if next.slot() == first.slot() {
                return [first, next];
            }
        }
    }

    #[test]
    fn of_two_routes_of_one_slot_the_older_is_forgotten_whoever_is_noted_first() {
        let (interner, engine) = (Interner::new(), Engine::new(Config::default()));
        let [older, newer] = of_one_slot(&engine);
        let [a, b] = ["a", "b"].map(Arc::new);
        for [first, second] in [[older, newer], [newer, older]] {
            for route in [first, second] {
                let key = if route == older { &a } else { &b };
                let hash = interner.hasher.hash_one(**key);
                let mut table = interner.table(hash).write();
                table.insert_unique(hash, (Arc::clone(key), route), |(known, _)| {
                    interner.hasher.hash_one(**known)
                });
                drop(table);
                interner.remember_key(route, key);
            }
            assert_eq!(interner.find(&"a"), None);
            assert_eq!(interner.find(&"b"), Some(newer));
            assert_eq!(interner.key_of(older), None);
            assert_eq!(interner.key_of(newer).as_deref(), Some(&"b"));
            interner.forget(newer);
        }
    }
}
