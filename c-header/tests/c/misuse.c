/* Every function given what it must not be given: a status, and nothing changed. */
#include "support.h"

static int connections[2];
#define C(i) (&connections[i])

static void ignore(void *context, lh_pool pool, lh_status status, lh_lease lease, void *data) {
    (void)context, (void)pool, (void)status, (void)lease, (void)data;
    fail();
}

static int32_t ignore_entry(void *context, const lh_entry *entry) {
    (void)context, (void)entry;
    return 0;
}

/* Every function that takes a pool answers `expected` for this one. */
static void call_everything(lh_pool pool, lh_route route, lh_lease lease, lh_request request, lh_status expected) {
    lh_route new_route = {7};
    lh_lease new_lease = {7};
    lh_request new_request = {7};
    lh_stats stats = {7, 7, 7, 7};
    lh_counters counters = {7, 7, 7, 7, 7, 7, 7};
    lh_metrics metrics = {0};
    lh_histogram histogram;
    void *data = C(0);
    uint32_t max = 7;
    int32_t socket = 7;
    size_t length = 7;
    assert_status(expected, lh_pool_destroy(pool));
    assert_status(expected, lh_pool_shutdown(pool, LH_SHUTDOWN_GRACEFUL));
    assert_status(expected, lh_pool_drain(pool, LH_FOREVER, &max));
    assert_status(expected, lh_pool_check(pool));
    assert_status(expected, lh_pool_set_max_total(pool, 1));
    assert_status(expected, lh_pool_set_default_max_per_route(pool, 1));
    assert_status(expected, lh_pool_default_max_per_route(pool, &max));
    assert_status(expected, lh_pool_close_expired(pool));
    assert_status(expected, lh_pool_close_idle(pool, 0));
    assert_status(expected, lh_pool_suspend(pool));
    assert_status(expected, lh_pool_resume(pool));
    assert_status(expected, lh_pool_is_suspended(pool, &max));
    assert_status(expected, lh_pool_stats(pool, &stats, sizeof stats));
    assert_status(expected, lh_pool_counters(pool, &counters, sizeof counters));
    assert_status(expected, lh_pool_metrics(pool, &metrics, sizeof metrics));
    assert_status(expected, lh_pool_histogram(pool, LH_TIMER_WAITING, &histogram, sizeof histogram));
    assert_status(expected, lh_pool_measure_held(pool, 1));
    assert_status(expected, lh_pool_each_entry(pool, ignore_entry, NULL));
    assert_status(expected, lh_pool_describe(pool, route, NULL, 0, &length));
    assert_status(expected, lh_pool_try_lease(pool, route, NULL, &new_lease, &data));
    assert_status(expected, lh_pool_lease(pool, route, NULL, LH_FOREVER, &new_lease, &data));
    assert_status(expected, lh_pool_request(pool, route, NULL, ignore, NULL, &new_request, &new_lease, &data));
    assert_status(expected, lh_request_cancel(pool, request));
    assert_status(expected, lh_route_of_name(pool, "x", &new_route));
    assert_status(expected, lh_route_of_bytes(pool, "x", 1, &new_route));
    assert_status(expected, lh_route_free(pool, route));
    assert_status(expected, lh_route_name(pool, route, NULL, 0, &length));
    assert_status(expected, lh_route_set_max(pool, route, 1));
    assert_status(expected, lh_route_unset_max(pool, route));
    assert_status(expected, lh_route_clear(pool, route));
    assert_status(expected, lh_route_stats(pool, route, &stats, sizeof stats));
    assert_status(expected, lh_route_metrics(pool, route, &metrics, sizeof metrics));
    assert_status(expected, lh_lease_opened(pool, lease, C(1)));
    assert_status(expected, lh_lease_opened_socket(pool, lease, C(1), 0, LH_PROBE_OFF));
    assert_status(expected, lh_lease_set_data(pool, lease, C(1)));
    assert_status(expected, lh_lease_set_tag(pool, lease, C(1)));
    assert_status(expected, lh_lease_data(pool, lease, &data));
    assert_status(expected, lh_lease_set_socket(pool, lease, 0, LH_PROBE_OFF));
    assert_status(expected, lh_lease_socket(pool, lease, &socket));
    assert_status(expected, lh_lease_bind(pool, lease, "x", 1));
    assert_status(expected, lh_lease_update_expiry(pool, lease, 1));
    assert_status(expected, lh_lease_replace(pool, lease));
    assert_status(expected, lh_lease_release(pool, lease, LH_FOREVER));
    assert_status(expected, lh_lease_release(pool, lease, 0));
    assert_status(expected, lh_lease_close(pool, lease));
    assert_true(new_route.id == 7 && new_lease.id == 7 && new_request.id == 7 && stats.max == 7);
    assert_true(max == 7 && socket == 7 && length == 7 && counters.closed_by_peer == 7);
    assert_ptr_equal(data, C(0));
}

static void a_pool_used_after_destroy_is_a_status(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 2, 2);
    lh_lease lease = open_lease(&f, f.route, C(0));
    end_pool(&f);
    call_everything(f.pool, f.route, lease, (lh_request){lease.id}, LH_NO_POOL);
}

static void a_made_up_pool_is_a_status(void **state) {
    (void)state;
    const uint64_t ids[] = {0, 1, UINT64_MAX, UINT64_MAX << 32, 0x7fffffff};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        lh_pool pool = {ids[i]};
        call_everything(pool, (lh_route){1}, (lh_lease){1}, (lh_request){1}, LH_NO_POOL);
    }
}

static void expect_no_lease(lh_pool pool, lh_lease lease) {
    void *data = C(0);
    int32_t socket = 7;
    assert_status(LH_NO_LEASE, lh_lease_opened(pool, lease, C(1)));
    assert_status(LH_NO_LEASE, lh_lease_set_data(pool, lease, C(1)));
    assert_status(LH_NO_LEASE, lh_lease_set_tag(pool, lease, C(1)));
    assert_status(LH_NO_LEASE, lh_lease_data(pool, lease, &data));
    assert_status(LH_NO_LEASE, lh_lease_set_socket(pool, lease, 0, LH_PROBE_OFF));
    assert_status(LH_NO_LEASE, lh_lease_socket(pool, lease, &socket));
    assert_status(LH_NO_LEASE, lh_lease_bind(pool, lease, "x", 1));
    assert_status(LH_NO_LEASE, lh_lease_update_expiry(pool, lease, 1));
    assert_status(LH_NO_LEASE, lh_lease_opened_socket(pool, lease, C(1), 0, LH_PROBE_OFF));
    assert_status(LH_NO_LEASE, lh_lease_replace(pool, lease));
    assert_status(LH_NO_LEASE, lh_lease_release(pool, lease, LH_FOREVER));
    assert_status(LH_NO_LEASE, lh_lease_release(pool, lease, LH_KEEP_AS_BEFORE));
    assert_status(LH_NO_LEASE, lh_lease_release(pool, lease, 0));
    assert_status(LH_NO_LEASE, lh_lease_close(pool, lease));
    assert_true(data == C(0) && socket == 7);
}

static void a_lease_ended_before_is_a_status(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 2, 2);
    lh_lease lease = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    expect_no_lease(f.pool, lease);
    /* Also when the connection is leased again: the one who holds it notices nothing. */
    lh_lease again = lease_idle(&f, f.route, C(0));
    expect_no_lease(f.pool, lease);
    assert_status(LH_OK, lh_lease_close(f.pool, again));
    expect_no_lease(f.pool, again);
    assert_stats(&f, 0, 0, 0);
    end_pool(&f);
    assert_int_equal(f.count, 1);
}

static void a_foreign_or_made_up_handle_is_a_status(void **state) {
    (void)state;
    fixture f, g;
    lh_lease none;
    void *data;
    lh_metrics metrics = {0};
    lh_stats stats;
    make_limited(&f, 2, 2);
    make_limited(&g, 2, 2);
    lh_lease mine = open_lease(&f, f.route, C(0)), foreign = open_lease(&g, g.route, C(1));
    const uint64_t leases[] = {0, 1, UINT64_MAX, foreign.id, mine.id + 1, mine.id ^ 1ULL << 33, mine.id | 1ULL << 63};
    for (size_t i = 0; i < sizeof leases / sizeof leases[0]; i++) expect_no_lease(f.pool, (lh_lease){leases[i]});

    const uint64_t routes[] = {0, 1, UINT64_MAX, g.route.id, f.route.id + 1, f.route.id ^ 1ULL << 51};
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        lh_route route = {routes[i]};
        lh_request request;
        size_t length;
        assert_status(LH_NO_ROUTE, lh_pool_try_lease(f.pool, route, NULL, &none, &data));
        assert_status(LH_NO_ROUTE, lh_pool_lease(f.pool, route, NULL, LH_FOREVER, &none, &data));
        assert_status(LH_NO_ROUTE, lh_pool_request(f.pool, route, NULL, ignore, NULL, &request, &none, &data));
        assert_status(LH_NO_ROUTE, lh_route_free(f.pool, route));
        assert_status(LH_NO_ROUTE, lh_route_name(f.pool, route, NULL, 0, &length));
        assert_status(LH_NO_ROUTE, lh_route_set_max(f.pool, route, 1));
        assert_status(LH_NO_ROUTE, lh_route_unset_max(f.pool, route));
        assert_status(LH_NO_ROUTE, lh_route_clear(f.pool, route));
        assert_status(LH_NO_ROUTE, lh_route_stats(f.pool, route, &stats, sizeof stats));
        assert_status(LH_NO_ROUTE, lh_route_metrics(f.pool, route, &metrics, sizeof metrics));
        assert_status(LH_NO_ROUTE, lh_pool_describe(f.pool, route, NULL, 0, &(size_t){0}));
        assert_status(LH_NO_REQUEST, lh_request_cancel(f.pool, (lh_request){routes[i]}));
    }
    assert_stats(&f, 1, 0, 0);
    assert_stats(&g, 1, 0, 0);
    end_pool(&f);
    end_pool(&g);
}

static void null_where_something_is_needed_is_a_status(void **state) {
    (void)state;
    fixture f;
    lh_lease lease = {7};
    void *data;
    lh_route route;
    make_limited(&f, 1, 1);
    assert_status(LH_NULL_POINTER, lh_pool_try_lease(f.pool, f.route, NULL, NULL, &data));
    assert_status(LH_NULL_POINTER, lh_pool_try_lease(f.pool, f.route, NULL, &lease, NULL));
    assert_status(LH_NULL_POINTER, lh_pool_lease(f.pool, f.route, NULL, 0, NULL, &data));
    assert_status(LH_NULL_POINTER, lh_pool_lease(f.pool, f.route, NULL, 0, &lease, NULL));
    lh_request request;
    assert_status(LH_NULL_POINTER, lh_pool_request(f.pool, f.route, NULL, NULL, NULL, &request, &lease, &data));
    assert_status(LH_NULL_POINTER, lh_pool_request(f.pool, f.route, NULL, ignore, NULL, NULL, &lease, &data));
    assert_status(LH_NULL_POINTER, lh_pool_request(f.pool, f.route, NULL, ignore, NULL, &request, NULL, &data));
    assert_status(LH_NULL_POINTER, lh_pool_request(f.pool, f.route, NULL, ignore, NULL, &request, &lease, NULL));
    assert_status(LH_NULL_POINTER, lh_pool_stats(f.pool, NULL, sizeof(lh_stats)));
    assert_status(LH_NULL_POINTER, lh_pool_default_max_per_route(f.pool, NULL));
    assert_status(LH_NULL_POINTER, lh_pool_is_suspended(f.pool, NULL));
    assert_status(LH_NULL_POINTER, lh_pool_counters(f.pool, NULL, sizeof(lh_counters)));
    assert_status(LH_NULL_POINTER, lh_pool_metrics(f.pool, NULL, sizeof(lh_metrics)));
    assert_status(LH_NULL_POINTER, lh_pool_histogram(f.pool, LH_TIMER_HELD, NULL, sizeof(lh_histogram)));
    assert_status(LH_NULL_POINTER, lh_route_metrics(f.pool, f.route, NULL, sizeof(lh_metrics)));
    assert_status(LH_NULL_POINTER, lh_pool_drain(f.pool, 0, NULL));
    assert_status(LH_NULL_POINTER, lh_pool_each_entry(f.pool, NULL, NULL));
    assert_status(LH_NULL_POINTER, lh_pool_describe(f.pool, f.route, NULL, 0, NULL));
    assert_status(LH_NULL_POINTER, lh_pool_describe(f.pool, f.route, NULL, 1, &(size_t){0}));
    assert_status(LH_NULL_POINTER, lh_route_of_name(f.pool, NULL, &route));
    assert_status(LH_NULL_POINTER, lh_route_of_name(f.pool, "x", NULL));
    assert_status(LH_NULL_POINTER, lh_route_of_bytes(f.pool, NULL, 0, &route));
    assert_status(LH_NULL_POINTER, lh_route_of_bytes(f.pool, NULL, 1, &route));
    assert_status(LH_NULL_POINTER, lh_route_of_bytes(f.pool, "x", 1, NULL));
    assert_status(LH_INVALID_ARGUMENT, lh_route_of_bytes(f.pool, "x", SIZE_MAX, &route));
    assert_status(LH_NULL_POINTER, lh_route_stats(f.pool, f.route, NULL, sizeof(lh_stats)));
    lease = open_lease(&f, f.route, C(0));
    assert_status(LH_NULL_POINTER, lh_lease_data(f.pool, lease, NULL));
    assert_status(LH_NULL_POINTER, lh_lease_socket(f.pool, lease, NULL));
    assert_status(LH_NULL_POINTER, lh_lease_bind(f.pool, lease, NULL, 1));
    assert_stats(&f, 1, 0, 0);
    end_pool(&f);
}

int run_misuse(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_used_after_destroy_is_a_status),
        cmocka_unit_test(a_made_up_pool_is_a_status),
        cmocka_unit_test(a_lease_ended_before_is_a_status),
        cmocka_unit_test(a_foreign_or_made_up_handle_is_a_status),
        cmocka_unit_test(null_where_something_is_needed_is_a_status),
    };
    return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
