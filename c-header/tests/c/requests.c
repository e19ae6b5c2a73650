/* Requests whose answer is a callback, and what callbacks may do. */
#include "support.h"

static int connections[8];
#define C(i) (&connections[i])

typedef struct {
    fixture *f;
    int count;
    lh_status status;
    lh_lease lease;
    void *data;
} answer;

static pthread_mutex_t answering = PTHREAD_MUTEX_INITIALIZER;

static void note(void *context, lh_pool pool, lh_status status, lh_lease lease, void *data) {
    answer *a = context;
    pthread_mutex_lock(&answering);
    a->count += pool.id == a->f->pool.id ? 1 : 1000;
    a->status = status;
    a->lease = lease;
    a->data = data;
    pthread_mutex_unlock(&answering);
}

/* A request that has to wait. */
static lh_request ask(answer *a, fixture *f) {
    lh_request request;
    lh_lease lease = {7};
    void *data = a;
    memset(a, 0, sizeof *a);
    a->f = f;
    assert_status(LH_PENDING, lh_pool_request(f->pool, f->route, NULL, note, a, &request, &lease, &data));
    assert_true(lease.id == 7);
    assert_ptr_equal(data, a);
    return request;
}

static void a_request_that_need_not_wait_is_answered_at_once(void **state) {
    (void)state;
    fixture f;
    answer a = {0};
    lh_request request = {7};
    lh_lease lease;
    void *data;
    make_limited(&f, 1, 1);
    assert_status(LH_VACANCY, lh_pool_request(f.pool, f.route, NULL, note, &a, &request, &lease, &data));
    assert_status(LH_OK, lh_lease_opened(f.pool, lease, C(0)));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_status(LH_OK, lh_pool_request(f.pool, f.route, NULL, note, &a, &request, &lease, &data));
    assert_ptr_equal(data, C(0));
    assert_int_equal(a.count, 0);
    assert_true(request.id == 7);
    end_pool(&f);
}

static void requests_of_a_suspended_pool_are_answered_in_order_when_it_is_resumed(void **state) {
    (void)state;
    fixture f;
    answer first, second, third;
    make_limited(&f, 2, 2);
    lh_lease lease = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_pool_suspend(f.pool));
    lh_request request = ask(&first, &f);
    ask(&second, &f);
    ask(&third, &f);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_status(LH_OK, lh_request_cancel(f.pool, request));
    assert_stats(&f, 0, 2, 1);
    assert_status(LH_OK, lh_pool_resume(f.pool));
    assert_int_equal(first.count, 0);
    assert_true(second.count == 1 && third.count == 1);
    assert_status(LH_OK, second.status);
    assert_ptr_equal(second.data, C(0));
    assert_status(LH_VACANCY, third.status);
    assert_status(LH_OK, lh_lease_close(f.pool, second.lease));
    assert_status(LH_OK, lh_lease_close(f.pool, third.lease));
    end_pool(&f);
}

static void who_has_waited_longest_gets_what_is_released(void **state) {
    (void)state;
    fixture f;
    answer first, second;
    make_limited(&f, 1, 1);
    lh_lease lease = open_lease(&f, f.route, C(0));
    ask(&first, &f);
    ask(&second, &f);
    assert_stats(&f, 1, 2, 0);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(first.count, 1);
    assert_status(LH_OK, first.status);
    assert_ptr_equal(first.data, C(0));
    assert_int_equal(second.count, 0);
    /* A connection that is closed leaves the right to open one. */
    assert_status(LH_OK, lh_lease_close(f.pool, first.lease));
    assert_int_equal(second.count, 1);
    assert_status(LH_VACANCY, second.status);
    assert_null(second.data);
    assert_status(LH_OK, lh_lease_opened(f.pool, second.lease, C(1)));
    end_pool(&f);
}

static void a_cancelled_request_is_not_answered(void **state) {
    (void)state;
    fixture f;
    answer first, second;
    make_limited(&f, 1, 1);
    lh_lease lease = open_lease(&f, f.route, C(0));
    lh_request request = ask(&first, &f);
    lh_request other = ask(&second, &f);
    assert_status(LH_OK, lh_request_cancel(f.pool, request));
    assert_status(LH_NO_REQUEST, lh_request_cancel(f.pool, request));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(first.count, 0);
    assert_int_equal(second.count, 1);
    assert_status(LH_NO_REQUEST, lh_request_cancel(f.pool, other));
    end_pool(&f);
}

static void a_request_beyond_max_waiters_is_refused(void **state) {
    (void)state;
    fixture f;
    answer first, second = {0};
    lh_request request = {7};
    lh_lease lease;
    void *data;
    lh_pool_options options = options_of(&f);
    options.max_total = 0;
    options.max_waiters = 1;
    make_pool(&f, &options);
    ask(&first, &f);
    assert_status(LH_QUEUE_FULL, lh_pool_request(f.pool, f.route, NULL, note, &second, &request, &lease, &data));
    assert_status(LH_QUEUE_FULL, lh_pool_lease(f.pool, f.route, NULL, LH_FOREVER, &lease, &data));
    assert_true(request.id == 7);
    assert_status(LH_OK, lh_pool_set_max_total(f.pool, 1));
    assert_int_equal(first.count, 1);
    assert_status(LH_VACANCY, first.status);
    end_pool(&f);
}

static void shutdown_answers_every_request(void **state) {
    (void)state;
    fixture f;
    answer a, late = {0};
    lh_request request;
    lh_lease lease;
    void *data;
    make_limited(&f, 0, 0);
    ask(&a, &f);
    assert_status(LH_OK, lh_pool_shutdown(f.pool, LH_SHUTDOWN_GRACEFUL));
    assert_int_equal(a.count, 1);
    assert_status(LH_SHUT_DOWN, a.status);
    assert_true(a.lease.id == 0);
    assert_status(LH_SHUT_DOWN, lh_pool_request(f.pool, f.route, NULL, note, &late, &request, &lease, &data));
    end_pool(&f);
    assert_int_equal(late.count, 0);
}

static void destroy_answers_every_request(void **state) {
    (void)state;
    fixture f;
    answer a;
    make_limited(&f, 0, 0);
    ask(&a, &f);
    end_pool(&f);
    assert_int_equal(a.count, 1);
    assert_status(LH_SHUT_DOWN, a.status);
}

static lh_lease_options within(uint64_t timeout_ms) {
    lh_lease_options options;
    assert_status(LH_OK, lh_lease_options_init(&options, sizeof options));
    options.timeout_ms = timeout_ms;
    return options;
}

/* A request that has to wait, but no longer than `timeout_ms`. */
static lh_request ask_within(answer *a, fixture *f, uint64_t timeout_ms) {
    lh_lease_options options = within(timeout_ms);
    lh_request request;
    lh_lease lease;
    void *data;
    memset(a, 0, sizeof *a);
    a->f = f;
    assert_status(LH_PENDING, lh_pool_request(f->pool, f->route, &options, note, a, &request, &lease, &data));
    return request;
}

/* Requests that time out leave the queue before their callbacks are called. */
static void until_answered(answer *a, lh_status status) {
    begin_to_wait();
    pthread_mutex_lock(&answering);
    while (a->count == 0) {
        pthread_mutex_unlock(&answering);
        wait_on();
        pthread_mutex_lock(&answering);
    }
    assert_int_equal(a->count, 1);
    assert_status(status, a->status);
    pthread_mutex_unlock(&answering);
}

static void a_request_times_out_by_the_pools_clock(void **state) {
    (void)state;
    fixture f;
    answer first, second, third;
    make_limited(&f, 1, 1);
    lh_lease lease = open_lease(&f, f.route, C(0));
    ask_within(&first, &f, 2000);
    lh_request request = ask_within(&second, &f, 1000);
    ask_within(&third, &f, LH_FOREVER - 1);
    assert_status(LH_OK, lh_clock_advance(f.clock, 1000));
    until_answered(&second, LH_TIMED_OUT);
    assert_true(second.lease.id == 0);
    assert_null(second.data);
    assert_status(LH_NO_REQUEST, lh_request_cancel(f.pool, request));
    assert_stats(&f, 1, 2, 0);
    /* The one that still waits is served as if there were no timeout. */
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    until_answered(&first, LH_OK);
    assert_status(LH_OK, lh_clock_advance(f.clock, 1000));
    assert_status(LH_OK, lh_lease_release(f.pool, first.lease, LH_FOREVER));
    until_answered(&third, LH_OK);
    assert_status(LH_OK, lh_lease_release(f.pool, third.lease, LH_FOREVER));
    end_pool(&f);
    assert_int_equal(first.count + second.count + third.count, 3);
}

static void a_request_times_out_by_the_machines_clock_without_a_call(void **state) {
    (void)state;
    fixture f;
    answer a, now;
    lh_pool_options options = options_of(&f);
    options.clock.id = 0;
    options.max_total = 0;
    make_pool(&f, &options);
    ask_within(&a, &f, 20);
    ask_within(&now, &f, 0);
    until_answered(&a, LH_TIMED_OUT);
    until_answered(&now, LH_TIMED_OUT);
    assert_stats(&f, 0, 0, 0);
    end_pool(&f);
}

static void a_cancelled_request_does_not_time_out(void **state) {
    (void)state;
    fixture f;
    answer cancelled, other;
    make_limited(&f, 0, 0);
    assert_status(LH_OK, lh_request_cancel(f.pool, ask_within(&cancelled, &f, 1000)));
    ask_within(&other, &f, 1000);
    assert_status(LH_OK, lh_clock_advance(f.clock, 1000));
    until_answered(&other, LH_TIMED_OUT);
    end_pool(&f);
    assert_int_equal(cancelled.count, 0);
}

static void a_timeout_has_no_part_in_other_leases(void **state) {
    (void)state;
    fixture f;
    lh_lease_options options = within(0);
    lh_lease lease;
    lh_request request;
    void *data;
    answer a = {0};
    make_limited(&f, 1, 1);
    assert_status(LH_VACANCY, lh_pool_lease(f.pool, f.route, &options, LH_FOREVER, &lease, &data));
    assert_status(LH_EXHAUSTED, lh_pool_try_lease(f.pool, f.route, &options, &lease, &data));
    assert_status(LH_OK, lh_lease_close(f.pool, lease));
    assert_status(LH_VACANCY, lh_pool_request(f.pool, f.route, &options, note, &a, &request, &lease, &data));
    end_pool(&f);
}

static void a_request_for_a_state_gets_only_that(void **state) {
    (void)state;
    fixture f;
    answer a = {0};
    lh_request request;
    lh_lease lease;
    void *data;
    lh_lease_options alice;
    make_limited(&f, 1, 1);
    a.f = &f;
    assert_status(LH_OK, lh_lease_options_init(&alice, sizeof alice));
    alice.state = "alice";
    alice.state_length = 5;
    lh_lease bobs = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_lease_bind(f.pool, bobs, "bob", 3));
    assert_status(LH_PENDING, lh_pool_request(f.pool, f.route, &alice, note, &a, &request, &lease, &data));
    assert_status(LH_OK, lh_lease_release(f.pool, bobs, LH_FOREVER));
    assert_disposed(&f, 0, C(0), LH_CAUSE_EVICTED);
    assert_int_equal(a.count, 1);
    assert_status(LH_VACANCY, a.status);
    end_pool(&f);
}

static void barging_asks_again_for_who_waits(void **state) {
    (void)state;
    fixture f;
    answer first, second;
    lh_pool_options options = options_of(&f);
    options.max_total = 1;
    options.barging = 1;
    make_pool(&f, &options);
    lh_lease lease = open_lease(&f, f.route, C(0));
    ask(&first, &f);
    lh_request request = ask(&second, &f);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(first.count, 1);
    assert_ptr_equal(first.data, C(0));
    assert_status(LH_OK, lh_request_cancel(f.pool, request));
    assert_status(LH_OK, lh_lease_release(f.pool, first.lease, LH_FOREVER));
    assert_stats(&f, 0, 0, 1);
    end_pool(&f);
}

/* Each answer releases, which answers the next request: a hundred thousand deep if callbacks nested. */
#define CHAIN 100000
static int links, depth, deepest;

static void pass_on(void *context, lh_pool pool, lh_status status, lh_lease lease, void *data) {
    assert_status(LH_OK, status);
    assert_ptr_equal(data, context);
    if (++depth > deepest) deepest = depth;
    links++;
    assert_status(LH_OK, lh_lease_release(pool, lease, LH_FOREVER));
    depth--;
}

static void callbacks_never_nest(void **state) {
    (void)state;
    fixture f;
    lh_request request;
    lh_lease lease, none;
    void *data;
    make_limited(&f, 1, 1);
    links = depth = deepest = 0;
    lease = open_lease(&f, f.route, C(0));
    for (int i = 0; i < CHAIN; i++)
        assert_int_equal(lh_pool_request(f.pool, f.route, NULL, pass_on, C(0), &request, &none, &data), LH_PENDING);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(links, CHAIN);
    assert_int_equal(deepest, 1);
    assert_stats(&f, 0, 0, 1);
    end_pool(&f);
}

static int inside;

/* Does everything that a disposal callback may want, and what it must not. */
static void call_back(void *context, void *data, lh_cause cause) {
    fixture *f = context;
    lh_lease lease;
    void *found;
    lh_stats stats;
    (void)data;
    (void)cause;
    if (inside++ > 0) return;
    assert_status(LH_OK, lh_pool_stats(f->pool, &stats, sizeof stats));
    assert_status(LH_VACANCY, lh_pool_lease(f->pool, f->route, NULL, LH_FOREVER, &lease, &found));
    assert_status(LH_IN_CALLBACK, lh_pool_lease(f->pool, f->route, NULL, LH_FOREVER, &lease, &found));
    assert_status(LH_OK, lh_lease_opened(f->pool, lease, C(1)));
    assert_status(LH_OK, lh_lease_close(f->pool, lease));
    assert_int_equal(inside, 1); /* That disposal comes after this one. */
    uint32_t left = 7;
    assert_status(LH_IN_CALLBACK, lh_pool_drain(f->pool, 0, &left));
    assert_status(LH_OK, lh_pool_check(f->pool));
    assert_int_equal(left, 7);
    assert_status(LH_IN_CALLBACK, lh_pool_destroy(f->pool));
    assert_status(LH_OK, lh_pool_shutdown(f->pool, LH_SHUTDOWN_IMMEDIATE));
}

static void a_callback_may_do_anything_but_wait(void **state) {
    (void)state;
    fixture f;
    lh_pool_options options = options_of(&f);
    options.dispose = call_back;
    options.max_total = 1;
    make_pool(&f, &options);
    inside = 0;
    assert_status(LH_OK, lh_lease_close(f.pool, open_lease(&f, f.route, C(0))));
    assert_int_equal(inside, 2);
    end_pool(&f);
}

int run_requests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_need_not_wait_is_answered_at_once),
        cmocka_unit_test(requests_of_a_suspended_pool_are_answered_in_order_when_it_is_resumed),
        cmocka_unit_test(who_has_waited_longest_gets_what_is_released),
        cmocka_unit_test(a_cancelled_request_is_not_answered),
        cmocka_unit_test(a_request_beyond_max_waiters_is_refused),
        cmocka_unit_test(shutdown_answers_every_request),
        cmocka_unit_test(destroy_answers_every_request),
        cmocka_unit_test(a_request_times_out_by_the_pools_clock),
        cmocka_unit_test(a_request_times_out_by_the_machines_clock_without_a_call),
        cmocka_unit_test(a_cancelled_request_does_not_time_out),
        cmocka_unit_test(a_timeout_has_no_part_in_other_leases),
        cmocka_unit_test(a_request_for_a_state_gets_only_that),
        cmocka_unit_test(barging_asks_again_for_who_waits),
        cmocka_unit_test(callbacks_never_nest),
        cmocka_unit_test(a_callback_may_do_anything_but_wait),
    };
    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
