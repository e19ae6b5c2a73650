#include "support.h"

static void record(void *context, void *data, lh_cause cause) {
    fixture *f = context;
    assert_true(f->count < MOST_DISPOSALS);
    f->data[f->count] = data;
    f->cause[f->count] = cause;
    f->count++;
}

lh_pool_options options_of(fixture *f) {
    lh_pool_options options;
    memset(f, 0, sizeof *f);
    assert_status(LH_OK, lh_clock_create(&f->clock));
    assert_status(LH_OK, lh_pool_options_init(&options, sizeof options));
    options.dispose = record;
    options.dispose_context = f;
    options.clock = f->clock;
    return options;
}

void make_pool(fixture *f, const lh_pool_options *options) {
    assert_status(LH_OK, lh_pool_create(options, &f->pool));
    assert_status(LH_OK, lh_route_of_name(f->pool, "r", &f->route));
}

void make_limited(fixture *f, uint32_t max_total, uint32_t max_per_route) {
    lh_pool_options options = options_of(f);
    options.max_total = max_total;
    options.max_per_route = max_per_route;
    make_pool(f, &options);
}

void end_pool(fixture *f) {
    assert_status(LH_OK, lh_pool_destroy(f->pool));
    assert_status(LH_OK, lh_clock_destroy(f->clock));
}

lh_lease open_lease(fixture *f, lh_route route, void *data) {
    lh_lease lease;
    void *found = f;
    assert_status(LH_VACANCY, lh_pool_try_lease(f->pool, route, NULL, &lease, &found));
    assert_null(found);
    assert_status(LH_OK, lh_lease_opened(f->pool, lease, data));
    return lease;
}

lh_lease lease_idle(fixture *f, lh_route route, void *data) {
    lh_lease lease;
    void *found = NULL;
    assert_status(LH_OK, lh_pool_try_lease(f->pool, route, NULL, &lease, &found));
    assert_ptr_equal(found, data);
    return lease;
}

void assert_stats(fixture *f, uint32_t leased, uint32_t pending, uint32_t available) {
    lh_stats stats;
    assert_status(LH_OK, lh_pool_stats(f->pool, &stats));
    assert_int_equal(stats.leased, leased);
    assert_int_equal(stats.pending, pending);
    assert_int_equal(stats.available, available);
}

void assert_disposed(fixture *f, int index, void *data, lh_cause cause) {
    assert_true(index < f->count);
    assert_ptr_equal(f->data[index], data);
    assert_int_equal(f->cause[index], cause);
}
