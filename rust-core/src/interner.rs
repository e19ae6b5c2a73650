//! Keys and their routes: each distinct key has one route id as long as the engine keeps the route alive.
//!
//! Looked up in one of a few tables, each written only when a key is new or its route was reclaimed; several, so that one that grows
//! holds up no more than its part of the keys.
//!
//! A key's `Hash`, `Eq`, `Borrow` and `Drop` are its user's code, which may panic, and may call the pool. They run under none of the
//! locks, but for the `Eq` and `Borrow` of a look-up that reads: a table keeps each key's hash, so that whoever writes needs neither to
//! hash nor to compare. An `Eq` that comes back here finds what is known. Where its call would have to write, it panics rather than
//! wait for itself.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use crate::locks::Mutex;
use hashbrown::HashTable;

use crate::engine::{Effects, Engine, Refusal, RouteId, RouteSlot, Segments};
use crate::panics::{Panics, in_drop};
use crate::sharded_lock::{ShardedLock, is_reading};

// Under a model checker one, as there is one lock in a table.
const TABLES: usize = if cfg!(loom) { 1 } else { 8 };

/// Keys and their routes.
#[derive(Debug)]
pub struct Interner<K> {
    // ----- as it was made -----
    hasher: RandomState,

    // ----- each under its own lock: written by whoever interns or forgets a key -----
    tables: [ShardedLock<Table<K>>; TABLES],
    /// The key of each live route, by its slot.
    keys: Segments<RouteSlot, Mutex<Option<Known<K>>>>,
    /// Routes to forget whose retirement was told to a key's `Eq`, under a table's lock.
    put_off: Mutex<Vec<RouteId>>,
}

/// A key, what it hashes to, and its route.
#[derive(Debug)]
struct Known<K> {
    key: Arc<K>,
    hash: u64,
    route: RouteId,
}

type Table<K> = HashTable<Known<K>>;

impl<K> Clone for Known<K> {
    fn clone(&self) -> Self {
        Known {
            key: Arc::clone(&self.key),
            ..*self
        }
    }
}

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
            put_off: Mutex::default(),
        }
    }

    /// The route of a key that is known. `key` is any borrowed form of it, which hashes and compares as it does.
    ///
    /// Race window: the engine may have reclaimed the route, or do so right after this. It is harmless because the engine knows a stale id
    /// and refuses it, upon which the key is interned anew.
    pub fn find<Q>(&self, key: &Q) -> Option<RouteId>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        let table = self.table(hash).read();
        table
            .find(hash, |known| K::borrow(&known.key) == key)
            .map(|known| known.route)
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
        let mut new = None;
        loop {
            // Compared with no lock held, by references of our own.
            let alike: Vec<Known<K>> = alike(&self.table(hash).read(), hash).cloned().collect();
            let known = alike
                .iter()
                .find(|known| *known.key == **key)
                .map(|known| known.route);
            if let Some(route) = known.filter(|route| Some(*route) != stale) {
                // A new route that is not needed after all has nothing and is reclaimed in time.
                return Ok(route);
            }
            assert!(
                !is_reading(),
                "the Eq of a key calls the pool with a new key"
            );
            let route = match new {
                Some(route) => route,
                None => *new.insert(engine.add_route(effects)?),
            };
            let mut table = self.table(hash).write();
            let routes_alike = self::alike(&table, hash).map(|known| known.route);
            if !routes_alike.eq(alike.iter().map(|known| known.route)) {
                // Somebody has written meanwhile, maybe this key.
                continue;
            }
            let old = table.find_mut(hash, |other| Some(other.route) == known);
            match old {
                Some(stale) => stale.route = route,
                None => {
                    let new = Known {
                        key: Arc::clone(key),
                        hash,
                        route,
                    };
                    table.insert_unique(hash, new, |known| known.hash);
                }
            }
            drop(table);
            self.remember_key(Known {
                key: Arc::clone(key),
                hash,
                route,
            });
            return Ok(route);
        }
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
}

impl<K> Interner<K> {
    /// Notes the key of a new route. The slot may still know the route before it, whose retirement nobody has carried
    /// out yet, or already the one after it, where the new one was reclaimed on the spot: the older is forgotten here.
    fn remember_key(&self, new: Known<K>) {
        let mut kept = self.keys.grow_to(new.route.slot()).lock();
        let older = match &*kept {
            // Of one slot's ids the later is the greater.
            Some(known) if known.route.to_u64() > new.route.to_u64() => Some(new),
            _ => kept.replace(new),
        };
        drop(kept);
        if let Some(older) = older {
            self.forget_key(older);
        }
    }

    /// Forgets a route that the engine has reclaimed.
    pub fn forget(&self, retired: RouteId) {
        self.put_off.lock().push(retired);
        if is_reading() {
            // Whoever comes next does it.
            return;
        }
        let retired = std::mem::take(&mut *self.put_off.lock());
        let mut panics = Panics::new();
        for known in retired.into_iter().filter_map(|route| self.take_key(route)) {
            panics.catch(|| self.forget_key(known));
        }
        panics.resume();
    }

    fn forget_key(&self, forgotten: Known<K>) {
        let mut table = self.table(forgotten.hash).write();
        let removed = table
            .find_entry(forgotten.hash, |known| known.route == forgotten.route)
            .ok()
            .map(|entry| entry.remove().0);
        drop(table);
        // Dropped here, with no lock held: a key's drop is the user's code.
        drop(removed);
    }

    fn take_key(&self, route: RouteId) -> Option<Known<K>> {
        let mut kept = self.keys.get(route.slot())?.lock();
        kept.take_if(|known| known.route == route)
    }

    /// The key of a live route.
    pub fn key_of(&self, route: RouteId) -> Option<Arc<K>> {
        let kept = self.keys.get(route.slot())?.lock();
        let known = kept.as_ref().filter(|known| known.route == route)?;
        Some(Arc::clone(&known.key))
    }

    fn table(&self, hash: u64) -> &ShardedLock<Table<K>> {
        // The table itself uses the hash's top and bottom bits.
        &self.tables[(hash >> 32) as usize % TABLES]
    }
}

/// The keys that hash to the same.
fn alike<K>(table: &Table<K>, hash: u64) -> impl Iterator<Item = &Known<K>> {
    table
        .iter_hash(hash)
        .filter(move |known| known.hash == hash)
}

impl<K> Drop for Interner<K> {
    /// One key's drop that panics keeps no other from being dropped.
    fn drop(&mut self) {
        in_drop(|panics| {
            for table in &self.tables {
                for known in std::mem::take(&mut *table.write()) {
                    panics.catch(|| drop(known));
                }
            }
            for (_, kept) in self.keys.iter() {
                let known = kept.lock().take();
                panics.catch(|| drop(known));
            }
        });
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
                let known = Known {
                    key: Arc::clone(key),
                    hash,
                    route,
                };
                let mut table = interner.table(hash).write();
                table.insert_unique(hash, known.clone(), |known| known.hash);
                drop(table);
                interner.remember_key(known);
            }
            assert_eq!(interner.find(&"a"), None);
            assert_eq!(interner.find(&"b"), Some(newer));
            assert_eq!(interner.key_of(older), None);
            assert_eq!(interner.key_of(newer).as_deref(), Some(&"b"));
            interner.forget(newer);
        }
    }
}
