/*
 * Threads that GET a page over pooled connections, by blocking leases.
 *
 *     threads HOST PORT PATH [THREADS [REQUESTS [CONNECTIONS]]]
 *
 * Each of THREADS threads makes REQUESTS requests, one after the other; the pool opens no more than CONNECTIONS.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
#include "leasehold.h"

static const char *host, *port, *path;
static int requests = 50;
static lh_pool pool;
static lh_route route;
static atomic_int opened, answered, failed;

/* The pool gives a connection up: here it is a socket's number in a pointer. The server may have closed it while it was idle;
 * then this is called on a thread of the library's own, at once. */
static void close_socket(void *context, void *data, lh_cause cause) {
    (void)context;
    (void)cause;
    close((int)(intptr_t)data);
}

static int open_socket(void) {
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found;
    int fd = -1;
    if (getaddrinfo(host, port, &wanted, &found) != 0) return -1;
    for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* One GET. `is_unanswered` says that not a byte came back. */
static http_progress exchange(int fd, http_answer *answer, int *is_unanswered) {
    char buffer[4096];
    size_t length = http_get(buffer, sizeof buffer, host, path);
    http_progress progress = HTTP_MORE;
    *is_unanswered = 1;
    http_begin(answer);
    if (length == 0) return HTTP_BAD;
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(fd, buffer + sent, length - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return HTTP_BAD;
        sent += (size_t)n;
    }
    while (progress == HTTP_MORE) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return HTTP_BAD;
        *is_unanswered = 0;
        progress = http_read(answer, buffer, (size_t)n);
    }
    return progress;
}

/* Uses the right to open a connection; on failure the lease has ended. */
static lh_status open_leased(lh_lease lease, void **data) {
    int fd = open_socket();
    if (fd < 0) {
        perror("connect");
        lh_lease_close(pool, lease);
        return LH_EXHAUSTED;
    }
    /* Half a minute after the last word, for servers that vanish without one. */
    lh_socket_set_keep_alive(fd, 15, 5, 3);
    atomic_fetch_add(&opened, 1);
    *data = (void *)(intptr_t)fd;
    lh_status status = lh_lease_opened_socket(pool, lease, *data, fd, LH_PROBE_SILENT);
    if (status != LH_OK) close(fd); /* It has not become the pool's. */
    return status;
}

static int get(void) {
    http_answer answer;
    lh_lease lease;
    void *data;
    int is_unanswered;
    lh_status status = lh_pool_lease(pool, route, NULL, 10000, &lease, &data);
    int is_reused = status == LH_OK;
    if (status == LH_VACANCY) status = open_leased(lease, &data);
    if (status != LH_OK) {
        fprintf(stderr, "lease: %s\n", lh_status_message(status));
        return 0;
    }
    http_progress progress = exchange((int)(intptr_t)data, &answer, &is_unanswered);
    if (progress == HTTP_BAD && is_reused && is_unanswered) {
        /* The server closed it while the request travelled: no pool can know. A GET may be sent again. */
        if (lh_lease_replace(pool, lease) != LH_VACANCY || open_leased(lease, &data) != LH_OK) return 0;
        progress = exchange((int)(intptr_t)data, &answer, &is_unanswered);
    }
    uint64_t keep_ms = 0;
    if (progress == HTTP_DONE)
        lh_http1_keep_alive(answer.minor_version, answer.connection, answer.connection_length, answer.keep_alive,
            answer.keep_alive_length, &keep_ms);
    lh_lease_release(pool, lease, keep_ms);
    return progress == HTTP_DONE && answer.status == 200;
}

static void *work(void *context) {
    for (int i = 0; i < requests; i++) atomic_fetch_add(get() ? &answered : &failed, 1);
    return context;
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: %s HOST PORT PATH [THREADS [REQUESTS [CONNECTIONS]]]\n", arguments[0]);
        return 2;
    }
    host = arguments[1];
    port = arguments[2];
    path = arguments[3];
    int threads = count > 4 ? atoi(arguments[4]) : 8;
    if (count > 5) requests = atoi(arguments[5]);

    lh_pool_options options;
    char name[300];
    lh_pool_options_init(&options, sizeof options);
    options.max_total = count > 6 ? (uint32_t)atoi(arguments[6]) : 4;
    options.dispose = close_socket;
    snprintf(name, sizeof name, "http://%s:%s", host, port);
    lh_status status = lh_pool_create(&options, &pool);
    if (status == LH_OK) status = lh_route_of_name(pool, name, &route);
    pthread_t *all = calloc((size_t)threads, sizeof *all);
    if (status != LH_OK || all == NULL) {
        fprintf(stderr, "pool: %s\n", lh_status_message(status));
        return 1;
    }
    for (int t = 0; t < threads; t++)
        if (pthread_create(&all[t], NULL, work, NULL) != 0) abort();
    for (int t = 0; t < threads; t++) pthread_join(all[t], NULL);
    free(all);
    lh_counters closed;
    lh_pool_counters(pool, &closed, sizeof closed);
    lh_histogram waiting;
    uint64_t most_waited = 0;
    if (lh_pool_histogram(pool, LH_TIMER_WAITING, &waiting, sizeof waiting) == LH_OK)
        lh_histogram_quantile_us(&waiting, sizeof waiting, 0.99, &most_waited);
    /* Every thread has ended, and so has every lease. Where one may go on, this lets it, for three seconds. */
    uint32_t left = 0;
    if (lh_pool_drain(pool, 3000, &left) == LH_OK && left > 0) fprintf(stderr, "%u leases have not ended\n", (unsigned)left);
    lh_pool_destroy(pool);
    printf("%d answered, %d failed, %d connections, %llu closed by the server; of the waits 99 percent took %llu us at most\n", answered,
        failed, opened, (unsigned long long)(closed.closed_by_peer + closed.stale), (unsigned long long)most_waited);
    return failed == 0 ? 0 : 1;
}
