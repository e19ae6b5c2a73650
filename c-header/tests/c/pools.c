/* Pools: options, limits, closing what is idle, shutdown, statistics. */
#include "support.h"
#include <stdio.h>

static int connections[8];
#define C(i) (&connections[i])

static void options_may_be_of_any_later_size(void **state) {
    (void)state;
    struct {
        lh_pool_options known;
        uint64_t later;
    } options;
    lh_pool pool = {7};
    memset(&options, 0xff, sizeof options);
    assert_status(LH_OK, lh_pool_options_init(&options.known, sizeof options));
    assert_true(options.later == 0);
    assert_true(options.known.size == sizeof options);
    options.later = 1;
    assert_status(LH_INVALID_ARGUMENT, lh_pool_create(&options.known, &pool));
    assert_true(pool.id == 7);
    options.later = 0;
    assert_status(LH_OK, lh_pool_create(&options.known, &pool));
    assert_status(LH_OK, lh_pool_destroy(pool));
}

/* The structs as the first version had them. */
typedef struct {
    size_t size;
    uint32_t max_total, default_max_per_route, max_waiters, policy, barging, watching;
    uint64_t time_to_live_ms;
    lh_dispose_callback dispose;
    void *dispose_context;
    lh_clock clock;
} first_pool_options;

typedef struct {
    size_t size;
    const void *state;
    size_t state_length;
} first_lease_options;

static void options_may_be_of_any_earlier_size(void **state) {
    (void)state;
    struct {
        first_pool_options known;
        uint64_t guard;
    } options = {.guard = 7};
    struct {
        first_lease_options known;
        uint64_t guard;
    } lease_options = {.guard = 7};
    lh_pool_options *of_now = (void *)&options;
    lh_lease_options *lease_options_of_now = (void *)&lease_options;
    lh_pool pool;
    lh_route route;
    lh_lease lease;
    lh_stats stats;
    void *data;
    assert_status(LH_BAD_SIZE, lh_pool_options_init(of_now, sizeof options.known - 1));
    assert_status(LH_OK, lh_pool_options_init(of_now, sizeof options.known));
    assert_status(LH_BAD_SIZE, lh_lease_options_init(lease_options_of_now, sizeof lease_options.known - 1));
    assert_status(LH_OK, lh_lease_options_init(lease_options_of_now, sizeof lease_options.known));
    assert_true(options.guard == 7 && lease_options.guard == 7);
    options.known.max_total = 5;
    assert_status(LH_OK, lh_pool_create(of_now, &pool));
    assert_status(LH_OK, lh_pool_stats(pool, &stats, sizeof stats));
    assert_int_equal(stats.max, 5);
    assert_status(LH_OK, lh_route_of_name(pool, "r", &route));
    assert_status(LH_VACANCY, lh_pool_try_lease(pool, route, lease_options_of_now, &lease, &data));
    assert_status(LH_OK, lh_pool_destroy(pool));
}

static void options_that_mean_nothing_are_refused(void **state) {
    (void)state;
    lh_pool_options options;
    lh_lease_options lease_options;
    lh_pool pool = {7};
    assert_status(LH_NULL_POINTER, lh_pool_options_init(NULL, sizeof options));
    assert_status(LH_NULL_POINTER, lh_lease_options_init(NULL, sizeof lease_options));
    assert_status(LH_BAD_SIZE, lh_pool_options_init(&options, 0));
    assert_status(LH_BAD_SIZE, lh_lease_options_init(&lease_options, 0));
    assert_status(LH_OK, lh_pool_options_init(&options, sizeof options));
    assert_status(LH_NULL_POINTER, lh_pool_create(&options, NULL));
    options.policy = 2;
    assert_status(LH_INVALID_ARGUMENT, lh_pool_create(&options, &pool));
    options.policy = LH_POLICY_LIFO;
    options.watching = 4;
    assert_status(LH_INVALID_ARGUMENT, lh_pool_create(&options, &pool));
    options.watching = LH_WATCHING_OFF;
    options.clock.id = 7;
    assert_status(LH_NO_CLOCK, lh_pool_create(&options, &pool));
    options.size = 8;
    assert_status(LH_BAD_SIZE, lh_pool_create(&options, &pool));
    options.size = SIZE_MAX;
    assert_status(LH_BAD_SIZE, lh_pool_create(&options, &pool));
    options.size = 4097;
    assert_status(LH_BAD_SIZE, lh_pool_create(&options, &pool));
    assert_status(LH_BAD_SIZE, lh_pool_options_init(&options, SIZE_MAX));
    assert_true(pool.id == 7);
}

static void a_limit_of_zero_lets_nobody_in(void **state) {
    (void)state;
    fixture f;
    lh_lease lease = {7};
    void *data = &f;
    make_limited(&f, 0, 1);
    assert_status(LH_EXHAUSTED, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_status(LH_OK, lh_pool_set_max_total(f.pool, 1));
    assert_status(LH_OK, lh_pool_set_default_max_per_route(f.pool, 0));
    assert_status(LH_EXHAUSTED, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_true(lease.id == 7);
    assert_ptr_equal(data, &f);
    end_pool(&f);
}

static void a_huge_limit_means_the_most_there_is(void **state) {
    (void)state;
    fixture f;
    lh_stats stats;
    uint32_t max;
    make_limited(&f, UINT32_MAX, UINT32_MAX - 1);
    assert_status(LH_OK, lh_pool_stats(f.pool, &stats, sizeof stats));
    assert_int_equal(stats.max, 524288);
    assert_status(LH_OK, lh_pool_default_max_per_route(f.pool, &max));
    assert_int_equal(max, 524288);
    end_pool(&f);
}

static void a_lowered_limit_disposes_of_the_least_recently_released(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 3, 3);
    lh_lease first = open_lease(&f, f.route, C(0)), second = open_lease(&f, f.route, C(1));
    assert_status(LH_OK, lh_lease_release(f.pool, first, LH_FOREVER));
    assert_status(LH_OK, lh_lease_release(f.pool, second, LH_FOREVER));
    assert_status(LH_OK, lh_pool_set_max_total(f.pool, 1));
    assert_int_equal(f.count, 1);
    assert_disposed(&f, 0, C(0), LH_CAUSE_OVER_LIMIT);
    lh_lease again = lease_idle(&f, f.route, C(1));
    assert_status(LH_OK, lh_pool_set_default_max_per_route(f.pool, 0));
    assert_int_equal(f.count, 1);
    assert_status(LH_OK, lh_lease_release(f.pool, again, LH_FOREVER));
    assert_disposed(&f, 1, C(1), LH_CAUSE_OVER_LIMIT);
    end_pool(&f);
}

static void the_policy_says_which_idle_connection_goes_first(void **state) {
    (void)state;
    for (uint32_t policy = LH_POLICY_LIFO; policy <= LH_POLICY_FIFO; policy++) {
        fixture f;
        lh_pool_options options = options_of(&f);
        options.policy = policy;
        make_pool(&f, &options);
        lh_lease first = open_lease(&f, f.route, C(0)), second = open_lease(&f, f.route, C(1));
        assert_status(LH_OK, lh_lease_release(f.pool, first, LH_FOREVER));
        assert_status(LH_OK, lh_lease_release(f.pool, second, LH_FOREVER));
        lease_idle(&f, f.route, policy == LH_POLICY_LIFO ? C(1) : C(0));
        end_pool(&f);
    }
}

static void a_connection_to_another_route_makes_room(void **state) {
    (void)state;
    fixture f;
    lh_route other;
    make_limited(&f, 1, 1);
    assert_status(LH_OK, lh_route_of_name(f.pool, "other", &other));
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(0)), LH_FOREVER));
    open_lease(&f, other, C(1));
    assert_disposed(&f, 0, C(0), LH_CAUSE_EVICTED);
    end_pool(&f);
}

static void close_expired_disposes_of_what_has_expired(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 2, 2);
    lh_lease first = open_lease(&f, f.route, C(0)), second = open_lease(&f, f.route, C(1));
    assert_status(LH_OK, lh_lease_release(f.pool, first, 1000));
    assert_status(LH_OK, lh_lease_release(f.pool, second, 2000));
    assert_status(LH_OK, lh_clock_advance(f.clock, 999));
    assert_status(LH_OK, lh_pool_close_expired(f.pool));
    assert_int_equal(f.count, 0);
    assert_status(LH_OK, lh_clock_advance(f.clock, 1));
    assert_status(LH_OK, lh_pool_close_expired(f.pool));
    assert_int_equal(f.count, 1);
    assert_disposed(&f, 0, C(0), LH_CAUSE_EXPIRED);
    end_pool(&f);
}

static void a_lease_never_gets_what_has_expired(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 2, 2);
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(0)), 1000));
    assert_status(LH_OK, lh_clock_advance(f.clock, 1000));
    open_lease(&f, f.route, C(1));
    assert_disposed(&f, 0, C(0), LH_CAUSE_EXPIRED);
    end_pool(&f);
}

static void time_to_live_ends_a_connection_however_busy(void **state) {
    (void)state;
    fixture f;
    lh_pool_options options = options_of(&f);
    options.time_to_live_ms = 1000;
    make_pool(&f, &options);
    lh_lease lease = open_lease(&f, f.route, C(0));
    for (int i = 0; i < 9; i++) {
        assert_status(LH_OK, lh_clock_advance(f.clock, 100));
        assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
        lease = lease_idle(&f, f.route, C(0));
    }
    assert_status(LH_OK, lh_clock_advance(f.clock, 100));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_status(LH_OK, lh_pool_close_expired(f.pool));
    assert_disposed(&f, 0, C(0), LH_CAUSE_EXPIRED);
    end_pool(&f);
}

static void close_idle_disposes_of_what_has_been_idle_that_long(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 2, 2);
    lh_lease first = open_lease(&f, f.route, C(0)), second = open_lease(&f, f.route, C(1));
    assert_status(LH_OK, lh_lease_release(f.pool, first, LH_FOREVER));
    assert_status(LH_OK, lh_clock_advance(f.clock, 10));
    assert_status(LH_OK, lh_lease_release(f.pool, second, LH_FOREVER));
    assert_status(LH_OK, lh_pool_close_idle(f.pool, 10));
    assert_int_equal(f.count, 1);
    assert_disposed(&f, 0, C(0), LH_CAUSE_IDLE);
    assert_status(LH_OK, lh_pool_close_idle(f.pool, UINT64_MAX));
    assert_int_equal(f.count, 1);
    assert_status(LH_OK, lh_pool_close_idle(f.pool, 0));
    assert_disposed(&f, 1, C(1), LH_CAUSE_IDLE);
    end_pool(&f);
}

static void a_graceful_shutdown_lets_leases_end(void **state) {
    (void)state;
    fixture f;
    lh_lease none;
    void *data;
    make_limited(&f, 3, 3);
    lh_lease idle = open_lease(&f, f.route, C(0)), leased = open_lease(&f, f.route, C(1)), opening;
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &opening, &data));
    assert_status(LH_OK, lh_lease_release(f.pool, idle, LH_FOREVER));
    assert_status(LH_OK, lh_pool_check(f.pool));
    assert_status(LH_OK, lh_pool_shutdown(f.pool, LH_SHUTDOWN_GRACEFUL));
    assert_status(LH_SHUT_DOWN, lh_pool_check(f.pool));
    assert_int_equal(f.count, 1);
    assert_disposed(&f, 0, C(0), LH_CAUSE_SHUT_DOWN);
    assert_status(LH_SHUT_DOWN, lh_pool_try_lease(f.pool, f.route, NULL, &none, &data));
    assert_status(LH_SHUT_DOWN, lh_pool_lease(f.pool, f.route, NULL, 0, &none, &data));
    assert_status(LH_OK, lh_lease_release(f.pool, leased, LH_FOREVER));
    assert_disposed(&f, 1, C(1), LH_CAUSE_SHUT_DOWN);
    /* The connection stays the program's, the lease has ended. */
    assert_status(LH_SHUT_DOWN, lh_lease_opened(f.pool, opening, C(2)));
    assert_status(LH_NO_LEASE, lh_lease_close(f.pool, opening));
    assert_stats(&f, 0, 0, 0);
    end_pool(&f);
    assert_int_equal(f.count, 2);
}

static void an_immediate_shutdown_revokes_leases(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 2, 2);
    lh_lease idle = open_lease(&f, f.route, C(0)), leased = open_lease(&f, f.route, C(1));
    assert_status(LH_OK, lh_lease_release(f.pool, idle, LH_FOREVER));
    assert_status(LH_OK, lh_pool_shutdown(f.pool, LH_SHUTDOWN_IMMEDIATE));
    assert_disposed(&f, 0, C(0), LH_CAUSE_SHUT_DOWN);
    assert_disposed(&f, 1, C(1), LH_CAUSE_REVOKED);
    assert_status(LH_NO_LEASE, lh_lease_release(f.pool, leased, LH_FOREVER));
    assert_status(LH_OK, lh_pool_shutdown(f.pool, LH_SHUTDOWN_IMMEDIATE));
    assert_status(LH_INVALID_ARGUMENT, lh_pool_shutdown(f.pool, 2));
    end_pool(&f);
    assert_int_equal(f.count, 2);
}

static void destroy_disposes_of_everything_once(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 3, 3);
    lh_lease idle = open_lease(&f, f.route, C(0)), leased = open_lease(&f, f.route, C(1));
    open_lease(&f, f.route, NULL);
    assert_status(LH_OK, lh_lease_release(f.pool, idle, LH_FOREVER));
    end_pool(&f);
    assert_int_equal(f.count, 3);
    assert_disposed(&f, 0, C(0), LH_CAUSE_SHUT_DOWN);
    assert_int_equal(f.cause[1], LH_CAUSE_REVOKED);
    assert_int_equal(f.cause[2], LH_CAUSE_REVOKED);
    assert_status(LH_NO_POOL, lh_lease_release(f.pool, leased, LH_FOREVER));
}

static void what_is_disposed_of_is_counted_by_reason(void **state) {
    (void)state;
    fixture f;
    lh_route other;
    lh_lease lease;
    make_limited(&f, 2, 2);
    assert_status(LH_OK, lh_route_of_name(f.pool, "other", &other));
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(0)), 1000));
    assert_status(LH_OK, lh_clock_advance(f.clock, 1000));
    assert_status(LH_OK, lh_pool_close_expired(f.pool));
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(0)), LH_FOREVER));
    assert_status(LH_OK, lh_pool_close_idle(f.pool, 0));
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(0)), LH_FOREVER));
    assert_status(LH_OK, lh_route_clear(f.pool, f.route));
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(0)), LH_FOREVER));
    lease = open_lease(&f, other, C(1));
    assert_status(LH_OK, lh_lease_close(f.pool, open_lease(&f, other, C(2))));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_status(LH_OK, lh_pool_set_max_total(f.pool, 0));
    lh_counters counters = counters_of(&f);
    assert_true(counters.expired == 1 && counters.idle == 1 && counters.cleared == 1);
    assert_true(counters.evicted == 1 && counters.over_limit == 1);
    assert_true(counters.closed_by_peer == 0 && counters.stale == 0);
    end_pool(&f);
}

static void metrics_say_what_became_of_requests_and_connections(void **state) {
    (void)state;
    fixture f;
    lh_metrics of_pool, of_route;
    lh_route other;
    lh_lease lease, vacancy, hit;
    void *data;
    make_limited(&f, 2, 2);
    assert_status(LH_OK, lh_route_of_name(f.pool, "other", &other));
    lease = open_lease(&f, f.route, C(0));
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, other, NULL, &vacancy, &data));
    assert_status(LH_TIMED_OUT, lh_pool_lease(f.pool, other, NULL, 1, &hit, &data));
    assert_status(LH_OK, lh_lease_close(f.pool, vacancy));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_status(LH_OK, lh_pool_try_lease(f.pool, f.route, NULL, &hit, &data));
    assert_status(LH_OK, lh_lease_close(f.pool, hit));

    assert_status(LH_OK, lh_pool_metrics(f.pool, &of_pool, sizeof of_pool));
    assert_true(of_pool.hits == 1 && of_pool.openings == 2 && of_pool.handed_over == 0);
    assert_true(of_pool.waited == 1 && of_pool.timed_out == 1 && of_pool.cancelled == 0 && of_pool.refused == 0);
    assert_true(of_pool.opened == 1 && of_pool.unopened == 1 && of_pool.kept == 1);
    assert_true(of_pool.closed_by_lease == 1 && of_pool.closed_by_shutdown == 0 && of_pool.stale == 0);
    assert_status(LH_OK, lh_route_metrics(f.pool, f.route, &of_route, sizeof of_route));
    assert_true(of_route.hits == 1 && of_route.openings == 1 && of_route.waited == 0 && of_route.opened == 1);
    assert_status(LH_OK, lh_route_metrics(f.pool, other, &of_route, sizeof of_route));
    assert_true(of_route.hits == 0 && of_route.openings == 1 && of_route.timed_out == 1 && of_route.unopened == 1);
    end_pool(&f);
}

static lh_histogram histogram_of(fixture *f, lh_timer timer) {
    lh_histogram histogram;
    assert_status(LH_OK, lh_pool_histogram(f->pool, timer, &histogram, sizeof histogram));
    uint64_t count = 0;
    for (uint32_t range = 0; range < LH_HISTOGRAM_RANGES; range++) count += histogram.ranges[range];
    assert_int_equal(count, histogram.count);
    return histogram;
}

static uint64_t quantile_of(const lh_histogram *histogram, double quantile) {
    uint64_t us;
    assert_status(LH_OK, lh_histogram_quantile_us(histogram, sizeof *histogram, quantile, &us));
    return us;
}

static void histograms_say_how_long_things_took(void **state) {
    (void)state;
    fixture f;
    lh_pool_options options = options_of(&f);
    lh_lease lease;
    void *data;
    make_pool(&f, &options);
    assert_status(LH_OK, lh_pool_measure_held(f.pool, 1));
    for (uint64_t ms = 1; ms <= 100; ms++) {
        assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
        assert_status(LH_OK, lh_clock_advance(f.clock, 7));
        assert_status(LH_OK, lh_lease_opened(f.pool, lease, C(0)));
        assert_status(LH_OK, lh_clock_advance(f.clock, ms));
        assert_status(LH_OK, lh_lease_close(f.pool, lease));
    }
    lh_histogram opening = histogram_of(&f, LH_TIMER_OPENING), held = histogram_of(&f, LH_TIMER_HELD);
    assert_true(opening.count == 100 && opening.sum_us == 700000 && opening.max_us == 7000);
    assert_int_equal(quantile_of(&opening, 0.5), 7000);
    assert_true(held.count == 100 && held.sum_us == 5050000 && held.max_us == 100000);
    assert_in_range(quantile_of(&held, 0.5), 50000, 50000 + 50000 / 8);
    assert_int_equal(quantile_of(&held, 1), 100000);

    assert_status(LH_OK, lh_pool_measure_held(f.pool, 0));
    lease = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_lease_close(f.pool, lease));
    assert_int_equal(histogram_of(&f, LH_TIMER_HELD).count, 100);
    assert_int_equal(histogram_of(&f, LH_TIMER_WAITING).count, 0);
    end_pool(&f);
}

static void a_wait_is_measured_however_it_ends(void **state) {
    (void)state;
    fixture f;
    lh_lease lease, none;
    void *data;
    make_limited(&f, 1, 1);
    lease = open_lease(&f, f.route, C(0));
    assert_status(LH_TIMED_OUT, lh_pool_lease(f.pool, f.route, NULL, 1, &none, &data));
    assert_int_equal(histogram_of(&f, LH_TIMER_WAITING).count, 1);
    assert_status(LH_OK, lh_lease_close(f.pool, lease));
    end_pool(&f);
}

static void every_time_has_its_range(void **state) {
    (void)state;
    assert_int_equal(lh_histogram_range_end_us(0), 0);
    for (uint32_t range = 1; range < LH_HISTOGRAM_RANGES; range++) {
        assert_true(lh_histogram_range_end_us(range) > lh_histogram_range_end_us(range - 1));
    }
    assert_true(lh_histogram_range_end_us(LH_HISTOGRAM_RANGES - 1) == UINT64_MAX);
    assert_true(lh_histogram_range_end_us(UINT32_MAX) == UINT64_MAX);
}

static void a_histogram_that_cannot_be_read_is_refused(void **state) {
    (void)state;
    fixture f;
    lh_histogram histogram;
    uint64_t us = 7;
    memset(&histogram, 0, sizeof histogram);
    make_limited(&f, 1, 1);
    assert_status(LH_INVALID_ARGUMENT, lh_pool_histogram(f.pool, 3, &histogram, sizeof histogram));
    assert_status(LH_BAD_SIZE, lh_pool_histogram(f.pool, LH_TIMER_HELD, &histogram, sizeof histogram - 1));
    assert_status(LH_NULL_POINTER, lh_histogram_quantile_us(NULL, sizeof histogram, 0.5, &us));
    assert_status(LH_NULL_POINTER, lh_histogram_quantile_us(&histogram, sizeof histogram, 0.5, NULL));
    assert_status(LH_BAD_SIZE, lh_histogram_quantile_us(&histogram, sizeof histogram - 1, 0.5, &us));
    assert_status(LH_BAD_SIZE, lh_histogram_quantile_us(&histogram, sizeof histogram + 8, 0.5, &us));
    assert_int_equal(us, 7);
    assert_status(LH_OK, lh_histogram_quantile_us(&histogram, sizeof histogram, 0.5, &us));
    assert_int_equal(us, 0);
    end_pool(&f);
}

static void statistics_may_be_of_any_later_size_and_of_no_smaller_one(void **state) {
    (void)state;
    fixture f;
    struct {
        lh_counters known;
        uint64_t later, guard;
    } counters;
    struct {
        lh_stats known;
        uint64_t later, guard;
    } stats[2];
    struct {
        lh_metrics known;
        uint64_t later, guard;
    } metrics[2];
    const size_t larger = sizeof counters - sizeof counters.guard, larger_stats = sizeof stats[0] - sizeof stats[0].guard;
    make_limited(&f, 1, 1);
    memset(&counters, 0xff, sizeof counters);
    memset(&stats, 0xff, sizeof stats);
    memset(&metrics, 0xff, sizeof metrics);
    assert_status(LH_BAD_SIZE, lh_pool_counters(f.pool, &counters.known, sizeof counters.known - 1));
    assert_status(LH_BAD_SIZE, lh_pool_counters(f.pool, &counters.known, 4097));
    assert_status(LH_BAD_SIZE, lh_pool_stats(f.pool, &stats[0].known, sizeof stats[0].known - 1));
    assert_status(LH_BAD_SIZE, lh_route_stats(f.pool, f.route, &stats[0].known, 0));
    assert_status(LH_BAD_SIZE, lh_route_stats(f.pool, f.route, &stats[0].known, SIZE_MAX));
    assert_status(LH_BAD_SIZE, lh_pool_metrics(f.pool, &metrics[0].known, sizeof metrics[0].known - 1));
    assert_status(LH_BAD_SIZE, lh_route_metrics(f.pool, f.route, &metrics[0].known, 0));
    assert_true(counters.known.stale == UINT64_MAX && stats[0].known.leased == UINT32_MAX && metrics[0].known.hits == UINT64_MAX);
    assert_status(LH_OK, lh_pool_counters(f.pool, &counters.known, larger));
    assert_true(counters.known.stale == 0 && counters.later == 0 && counters.guard == UINT64_MAX);
    assert_status(LH_OK, lh_pool_stats(f.pool, &stats[0].known, larger_stats));
    assert_status(LH_OK, lh_route_stats(f.pool, f.route, &stats[1].known, larger_stats));
    assert_status(LH_OK, lh_pool_metrics(f.pool, &metrics[0].known, sizeof metrics[0] - sizeof metrics[0].guard));
    assert_status(LH_OK, lh_route_metrics(f.pool, f.route, &metrics[1].known, sizeof metrics[1] - sizeof metrics[1].guard));
    for (int i = 0; i < 2; i++) {
        assert_true(metrics[i].known.hits == 0 && metrics[i].later == 0 && metrics[i].guard == UINT64_MAX);
        assert_true(stats[i].known.leased == 0 && stats[i].known.max == 1);
        assert_true(stats[i].later == 0 && stats[i].guard == UINT64_MAX);
    }
    end_pool(&f);
}

static void what_expires_is_evicted_where_that_is_asked_for(void **state) {
    (void)state;
    fixture f;
    lh_pool_options options = options_of(&f);
    options.evict_expired = 1;
    make_pool(&f, &options);
    lh_lease first = open_lease(&f, f.route, C(0)), second = open_lease(&f, f.route, C(1));
    assert_status(LH_OK, lh_lease_release(f.pool, first, 1000));
    assert_status(LH_OK, lh_lease_release(f.pool, second, LH_FOREVER));
    assert_status(LH_OK, lh_clock_advance(f.clock, 1000));
    until_disposals(&f, 1);
    assert_disposed(&f, 0, C(0), LH_CAUSE_EXPIRED);
    assert_false(pthread_equal(f.thread[0], pthread_self()));
    assert_true(counters_of(&f).expired == 1);
    end_pool(&f);
}

static void what_is_idle_too_long_is_evicted_where_that_is_asked_for(void **state) {
    (void)state;
    fixture f;
    lh_pool_options options = options_of(&f);
    options.evict_idle_ms = 1000;
    make_pool(&f, &options);
    lh_lease first = open_lease(&f, f.route, C(0)), second = open_lease(&f, f.route, C(1));
    assert_status(LH_OK, lh_lease_release(f.pool, first, LH_FOREVER));
    assert_status(LH_OK, lh_clock_advance(f.clock, 999));
    assert_status(LH_OK, lh_lease_release(f.pool, second, LH_FOREVER));
    assert_status(LH_OK, lh_clock_advance(f.clock, 1));
    until_disposals(&f, 1);
    assert_disposed(&f, 0, C(0), LH_CAUSE_IDLE);
    assert_true(counters_of(&f).idle == 1);
    end_pool(&f);
}

static void what_the_machines_clock_ends_is_evicted_without_a_call(void **state) {
    (void)state;
    fixture f;
    lh_pool_options options = options_of(&f);
    options.clock.id = 0;
    options.evict_expired = 1;
    make_pool(&f, &options);
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(0)), 1));
    until_disposals(&f, 1);
    assert_disposed(&f, 0, C(0), LH_CAUSE_EXPIRED);
    end_pool(&f);
}

typedef struct {
    int count, stop_after;
    lh_entry last[4];
    char name[4][8];
} entries;

static int32_t see(void *context, const lh_entry *entry) {
    entries *seen = context;
    seen->last[seen->count] = *entry;
    assert_true(entry->route_length < sizeof seen->name[0]);
    memcpy(seen->name[seen->count], entry->route_name, entry->route_length);
    seen->count++;
    return seen->count == seen->stop_after;
}

static void each_entry_is_seen_once_as_it_is(void **state) {
    (void)state;
    fixture f;
    lh_lease opening;
    void *data;
    entries seen = {0};
    make_limited(&f, 3, 3);
    lh_lease idle = open_lease(&f, f.route, C(0)), leased = open_lease(&f, f.route, C(1));
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &opening, &data));
    assert_status(LH_OK, lh_lease_set_tag(f.pool, idle, C(6)));
    assert_status(LH_OK, lh_lease_set_tag(f.pool, leased, C(7)));
    assert_status(LH_OK, lh_lease_release(f.pool, idle, 5000));
    assert_status(LH_OK, lh_clock_advance(f.clock, 1000));
    assert_status(LH_OK, lh_pool_each_entry(f.pool, see, &seen));
    assert_int_equal(seen.count, 3);
    for (int i = 0; i < seen.count; i++) {
        const lh_entry *entry = &seen.last[i];
        assert_string_equal(seen.name[i], "r");
        assert_true(entry->route.id == f.route.id);
        assert_int_equal(entry->size, sizeof *entry);
        if (entry->used == LH_USE_IDLE) {
            assert_true(entry->idle_ms == 1000 && entry->leased_ms == 0 && entry->tag == NULL);
            assert_true(entry->expires_in_ms == 4000);
        } else {
            assert_true(entry->lease.id == (entry->used == LH_USE_LEASED ? leased.id : opening.id));
            assert_true(entry->idle_ms == 0 && entry->leased_ms == 1000);
            assert_ptr_equal(entry->tag, entry->used == LH_USE_LEASED ? C(7) : NULL);
            assert_true(entry->expires_in_ms == LH_FOREVER);
        }
    }
    entries first = {0};
    first.stop_after = 1;
    assert_status(LH_OK, lh_pool_each_entry(f.pool, see, &first));
    assert_int_equal(first.count, 1);
    end_pool(&f);
}

static void a_pool_is_described_with_who_holds_the_oldest_lease(void **state) {
    (void)state;
    fixture f;
    char text[300], expected[300];
    size_t length;
    lh_pool_options options = options_of(&f);
    options.max_total = 3;
    options.default_max_per_route = 2;
    options.name = "backend";
    make_pool(&f, &options);
    lh_lease oldest = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_clock_advance(f.clock, 2500));
    lh_lease other = open_lease(&f, f.route, C(1));
    assert_status(LH_OK, lh_lease_set_tag(f.pool, other, C(1)));

    assert_status(LH_OK, lh_pool_describe(f.pool, f.route, text, sizeof text, &length));
    const char *numbers = "backend: 2 of 3 leased, 0 idle, 0 waiting; to this route 2 of 2 leased, 0 idle, 0 waiting; "
                          "the oldest lease is 2.500 s old";
    assert_int_equal(length, strlen(numbers));
    assert_memory_equal(text, numbers, length);

    assert_status(LH_OK, lh_lease_set_tag(f.pool, oldest, C(7)));
    snprintf(expected, sizeof expected, "%s, held by tag %p", numbers, (void *)C(7));
    assert_status(LH_OK, lh_pool_describe(f.pool, f.route, text, 7, &length));
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(text, "backend", 7);
    assert_status(LH_OK, lh_pool_describe(f.pool, f.route, text, sizeof text, &length));
    assert_memory_equal(text, expected, length);

    /* The next lease of the same connection is another's. */
    assert_status(LH_OK, lh_lease_release(f.pool, oldest, LH_FOREVER));
    assert_status(LH_OK, lh_lease_close(f.pool, other));
    void *data;
    assert_status(LH_OK, lh_pool_try_lease(f.pool, f.route, NULL, &oldest, &data));
    assert_status(LH_OK, lh_pool_describe(f.pool, f.route, text, sizeof text, &length));
    text[length] = 0;
    assert_null(strstr(text, "held by"));
    assert_status(LH_OK, lh_lease_close(f.pool, oldest));
    end_pool(&f);
}

static void assert_suspended(fixture *f, uint32_t expected) {
    uint32_t suspended = 7;
    assert_status(LH_OK, lh_pool_is_suspended(f->pool, &suspended));
    assert_int_equal(suspended, expected);
}

static void a_suspended_pool_gives_nobody_anything_and_takes_what_comes_back(void **state) {
    (void)state;
    fixture f;
    char text[300];
    size_t length;
    lh_lease none = {7};
    void *data;
    lh_pool_options options = options_of(&f);
    options.name = "backend";
    make_pool(&f, &options);
    lh_lease lease = open_lease(&f, f.route, C(0)), vacancy;
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &vacancy, &data));
    assert_suspended(&f, 0);
    assert_status(LH_OK, lh_pool_suspend(f.pool));
    assert_status(LH_OK, lh_pool_suspend(f.pool));
    assert_suspended(&f, 1);
    assert_status(LH_OK, lh_pool_describe(f.pool, f.route, text, sizeof text, &length));
    const char *words = "backend, suspended: 2 of ";
    assert_memory_equal(text, words, strlen(words));

    assert_status(LH_OK, lh_lease_opened(f.pool, vacancy, C(1)));
    assert_status(LH_OK, lh_lease_release(f.pool, vacancy, LH_FOREVER));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_stats(&f, 0, 0, 2);
    assert_status(LH_EXHAUSTED, lh_pool_try_lease(f.pool, f.route, NULL, &none, &data));
    assert_status(LH_TIMED_OUT, lh_pool_lease(f.pool, f.route, NULL, 0, &none, &data));
    assert_true(none.id == 7);
    assert_status(LH_OK, lh_pool_set_max_total(f.pool, 1));
    assert_disposed(&f, 0, C(1), LH_CAUSE_OVER_LIMIT);

    assert_status(LH_OK, lh_pool_resume(f.pool));
    assert_status(LH_OK, lh_pool_resume(f.pool));
    assert_suspended(&f, 0);
    lease_idle(&f, f.route, C(0));
    end_pool(&f);
}

static void a_name_that_is_no_text_is_refused(void **state) {
    (void)state;
    lh_pool pool;
    lh_pool_options options;
    assert_status(LH_OK, lh_pool_options_init(&options, sizeof options));
    options.name = "\xff";
    assert_status(LH_INVALID_ARGUMENT, lh_pool_create(&options, &pool));
}

static void too_many_pools_are_refused(void **state) {
    (void)state;
    static lh_pool pools[1024];
    lh_pool one_more = {7};
    for (int i = 0; i < 1024; i++) assert_status(LH_OK, lh_pool_create(NULL, &pools[i]));
    assert_status(LH_TOO_MANY, lh_pool_create(NULL, &one_more));
    assert_true(one_more.id == 7);
    for (int i = 0; i < 1024; i++) assert_status(LH_OK, lh_pool_destroy(pools[i]));
}

static void a_pool_without_a_disposal_callback_forgets_connections(void **state) {
    (void)state;
    lh_pool pool;
    lh_route route;
    lh_lease lease;
    void *data;
    assert_status(LH_OK, lh_pool_create(NULL, &pool));
    assert_status(LH_OK, lh_route_of_name(pool, "r", &route));
    assert_status(LH_VACANCY, lh_pool_lease(pool, route, NULL, LH_FOREVER, &lease, &data));
    assert_status(LH_OK, lh_lease_opened(pool, lease, C(0)));
    assert_status(LH_OK, lh_lease_release(pool, lease, LH_FOREVER));
    assert_status(LH_OK, lh_pool_destroy(pool));
}

int run_pools(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_be_of_any_later_size),
        cmocka_unit_test(options_may_be_of_any_earlier_size),
        cmocka_unit_test(options_that_mean_nothing_are_refused),
        cmocka_unit_test(a_limit_of_zero_lets_nobody_in),
        cmocka_unit_test(a_huge_limit_means_the_most_there_is),
        cmocka_unit_test(a_lowered_limit_disposes_of_the_least_recently_released),
        cmocka_unit_test(the_policy_says_which_idle_connection_goes_first),
        cmocka_unit_test(a_connection_to_another_route_makes_room),
        cmocka_unit_test(close_expired_disposes_of_what_has_expired),
        cmocka_unit_test(a_lease_never_gets_what_has_expired),
        cmocka_unit_test(time_to_live_ends_a_connection_however_busy),
        cmocka_unit_test(close_idle_disposes_of_what_has_been_idle_that_long),
        cmocka_unit_test(a_graceful_shutdown_lets_leases_end),
        cmocka_unit_test(an_immediate_shutdown_revokes_leases),
        cmocka_unit_test(destroy_disposes_of_everything_once),
        cmocka_unit_test(what_is_disposed_of_is_counted_by_reason),
        cmocka_unit_test(metrics_say_what_became_of_requests_and_connections),
        cmocka_unit_test(histograms_say_how_long_things_took),
        cmocka_unit_test(a_wait_is_measured_however_it_ends),
        cmocka_unit_test(every_time_has_its_range),
        cmocka_unit_test(a_histogram_that_cannot_be_read_is_refused),
        cmocka_unit_test(statistics_may_be_of_any_later_size_and_of_no_smaller_one),
        cmocka_unit_test(what_expires_is_evicted_where_that_is_asked_for),
        cmocka_unit_test(what_is_idle_too_long_is_evicted_where_that_is_asked_for),
        cmocka_unit_test(what_the_machines_clock_ends_is_evicted_without_a_call),
        cmocka_unit_test(each_entry_is_seen_once_as_it_is),
        cmocka_unit_test(a_pool_is_described_with_who_holds_the_oldest_lease),
        cmocka_unit_test(a_suspended_pool_gives_nobody_anything_and_takes_what_comes_back),
        cmocka_unit_test(a_name_that_is_no_text_is_refused),
        cmocka_unit_test(too_many_pools_are_refused),
        cmocka_unit_test(a_pool_without_a_disposal_callback_forgets_connections),
    };
    return cmocka_run_group_tests_name("pools", tests, NULL, NULL);
}
