/* What all C tests share: a pool whose disposals are recorded, on a clock that only the test moves; waiting for what threads
 * of the library's own do; TCP connections whose peer the test has in hand. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "leasehold.h"

#define MOST_DISPOSALS 128

typedef struct {
    lh_pool pool;
    lh_route route;
    lh_clock clock;
    int count; /* disposals, of which threads of the library's own add some: see disposals */
    void *data[MOST_DISPOSALS];
    lh_cause cause[MOST_DISPOSALS];
    pthread_t thread[MOST_DISPOSALS];
} fixture;

/* The only build of the library that has it is the tests'. */
lh_status lh_fault_panic(void);

#define assert_status(expected, call) assert_string_equal(lh_status_message(expected), lh_status_message(call))

/* Options with a recording disposal callback and the fixture's clock. */
lh_pool_options options_of(fixture *f);
/* A pool with these options in the fixture, and the route "r" in it. */
void make_pool(fixture *f, const lh_pool_options *options);
/* A pool with these limits. */
void make_limited(fixture *f, uint32_t max_total, uint32_t max_per_route);
void end_pool(fixture *f);

/* Leases the fixture's route and opens a connection with this data. */
lh_lease open_lease(fixture *f, lh_route route, void *data);
/* Leases what must be idle, with this data. */
lh_lease lease_idle(fixture *f, lh_route route, void *data);
void assert_stats(fixture *f, uint32_t leased, uint32_t pending, uint32_t available);
lh_counters counters_of(fixture *f);
/* How many disposals there are by now. */
int disposals(fixture *f);
/* Waits until there are as many; fails when that takes very long. */
void until_disposals(fixture *f, int count);
/* Before the first pool. */
void begin_alone(void);
/* Waits until this process has no threads but those that it began with. */
void until_alone(void);
/* Waits a little, and fails when that has been done for very long since `begin_to_wait`. */
void begin_to_wait(void);
void wait_on(void);

/* A disposal callback for connections whose data is a socket: records and closes it. */
void close_socket(void *context, void *data, lh_cause cause);
#define SOCKET_DATA(socket) ((void *)(intptr_t)(socket))
/* Connects over TCP: the client's end in `ends[0]`, the server's in `ends[1]`. */
void connect_tcp(int ends[2]);
/* Leases the fixture's route and opens a TCP connection, its data the socket. */
lh_lease open_tcp(fixture *f, int ends[2], lh_probe probe);

void assert_disposed(fixture *f, int index, void *data, lh_cause cause);

int run_basics(void);
int run_pools(void);
int run_routes(void);
int run_leases(void);
int run_requests(void);
int run_threads(void);
int run_sockets(void);
int run_misuse(void);

#endif
