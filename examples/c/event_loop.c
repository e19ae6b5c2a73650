/*
 * One thread that GETs a page many times at once, in an event loop on poll(2), and never waits for a connection: what
 * cannot be leased at once is leased by a callback.
 *
 *     event_loop ADDRESS PORT PATH [REQUESTS [AT_ONCE [CONNECTIONS]]]
 *
 * ADDRESS is a number such as 127.0.0.1, because looking a name up would block the loop.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
#include "leasehold.h"

/* One request and its answer. */
typedef struct {
    enum { IDLE, WAITING, CONNECTING, SENDING, READING } state;
    lh_lease lease;
    int socket, is_reused;
    char request[1024];
    size_t length, sent, received;
    http_answer answer;
} exchange;

static const char *host, *path;
static struct sockaddr_in address;
static lh_pool pool;
static lh_route route;
static int to_start = 400, answered, failed, opened, waited;

/* May be called on a thread of the library's own, when the server closes an idle connection: nothing here is the loop's. */
static void close_socket(void *context, void *data, lh_cause cause) {
    (void)context;
    (void)cause;
    close((int)(intptr_t)data);
}

static void finish(exchange *e, int is_answered) {
    e->state = IDLE;
    if (is_answered)
        answered++;
    else
        failed++;
}

static void send_request(exchange *e) {
    http_begin(&e->answer);
    e->length = http_get(e->request, sizeof e->request, host, path);
    e->sent = e->received = 0;
    e->state = SENDING;
}

static void open_socket(exchange *e) {
    e->is_reused = 0;
    e->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (e->socket >= 0 && fcntl(e->socket, F_SETFL, O_NONBLOCK) == 0 &&
        (connect(e->socket, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS)) {
        e->state = CONNECTING;
        return;
    }
    perror("connect");
    if (e->socket >= 0) close(e->socket);
    lh_lease_close(pool, e->lease);
    finish(e, 0);
}

/* A lease was had, at once or by the callback. */
static void begin(exchange *e, lh_status status, lh_lease lease, void *data) {
    e->lease = lease;
    if (status == LH_VACANCY) {
        open_socket(e);
    } else if (status == LH_OK) {
        e->socket = (int)(intptr_t)data;
        e->is_reused = 1;
        send_request(e);
    } else {
        fprintf(stderr, "lease: %s\n", lh_status_message(status));
        finish(e, 0);
    }
}

/* Only this thread uses the pool, for one route and without timeouts, so it is in the loop when this is called. Otherwise it
 * may be another thread, which is to wake the loop here instead. */
static void on_lease(void *context, lh_pool from, lh_status status, lh_lease lease, void *data) {
    (void)from;
    begin(context, status, lease, data);
}

static void start(exchange *e) {
    lh_request request;
    lh_lease lease = {0};
    void *data = NULL;
    e->state = WAITING;
    lh_status status = lh_pool_request(pool, route, NULL, on_lease, e, &request, &lease, &data);
    if (status == LH_PENDING)
        waited++;
    else
        begin(e, status, lease, data);
}

static void end(exchange *e, http_progress progress) {
    uint64_t keep_ms = 0;
    if (progress == HTTP_BAD && e->is_reused && e->received == 0) {
        /* The server closed it while the request travelled: no pool can know. A GET may be sent again. */
        if (lh_lease_replace(pool, e->lease) == LH_VACANCY)
            open_socket(e);
        else
            finish(e, 0);
        return;
    }
    if (progress == HTTP_DONE)
        lh_http1_keep_alive(e->answer.minor_version, e->answer.connection, e->answer.connection_length,
            e->answer.keep_alive, e->answer.keep_alive_length, &keep_ms);
    lh_lease lease = e->lease;
    finish(e, progress == HTTP_DONE && e->answer.status == 200);
    lh_lease_release(pool, lease, keep_ms); /* May call on_lease for another exchange. */
}

static void step(exchange *e) {
    char buffer[4096];
    ssize_t n;
    if (e->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(e->socket, SOL_SOCKET, SO_ERROR, &error, &size);
        void *data = (void *)(intptr_t)e->socket;
        if (error == 0 && lh_lease_opened_socket(pool, e->lease, data, e->socket, LH_PROBE_SILENT) == LH_OK) {
            opened++;
            send_request(e);
        } else {
            fprintf(stderr, "connect: %s\n", strerror(error));
            close(e->socket);
            lh_lease_close(pool, e->lease);
            finish(e, 0);
        }
    } else if (e->state == SENDING) {
        n = send(e->socket, e->request + e->sent, e->length - e->sent, MSG_NOSIGNAL);
        if (n >= 0)
            e->sent += (size_t)n;
        else if (errno != EAGAIN && errno != EINTR)
            end(e, HTTP_BAD);
        if (e->state == SENDING && e->sent == e->length) e->state = READING;
    } else if (e->state == READING) {
        n = recv(e->socket, buffer, sizeof buffer, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n > 0) e->received += (size_t)n;
        http_progress progress = n > 0 ? http_read(&e->answer, buffer, (size_t)n) : HTTP_BAD;
        if (progress != HTTP_MORE) end(e, progress);
    }
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: %s ADDRESS PORT PATH [REQUESTS [AT_ONCE [CONNECTIONS]]]\n", arguments[0]);
        return 2;
    }
    host = arguments[1];
    path = arguments[3];
    if (count > 4) to_start = atoi(arguments[4]);
    size_t at_once = count > 5 ? (size_t)atoi(arguments[5]) : 16;
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(arguments[2]));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "%s: no address\n", host);
        return 2;
    }

    lh_pool_options options;
    lh_pool_options_init(&options, sizeof options);
    options.max_total = count > 6 ? (uint32_t)atoi(arguments[6]) : 4;
    options.dispose = close_socket;
    lh_status status = lh_pool_create(&options, &pool);
    if (status == LH_OK) status = lh_route_of_bytes(pool, &address, sizeof address, &route);
    exchange *exchanges = calloc(at_once, sizeof *exchanges);
    struct pollfd *polled = calloc(at_once, sizeof *polled);
    if (status != LH_OK || exchanges == NULL || polled == NULL) {
        fprintf(stderr, "pool: %s\n", lh_status_message(status));
        return 1;
    }
    int expected = to_start;
    while (answered + failed < expected) {
        for (size_t i = 0; i < at_once; i++) {
            exchange *e = &exchanges[i];
            if (e->state == IDLE && to_start > 0) {
                to_start--;
                start(e);
            }
        }
        for (size_t i = 0; i < at_once; i++) {
            exchange *e = &exchanges[i];
            polled[i].fd = e->state >= CONNECTING ? e->socket : -1;
            polled[i].events = e->state == READING ? POLLIN : POLLOUT;
            polled[i].revents = 0;
        }
        if (answered + failed < expected && poll(polled, at_once, 10000) <= 0 && errno != EINTR) {
            fprintf(stderr, "nothing happens any more\n");
            return 1;
        }
        for (size_t i = 0; i < at_once; i++)
            if (polled[i].revents != 0) step(&exchanges[i]);
    }
    free(exchanges);
    free(polled);
    lh_pool_destroy(pool);
    printf("%d answered, %d failed, %d connections, %d waited\n", answered, failed, opened, waited);
    return failed == 0 ? 0 : 1;
}
