#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void record(void *context, void *data, lh_cause cause) {
    fixture *f = context;
    pthread_mutex_lock(&lock);
    if (f->count < MOST_DISPOSALS) {
        f->data[f->count] = data;
        f->cause[f->count] = cause;
        f->thread[f->count] = pthread_self();
    }
    f->count++;
    pthread_mutex_unlock(&lock);
}

void close_socket(void *context, void *data, lh_cause cause) {
    close((int)(intptr_t)data);
    record(context, data, cause);
}

int disposals(fixture *f) {
    pthread_mutex_lock(&lock);
    int count = f->count;
    pthread_mutex_unlock(&lock);
    return count;
}

static time_t waiting_since;

void begin_to_wait(void) { waiting_since = time(NULL); }

void wait_on(void) {
    const struct timespec pause = {0, 1000000};
    if (time(NULL) - waiting_since > 60) fail_msg("not in a minute");
    nanosleep(&pause, NULL);
}

void until_disposals(fixture *f, int count) {
    for (begin_to_wait(); disposals(f) < count;) wait_on();
    assert_int_equal(disposals(f), count);
}

static int threads_of_process(void) {
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    while (readdir(tasks) != NULL) count++;
    closedir(tasks);
    return count - 2; /* without . and .. */
}

/* An emulator has a thread of its own. */
static int threads_at_start;

void begin_alone(void) { threads_at_start = threads_of_process(); }

void until_alone(void) {
    for (begin_to_wait(); threads_of_process() > threads_at_start;) wait_on();
}

void connect_tcp(int ends[2]) {
    static int listener = -1;
    static struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (listener < 0) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listener = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        assert_int_equal(listen(listener, 16), 0);
    }
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ends[0], (struct sockaddr *)&address, sizeof address), 0);
    ends[1] = accept(listener, NULL, NULL);
    assert_true(ends[1] >= 0);
}

lh_lease open_tcp(fixture *f, int ends[2], lh_probe probe) {
    connect_tcp(ends);
    lh_lease lease = open_lease(f, f->route, SOCKET_DATA(ends[0]));
    assert_status(LH_OK, lh_lease_set_socket(f->pool, lease, ends[0], probe));
    return lease;
}

lh_counters counters_of(fixture *f) {
    lh_counters counters;
    assert_status(LH_OK, lh_pool_counters(f->pool, &counters, sizeof counters));
    return counters;
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
    options.default_max_per_route = max_per_route;
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
    assert_status(LH_OK, lh_pool_stats(f->pool, &stats, sizeof stats));
    assert_int_equal(stats.leased, leased);
    assert_int_equal(stats.pending, pending);
    assert_int_equal(stats.available, available);
}

void assert_disposed(fixture *f, int index, void *data, lh_cause cause) {
    assert_true(index < disposals(f) && index < MOST_DISPOSALS);
    assert_ptr_equal(f->data[index], data);
    assert_int_equal(f->cause[index], cause);
}
