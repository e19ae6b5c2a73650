/*
 * Many threads do everything at once to one pool, one thread makes and destroys others, and a server's thread closes its
 * ends of connections at random. A connection is a counter without any protection of its own: its lease must be enough, or
 * ThreadSanitizer sees a race and the count is wrong.
 *
 *     hammer [ROUNDS]    rounds of each thread, 400 by default
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leasehold.h"

#define THREADS 32
#define ROUTES 4
#define MAX_TOTAL 12

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);      \
            abort();                                                                     \
        }                                                                                \
    } while (0)

typedef struct {
    long uses; /* protected by the lease */
    int sockets[2];
} connection;

static lh_pool pool;
static lh_route routes[ROUTES];
static int rounds = 400;
static atomic_long opened, disposed, uses, uses_seen, requests, answers, cancelled;

/* The ends that are the server's to close: descriptors, 0 for none. */
#define SERVED 16
static atomic_int served[SERVED];
static atomic_bool is_serving;

static connection *open_connection(void) {
    static atomic_uint turn;
    connection *c = calloc(1, sizeof *c);
    CHECK(c != NULL && socketpair(AF_UNIX, SOCK_STREAM, 0, c->sockets) == 0);
    unsigned number = atomic_fetch_add(&turn, 1);
    if (number % 2 == 0) {
        int before = atomic_exchange(&served[number / 2 % SERVED], c->sockets[1]);
        if (before > 0) close(before);
        c->sockets[1] = -1;
    }
    atomic_fetch_add(&opened, 1);
    return c;
}

static void *serve(void *context) {
    unsigned seed = 7;
    while (atomic_load(&is_serving)) {
        int end = atomic_exchange(&served[(unsigned)rand_r(&seed) % SERVED], 0);
        if (end > 0) close(end);
        usleep((unsigned)rand_r(&seed) % 1000);
    }
    for (int i = 0; i < SERVED; i++) {
        int end = atomic_exchange(&served[i], 0);
        if (end > 0) close(end);
    }
    return context;
}

static void close_connection(connection *c) {
    atomic_fetch_add(&uses_seen, c->uses);
    close(c->sockets[0]);
    if (c->sockets[1] >= 0) close(c->sockets[1]);
    free(c);
}

static void dispose(void *context, void *data, lh_cause cause) {
    (void)context;
    (void)cause;
    close_connection(data);
    atomic_fetch_add(&disposed, 1);
}

/* Uses what a lease has, and ends it one way or another. */
static void use_lease(lh_pool of, lh_status status, lh_lease lease, void *data, unsigned random) {
    connection *c = data;
    if (status == LH_VACANCY) {
        if (random % 16 == 0) {
            CHECK(lh_lease_close(of, lease) == LH_OK);
            return;
        }
        c = open_connection();
        status = lh_lease_opened(of, lease, c);
        if (status != LH_OK) {
            CHECK(status == LH_SHUT_DOWN);
            close_connection(c);
            atomic_fetch_add(&disposed, 1);
            return;
        }
        CHECK(lh_lease_set_socket(of, lease, c->sockets[0], LH_PROBE_SILENT) == LH_OK);
    } else {
        CHECK(status == LH_OK);
    }
    c->uses++;
    atomic_fetch_add(&uses, 1);
    switch (random % 8) {
        case 0:
            status = lh_lease_close(of, lease);
            break;
        case 1: /* The peer closes it. */
            if (c->sockets[1] >= 0) close(c->sockets[1]);
            c->sockets[1] = -1;
            status = lh_lease_release(of, lease, LH_FOREVER);
            break;
        case 2:
            CHECK(lh_lease_bind(of, lease, "alice", 5) == LH_OK);
            status = lh_lease_release(of, lease, 1000);
            break;
        case 3:
            CHECK(lh_lease_update_expiry(of, lease, 2) == LH_OK);
            status = lh_lease_release(of, lease, LH_KEEP_AS_BEFORE);
            break;
        default:
            CHECK(lh_lease_bind(of, lease, NULL, 0) == LH_OK);
            status = lh_lease_release(of, lease, LH_FOREVER);
            break;
    }
    CHECK(status == LH_OK);
    CHECK(lh_lease_release(of, lease, LH_FOREVER) == LH_NO_LEASE);
}

static void on_lease(void *context, lh_pool of, lh_status status, lh_lease lease, void *data) {
    atomic_fetch_add(&answers, 1);
    if (status == LH_TIMED_OUT) return;
    use_lease(of, status, lease, data, (unsigned)(uintptr_t)context);
}

static int32_t count_entry(void *context, const lh_entry *entry) {
    (void)entry;
    ++*(int *)context;
    return 0;
}

static void *hammer(void *context) {
    unsigned seed = (unsigned)(uintptr_t)context + 1;
    lh_lease_options alice, brief;
    CHECK(lh_lease_options_init(&alice, sizeof alice) == LH_OK);
    alice.state = "alice";
    alice.state_length = 5;
    CHECK(lh_lease_options_init(&brief, sizeof brief) == LH_OK);
    brief.timeout_ms = 1;
    for (int i = 0; i < rounds; i++) {
        unsigned random = (unsigned)rand_r(&seed);
        lh_route route = routes[random / 256 % ROUTES];
        const lh_lease_options *options = random / 2048 % 4 == 0 ? &alice : NULL;
        lh_lease lease;
        lh_request request;
        lh_stats stats;
        lh_counters counters;
        lh_status status;
        void *data;
        int entries = 0;
        switch (random / 16384 % 16) {
            case 0:
                CHECK(lh_pool_close_idle(pool, random % 3) == LH_OK);
                break;
            case 1:
                CHECK(lh_pool_close_expired(pool) == LH_OK);
                break;
            case 2:
                CHECK(lh_route_clear(pool, route) == LH_OK);
                break;
            case 3:
                CHECK(lh_pool_set_max_total(pool, MAX_TOTAL - random % 4) == LH_OK);
                CHECK(lh_route_set_max(pool, route, MAX_TOTAL / 2 - random % 2) == LH_OK);
                break;
            case 4:
                CHECK(lh_pool_stats(pool, &stats, sizeof stats) == LH_OK);
                CHECK(stats.leased <= MAX_TOTAL && stats.available <= MAX_TOTAL);
                CHECK(lh_pool_counters(pool, &counters, sizeof counters) == LH_OK);
                CHECK(lh_pool_each_entry(pool, count_entry, &entries) == LH_OK);
                CHECK(lh_route_of_bytes(pool, &random, 2, &route) == LH_OK);
                CHECK(lh_route_free(pool, route) == LH_OK);
                break;
            case 5:
            case 6:
            case 7:
                if (options == NULL && random % 3 == 0) options = &brief;
                status = lh_pool_request(pool, route, options, on_lease, (void *)(uintptr_t)random, &request, &lease, &data);
                if (status != LH_PENDING) {
                    use_lease(pool, status, lease, data, random);
                    break;
                }
                atomic_fetch_add(&requests, 1);
                if (random % 2) {
                    status = lh_request_cancel(pool, request);
                    CHECK(status == LH_OK || status == LH_NO_REQUEST);
                    atomic_fetch_add(&cancelled, status == LH_OK);
                }
                break;
            case 8:
            case 9:
                status = lh_pool_try_lease(pool, route, options, &lease, &data);
                if (status != LH_EXHAUSTED) use_lease(pool, status, lease, data, random);
                break;
            default:
                status = lh_pool_lease(pool, route, options, random % 8 ? LH_FOREVER : 1, &lease, &data);
                if (status != LH_TIMED_OUT) use_lease(pool, status, lease, data, random);
                break;
        }
    }
    return NULL;
}

static lh_pool passing;

/* Uses a pool that is being destroyed. */
static void *use_passing(void *context) {
    lh_route route;
    (void)context;
    for (;;) {
        lh_lease lease;
        void *data;
        if (lh_route_of_name(passing, "r", &route) == LH_NO_POOL) return NULL;
        lh_status status = lh_pool_lease(passing, route, NULL, LH_FOREVER, &lease, &data);
        if (status == LH_NO_POOL || status == LH_SHUT_DOWN) return NULL;
        CHECK(status == LH_OK || status == LH_VACANCY);
        if (status == LH_VACANCY) {
            /* Not looked at while it is leased: it may be revoked, and freed, at any time. */
            connection *c = open_connection();
            status = lh_lease_opened(passing, lease, c);
            if (status != LH_OK) {
                CHECK(status == LH_SHUT_DOWN || status == LH_NO_POOL);
                close_connection(c);
                atomic_fetch_add(&disposed, 1);
                return NULL;
            }
        }
        status = lh_lease_release(passing, lease, LH_FOREVER);
        CHECK(status == LH_OK || status == LH_NO_LEASE || status == LH_NO_POOL);
    }
}

static void *make_and_destroy(void *options) {
    for (int i = 0; i < rounds / 10 + 1; i++) {
        pthread_t threads[3];
        lh_stats stats;
        CHECK(lh_pool_create(options, &passing) == LH_OK);
        CHECK(lh_pool_set_max_total(passing, 2) == LH_OK);
        for (int t = 0; t < 3; t++) CHECK(pthread_create(&threads[t], NULL, use_passing, NULL) == 0);
        do CHECK(lh_pool_stats(passing, &stats, sizeof stats) == LH_OK);
        while (stats.leased + stats.available == 0);
        CHECK(lh_pool_destroy(passing) == LH_OK);
        for (int t = 0; t < 3; t++) CHECK(pthread_join(threads[t], NULL) == 0);
    }
    return NULL;
}

int main(int count, char **arguments) {
    pthread_t threads[THREADS], maker, server;
    lh_pool_options options;
    lh_stats stats;
    if (count > 1) rounds = atoi(arguments[1]);
    for (int turn = 0; turn < 3; turn++) {
        CHECK(lh_pool_options_init(&options, sizeof options) == LH_OK);
        options.dispose = dispose;
        options.policy = turn == 1 ? LH_POLICY_FIFO : LH_POLICY_LIFO;
        options.barging = turn == 2;
        options.evict_expired = turn == 1;
        options.evict_idle_ms = turn == 1 ? 3 : 0;
        options.dispose_apart = turn == 2;
        options.max_total = MAX_TOTAL;
        options.default_max_per_route = MAX_TOTAL / 2;
        CHECK(lh_pool_create(&options, &pool) == LH_OK);
        for (uintptr_t r = 0; r < ROUTES; r++) CHECK(lh_route_of_bytes(pool, &r, sizeof r, &routes[r]) == LH_OK);
        for (uintptr_t t = 0; t < THREADS; t++)
            CHECK(pthread_create(&threads[t], NULL, hammer, (void *)(t + 100 * (uintptr_t)turn)) == 0);
        atomic_store(&is_serving, true);
        CHECK(pthread_create(&server, NULL, serve, NULL) == 0);
        CHECK(pthread_create(&maker, NULL, make_and_destroy, &options) == 0);
        for (int t = 0; t < THREADS; t++) CHECK(pthread_join(threads[t], NULL) == 0);
        CHECK(pthread_join(maker, NULL) == 0);
        atomic_store(&is_serving, false);
        CHECK(pthread_join(server, NULL) == 0);
        /* What the library's own thread has granted ends there. */
        do CHECK(lh_pool_stats(pool, &stats, sizeof stats) == LH_OK);
        while (stats.leased + stats.pending > 0);
        CHECK(lh_pool_destroy(pool) == LH_OK);
        CHECK(opened == disposed);
        CHECK(uses == uses_seen);
        CHECK(requests == answers + cancelled);
    }
    printf("%ld connections, %ld uses, %ld callbacks, %ld cancelled\n", opened, uses, answers, cancelled);
    return 0;
}
