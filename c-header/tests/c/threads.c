/* Waiting threads: woken, timed out, told of an end; and threads that end themselves. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "support.h"

static int connections[4];
#define C(i) (&connections[i])

typedef struct {
    fixture *f;
    uint64_t timeout_ms;
    lh_status status;
    lh_lease lease;
    void *data;
} waiter;

static void *wait_for_lease(void *context) {
    waiter *w = context;
    w->status = lh_pool_lease(w->f->pool, w->f->route, NULL, w->timeout_ms, &w->lease, &w->data);
    return NULL;
}

static void until_pending(fixture *f, uint32_t pending) {
    lh_stats stats;
    do {
        sched_yield();
        assert_status(LH_OK, lh_pool_stats(f->pool, &stats, sizeof stats));
    } while (stats.pending != pending);
}

static void a_waiting_thread_gets_what_is_released(void **state) {
    (void)state;
    fixture f;
    pthread_t thread;
    make_limited(&f, 1, 1);
    lh_lease lease = open_lease(&f, f.route, C(0));
    waiter w = {&f, LH_FOREVER, LH_PANICKED, {0}, NULL};
    assert_int_equal(pthread_create(&thread, NULL, wait_for_lease, &w), 0);
    until_pending(&f, 1);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(LH_OK, w.status);
    assert_ptr_equal(w.data, C(0));
    assert_status(LH_OK, lh_lease_release(f.pool, w.lease, LH_FOREVER));
    end_pool(&f);
}

static void a_waiting_thread_is_served_when_the_pool_is_resumed(void **state) {
    (void)state;
    fixture f;
    pthread_t thread;
    make_limited(&f, 1, 1);
    lh_lease lease = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_pool_suspend(f.pool));
    waiter w = {&f, LH_FOREVER, LH_PANICKED, {0}, NULL};
    assert_int_equal(pthread_create(&thread, NULL, wait_for_lease, &w), 0);
    until_pending(&f, 1);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_stats(&f, 0, 1, 1);
    assert_status(LH_OK, lh_pool_resume(f.pool));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(LH_OK, w.status);
    assert_ptr_equal(w.data, C(0));
    assert_status(LH_OK, lh_lease_release(f.pool, w.lease, LH_FOREVER));
    end_pool(&f);
}

static void a_waiting_thread_times_out_and_loses_nothing(void **state) {
    (void)state;
    fixture f;
    lh_lease none = {7};
    void *data = &f;
    make_limited(&f, 1, 1);
    lh_lease lease = open_lease(&f, f.route, C(0));
    assert_status(LH_TIMED_OUT, lh_pool_lease(f.pool, f.route, NULL, 0, &none, &data));
    assert_status(LH_TIMED_OUT, lh_pool_lease(f.pool, f.route, NULL, 20, &none, &data));
    assert_true(none.id == 7);
    assert_ptr_equal(data, &f);
    assert_stats(&f, 1, 0, 0);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    lease_idle(&f, f.route, C(0));
    end_pool(&f);
}

static void a_waiting_thread_is_told_of_the_end(void **state) {
    (void)state;
    for (int destroys = 0; destroys < 2; destroys++) {
        fixture f;
        pthread_t threads[3];
        waiter waiters[3];
        make_limited(&f, 0, 0);
        for (int i = 0; i < 3; i++) {
            waiters[i] = (waiter){&f, i == 0 ? 1000000 : LH_FOREVER, LH_PANICKED, {0}, NULL};
            assert_int_equal(pthread_create(&threads[i], NULL, wait_for_lease, &waiters[i]), 0);
        }
        until_pending(&f, 3);
        if (destroys)
            assert_status(LH_OK, lh_pool_destroy(f.pool));
        else
            assert_status(LH_OK, lh_pool_shutdown(f.pool, LH_SHUTDOWN_IMMEDIATE));
        for (int i = 0; i < 3; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_status(LH_SHUT_DOWN, waiters[i].status);
        }
        if (!destroys) assert_status(LH_OK, lh_pool_destroy(f.pool));
        assert_status(LH_OK, lh_clock_destroy(f.clock));
    }
}

typedef struct {
    fixture *f;
    uint64_t timeout_ms;
    lh_status status;
    uint32_t left;
} draining;

static void *drain(void *context) {
    draining *d = context;
    d->status = lh_pool_drain(d->f->pool, d->timeout_ms, &d->left);
    return NULL;
}

static void until_shut_down(fixture *f) {
    while (lh_pool_check(f->pool) == LH_OK) sched_yield();
}

static void a_drain_that_is_out_of_time_says_how_many_leases_are_left(void **state) {
    (void)state;
    fixture f;
    lh_lease opening;
    uint32_t left = 7;
    void *data;
    make_limited(&f, 3, 3);
    lh_lease leased = open_lease(&f, f.route, C(0));
    assert_status(LH_OK, lh_lease_release(f.pool, open_lease(&f, f.route, C(1)), LH_FOREVER));
    lease_idle(&f, f.route, C(1));
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &opening, &data));
    assert_status(LH_OK, lh_pool_drain(f.pool, 0, &left));
    assert_int_equal(left, 3);
    assert_status(LH_SHUT_DOWN, lh_pool_check(f.pool));
    /* They go on, and each that ends is one less. */
    assert_status(LH_OK, lh_lease_data(f.pool, leased, &data));
    assert_status(LH_OK, lh_lease_release(f.pool, leased, LH_FOREVER));
    assert_disposed(&f, 0, C(0), LH_CAUSE_SHUT_DOWN);
    assert_status(LH_OK, lh_pool_drain(f.pool, 20, &left));
    assert_int_equal(left, 2);
    assert_status(LH_OK, lh_lease_close(f.pool, opening));
    assert_status(LH_OK, lh_pool_shutdown(f.pool, LH_SHUTDOWN_IMMEDIATE));
    assert_status(LH_OK, lh_pool_drain(f.pool, LH_FOREVER, &left));
    assert_int_equal(left, 0);
    end_pool(&f);
}

/* In each way in which the last lease may end, the first of which disposes of nothing. */
static void a_drain_waits_for_the_last_lease_however_that_ends(void **state) {
    (void)state;
    for (int way = 0; way < 5; way++) {
        fixture f;
        pthread_t threads[2];
        draining drains[2];
        lh_lease lease;
        void *data;
        make_limited(&f, 1, 1);
        for (int i = 0; i < 2; i++) drains[i] = (draining){&f, i == 0 ? LH_FOREVER : 1000000, LH_PANICKED, 7};
        assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
        if (way > 0) assert_status(LH_OK, lh_lease_opened(f.pool, lease, C(0)));
        for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, drain, &drains[i]), 0);
        until_shut_down(&f);
        if (way == 0 || way == 1) {
            assert_status(LH_OK, lh_lease_close(f.pool, lease));
        } else if (way == 2) {
            assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
        } else if (way == 3) {
            assert_status(LH_OK, lh_pool_shutdown(f.pool, LH_SHUTDOWN_IMMEDIATE));
        } else {
            assert_status(LH_VACANCY, lh_lease_replace(f.pool, lease));
            assert_status(LH_OK, lh_lease_close(f.pool, lease));
        }
        for (int i = 0; i < 2; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_status(LH_OK, drains[i].status);
            assert_int_equal(drains[i].left, 0);
        }
        assert_int_equal(disposals(&f), way == 0 ? 0 : 1);
        end_pool(&f);
    }
}

static void a_drain_ends_with_its_pool(void **state) {
    (void)state;
    fixture f;
    pthread_t thread;
    draining d = {&f, LH_FOREVER, LH_PANICKED, 7};
    lh_lease opening;
    void *data;
    make_limited(&f, 1, 1);
    /* A right to open one, which no shutdown takes back. */
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &opening, &data));
    assert_int_equal(pthread_create(&thread, NULL, drain, &d), 0);
    until_shut_down(&f);
    assert_status(LH_OK, lh_pool_destroy(f.pool));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(LH_NO_POOL, d.status);
    assert_int_equal(d.left, 7);
    assert_status(LH_OK, lh_clock_destroy(f.clock));
}

typedef struct {
    sem_t is_inside, may_go_on;
} hanging;

static void hang(void *context, void *data, lh_cause cause) {
    hanging *h = context;
    (void)data, (void)cause;
    sem_post(&h->is_inside);
    sem_wait(&h->may_go_on);
}

static void *close_lease(void *context) {
    waiter *w = context;
    w->status = lh_lease_close(w->f->pool, w->lease);
    return NULL;
}

static void a_drain_does_not_wait_for_a_disposal_that_hangs(void **state) {
    (void)state;
    fixture f;
    hanging h;
    pthread_t drains, closes;
    sem_init(&h.is_inside, 0, 0);
    sem_init(&h.may_go_on, 0, 0);
    lh_pool_options options = options_of(&f);
    options.dispose = hang;
    options.dispose_context = &h;
    make_pool(&f, &options);
    draining d = {&f, LH_FOREVER, LH_PANICKED, 7};
    waiter w = {&f, 0, LH_PANICKED, open_lease(&f, f.route, C(0)), NULL};
    assert_int_equal(pthread_create(&drains, NULL, drain, &d), 0);
    until_shut_down(&f);
    assert_int_equal(pthread_create(&closes, NULL, close_lease, &w), 0);
    sem_wait(&h.is_inside);
    assert_int_equal(pthread_join(drains, NULL), 0);
    assert_status(LH_OK, d.status);
    assert_int_equal(d.left, 0);
    sem_post(&h.may_go_on);
    assert_int_equal(pthread_join(closes, NULL), 0);
    assert_status(LH_OK, w.status);
    end_pool(&f);
    sem_destroy(&h.is_inside);
    sem_destroy(&h.may_go_on);
}

static void barging_wakes_a_thread_that_asks_again(void **state) {
    (void)state;
    fixture f;
    pthread_t thread;
    lh_pool_options options = options_of(&f);
    options.max_total = 1;
    options.barging = 1;
    make_pool(&f, &options);
    lh_lease lease = open_lease(&f, f.route, C(0));
    waiter w = {&f, LH_FOREVER, LH_PANICKED, {0}, NULL};
    assert_int_equal(pthread_create(&thread, NULL, wait_for_lease, &w), 0);
    until_pending(&f, 1);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(LH_OK, w.status);
    assert_status(LH_OK, lh_lease_close(f.pool, w.lease));
    end_pool(&f);
}

/* Rounds in which threads lease what the end of their pool revokes. */
#define ROUNDS 400
#define LEASING 8

typedef struct {
    fixture f;
    sem_t begins, is_over;
    int without_data[LEASING], of_another_status[LEASING]; /* written by each thread */
} revoking;

typedef struct {
    revoking *in;
    int number;
} leasing;

static void *lease_what_is_revoked(void *context) {
    leasing *own = context;
    revoking *r = own->in;
    for (int i = 0; i < ROUNDS; i++) {
        lh_lease lease;
        void *data = r, *again = r;
        sem_wait(&r->begins);
        lh_status status = lh_pool_lease(r->f.pool, r->f.route, NULL, LH_FOREVER, &lease, &data);
        if (status == LH_OK) {
            r->without_data[own->number] += data != C(0);
            status = lh_lease_data(r->f.pool, lease, &again);
            r->without_data[own->number] += status == LH_OK && again != C(0);
            if (status == LH_OK) status = lh_lease_close(r->f.pool, lease);
        } else if (status == LH_VACANCY) {
            /* In place of one that another thread has closed. */
            status = lh_lease_close(r->f.pool, lease);
        }
        int is_due = status == LH_OK || status == LH_SHUT_DOWN || status == LH_NO_LEASE || status == LH_NO_POOL;
        r->of_another_status[own->number] += !is_due;
        sem_post(&r->is_over);
    }
    return NULL;
}

static void a_lease_that_an_end_revokes_is_a_status_and_no_connection_without_data(void **state) {
    (void)state;
    revoking r = {0};
    pthread_t threads[LEASING];
    leasing own[LEASING];
    sem_init(&r.begins, 0, 0);
    sem_init(&r.is_over, 0, 0);
    for (int i = 0; i < LEASING; i++) {
        own[i] = (leasing){&r, i};
        assert_int_equal(pthread_create(&threads[i], NULL, lease_what_is_revoked, &own[i]), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        lh_lease leases[LEASING];
        make_limited(&r.f, LEASING, LEASING);
        for (int j = 0; j < LEASING; j++) leases[j] = open_lease(&r.f, r.f.route, C(0));
        for (int j = 0; j < LEASING; j++) sem_post(&r.begins);
        until_pending(&r.f, LEASING);
        /* Granted to the threads that wait. What comes next comes while they wake up, or while they use it. */
        for (int j = 0; j < LEASING; j++) assert_status(LH_OK, lh_lease_release(r.f.pool, leases[j], LH_FOREVER));
        for (int turn = 0; turn < i / 2 % 4; turn++) sched_yield();
        if (i % 2)
            assert_status(LH_OK, lh_pool_shutdown(r.f.pool, LH_SHUTDOWN_IMMEDIATE));
        else
            assert_status(LH_OK, lh_pool_destroy(r.f.pool));
        for (int j = 0; j < LEASING; j++) sem_wait(&r.is_over);
        assert_int_equal(disposals(&r.f), LEASING);
        for (int j = 0; j < LEASING; j++) assert_ptr_equal(r.f.data[j], C(0));
        if (i % 2) assert_status(LH_OK, lh_pool_destroy(r.f.pool));
        assert_status(LH_OK, lh_clock_destroy(r.f.clock));
    }
    for (int i = 0; i < LEASING; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(r.without_data[i], 0);
        assert_int_equal(r.of_another_status[i], 0);
    }
    sem_destroy(&r.begins);
    sem_destroy(&r.is_over);
}

typedef struct {
    fixture f;
    sem_t has_used, is_destroyed;
    lh_status before, after; /* written by the thread */
} outlived;

static void *use_before_and_after(void *context) {
    outlived *o = context;
    lh_stats stats;
    o->before = lh_pool_stats(o->f.pool, &stats, sizeof stats);
    sem_post(&o->has_used);
    sem_wait(&o->is_destroyed);
    o->after = lh_pool_stats(o->f.pool, &stats, sizeof stats);
    return NULL;
}

static void a_thread_that_has_used_a_pool_learns_of_its_end(void **state) {
    (void)state;
    outlived o;
    pthread_t thread;
    make_limited(&o.f, 1, 1);
    sem_init(&o.has_used, 0, 0);
    sem_init(&o.is_destroyed, 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, use_before_and_after, &o), 0);
    sem_wait(&o.has_used);
    end_pool(&o.f);
    sem_post(&o.is_destroyed);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(LH_OK, o.before);
    assert_status(LH_NO_POOL, o.after);
    sem_destroy(&o.has_used);
    sem_destroy(&o.is_destroyed);
}

typedef struct {
    fixture f;
    lh_lease lease;
    sem_t is_under_way;
    void *last;       /* that was answered with LH_OK; written by the thread */
    lh_status status; /* of the first that was not; written by the thread */
} replacing;

static void *replace_data_until_revoked(void *context) {
    replacing *r = context;
    for (int number = 1;; number++) {
        void *data = (char *)r + number;
        r->status = lh_lease_set_data(r->f.pool, r->lease, data);
        if (r->status != LH_OK) return NULL;
        r->last = data;
        if (number == 1) sem_post(&r->is_under_way);
    }
}

static void the_data_that_was_accepted_last_is_what_a_shutdown_disposes_of(void **state) {
    (void)state;
    replacing r;
    sem_init(&r.is_under_way, 0, 0);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        make_limited(&r.f, 1, 1);
        r.lease = open_lease(&r.f, r.f.route, C(0));
        assert_int_equal(pthread_create(&thread, NULL, replace_data_until_revoked, &r), 0);
        sem_wait(&r.is_under_way);
        assert_status(LH_OK, lh_pool_shutdown(r.f.pool, LH_SHUTDOWN_IMMEDIATE));
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_status(LH_NO_LEASE, r.status);
        assert_int_equal(disposals(&r.f), 1);
        assert_disposed(&r.f, 0, r.last, LH_CAUSE_REVOKED);
        end_pool(&r.f);
    }
    sem_destroy(&r.is_under_way);
}

static pthread_key_t at_thread_end;
static fixture *of_thread_end;
static lh_status statuses[3];

/* Runs when the thread's own variables, the library's among them, are gone already. */
static void end_of_thread(void *lease_of_thread) {
    lh_lease lease = *(lh_lease *)lease_of_thread;
    void *data;
    statuses[0] = lh_lease_release(of_thread_end->pool, lease, LH_FOREVER);
    statuses[1] = lh_pool_lease(of_thread_end->pool, of_thread_end->route, NULL, LH_FOREVER, &lease, &data);
    lh_lease none;
    statuses[2] = lh_pool_lease(of_thread_end->pool, of_thread_end->route, NULL, 5, &none, &data);
    lh_lease_close(of_thread_end->pool, lease);
}

static void *lease_until_thread_end(void *context) {
    lh_lease *lease = context;
    lh_lease none;
    void *data;
    *lease = open_lease(of_thread_end, of_thread_end->route, C(0));
    /* glibc leaks what a thread's first wait registers, if that comes only when the thread ends. */
    assert_status(LH_TIMED_OUT, lh_pool_lease(of_thread_end->pool, of_thread_end->route, NULL, 1, &none, &data));
    pthread_setspecific(at_thread_end, lease);
    return NULL;
}

static void a_thread_that_ends_may_still_call(void **state) {
    (void)state;
    fixture f;
    pthread_t thread;
    lh_lease lease;
    make_limited(&f, 1, 1);
    of_thread_end = &f;
    assert_int_equal(pthread_key_create(&at_thread_end, end_of_thread), 0);
    assert_int_equal(pthread_create(&thread, NULL, lease_until_thread_end, &lease), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_key_delete(at_thread_end);
    assert_status(LH_OK, statuses[0]);
    assert_status(LH_OK, statuses[1]);
    assert_status(LH_TIMED_OUT, statuses[2]);
    assert_disposed(&f, 0, C(0), LH_CAUSE_REQUESTED);
    end_pool(&f);
}

int run_threads(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_waiting_thread_gets_what_is_released),
        cmocka_unit_test(a_waiting_thread_is_served_when_the_pool_is_resumed),
        cmocka_unit_test(a_waiting_thread_times_out_and_loses_nothing),
        cmocka_unit_test(a_waiting_thread_is_told_of_the_end),
        cmocka_unit_test(a_drain_that_is_out_of_time_says_how_many_leases_are_left),
        cmocka_unit_test(a_drain_waits_for_the_last_lease_however_that_ends),
        cmocka_unit_test(a_drain_ends_with_its_pool),
        cmocka_unit_test(a_drain_does_not_wait_for_a_disposal_that_hangs),
        cmocka_unit_test(barging_wakes_a_thread_that_asks_again),
        cmocka_unit_test(a_lease_that_an_end_revokes_is_a_status_and_no_connection_without_data),
        cmocka_unit_test(the_data_that_was_accepted_last_is_what_a_shutdown_disposes_of),
        cmocka_unit_test(a_thread_that_has_used_a_pool_learns_of_its_end),
        cmocka_unit_test(a_thread_that_ends_may_still_call),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
