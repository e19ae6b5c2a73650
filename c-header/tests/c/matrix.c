/*
 * Every callback of the header calls every function of the library, on the pool that it serves and on another one, wherever it may
 * come: on the program's thread, on the library's. Then every function is called while memory fails it, at its first allocation, its
 * second and so on, and while no thread can be had. After each of these cells both pools lease to their limits, their numbers
 * are exact, every connection was disposed of once and every request answered once.
 *
 * The lists are made of the header and the listing of the ABI: what has no row here does not compile.
 *
 *     matrix callbacks | memory | threads
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leasehold.h"

static char cell[160] = "before the first cell";

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, cell, #condition);      \
            _exit(3);                                                                              \
        }                                                                                          \
    } while (0)

#define MAX_TOTAL 4
#define MOST_LEASES 16
#define HUGE_NAME 100000

/* A pool with a connection idle, one leased, a vacancy, and a request that waits. */
typedef struct {
    lh_pool pool;
    lh_route route, full;
    lh_lease leased, vacancy;
    lh_request request;
    lh_clock clock;
    bool is_destroyed;
    int requests;
    lh_lease leases[MOST_LEASES];
    int count; /* of those */
    atomic_int opened, disposed, answered, cancelled;
} world;

static world worlds[2];

/* What the armed callback does, once. */
static void (*inside)(void);
static atomic_bool is_armed, is_over;
static lh_status status_inside;

static void until_over(void) {
    const struct timespec pause = {0, 100000};
    time_t since = time(NULL);
    while (!atomic_load(&is_over)) {
        CHECK(time(NULL) - since < 60);
        nanosleep(&pause, NULL);
    }
}

static void come_inside(void) {
    if (!atomic_exchange(&is_armed, false)) return;
    inside();
    atomic_store(&is_over, true);
}

static bool is_armed_for_disposals, is_armed_for_answers;

static void on_dispose(void *context, void *data, lh_cause cause) {
    world *w = context;
    (void)data, (void)cause;
    atomic_fetch_add(&w->disposed, 1);
    if (is_armed_for_disposals && w == &worlds[0]) come_inside();
}

static void on_answer(void *context, lh_pool pool, lh_status status, lh_lease lease, void *data) {
    world *w = context;
    (void)data;
    atomic_fetch_add(&w->answered, 1);
    if (is_armed_for_answers && w == &worlds[0]) come_inside();
    if (status == LH_OK || status == LH_VACANCY) lh_lease_close(pool, lease);
}

static int32_t on_entry(void *context, const lh_entry *entry) {
    (void)entry;
    if (context != NULL) come_inside();
    return 0;
}

static void on_message(void *context, uint32_t level, const char *message) {
    (void)context, (void)level, (void)message;
    come_inside();
}

/* ----- a world before and after ----- */

static lh_status open_vacancy(world *w, lh_lease lease) {
    lh_status status = lh_lease_opened(w->pool, lease, w);
    if (status == LH_OK) atomic_fetch_add(&w->opened, 1);
    return status;
}

static lh_status ask(world *w, const lh_lease_options *options) {
    lh_lease lease;
    lh_request request;
    void *data;
    lh_status status = lh_pool_request(w->pool, w->full, options, on_answer, w, &request, &lease, &data);
    if (status == LH_PENDING) w->requests++;
    return status;
}

static void make(world *w, uint32_t dispose_apart) {
    lh_pool_options options;
    lh_lease lease;
    void *data;
    memset(w, 0, sizeof *w);
    CHECK(lh_clock_create(&w->clock) == LH_OK);
    CHECK(lh_pool_options_init(&options, sizeof options) == LH_OK);
    options.dispose = on_dispose;
    options.dispose_context = w;
    options.dispose_apart = dispose_apart;
    options.max_total = MAX_TOTAL;
    CHECK(lh_pool_create(&options, &w->pool) == LH_OK);
    CHECK(lh_route_of_name(w->pool, "r", &w->route) == LH_OK);
    CHECK(lh_route_of_name(w->pool, "full", &w->full) == LH_OK);
    CHECK(lh_route_set_max(w->pool, w->full, 0) == LH_OK);
    CHECK(lh_pool_try_lease(w->pool, w->route, NULL, &lease, &data) == LH_VACANCY);
    CHECK(lh_pool_try_lease(w->pool, w->route, NULL, &w->leased, &data) == LH_VACANCY);
    CHECK(lh_pool_try_lease(w->pool, w->route, NULL, &w->vacancy, &data) == LH_VACANCY);
    CHECK(open_vacancy(w, lease) == LH_OK && open_vacancy(w, w->leased) == LH_OK);
    CHECK(lh_lease_release(w->pool, lease, LH_FOREVER) == LH_OK);
    CHECK(lh_pool_request(w->pool, w->full, NULL, on_answer, w, &w->request, &lease, &data) == LH_PENDING);
    w->requests = 1;
}

static void keep_in_mind(world *w, lh_status status, lh_lease lease) {
    if (status != LH_OK && status != LH_VACANCY) return;
    CHECK(w->count < MOST_LEASES);
    w->leases[w->count++] = lease;
}

static lh_stats stats_of(world *w) {
    lh_stats stats;
    CHECK(lh_pool_stats(w->pool, &stats, sizeof stats) == LH_OK);
    return stats;
}

/* It leases to its limit, unless it was shut down, and its numbers come back to nothing. */
static void verify(world *w) {
    if (!w->is_destroyed) {
        lh_status status = lh_pool_check(w->pool);
        CHECK(status == LH_OK || status == LH_SHUT_DOWN);
        CHECK(lh_pool_resume(w->pool) == LH_OK);
        CHECK(lh_pool_set_max_total(w->pool, MAX_TOTAL) == LH_OK);
        CHECK(lh_pool_set_default_max_per_route(w->pool, LH_UNLIMITED) == LH_OK);
        CHECK(lh_route_of_name(w->pool, "r", &w->route) == LH_OK);
        CHECK(lh_route_unset_max(w->pool, w->route) == LH_OK);
        while (status != LH_SHUT_DOWN) {
            lh_lease lease;
            void *data;
            status = lh_pool_try_lease(w->pool, w->route, NULL, &lease, &data);
            keep_in_mind(w, status, lease);
            if (status == LH_VACANCY) CHECK(open_vacancy(w, lease) == LH_OK);
            if (status == LH_EXHAUSTED) {
                CHECK(stats_of(w).leased == MAX_TOTAL && stats_of(w).available == 0);
                break;
            }
            CHECK(status == LH_OK || status == LH_VACANCY);
        }
        keep_in_mind(w, LH_OK, w->leased);
        keep_in_mind(w, LH_OK, w->vacancy);
        for (int i = 0; i < w->count; i++) lh_lease_close(w->pool, w->leases[i]);
        CHECK(stats_of(w).leased == 0 && stats_of(w).available == 0);
        CHECK(lh_pool_destroy(w->pool) == LH_OK);
    }
    CHECK(lh_clock_destroy(w->clock) != LH_PANICKED);
    CHECK(w->opened == w->disposed);
    CHECK(w->requests == w->answered + w->cancelled);
}

/* ----- a row for each function ----- */

#define FUNCTION(name) static lh_status call_##name(world *w);
#define CALLBACK(name)
#include "matrix_rows.h"
#undef FUNCTION
#undef CALLBACK

static lh_pool made;
static lh_clock made_clock;
static char huge[HUGE_NAME];

static lh_status call_lh_clock_advance(world *w) { return lh_clock_advance(w->clock, 1); }
static lh_status call_lh_clock_create(world *w) { (void)w; return lh_clock_create(&made_clock); }
static lh_status call_lh_clock_destroy(world *w) { return lh_clock_destroy(w->clock); }

static lh_status call_lh_http1_keep_alive(world *w) {
    uint64_t keep_ms;
    (void)w;
    return lh_http1_keep_alive(1, huge, sizeof huge, "timeout=5", 9, &keep_ms);
}

static lh_status call_lh_lease_bind(world *w) { return lh_lease_bind(w->pool, w->leased, huge, sizeof huge); }
static lh_status call_lh_lease_close(world *w) { return lh_lease_close(w->pool, w->leased); }

static lh_status call_lh_lease_data(world *w) {
    void *data;
    lh_status status = lh_lease_data(w->pool, w->leased, &data);
    CHECK(status != LH_OK || data == w);
    return status;
}

static lh_status call_lh_lease_opened(world *w) { return open_vacancy(w, w->vacancy); }

static lh_status call_lh_lease_opened_socket(world *w) {
    static int ends[2];
    if (ends[0] == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return LH_OK;
    lh_status status = lh_lease_opened_socket(w->pool, w->vacancy, w, ends[0], LH_PROBE_SILENT);
    if (status == LH_OK) atomic_fetch_add(&w->opened, 1);
    return status;
}

static lh_status call_lh_lease_options_init(world *w) {
    lh_lease_options options;
    (void)w;
    return lh_lease_options_init(&options, sizeof options);
}

static lh_status call_lh_lease_release(world *w) { return lh_lease_release(w->pool, w->leased, LH_FOREVER); }
static lh_status call_lh_lease_replace(world *w) { return lh_lease_replace(w->pool, w->leased); }
static lh_status call_lh_lease_set_tag(world *w) { return lh_lease_set_tag(w->pool, w->leased, w); }

static lh_status call_lh_lease_set_data(world *w) { return lh_lease_set_data(w->pool, w->leased, w); }

static lh_status call_lh_lease_set_socket(world *w) {
    static int ends[2];
    if (ends[0] == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return LH_OK;
    return lh_lease_set_socket(w->pool, w->leased, ends[0], LH_PROBE_SILENT);
}

static lh_status call_lh_lease_socket(world *w) {
    int32_t socket;
    return lh_lease_socket(w->pool, w->leased, &socket);
}

static lh_status call_lh_lease_update_expiry(world *w) { return lh_lease_update_expiry(w->pool, w->leased, 1000); }
static lh_status call_lh_log_set(world *w) { return lh_log_set(LH_LOG_OFF, NULL, w); }
static lh_status call_lh_pool_check(world *w) { return lh_pool_check(w->pool); }
static lh_status call_lh_pool_close_expired(world *w) { return lh_pool_close_expired(w->pool); }
static lh_status call_lh_pool_close_idle(world *w) { return lh_pool_close_idle(w->pool, 0); }

static lh_status call_lh_pool_suspend(world *w) { return lh_pool_suspend(w->pool); }

/* With somebody to serve. */
static lh_status call_lh_pool_resume(world *w) {
    lh_status status = lh_pool_suspend(w->pool);
    if (status != LH_OK) return status;
    ask(w, NULL);
    lh_route_unset_max(w->pool, w->full);
    return lh_pool_resume(w->pool);
}

static lh_status call_lh_pool_is_suspended(world *w) {
    uint32_t suspended;
    return lh_pool_is_suspended(w->pool, &suspended);
}

static lh_status call_lh_pool_counters(world *w) {
    lh_counters counters;
    return lh_pool_counters(w->pool, &counters, sizeof counters);
}

static lh_status call_lh_pool_metrics(world *w) {
    lh_metrics metrics;
    return lh_pool_metrics(w->pool, &metrics, sizeof metrics);
}

static lh_status call_lh_pool_describe(world *w) {
    size_t length;
    return lh_pool_describe(w->pool, w->route, NULL, 0, &length);
}

static lh_status call_lh_pool_histogram(world *w) {
    lh_histogram histogram;
    return lh_pool_histogram(w->pool, LH_TIMER_OPENING, &histogram, sizeof histogram);
}

static lh_status call_lh_pool_measure_held(world *w) { return lh_pool_measure_held(w->pool, 1); }

static lh_status call_lh_histogram_range_end_us(world *w) {
    (void)w;
    return lh_histogram_range_end_us(0) == 0 ? LH_OK : LH_PANICKED;
}

static lh_status call_lh_histogram_quantile_us(world *w) {
    static const lh_histogram none;
    uint64_t us;
    (void)w;
    return lh_histogram_quantile_us(&none, sizeof none, 0.5, &us);
}

static lh_status call_lh_pool_create(world *w) {
    lh_pool_options options;
    (void)w;
    lh_pool_options_init(&options, sizeof options);
    options.evict_expired = 1;
    return lh_pool_create(&options, &made);
}

static lh_status call_lh_pool_destroy(world *w) {
    lh_status status = lh_pool_destroy(w->pool);
    w->is_destroyed = status == LH_OK;
    return status;
}

static lh_status call_lh_pool_drain(world *w) {
    uint32_t left;
    lh_status status = lh_pool_drain(w->pool, 1, &left);
    CHECK(status != LH_OK || left == 2);
    return status;
}

static lh_status call_lh_pool_each_entry(world *w) { return lh_pool_each_entry(w->pool, on_entry, NULL); }

static lh_status call_lh_pool_lease(world *w) {
    lh_lease lease;
    void *data;
    return lh_pool_lease(w->pool, w->full, NULL, 1, &lease, &data);
}

static lh_status call_lh_pool_default_max_per_route(world *w) {
    uint32_t max;
    return lh_pool_default_max_per_route(w->pool, &max);
}

static lh_status call_lh_pool_options_init(world *w) {
    lh_pool_options options;
    (void)w;
    return lh_pool_options_init(&options, sizeof options);
}

/* By the machine's clock, so that the library's thread answers it. */
static lh_status call_lh_pool_request(world *w) {
    lh_lease_options options;
    lh_lease_options_init(&options, sizeof options);
    options.timeout_ms = 1;
    return ask(w, &options);
}

static lh_status call_lh_pool_set_default_max_per_route(world *w) { return lh_pool_set_default_max_per_route(w->pool, 0); }
static lh_status call_lh_pool_set_max_total(world *w) { return lh_pool_set_max_total(w->pool, 0); }
static lh_status call_lh_pool_shutdown(world *w) { return lh_pool_shutdown(w->pool, LH_SHUTDOWN_IMMEDIATE); }

static lh_status call_lh_pool_stats(world *w) {
    lh_stats stats;
    return lh_pool_stats(w->pool, &stats, sizeof stats);
}

static lh_status call_lh_pool_try_lease(world *w) {
    lh_lease_options options;
    lh_lease lease;
    void *data;
    lh_lease_options_init(&options, sizeof options);
    options.state = huge;
    options.state_length = sizeof huge;
    lh_status status = lh_pool_try_lease(w->pool, w->route, &options, &lease, &data);
    keep_in_mind(w, status, lease);
    return status;
}

static lh_status call_lh_request_cancel(world *w) {
    lh_status status = lh_request_cancel(w->pool, w->request);
    if (status == LH_OK) atomic_fetch_add(&w->cancelled, 1);
    return status;
}

static lh_status call_lh_route_clear(world *w) { return lh_route_clear(w->pool, w->route); }
static lh_status call_lh_route_free(world *w) { return lh_route_free(w->pool, w->route); }

static lh_status call_lh_route_name(world *w) {
    char name[8];
    size_t length;
    return lh_route_name(w->pool, w->route, name, sizeof name, &length);
}

static lh_status call_lh_route_of_bytes(world *w) {
    lh_route route;
    return lh_route_of_bytes(w->pool, huge, sizeof huge, &route);
}

static lh_status call_lh_route_of_name(world *w) {
    lh_route route;
    return lh_route_of_name(w->pool, "another", &route);
}

static lh_status call_lh_route_set_max(world *w) { return lh_route_set_max(w->pool, w->route, 0); }

static lh_status call_lh_route_metrics(world *w) {
    lh_metrics metrics;
    return lh_route_metrics(w->pool, w->route, &metrics, sizeof metrics);
}

static lh_status call_lh_route_stats(world *w) {
    lh_stats stats;
    return lh_route_stats(w->pool, w->route, &stats, sizeof stats);
}

static lh_status call_lh_route_unset_max(world *w) { return lh_route_unset_max(w->pool, w->route); }

static lh_status call_lh_socket_set_keep_alive(world *w) {
    (void)w;
    return lh_socket_set_keep_alive(0, 30, 5, 3);
}

static lh_status call_lh_status_message(world *w) {
    (void)w;
    return lh_status_message(LH_OK) == NULL ? LH_PANICKED : LH_OK;
}

static lh_status call_lh_version_number(world *w) {
    (void)w;
    return lh_version_number() == LH_VERSION_NUMBER ? LH_OK : LH_PANICKED;
}

static lh_status call_lh_version_text(world *w) {
    (void)w;
    return strcmp(lh_version_text(), LH_VERSION_TEXT) == 0 ? LH_OK : LH_PANICKED;
}

static const struct {
    const char *name;
    lh_status (*call)(world *);
} functions[] = {
#define FUNCTION(name) {#name, call_##name},
#define CALLBACK(name)
#include "matrix_rows.h"
#undef FUNCTION
#undef CALLBACK
};
#define FUNCTIONS (sizeof functions / sizeof functions[0])

/* What a row made beside the worlds. */
static void tidy_up(void) {
    if (made.id != 0) CHECK(lh_pool_destroy(made) == LH_OK);
    if (made_clock.id != 0) CHECK(lh_clock_destroy(made_clock) == LH_OK);
    made.id = made_clock.id = 0;
}

/* ----- a row for each callback: what brings it about on the first world, in each way that there is ----- */

#define FUNCTION(name)
#define CALLBACK(name) static bool provoke_##name(int way);
#include "matrix_rows.h"
#undef FUNCTION
#undef CALLBACK

static void close_idle_one(void) {
    lh_lease lease;
    void *data;
    CHECK(lh_pool_try_lease(worlds[0].pool, worlds[0].route, NULL, &lease, &data) == LH_OK);
    CHECK(lh_lease_close(worlds[0].pool, lease) == LH_OK);
}

static bool provoke_lh_dispose_callback(int way) {
    is_armed_for_disposals = true;
    if (way < 2) close_idle_one(); /* By way 1 on a thread of the library's own. */
    else CHECK(lh_pool_shutdown(worlds[0].pool, LH_SHUTDOWN_IMMEDIATE) == LH_OK);
    return way == 2;
}

static bool provoke_lh_lease_callback(int way) {
    world *w = &worlds[0];
    is_armed_for_answers = true;
    if (way == 0) {
        lh_lease leases[2];
        lh_request request;
        void *data;
        for (int i = 0; i < 2; i++) {
            lh_status status = lh_pool_try_lease(w->pool, w->route, NULL, &leases[i], &data);
            CHECK(status == LH_OK || status == LH_VACANCY);
        }
        CHECK(lh_pool_request(w->pool, w->route, NULL, on_answer, w, &request, &leases[1], &data) == LH_PENDING);
        w->requests++;
        w->leases[w->count++] = leases[1];
        CHECK(lh_lease_close(w->pool, leases[0]) == LH_OK);
    } else if (way == 1) {
        CHECK(call_lh_pool_request(w) == LH_PENDING); /* Times out, on the library's thread. */
    } else {
        CHECK(lh_pool_shutdown(w->pool, LH_SHUTDOWN_GRACEFUL) == LH_OK);
    }
    return way == 2;
}

static bool provoke_lh_log_callback(int way) {
    CHECK(lh_log_set(LH_LOG_TRACE, on_message, NULL) == LH_OK);
    if (way == 0) {
        lh_pool another;
        CHECK(lh_pool_create(NULL, &another) == LH_OK);
        CHECK(lh_pool_destroy(another) == LH_OK);
    } else {
        close_idle_one(); /* In the middle of what is delivered, by way 1 on a thread of the library's own. */
        until_over();
    }
    CHECK(lh_log_set(LH_LOG_OFF, NULL, NULL) == LH_OK);
    return way == 2;
}

static bool provoke_lh_entry_callback(int way) {
    (void)way;
    CHECK(lh_pool_each_entry(worlds[0].pool, on_entry, worlds) == LH_OK);
    return true;
}

static const struct {
    const char *name;
    bool (*provoke)(int way); /* whether that was the last way */
} callbacks[] = {
#define FUNCTION(name)
#define CALLBACK(name) {#name, provoke_##name},
#include "matrix_rows.h"
#undef FUNCTION
#undef CALLBACK
};
#define CALLBACKS (sizeof callbacks / sizeof callbacks[0])

static size_t function_inside;
static int target_inside;

static void call_function(void) { status_inside = functions[function_inside].call(&worlds[target_inside]); }

static bool would_wait(const char *name) {
    return strcmp(name, "lh_pool_lease") == 0 || strcmp(name, "lh_pool_drain") == 0 || strcmp(name, "lh_pool_destroy") == 0;
}

static int call_back(void) {
    int cells = 0;
    inside = call_function;
    for (size_t c = 0; c < CALLBACKS; c++) {
        for (function_inside = 0; function_inside < FUNCTIONS; function_inside++) {
            for (target_inside = 0; target_inside < 2; target_inside++) {
                bool is_last = false;
                for (int way = 0; !is_last; way++, cells++) {
                    snprintf(cell, sizeof cell, "%s, way %d, calls %s on pool %d", callbacks[c].name, way,
                        functions[function_inside].name, target_inside);
                    make(&worlds[0], way == 1);
                    make(&worlds[1], 0);
                    atomic_store(&is_over, false);
                    atomic_store(&is_armed, true);
                    is_last = callbacks[c].provoke(way);
                    until_over();
                    is_armed_for_disposals = is_armed_for_answers = false;
                    CHECK(status_inside != LH_PANICKED);
                    /* What would have to wait is refused, whatever pool it is about. */
                    if (would_wait(functions[function_inside].name))
                        CHECK(status_inside == LH_IN_CALLBACK || status_inside == LH_SHUT_DOWN);
                    tidy_up();
                    verify(&worlds[0]);
                    verify(&worlds[1]);
                }
            }
        }
    }
    return cells;
}

/* ----- memory and threads that cannot be had ----- */

/* Which allocation of the calling thread fails, 0 for none; at least how large it is to be for that. */
static _Thread_local int fails_at;
static _Thread_local size_t fails_from;
static _Thread_local bool has_failed;
static atomic_bool no_threads;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context);

static bool fails(size_t size) {
    if (fails_at == 0 || size < fails_from || --fails_at > 0) return false;
    return has_failed = true;
}

void *__wrap_malloc(size_t size) { return fails(size) ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails(count * size) ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *memory, size_t size) { return fails(size) ? NULL : __real_realloc(memory, size); }

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
    return fails(size) ? ENOMEM : __real_posix_memalign(memory, alignment, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context) {
    return atomic_load(&no_threads) ? EAGAIN : __real_pthread_create(thread, attributes, start, context);
}

/* How a child ends that was not ended. */
enum { ANSWERED = 10, NOTHING_FAILED = 11 };

static void fail_in_child(size_t function, int at, size_t from) {
    alarm(60);
    make(&worlds[0], 1);
    make(&worlds[1], 0);
    fails_at = at;
    fails_from = from;
    lh_status status = functions[function].call(&worlds[0]);
    fails_at = 0;
    CHECK(status != LH_PANICKED);
    if (has_failed && from > 1) CHECK(status == LH_NO_MEMORY);
    tidy_up();
    verify(&worlds[0]);
    verify(&worlds[1]);
    _exit(has_failed ? ANSWERED : NOTHING_FAILED);
}

static bool is_said_by_the_runtime(int from) {
    char text[64] = "";
    ssize_t length = read(from, text, sizeof text - 1);
    return length > 0 && strstr(text, "memory allocation of") != NULL;
}

/* Which allocation is the last to fail is found out by trying. */
static int fail_each(size_t function, size_t from, int *answered, int *ended) {
    for (int at = 1;; at++) {
        int status, said[2];
        snprintf(cell, sizeof cell, "%s, allocation %d of %zu bytes or more", functions[function].name, at, from);
        CHECK(pipe(said) == 0);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            const struct rlimit no_core = {0, 0};
            setrlimit(RLIMIT_CORE, &no_core);
            dup2(said[1], 2);
            fail_in_child(function, at, from);
        }
        close(said[1]);
        CHECK(waitpid(child, &status, 0) == child);
        bool is_ended = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && is_said_by_the_runtime(said[0]);
        close(said[0]);
        if (WIFEXITED(status) && WEXITSTATUS(status) == NOTHING_FAILED) return at - 1;
        /* As the header says: for the library's own records, and for nothing that is as large as what the program gave. */
        if (is_ended && from == 1) ++*ended;
        else if (WIFEXITED(status) && WEXITSTATUS(status) == ANSWERED) ++*answered;
        else {
            fprintf(stderr, "%s: the child ended with status %#x\n", cell, (unsigned)status);
            exit(1);
        }
    }
}

static int fail_memory(void) {
    int cells = 0, answered = 0, ended = 0;
    for (size_t f = 0; f < FUNCTIONS; f++) {
        cells += fail_each(f, 1, &answered, &ended);
        cells += fail_each(f, HUGE_NAME, &answered, &ended);
    }
    printf("allocations that failed: %d answered by the call, %d ended the process as the header says\n", answered, ended);
    CHECK(answered > 0);
    return cells;
}

/* Two calls: while no thread can be had, and when one can again. */
static int fail_threads(void) {
    int cells = 0;
    for (size_t f = 0; f < FUNCTIONS; f++, cells++) {
        int status;
        snprintf(cell, sizeof cell, "%s, without a thread", functions[f].name);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            lh_lease_options brief;
            alarm(60);
            make(&worlds[0], 1);
            make(&worlds[1], 0);
            atomic_store(&no_threads, true);
            lh_status answer = functions[f].call(&worlds[0]);
            bool takes_one = strcmp(functions[f].name, "lh_pool_create") == 0 || strcmp(functions[f].name, "lh_pool_request") == 0;
            CHECK(answer != LH_PANICKED && (answer == LH_NO_THREAD) == takes_one);
            atomic_store(&no_threads, false);
            tidy_up();
            /* And it is tried again. */
            CHECK(lh_lease_options_init(&brief, sizeof brief) == LH_OK);
            brief.timeout_ms = 1;
            int before = atomic_load(&worlds[1].answered);
            CHECK(ask(&worlds[1], &brief) == LH_PENDING || worlds[1].is_destroyed);
            while (atomic_load(&worlds[1].answered) == before) usleep(100);
            verify(&worlds[0]);
            verify(&worlds[1]);
            _exit(ANSWERED);
        }
        CHECK(waitpid(child, &status, 0) == child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != ANSWERED) {
            fprintf(stderr, "%s: the child ended with status %#x\n", cell, (unsigned)status);
            exit(1);
        }
    }
    return cells;
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "callbacks";
    memset(huge, '\xff', sizeof huge);
    /* What is said of an end is read here, and to find the names for a trace takes long. */
    setenv("RUST_BACKTRACE", "0", 1);
    int cells = strcmp(what, "memory") == 0 ? fail_memory() : strcmp(what, "threads") == 0 ? fail_threads() : call_back();
    printf("C matrix, %s: %d cells (%zu functions, %zu callbacks)\n", what, cells, FUNCTIONS, CALLBACKS);
    return 0;
}
