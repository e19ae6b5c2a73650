/* Routes: names, being held, limits of their own, clearing, statistics. */
#include "support.h"

static int connections[4];
#define C(i) (&connections[i])

static void equal_names_are_one_route(void **state) {
    (void)state;
    fixture f;
    lh_route same, other;
    make_limited(&f, 1, 1);
    assert_status(LH_OK, lh_route_of_bytes(f.pool, "r", 1, &same));
    assert_true(same.id == f.route.id);
    assert_status(LH_OK, lh_route_of_name(f.pool, "s", &other));
    assert_true(other.id != f.route.id);
    end_pool(&f);
}

static void a_name_is_any_bytes(void **state) {
    (void)state;
    fixture f;
    const struct {
        const char *bytes;
        size_t length;
    } names[] = {{"\xff\xfe\x80", 3}, {"a\0b", 3}, {"a\0c", 3}, {"", 0}};
    lh_route routes[4];
    make_limited(&f, 1, 1);
    for (int i = 0; i < 4; i++) {
        char buffer[4] = "???";
        size_t length;
        assert_status(LH_OK, lh_route_of_bytes(f.pool, names[i].bytes, names[i].length, &routes[i]));
        for (int j = 0; j < i; j++) assert_true(routes[j].id != routes[i].id);
        assert_status(LH_OK, lh_route_name(f.pool, routes[i], buffer, sizeof buffer, &length));
        assert_int_equal(length, names[i].length);
        assert_memory_equal(buffer, names[i].bytes, length);
    }
    end_pool(&f);
}

static void a_name_is_cut_to_the_buffer(void **state) {
    (void)state;
    fixture f;
    lh_route route;
    char buffer[4] = "???";
    size_t length = 0;
    make_limited(&f, 1, 1);
    assert_status(LH_OK, lh_route_of_name(f.pool, "abcdef", &route));
    assert_status(LH_OK, lh_route_name(f.pool, route, buffer, 2, &length));
    assert_int_equal(length, 6);
    assert_string_equal(buffer, "ab?");
    assert_status(LH_OK, lh_route_name(f.pool, route, NULL, 0, &length));
    assert_status(LH_NULL_POINTER, lh_route_name(f.pool, route, NULL, 1, &length));
    assert_status(LH_NULL_POINTER, lh_route_name(f.pool, route, buffer, 4, NULL));
    end_pool(&f);
}

static void a_route_is_freed_as_often_as_it_was_made(void **state) {
    (void)state;
    fixture f;
    lh_route same;
    make_limited(&f, 1, 1);
    assert_status(LH_OK, lh_route_of_name(f.pool, "r", &same));
    assert_status(LH_OK, lh_route_free(f.pool, same));
    assert_status(LH_OK, lh_route_free(f.pool, f.route));
    assert_status(LH_NO_ROUTE, lh_route_free(f.pool, f.route));
    end_pool(&f);
}

static void a_freed_route_is_forgotten_and_refused_and_a_held_one_never(void **state) {
    (void)state;
    fixture f;
    lh_route freed, passing;
    lh_lease lease;
    void *data;
    lh_stats stats;
    size_t length;
    make_limited(&f, 1, 1);
    assert_status(LH_OK, lh_route_of_name(f.pool, "freed", &freed));
    assert_status(LH_OK, lh_route_free(f.pool, freed));
    for (unsigned i = 0; i < 200; i++) {
        assert_status(LH_OK, lh_route_of_bytes(f.pool, &i, sizeof i, &passing));
        assert_status(LH_OK, lh_route_free(f.pool, passing));
    }
    assert_status(LH_NO_ROUTE, lh_pool_try_lease(f.pool, freed, NULL, &lease, &data));
    assert_status(LH_NO_ROUTE, lh_pool_lease(f.pool, freed, NULL, LH_FOREVER, &lease, &data));
    assert_status(LH_NO_ROUTE, lh_route_free(f.pool, freed));
    assert_status(LH_NO_ROUTE, lh_route_clear(f.pool, freed));
    assert_status(LH_NO_ROUTE, lh_route_set_max(f.pool, freed, 1));
    assert_status(LH_NO_ROUTE, lh_route_unset_max(f.pool, freed));
    assert_status(LH_NO_ROUTE, lh_route_stats(f.pool, freed, &stats, sizeof stats));
    assert_status(LH_NO_ROUTE, lh_route_name(f.pool, freed, NULL, 0, &length));
    assert_status(LH_OK, lh_route_name(f.pool, f.route, NULL, 0, &length));
    open_lease(&f, f.route, C(0));
    end_pool(&f);
}

static void a_route_has_a_limit_of_its_own_until_it_is_taken_back(void **state) {
    (void)state;
    fixture f;
    lh_stats stats;
    lh_lease lease;
    void *data;
    make_limited(&f, 10, 1);
    assert_status(LH_OK, lh_route_set_max(f.pool, f.route, 2));
    lh_lease first = open_lease(&f, f.route, C(0));
    open_lease(&f, f.route, C(1));
    assert_status(LH_EXHAUSTED, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_status(LH_OK, lh_route_stats(f.pool, f.route, &stats, sizeof stats));
    assert_int_equal(stats.max, 2);
    assert_int_equal(stats.leased, 2);
    assert_status(LH_OK, lh_route_unset_max(f.pool, f.route));
    assert_status(LH_OK, lh_lease_release(f.pool, first, LH_FOREVER));
    assert_disposed(&f, 0, C(0), LH_CAUSE_OVER_LIMIT);
    assert_status(LH_OK, lh_route_stats(f.pool, f.route, &stats, sizeof stats));
    assert_int_equal(stats.max, 1);
    end_pool(&f);
}

static void clearing_a_route_disposes_of_its_connections_and_no_others(void **state) {
    (void)state;
    fixture f;
    lh_route other;
    make_limited(&f, 10, 10);
    assert_status(LH_OK, lh_route_of_name(f.pool, "other", &other));
    lh_lease idle = open_lease(&f, f.route, C(0)), leased = open_lease(&f, f.route, C(1));
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, other, C(2)), LH_FOREVER));
    assert_status(LH_OK, lh_lease_release(f.pool, idle, LH_FOREVER));
    assert_status(LH_OK, lh_route_clear(f.pool, f.route));
    assert_int_equal(f.count, 1);
    assert_disposed(&f, 0, C(0), LH_CAUSE_CLEARED);
    assert_status(LH_OK, lh_lease_release(f.pool, leased, LH_FOREVER));
    assert_disposed(&f, 1, C(1), LH_CAUSE_CLEARED);
    lease_idle(&f, other, C(2));
    end_pool(&f);
}

int run_routes(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_names_are_one_route),
        cmocka_unit_test(a_name_is_any_bytes),
        cmocka_unit_test(a_name_is_cut_to_the_buffer),
        cmocka_unit_test(a_route_is_freed_as_often_as_it_was_made),
        cmocka_unit_test(a_freed_route_is_forgotten_and_refused_and_a_held_one_never),
        cmocka_unit_test(a_route_has_a_limit_of_its_own_until_it_is_taken_back),
        cmocka_unit_test(clearing_a_route_disposes_of_its_connections_and_no_others),
    };
    return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
