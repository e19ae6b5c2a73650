/*
 * Loads the shared library, has its own thread dispose of a connection, destroys the pool and unloads the library, several
 * times: no thread and no handler of forks may be left that would run code which is not there any more.
 *
 *     unload LIBRARY
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
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

static void *library;
static atomic_int disposed;

/* A function of the library. */
static void find(const char *name, void *function) {
    void *found = dlsym(library, name);
    CHECK(found != NULL);
    memcpy(function, &found, sizeof found);
}

static void dispose(void *context, void *data, lh_cause cause) {
    (void)context;
    CHECK(cause == LH_CAUSE_PEER_CLOSED);
    close((int)(intptr_t)data);
    atomic_fetch_add(&disposed, 1);
}

static int threads_of_process(void) {
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    while (readdir(tasks) != NULL) count++;
    closedir(tasks);
    return count - 2; /* without . and .. */
}

static void wait_on(void) {
    const struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
}

/* On a thread that ends: as long as there is one with something of the library's, that stays loaded. */
static void *use_library(void *nothing) {
    lh_status (*init)(lh_pool_options *, size_t);
    lh_status (*create)(const lh_pool_options *, lh_pool *);
    lh_status (*destroy)(lh_pool);
    lh_status (*route_of_name)(lh_pool, const char *, lh_route *);
    lh_status (*try_lease)(lh_pool, lh_route, const lh_lease_options *, lh_lease *, void **);
    lh_status (*lease_opened)(lh_pool, lh_lease, void *);
    lh_status (*set_socket)(lh_pool, lh_lease, int32_t, uint32_t);
    lh_status (*release)(lh_pool, lh_lease, uint64_t);
    find("lh_pool_options_init", &init);
    find("lh_pool_create", &create);
    find("lh_pool_destroy", &destroy);
    find("lh_route_of_name", &route_of_name);
    find("lh_pool_try_lease", &try_lease);
    find("lh_lease_opened", &lease_opened);
    find("lh_lease_set_socket", &set_socket);
    find("lh_lease_release", &release);

    lh_pool_options options;
    lh_pool pool;
    lh_route route;
    lh_lease lease;
    void *data;
    int ends[2], before = atomic_load(&disposed);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK(init(&options, sizeof options) == LH_OK);
    options.dispose = dispose;
    CHECK(create(&options, &pool) == LH_OK);
    CHECK(route_of_name(pool, "r", &route) == LH_OK);
    CHECK(try_lease(pool, route, NULL, &lease, &data) == LH_VACANCY);
    CHECK(lease_opened(pool, lease, (void *)(intptr_t)ends[0]) == LH_OK);
    CHECK(set_socket(pool, lease, ends[0], LH_PROBE_SILENT) == LH_OK);
    CHECK(release(pool, lease, LH_FOREVER) == LH_OK);
    close(ends[1]);
    while (atomic_load(&disposed) == before) wait_on();
    CHECK(destroy(pool) == LH_OK);
    return nothing;
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    /* An emulator has one of its own. */
    int threads_at_start = threads_of_process();
    for (int i = 0; i < 5; i++) {
        pthread_t user;
        library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        CHECK(library != NULL);
        CHECK(pthread_create(&user, NULL, use_library, NULL) == 0);
        CHECK(pthread_join(user, NULL) == 0);
        CHECK(dlclose(library) == 0);
        CHECK(dlopen(arguments[1], RTLD_NOW | RTLD_NOLOAD) == NULL);
        /* The system takes a moment to forget a thread that was waited for. */
        while (threads_of_process() > threads_at_start) wait_on();
        int status;
        pid_t child = fork();
        if (child == 0) _exit(7);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
    return 0;
}
