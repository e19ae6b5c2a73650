/*
 * Forks again and again while other threads lease, wait, make and destroy pools, move clocks and log, so that many a fork comes
 * while one of them holds a lock. Each child makes a pool of its own and uses all there is to it, with threads of its own; what it has
 * inherited is a status. Some children are forked in a callback, by the program's thread or by one of the library's.
 *
 *     forks [FORKS]    2000 by default
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leasehold.h"

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);      \
            abort();                                                                     \
        }                                                                                \
    } while (0)

/* The threads of the parent, which wait for one another, and of each child. */
#define LEASING 4
#define OWN 3
#define PATIENCE_S 60
/* A child sleeps most of its time, and shares the processors with the parent's threads, which never do: one at a time would take
 * these many times as long. */
#define AT_ONCE 16

static lh_pool pool;
static lh_route route;
static lh_clock standing;
static atomic_bool is_over;

static void wait_on(void) {
    const struct timespec pause = {0, 200000};
    nanosleep(&pause, NULL);
}

/* ----- what a child does with pools of its own ----- */

typedef struct {
    lh_pool pool;
    lh_route route;
    atomic_int opened, disposed, answered;
} owned;

static void dispose_own(void *context, void *data, lh_cause cause) {
    owned *own = context;
    (void)cause;
    if (data != NULL) close((int)(intptr_t)data);
    atomic_fetch_add(&own->disposed, 1);
}

static void answer_own(void *context, lh_pool of, lh_status status, lh_lease lease, void *data) {
    owned *own = context;
    (void)of, (void)lease, (void)data;
    CHECK(status == LH_TIMED_OUT);
    atomic_fetch_add(&own->answered, 1);
}

static void *lease_own(void *context) {
    owned *own = context;
    for (int i = 0; i < 50; i++) {
        lh_lease lease;
        void *data;
        lh_status status = lh_pool_lease(own->pool, own->route, NULL, LH_FOREVER, &lease, &data);
        if (status == LH_VACANCY) {
            atomic_fetch_add(&own->opened, 1);
            status = lh_lease_opened(own->pool, lease, NULL);
        }
        CHECK(status == LH_OK);
        CHECK(i % 8 ? lh_lease_release(own->pool, lease, LH_FOREVER) == LH_OK : lh_lease_close(own->pool, lease) == LH_OK);
    }
    return NULL;
}

static void on_message(void *context, uint32_t level, const char *message) { (void)context, (void)level, (void)message; }

/* Everything that has a lock or a thread. */
static void use_own_pool(uint32_t dispose_apart) {
    owned own = {0};
    pthread_t threads[OWN];
    lh_pool_options options;
    lh_lease_options brief;
    lh_clock clock;
    lh_lease lease;
    lh_request request;
    lh_stats stats;
    void *data;
    int ends[2];
    CHECK(lh_log_set(LH_LOG_TRACE, on_message, &own) == LH_OK);
    CHECK(lh_clock_create(&clock) == LH_OK);
    CHECK(lh_pool_options_init(&options, sizeof options) == LH_OK);
    options.dispose = dispose_own;
    options.dispose_context = &own;
    options.dispose_apart = dispose_apart;
    options.evict_expired = 1;
    options.max_total = 2;
    CHECK(lh_pool_create(&options, &own.pool) == LH_OK);
    CHECK(lh_route_of_name(own.pool, "r", &own.route) == LH_OK);
    for (int i = 0; i < OWN; i++) CHECK(pthread_create(&threads[i], NULL, lease_own, &own) == 0);
    for (int i = 0; i < OWN; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    /* The watch, and what it finds disposed of by the library's threads. */
    CHECK(lh_pool_close_idle(own.pool, 0) == LH_OK);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK(lh_pool_try_lease(own.pool, own.route, NULL, &lease, &data) == LH_VACANCY);
    CHECK(lh_lease_opened(own.pool, lease, (void *)(intptr_t)ends[0]) == LH_OK);
    atomic_fetch_add(&own.opened, 1);
    CHECK(lh_lease_set_socket(own.pool, lease, ends[0], LH_PROBE_SILENT) == LH_OK);
    CHECK(lh_lease_release(own.pool, lease, LH_FOREVER) == LH_OK);
    close(ends[1]);
    do CHECK(lh_pool_stats(own.pool, &stats, sizeof stats) == LH_OK);
    while (stats.available > 0 && (wait_on(), true));
    /* A deadline. */
    CHECK(lh_pool_set_max_total(own.pool, 0) == LH_OK);
    CHECK(lh_lease_options_init(&brief, sizeof brief) == LH_OK);
    brief.timeout_ms = 1;
    CHECK(lh_pool_request(own.pool, own.route, &brief, answer_own, &own, &request, &lease, &data) == LH_PENDING);
    while (atomic_load(&own.answered) == 0) wait_on();
    CHECK(lh_pool_destroy(own.pool) == LH_OK);
    CHECK(own.opened == own.disposed);
    CHECK(lh_clock_advance(clock, 1) == LH_OK);
    CHECK(lh_clock_destroy(clock) == LH_OK);
    CHECK(lh_log_set(LH_LOG_OFF, NULL, NULL) == LH_OK);
}

static void be_a_child(void) {
    void *data;
    lh_lease lease;
    alarm(PATIENCE_S);
    use_own_pool(0);
    use_own_pool(1);
    /* What it has inherited is none of its. */
    CHECK(lh_pool_try_lease(pool, route, NULL, &lease, &data) == LH_NO_POOL);
    CHECK(lh_pool_destroy(pool) == LH_NO_POOL);
    CHECK(lh_clock_advance(standing, 1) == LH_NO_CLOCK);
    _exit(7);
}

static pid_t begin_a_child(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) be_a_child();
    return child;
}

static void see_it_end(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0) CHECK(errno == EINTR);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 7) return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) fprintf(stderr, "a child hangs\n");
    fprintf(stderr, "a child ended with status %#x\n", (unsigned)status);
    abort();
}

static void fork_a_child(void) { see_it_end(begin_a_child()); }

/* ----- what the parent's threads do meanwhile ----- */

static void *lease(void *context) {
    unsigned seed = (unsigned)(uintptr_t)context;
    while (!atomic_load(&is_over)) {
        lh_lease leased;
        void *data;
        lh_status status = lh_pool_lease(pool, route, NULL, LH_FOREVER, &leased, &data);
        if (status == LH_VACANCY) status = lh_lease_opened(pool, leased, NULL);
        CHECK(status == LH_OK);
        status = rand_r(&seed) % 4 ? lh_lease_release(pool, leased, LH_FOREVER) : lh_lease_close(pool, leased);
        CHECK(status == LH_OK);
    }
    return NULL;
}

/* Pools that join the housekeeper, and with it the threads of the library, start and end; clocks. */
static void *make_and_destroy(void *context) {
    while (!atomic_load(&is_over)) {
        lh_pool made;
        lh_clock clock;
        lh_pool_options options;
        CHECK(lh_clock_create(&clock) == LH_OK);
        CHECK(lh_pool_options_init(&options, sizeof options) == LH_OK);
        options.evict_expired = 1;
        options.clock = clock;
        CHECK(lh_pool_create(&options, &made) == LH_OK);
        CHECK(lh_clock_advance(clock, 1) == LH_OK);
        CHECK(lh_pool_destroy(made) == LH_OK);
        CHECK(lh_clock_destroy(clock) == LH_OK);
    }
    return context;
}

static void *log_on_and_on(void *context) {
    for (unsigned turn = 0; !atomic_load(&is_over); turn++) {
        lh_pool made;
        CHECK(lh_log_set(LH_LOG_TRACE, turn % 8 ? on_message : NULL, (void *)(uintptr_t)(turn % 4)) == LH_OK);
        CHECK(lh_pool_create(NULL, &made) == LH_OK);
        CHECK(lh_pool_destroy(made) == LH_OK);
    }
    return context;
}

/* ----- forks in callbacks ----- */

static atomic_int forked_in_callbacks;

static void dispose_and_fork(void *context, void *data, lh_cause cause) {
    (void)context, (void)data, (void)cause;
    fork_a_child();
    atomic_fetch_add(&forked_in_callbacks, 1);
}

static void fork_in_disposals(uint32_t dispose_apart) {
    lh_pool made;
    lh_route to;
    lh_lease leased;
    lh_pool_options options;
    void *data;
    CHECK(lh_pool_options_init(&options, sizeof options) == LH_OK);
    options.dispose = dispose_and_fork;
    options.dispose_apart = dispose_apart;
    CHECK(lh_pool_create(&options, &made) == LH_OK);
    CHECK(lh_route_of_name(made, "r", &to) == LH_OK);
    for (int i = 0; i < 10; i++) {
        CHECK(lh_pool_try_lease(made, to, NULL, &leased, &data) == LH_VACANCY);
        CHECK(lh_lease_opened(made, leased, NULL) == LH_OK);
        CHECK(lh_lease_close(made, leased) == LH_OK);
    }
    CHECK(lh_pool_destroy(made) == LH_OK);
}

static void fork_on_timeout(void *context, lh_pool of, lh_status status, lh_lease leased, void *data) {
    (void)of, (void)leased, (void)data;
    CHECK(status == LH_TIMED_OUT);
    fork_a_child();
    atomic_store((atomic_bool *)context, true);
}

static void fork_on_the_housekeepers_thread(void) {
    for (int i = 0; i < 10; i++) {
        lh_pool made;
        lh_route to;
        lh_lease leased;
        lh_request request;
        lh_lease_options brief;
        void *data;
        atomic_bool is_told = false;
        CHECK(lh_pool_create(NULL, &made) == LH_OK);
        CHECK(lh_pool_set_max_total(made, 0) == LH_OK);
        CHECK(lh_route_of_name(made, "r", &to) == LH_OK);
        CHECK(lh_lease_options_init(&brief, sizeof brief) == LH_OK);
        brief.timeout_ms = 1;
        CHECK(lh_pool_request(made, to, &brief, fork_on_timeout, &is_told, &request, &leased, &data) == LH_PENDING);
        while (!atomic_load(&is_told)) wait_on();
        CHECK(lh_pool_destroy(made) == LH_OK);
    }
}

int main(int count, char **arguments) {
    int forks = count > 1 ? atoi(arguments[1]) : 2000;
    pthread_t threads[LEASING + 2];
    pid_t children[AT_ONCE];
    CHECK(lh_clock_create(&standing) == LH_OK);
    CHECK(lh_pool_create(NULL, &pool) == LH_OK);
    CHECK(lh_pool_set_max_total(pool, 2) == LH_OK);
    CHECK(lh_route_of_name(pool, "r", &route) == LH_OK);
    for (uintptr_t i = 0; i < LEASING; i++) CHECK(pthread_create(&threads[i], NULL, lease, (void *)i) == 0);
    CHECK(pthread_create(&threads[LEASING], NULL, make_and_destroy, NULL) == 0);
    CHECK(pthread_create(&threads[LEASING + 1], NULL, log_on_and_on, NULL) == 0);
    for (int i = 0; i < forks; i++) {
        if (i >= AT_ONCE) see_it_end(children[i % AT_ONCE]);
        children[i % AT_ONCE] = begin_a_child();
    }
    for (int i = forks > AT_ONCE ? forks - AT_ONCE : 0; i < forks; i++) see_it_end(children[i % AT_ONCE]);
    fork_in_disposals(0);
    fork_in_disposals(1);
    fork_on_the_housekeepers_thread();
    atomic_store(&is_over, true);
    for (int i = 0; i < LEASING + 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(lh_pool_destroy(pool) == LH_OK);
    printf("%d forks, %d of them in callbacks\n", forks + 30, atomic_load(&forked_in_callbacks) + 10);
    return 0;
}
