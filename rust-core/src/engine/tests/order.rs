//! When callers keep apart, and when no more.

use super::super::coordinator::order::CALM;
use super::super::hit::FEW_COLLISIONS;
use super::harness::Pool;

fn look(pool: &Pool) {
    pool.clock.advance(CALM);
    pool.with_effects(|fx| pool.engine.close_expired(fx));
}

#[test]
fn callers_keep_apart_who_collide_often_and_no_others() {
    let pool = Pool::new(|_| {});
    let route = pool.add_route();
    for _ in 0..3 {
        pool.collide(route, FEW_COLLISIONS);
        assert!(pool.engine.is_narrow());
        look(&pool);
    }
    pool.collide(route, FEW_COLLISIONS + 1);
    assert!(!pool.engine.is_narrow());
    look(&pool);
    assert!(!pool.engine.is_narrow(), "they did until now");
    pool.collide(route, FEW_COLLISIONS);
    look(&pool);
    assert!(pool.engine.is_narrow(), "they do no more");
}
