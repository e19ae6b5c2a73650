/* Leases: opening, keeping, closing, replacing, states, sockets and the probe. */
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

static int connections[8];
#define C(i) (&connections[i])

static void a_released_connection_is_leased_again_with_its_data(void **state) {
    (void)state;
    fixture f;
    void *data;
    make_limited(&f, 1, 1);
    lh_lease first = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_lease_release(f.pool, first, LH_FOREVER));
    assert_stats(&f, 0, 0, 1);
    lh_lease second = lease_idle(&f, f.route, C(0));
    assert_true(first.id != second.id);
    assert_status(LH_OK, lh_lease_set_data(f.pool, second, C(1)));
    assert_status(LH_OK, lh_lease_data(f.pool, second, &data));
    assert_ptr_equal(data, C(1));
    assert_status(LH_OK, lh_lease_release(f.pool, second, LH_FOREVER));
    lease_idle(&f, f.route, C(1));
    end_pool(&f);
    assert_disposed(&f, 0, C(1), LH_CAUSE_REVOKED);
}

static void a_closed_or_unkept_connection_is_disposed_of_during_the_call(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 1, 1);
    assert_status(LH_OK, lh_lease_close(f.pool, open_lease(&f, f.route, C(0))));
    assert_disposed(&f, 0, C(0), LH_CAUSE_REQUESTED);
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(1)), 0));
    assert_disposed(&f, 1, C(1), LH_CAUSE_REQUESTED);
    assert_stats(&f, 0, 0, 0);
    end_pool(&f);
}

static void a_vacancy_is_given_back_by_closing_it(void **state) {
    (void)state;
    fixture f;
    lh_lease lease, none;
    void *data;
    make_limited(&f, 1, 1);
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_status(LH_EXHAUSTED, lh_pool_try_lease(f.pool, f.route, NULL, &none, &data));
    assert_status(LH_OK, lh_lease_close(f.pool, lease));
    assert_int_equal(f.count, 0);
    assert_stats(&f, 0, 0, 0);
    end_pool(&f);
}

static void what_needs_a_connection_refuses_a_vacancy(void **state) {
    (void)state;
    fixture f;
    lh_lease lease;
    void *data;
    int32_t socket;
    make_limited(&f, 100, 100);
    /* Also beyond the first segment of the pool's tables. */
    for (int i = 0; i < 99; i++) open_lease(&f, f.route, NULL);
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_status(LH_NO_CONNECTION, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_status(LH_NO_CONNECTION, lh_lease_release(f.pool, lease, 0));
    assert_status(LH_NO_CONNECTION, lh_lease_replace(f.pool, lease));
    assert_status(LH_NO_CONNECTION, lh_lease_set_data(f.pool, lease, C(0)));
    assert_status(LH_NO_CONNECTION, lh_lease_data(f.pool, lease, &data));
    assert_status(LH_NO_CONNECTION, lh_lease_set_socket(f.pool, lease, 0, LH_PROBE_OFF));
    assert_status(LH_NO_CONNECTION, lh_lease_socket(f.pool, lease, &socket));
    assert_status(LH_NO_CONNECTION, lh_lease_bind(f.pool, lease, "a", 1));
    assert_status(LH_NO_CONNECTION, lh_lease_update_expiry(f.pool, lease, 1));
    assert_status(LH_OK, lh_lease_opened(f.pool, lease, C(0)));
    assert_status(LH_HAS_CONNECTION, lh_lease_opened(f.pool, lease, C(1)));
    assert_status(LH_OK, lh_lease_data(f.pool, lease, &data));
    assert_ptr_equal(data, C(0));
    assert_status(LH_OK, lh_lease_close(f.pool, lease));
    assert_int_equal(f.count, 1);
    end_pool(&f);
    assert_int_equal(f.count, 100);
}

static void a_replaced_connection_keeps_its_place(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 1, 1);
    lh_lease lease = open_lease(&f, f.route, C(0));
    assert_status(LH_VACANCY, lh_lease_replace(f.pool, lease));
    assert_disposed(&f, 0, C(0), LH_CAUSE_REQUESTED);
    assert_stats(&f, 1, 0, 0);
    assert_status(LH_OK, lh_lease_opened(f.pool, lease, C(1)));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    lease_idle(&f, f.route, C(1));
    end_pool(&f);
}

static void the_expiry_noted_is_the_one_kept(void **state) {
    (void)state;
    fixture f;
    make_limited(&f, 1, 1);
    lh_lease lease = open_lease(&f, f.route, C(0));
    assert_status(LH_INVALID_ARGUMENT, lh_lease_update_expiry(f.pool, lease, LH_KEEP_AS_BEFORE));
    assert_status(LH_OK, lh_lease_update_expiry(f.pool, lease, LH_FOREVER));
    assert_status(LH_OK, lh_lease_update_expiry(f.pool, lease, 1000));
    assert_status(LH_OK, lh_clock_advance(f.clock, 400));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_KEEP_AS_BEFORE));
    assert_status(LH_OK, lh_clock_advance(f.clock, 599));
    lease = lease_idle(&f, f.route, C(0));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_KEEP_AS_BEFORE));
    assert_status(LH_OK, lh_clock_advance(f.clock, 1));
    assert_status(LH_OK, lh_pool_close_expired(f.pool));
    assert_disposed(&f, 0, C(0), LH_CAUSE_EXPIRED);
    end_pool(&f);
}

static lh_lease_options bound_to(const char *name) {
    lh_lease_options options;
    assert_status(LH_OK, lh_lease_options_init(&options, sizeof options));
    options.state = name;
    options.state_length = strlen(name);
    return options;
}

static void a_bound_connection_goes_to_its_state_only(void **state) {
    (void)state;
    fixture f;
    lh_lease lease;
    void *data;
    lh_lease_options alice = bound_to("alice"), bob = bound_to("bob");
    make_limited(&f, 3, 3);
    lease = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_lease_bind(f.pool, lease, "bob", 3));
    assert_status(LH_OK, lh_lease_bind(f.pool, lease, "alice", 5));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));

    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_status(LH_OK, lh_lease_close(f.pool, lease));
    assert_status(LH_VACANCY, lh_pool_lease(f.pool, f.route, &bob, 0, &lease, &data));
    assert_status(LH_OK, lh_lease_close(f.pool, lease));
    assert_status(LH_OK, lh_pool_lease(f.pool, f.route, &alice, 0, &lease, &data));
    assert_ptr_equal(data, C(0));
    assert_status(LH_OK, lh_lease_bind(f.pool, lease, NULL, 0));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    lease_idle(&f, f.route, C(0));
    end_pool(&f);
}

static void a_state_of_no_length_is_one_and_a_bad_one_is_refused(void **state) {
    (void)state;
    fixture f;
    lh_lease lease;
    void *data;
    lh_lease_options empty = bound_to(""), bad = empty;
    make_limited(&f, 3, 3);
    lease = open_lease(&f, f.route, C(0));
    assert_status(LH_NULL_POINTER, lh_lease_bind(f.pool, lease, NULL, 1));
    assert_status(LH_INVALID_ARGUMENT, lh_lease_bind(f.pool, lease, "", SIZE_MAX));
    assert_status(LH_OK, lh_lease_bind(f.pool, lease, "", 0));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    bad.state = NULL;
    bad.state_length = 1;
    assert_status(LH_NULL_POINTER, lh_pool_try_lease(f.pool, f.route, &bad, &lease, &data));
    bad.size = 0;
    assert_status(LH_BAD_SIZE, lh_pool_lease(f.pool, f.route, &bad, 0, &lease, &data));
    assert_status(LH_OK, lh_pool_try_lease(f.pool, f.route, &empty, &lease, &data));
    end_pool(&f);
}

/* A pool that finds closed connections by the probe alone, and so on the test's own thread. */
static void make_probing(fixture *f, uint32_t max) {
    lh_pool_options options = options_of(f);
    options.max_total = max;
    options.watching = LH_WATCHING_PROBE;
    make_pool(f, &options);
}

/* Opens a lease with a socket; the peer's end is returned. */
static int open_with_socket(fixture *f, lh_lease *lease, void *data, int sockets[2], lh_probe probe) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    *lease = open_lease(f, f->route, data);
    assert_status(LH_OK, lh_lease_set_socket(f->pool, *lease, sockets[0], probe));
    return sockets[1];
}

static void a_socket_is_remembered_until_the_connection_goes(void **state) {
    (void)state;
    fixture f;
    lh_lease lease;
    int32_t socket = 7;
    int pair[2];
    make_probing(&f, 1);
    lease = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_lease_socket(f.pool, lease, &socket));
    assert_int_equal(socket, -1);
    assert_status(LH_INVALID_ARGUMENT, lh_lease_set_socket(f.pool, lease, -1, LH_PROBE_SILENT));
    assert_status(LH_INVALID_ARGUMENT, lh_lease_set_socket(f.pool, lease, 0, 3));
    assert_status(LH_OK, lh_lease_close(f.pool, lease));
    open_with_socket(&f, &lease, C(1), pair, LH_PROBE_SILENT);
    assert_status(LH_OK, lh_lease_socket(f.pool, lease, &socket));
    assert_int_equal(socket, pair[0]);
    assert_status(LH_VACANCY, lh_lease_replace(f.pool, lease));
    assert_status(LH_OK, lh_lease_opened(f.pool, lease, C(2)));
    assert_status(LH_OK, lh_lease_socket(f.pool, lease, &socket));
    assert_int_equal(socket, -1);
    close(pair[0]);
    close(pair[1]);
    end_pool(&f);
}

static void a_connection_closed_by_its_peer_is_replaced_by_the_next_idle_one(void **state) {
    (void)state;
    fixture f;
    lh_lease leases[3];
    int pairs[3][2];
    make_probing(&f, 3);
    for (int i = 0; i < 3; i++) open_with_socket(&f, &leases[i], C(i), pairs[i], LH_PROBE_SILENT);
    for (int i = 0; i < 3; i++) assert_status(LH_OK, lh_lease_release(f.pool, leases[i], LH_FOREVER));
    lh_lease alive = lease_idle(&f, f.route, C(2));
    assert_status(LH_OK, lh_lease_release(f.pool, alive, LH_FOREVER));
    close(pairs[2][1]);
    close(pairs[1][1]);
    lease_idle(&f, f.route, C(0));
    assert_int_equal(f.count, 2);
    assert_int_equal(f.cause[0], LH_CAUSE_PEER_CLOSED);
    assert_int_equal(f.cause[1], LH_CAUSE_PEER_CLOSED);
    assert_true(counters_of(&f).stale == 2 && counters_of(&f).closed_by_peer == 0);
    assert_stats(&f, 1, 0, 0);
    end_pool(&f);
    close(pairs[0][1]);
    for (int i = 0; i < 3; i++) close(pairs[i][0]);
}

static void a_connection_closed_by_its_peer_leaves_a_vacancy_in_its_place(void **state) {
    (void)state;
    fixture f;
    lh_lease lease;
    int pair[2];
    make_probing(&f, 1);
    open_with_socket(&f, &lease, C(0), pair, LH_PROBE_OPEN);
    assert_status(LH_OK, lh_lease_bind(f.pool, lease, "alice", 5));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    close(pair[1]);
    lh_lease_options alice = bound_to("alice");
    void *data;
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, &alice, &lease, &data));
    assert_disposed(&f, 0, C(0), LH_CAUSE_PEER_CLOSED);
    assert_status(LH_OK, lh_lease_opened(f.pool, lease, C(1)));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    lease_idle(&f, f.route, C(1));
    close(pair[0]);
    end_pool(&f);
}

static void bytes_that_nobody_asked_for_end_a_plain_connection_and_no_tls_one(void **state) {
    (void)state;
    const lh_probe probes[] = {LH_PROBE_OFF, LH_PROBE_SILENT, LH_PROBE_OPEN};
    for (int i = 0; i < 3; i++) {
        fixture f;
        lh_lease lease;
        void *data;
        int pair[2];
        make_probing(&f, 1);
        int peer = open_with_socket(&f, &lease, C(0), pair, probes[i]);
        assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
        assert_int_equal(write(peer, "x", 1), 1);
        lh_status status = lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data);
        assert_status(probes[i] == LH_PROBE_SILENT ? LH_VACANCY : LH_OK, status);
        end_pool(&f);
        close(pair[0]);
        close(pair[1]);
    }
}

static void a_socket_that_the_program_closed_is_found_unusable(void **state) {
    (void)state;
    fixture f;
    lh_lease lease;
    void *data;
    int pair[2];
    make_probing(&f, 1);
    open_with_socket(&f, &lease, C(0), pair, LH_PROBE_OPEN);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    close(pair[0]);
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    close(pair[1]);
    end_pool(&f);
}

int run_leases(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_released_connection_is_leased_again_with_its_data),
        cmocka_unit_test(a_closed_or_unkept_connection_is_disposed_of_during_the_call),
        cmocka_unit_test(a_vacancy_is_given_back_by_closing_it),
        cmocka_unit_test(what_needs_a_connection_refuses_a_vacancy),
        cmocka_unit_test(a_replaced_connection_keeps_its_place),
        cmocka_unit_test(the_expiry_noted_is_the_one_kept),
        cmocka_unit_test(a_bound_connection_goes_to_its_state_only),
        cmocka_unit_test(a_state_of_no_length_is_one_and_a_bad_one_is_refused),
        cmocka_unit_test(a_socket_is_remembered_until_the_connection_goes),
        cmocka_unit_test(a_connection_closed_by_its_peer_is_replaced_by_the_next_idle_one),
        cmocka_unit_test(a_connection_closed_by_its_peer_leaves_a_vacancy_in_its_place),
        cmocka_unit_test(bytes_that_nobody_asked_for_end_a_plain_connection_and_no_tls_one),
        cmocka_unit_test(a_socket_that_the_program_closed_is_found_unusable),
    };
    return cmocka_run_group_tests_name("leases", tests, NULL, NULL);
}
