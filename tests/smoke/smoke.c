/*
 * Leases, waits, watches and disposes with the C library: for systems on which not every test is run. With an argument it first has the loader
 * resolve everything that the library of that name wants.
 */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "leasehold.h"

static lh_pool pool;
static lh_route route;

/* What the disposal callback was told last; under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t disposed = PTHREAD_COND_INITIALIZER;
static int disposals;
static lh_cause cause;

static void expect(int holds, const char *otherwise) {
    if (holds) return;
    fprintf(stderr, "smoke: %s\n", otherwise);
    exit(1);
}

static void dispose(void *context, void *data, lh_cause why) {
    (void)context;
    close((int)(intptr_t)data);
    pthread_mutex_lock(&lock);
    disposals++;
    cause = why;
    pthread_cond_signal(&disposed);
    pthread_mutex_unlock(&lock);
}

/* Waits for the one connection that the pool may have, and gets the one that main() gives back. */
static void *wait_for_it(void *expected) {
    lh_lease lease;
    void *data;
    expect(lh_pool_lease(pool, route, NULL, 60000, &lease, &data) == LH_OK, "the waiter got nothing");
    expect(data == expected, "the waiter got something else");
    expect(lh_lease_release(pool, lease, LH_FOREVER) == LH_OK, "the waiter's release");
    return NULL;
}

static void wait_until_pending(void) {
    const struct timespec moment = {0, 1000000};
    lh_stats stats;
    do {
        nanosleep(&moment, NULL);
        expect(lh_pool_stats(pool, &stats, sizeof stats) == LH_OK, "statistics");
    } while (stats.pending == 0);
}

int main(int count, char **arguments) {
    lh_pool_options options;
    lh_lease lease;
    void *data;
    int ends[2];
    pthread_t waiter;
    if (count > 1 && dlopen(arguments[1], RTLD_NOW) == NULL) {
        fprintf(stderr, "smoke: %s\n", dlerror());
        return 1;
    }

#ifdef FAULTS
    /* The library unwinds by itself, wherever it runs. */
    lh_status lh_fault_panic(void);
    expect(lh_fault_panic() == LH_PANICKED, "a panic inside has not become a status");
#endif

    lh_pool_options_init(&options, sizeof options);
    options.max_total = 1;
    options.dispose = dispose;
    expect(lh_pool_create(&options, &pool) == LH_OK, "no pool");
    expect(lh_route_of_name(pool, "a", &route) == LH_OK, "no route");

    expect(lh_pool_lease(pool, route, NULL, 0, &lease, &data) == LH_VACANCY, "no vacancy");
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "no sockets");
    expect(lh_lease_opened_socket(pool, lease, (void *)(intptr_t)ends[0], ends[0], LH_PROBE_SILENT) == LH_OK, "not opened");

    expect(pthread_create(&waiter, NULL, wait_for_it, (void *)(intptr_t)ends[0]) == 0, "no thread");
    wait_until_pending();
    expect(lh_lease_release(pool, lease, LH_FOREVER) == LH_OK, "release");
    pthread_join(waiter, NULL);

    close(ends[1]);
    pthread_mutex_lock(&lock);
    while (disposals == 0) pthread_cond_wait(&disposed, &lock);
    pthread_mutex_unlock(&lock);
    expect(cause == LH_CAUSE_PEER_CLOSED, "disposed of for another reason");
    expect(lh_pool_destroy(pool) == LH_OK, "destroy");
    expect(disposals == 1, "disposed of twice");
    printf("smoke: passed with Leasehold %s\n", lh_version_text());
    return 0;
}
