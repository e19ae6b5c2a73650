package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import org.junit.jupiter.api.Test;

/** What a pool knows of a route, and for how long: routes come and go, and nothing is kept of one that is in no use. */
class RoutesTest {
    private static final PoolState.Constants CONSTANTS =
            new PoolState.Constants(true, false, false, false, 10, 0, 0, true, Watching.OFF, false, 0, null, null);
    private static final int MORE_THAN_THE_ENGINE_KEEPS = 3_000;

    private final PoolState state = new PoolState(
            new PoolName(PoolName.POOL, null), (Disposer<Object>) (connection, cause) -> {}, null, CONSTANTS, 5, 5);

    @Test
    void oneThatIsKnownForItsLimitAloneIsForgottenWithIt() {
        state.limits.setOf("a", 3, () -> null, new Effects());
        assertEquals(3, state.limits.of("a"));
        assertNotNull(state.routes.route("a"));
        state.limits.setOf("a", null, () -> null, new Effects());
        assertNull(state.routes.route("a"));
        assertEquals(5, state.limits.of("a"));
    }

    @Test
    void limitsThatChangeWhileThePoolIsMadeAreInForceOnceItIsPublished() {
        NativePool made = PoolChores.newPool(state);
        state.limits.setTotal(2, () -> null, new Effects());
        state.limits.setOfRoutes(1, () -> null, new Effects());
        NativePool[] published = new NativePool[1];
        state.limits.publish(made.engine, () -> published[0] = made);
        assertSame(made, published[0]);
        LeaseRef first = made.ref(this, null);
        LeaseRef second = made.ref(this, null);
        assertTrue(made.tryLease(first, "a", null));
        assertFalse(made.tryLease(made.ref(this, null), "a", null), "of the route");
        assertTrue(made.tryLease(second, "b", null));
        assertFalse(made.tryLease(made.ref(this, null), "c", null), "in total");
        Upkeep.shutdown(made, true);
    }

    @Test
    void oneThatIsInUseIsKnownWithoutALimitToo() {
        NativePool pool = PoolChores.newPool(state);
        LeaseRef lease = pool.ref(new Object(), null);
        assertTrue(pool.tryLease(lease, "a", null));
        state.limits.setOf("a", 3, () -> pool.engine, new Effects());
        state.limits.setOf("a", null, () -> pool.engine, new Effects());
        assertNotNull(state.routes.route("a"));
        assertTrue(pool.release(lease, Engine.CLOSE, null));
        Upkeep.shutdown(pool, true);
    }

    /** What the second does comes between two steps of the first. */
    @Test
    void whoFindsItUnknownAtTheSameTimeGetsTheSameOne() {
        RouteRef[] others = new RouteRef[1];
        Object route = new Object() {
            private int hashed;

            @Override
            public int hashCode() {
                if (++hashed == 2) {
                    others[0] = state.routes.routeFor(this);
                }
                return 1;
            }
        };
        RouteRef mine = state.routes.routeFor(route);
        assertNotNull(others[0]);
        assertSame(others[0], mine);
        assertSame(mine, state.routes.routeFor(route));
    }

    /** Two that find it unknown make it known one after the other. */
    @Test
    void oneThatIsMadeKnownTwiceHasOneId() {
        NativePool pool = PoolChores.newPool(state);
        RouteRef route = state.routes.routeFor("a");
        assertTrue(state.routes.makeKnown(route, pool.engine, new Effects()) > 0);
        long id = route.id;
        assertTrue(state.routes.makeKnown(route, pool.engine, new Effects()) > 0);
        assertEquals(id, route.id);
        assertSame(route, state.routes.routeOf(id));
        Upkeep.shutdown(pool, true);
    }

    @Test
    void oneThatTheEngineForgetsIsForgottenUnlessItHasALimit() {
        NativePool pool = PoolChores.newPool(state);
        state.limits.setOf("limited", 3, () -> pool.engine, new Effects());
        for (int i = 0; i < MORE_THAN_THE_ENGINE_KEEPS; i++) {
            for (String route : i == 0 ? new String[] {"limited", "a"} : new String[] {"other" + i}) {
                LeaseRef lease = pool.ref(new Object(), null);
                assertTrue(pool.tryLease(lease, route, null));
                assertTrue(pool.release(lease, Engine.CLOSE, null));
            }
        }
        assertNull(state.routes.route("a"));
        assertEquals(3, state.routes.route("limited").ownLimit);
        Upkeep.shutdown(pool, true);
    }
}
