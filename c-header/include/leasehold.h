/*
 * Leasehold: an HTTP connection pool. This is its C interface.
 *
 * A pool decides which connection a caller gets, when one may be opened and when one must go. Opening, TLS and HTTP are
 * the program's. To the pool a connection is a pointer, and a socket that it may look at.
 *
 *     lh_pool pool;
 *     lh_route route;
 *     lh_pool_options options;
 *     lh_pool_options_init(&options, sizeof options);
 *     options.dispose = close_connection;                       // the program's: closes what the pool gives up
 *     lh_pool_create(&options, &pool);
 *     lh_route_of_name(pool, "http://localhost:80", &route);
 *
 *     lh_lease lease;
 *     void *connection;
 *     lh_status status = lh_pool_lease(pool, route, NULL, 3000, &lease, &connection);
 *     if (status == LH_VACANCY) {
 *         int fd;
 *         connection = open_connection(&fd);                    // the program's; if it fails, say lh_lease_close
 *         // From here on the connection is the pool's, which notices when the peer closes it.
 *         status = lh_lease_opened_socket(pool, lease, connection, fd, LH_PROBE_SILENT);
 *     }
 *     if (status == LH_OK) {
 *         exchange(connection);                                 // the program's: a request and its whole answer
 *         lh_lease_release(pool, lease, LH_FOREVER);            // or lh_lease_close, if that failed
 *     }
 *     lh_pool_destroy(pool);
 *
 * The sections, in this order: Version, Status, Options, Pool, Route, Lease, Request, Upkeep, Statistics, Sockets, Logging, Clock.
 *
 * What holds for every function:
 *
 * - Names are lh_<type>_<verb>. The pool comes first, then the object, then what goes in, then what comes out.
 * - It answers an lh_status, except those that cannot fail. Outputs are written only on success.
 * - Handles are numbers that are looked up. A wrong one (stale, of another pool, made up) is a status, as is an object
 *   that was ended before. Nothing happens then.
 * - A pointer is NULL or points to what the function's text says, for as long as the call. NULL is a status where something
 *   is needed. What is kept is copied, except the data and context pointers, which are only passed on.
 * - Thread-safe means: any thread may call it at any time, whatever others do with the same objects. Every function is.
 *   A lease is used by one thread at a time all the same, as the connection in it is.
 * - What a thread wrote before it gave a connection to the pool, by lh_lease_opened or lh_lease_release, is seen by
 *   whoever leases that connection next, and by the disposal callback. What it wrote before lh_pool_request is seen by
 *   the request's callback. No other order is promised between threads.
 * - Times are milliseconds, lengths are bytes. A function whose text gives no complexity is O(1).
 * - Structs may get further members at their end. Their size says which the program knows: options have it in their first
 *   member, and functions that write statistics take it as an argument. So a program built with a header of any version
 *   works with a library of any version that has the same soname. A size below that of the struct's first version, or above
 *   4,096, is LH_BAD_SIZE. No struct has padding.
 * - Structs and enums have tags of the same name. A header of the program's can say `struct lh_pool;` instead of including
 *   this one.
 * - No function prints, and none ends the process, with one exception: where the system has no memory for the library's own
 *   records, which are small, the Rust runtime writes a line to stderr and calls abort. A copy of what the program gives, of any
 *   length, is LH_NO_MEMORY then. A defect inside is LH_PANICKED and a message to the log callback, and a line on stderr, too.
 * - What a callback must not do: throw, longjmp, pthread_exit. It may call any function. What would have to wait is refused there
 *   with LH_IN_CALLBACK, and so are lh_pool_drain and lh_pool_destroy.
 *
 * Who owns a connection: the program, until lh_lease_opened or lh_lease_opened_socket is LH_OK. Then the pool owns it, until its
 * disposal callback is given it. That happens exactly once for each, at the latest in lh_pool_destroy. A lease lends it.
 *
 * What a peer closes: a pool that was told a connection's socket disposes of the connection at once when the peer closes it while it
 * is idle, and never hands it out. For that the library has a thread of its own while a pool needs it, on which callbacks may
 * come: lh_dispose_callback and lh_lease_callback say which.
 *
 * A forked child is a process of its own. Pools and clocks made there work, whatever its parent's threads were doing at the
 * fork. Those it has inherited are its parent's, and are LH_NO_POOL and LH_NO_CLOCK in the child. The child is called back for none of
 * their connections: their copies close when it ends or executes another program. The log callback goes on in the child. A child
 * that was forked in a callback ends or executes another program before it returns from there.
 */

#ifndef LEASEHOLD_H
#define LEASEHOLD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------- Version ----------
 *
 * The macros tell the version of this header, which a program is built with. The functions tell that of the library, which it runs with.
 */

/** The version of this header. */
#define LH_VERSION_MAJOR 0
#define LH_VERSION_MINOR 1
#define LH_VERSION_PATCH 0
#define LH_VERSION_TEXT "0.1.0-SNAPSHOT"
/** The same as one number that grows: compare it with lh_version_number(). */
#define LH_VERSION_NUMBER ((LH_VERSION_MAJOR << 16) | (LH_VERSION_MINOR << 8) | LH_VERSION_PATCH)

/**
 * The version of the library in use as major << 16 | minor << 8 | patch. LH_VERSION_NUMBER is that of the header.
 * Thread-safe.
 */
uint32_t lh_version_number(void);

/**
 * The version of the library in use as text, such as "0.1.0". One with more behind the number, such as
 * "0.1.0-SNAPSHOT", is on its way there. Valid for ever. Thread-safe.
 */
const char *lh_version_text(void);

/* ---------- Status ----------
 *
 * What a function answers. Compare it with LH_OK; where it may also be LH_VACANCY or LH_PENDING, the function's text says so. For a log
 * line lh_status_message has the words.
 */

/**
 * What a function answers. Numbers below 100 are successes, all others errors. After an error no output was written and,
 * unless the function says otherwise, nothing was changed. A number never changes its meaning.
 */
typedef enum lh_status {
    /**
     * Done. Of a lease: it has a connection.
     */
    LH_OK = 0,
    /**
     * Leased, but there is no connection yet. Open one and say lh_lease_opened_socket or lh_lease_opened, or give the right back by
     * lh_lease_close.
     */
    LH_VACANCY = 1,
    /**
     * The request waits; its callback will be called.
     */
    LH_PENDING = 2,
    /**
     * The limits leave nothing at the moment, or the pool is suspended, and the call was not to wait.
     */
    LH_EXHAUSTED = 100,
    /**
     * Nothing came free in time, or the pool was suspended meanwhile: lh_pool_describe tells.
     */
    LH_TIMED_OUT = 101,
    /**
     * As many requests wait as the pool's max_waiters allows.
     */
    LH_QUEUE_FULL = 102,
    /**
     * The pool was shut down.
     */
    LH_SHUT_DOWN = 103,
    /**
     * The call would have to wait, which a callback must not: what it would wait for may be this very thread's to do.
     */
    LH_IN_CALLBACK = 104,
    /**
     * No pool has this handle: it was destroyed, or never made.
     */
    LH_NO_POOL = 200,
    /**
     * The pool has no such route: it was freed, or belongs to another pool.
     */
    LH_NO_ROUTE = 201,
    /**
     * The pool has no such lease: it was ended before, or revoked by an immediate shutdown, or belongs to another pool.
     */
    LH_NO_LEASE = 202,
    /**
     * No such request waits: its callback was called, or is being called now, or it was cancelled before.
     */
    LH_NO_REQUEST = 203,
    /**
     * No clock has this handle: it was destroyed, or never made.
     */
    LH_NO_CLOCK = 204,
    /**
     * The lease is a vacancy: there is no connection to do this with. Say lh_lease_opened first.
     */
    LH_NO_CONNECTION = 205,
    /**
     * The lease has a connection already. Say lh_lease_replace first to put another in its place.
     */
    LH_HAS_CONNECTION = 206,
    /**
     * The descriptor is closed, or is not a TCP socket's.
     */
    LH_NO_TCP_SOCKET = 207,
    /**
     * A pointer that must not be NULL is.
     */
    LH_NULL_POINTER = 300,
    /**
     * An argument, or a member of an options struct, has a value that means nothing here.
     */
    LH_INVALID_ARGUMENT = 301,
    /**
     * No version of the struct has that size. Options are filled by their init function; statistics are asked for with sizeof.
     */
    LH_BAD_SIZE = 302,
    /**
     * More than 1,024 pools or clocks, or more than a million routes or waiting requests of a pool.
     */
    LH_TOO_MANY = 400,
    /**
     * The system has no thread to give, and what was asked for takes one. It is tried again with each call.
     */
    LH_NO_THREAD = 401,
    /**
     * There is no memory for a copy of what was given.
     */
    LH_NO_MEMORY = 402,
    /**
     * A defect of the library: something in it panicked. The pool may have been shut down by it. See the log.
     */
    LH_PANICKED = 500,
} lh_status;

/**
 * What a status means, in English: one line without a full stop. Never NULL, valid for ever, also for a number that is
 * no status. Thread-safe.
 */
const char *lh_status_message(int32_t status);

/* ---------- Options ----------
 *
 * What a pool is made with, and what a lease is to be like. Fill the struct by its init function, change what is to be otherwise, and pass
 * it to lh_pool_create, or to lh_pool_lease, lh_pool_try_lease or lh_pool_request. It is read during that call only. NULL in its place
 * means the defaults.
 */

/**
 * No limit, as a limit. A pool can have 524,288 connections at most. A larger limit means that number.
 */
#define LH_UNLIMITED UINT32_MAX

/**
 * For ever: as a timeout, or as the time to keep a connection.
 */
#define LH_FOREVER UINT64_MAX

/**
 * Which idle connection of a route is handed out first.
 */
typedef enum lh_policy {
    /**
     * The most recently released: few connections do the work and the others age out. That is exact as long as threads do not use
     * the pool's idle list at the same moment more than a hundred times in ten seconds, as they do from some thousands of leases in a
     * second on. The pool then keeps several lists: each thread takes first what it has released last itself, and after that what
     * others have. The pool goes back to one list when threads have met less often for ten to twenty seconds.
     */
    LH_POLICY_LIFO = 0,
    /**
     * The least recently released: all connections are used in turn.
     */
    LH_POLICY_FIFO = 1,
} lh_policy;

/**
 * How a pool finds out that the peer of an idle connection has closed it. It needs to know the connection's socket for that: see
 * lh_lease_opened_socket.
 */
typedef enum lh_watching {
    /**
     * Not at all: whoever uses the connection finds out.
     */
    LH_WATCHING_OFF = 0,
    /**
     * One look at the socket when the connection is leased: a system call of half a microsecond.
     */
    LH_WATCHING_PROBE = 1,
    /**
     * The system tells the library's thread, which has the connection disposed of at once. A lease makes no system call. Until that
     * thread has run after the peer's close, the connection may still be handed out: mostly that is a fraction of a millisecond, but it
     * lasts as long as other threads keep the library's from a processor. When many close at once, all are noted before the first of them
     * is disposed of. One that the system does not watch is probed.
     */
    LH_WATCHING_WATCH = 2,
    /**
     * Both: nothing stays open that its peer has closed, and nothing is handed out whose peer's close has arrived.
     */
    LH_WATCHING_BOTH = 3,
} lh_watching;

/**
 * Why the pool gives a connection up.
 */
typedef enum lh_cause {
    /**
     * Whoever had leased it asked for that: lh_lease_close, lh_lease_replace, or lh_lease_release with 0.
     */
    LH_CAUSE_REQUESTED = 0,
    /**
     * Its keep-alive time or its time to live was over.
     */
    LH_CAUSE_EXPIRED = 1,
    /**
     * It was idle for as long as lh_pool_close_idle or evict_idle_ms said.
     */
    LH_CAUSE_IDLE = 2,
    /**
     * It made room for a connection to another route or for another state.
     */
    LH_CAUSE_EVICTED = 3,
    /**
     * A limit was lowered below what was there.
     */
    LH_CAUSE_OVER_LIMIT = 4,
    /**
     * Its peer had closed it, or had sent what nobody asked for: the watch or the probe found out.
     */
    LH_CAUSE_PEER_CLOSED = 5,
    /**
     * Its route was cleared.
     */
    LH_CAUSE_CLEARED = 6,
    /**
     * The pool was shut down.
     */
    LH_CAUSE_SHUT_DOWN = 7,
    /**
     * The pool was shut down immediately, or destroyed, while the connection was leased: another thread may be using it
     * at this moment.
     */
    LH_CAUSE_REVOKED = 8,
} lh_cause;

/**
 * Gets a connection that the pool gives up, once for each, whatever the reason: close it and free what belongs to it.
 *
 * `data` is what lh_lease_opened or lh_lease_set_data said last. The pool watches its socket no longer. No lock is held.
 *
 * The thread. It is called on the thread whose call brought it about, before that call returns. It is called on a thread of the
 * library's own for what the watch found closed by its peer, for what evict_expired and evict_idle_ms are about and, with
 * `dispose_apart`, for everything. Where the system has no thread to give, calls of the program dispose as without `dispose_apart`.
 * What the library's first thread found is tried again, and after a second disposed of on that thread. Threads of the library's own
 * block every signal, and so does what is started on them, by a fork or otherwise: a fault there ends the process without a handler.
 *
 * How long it may take. Whoever waits for the connection's place is told before, so a close that hangs delays no lease of another
 * thread. On threads of the library's own disposals come one after the other. After a second there, the socket of a connection is shut
 * down, if the pool was given it, which ends what reads or writes on it, and another thread goes on with the others. While 16 disposals
 * hang all the same, others wait. A socket lingers only where the callback closes it on the program's own thread.
 *
 * Limits. What is disposed of is not counted any more. So for each connection that is still closing a server may briefly see one more
 * than the limit.
 *
 * What it may do. It may call the pool's functions. A lease that would have to wait, lh_pool_drain and lh_pool_destroy are refused with
 * LH_IN_CALLBACK. Callbacks never nest: what its own calls bring about is delivered after it has returned. It must return normally: no
 * longjmp, no C++ exception, no pthread_exit.
 */
typedef void (*lh_dispose_callback)(void *context,
                                    void *data,
                                    lh_cause cause);

/**
 * A clock that stands still until it is moved, for tests of programs that use a pool. The handle with id 0 is none.
 */
typedef struct lh_clock {
    /**
     * For comparing and storing only.
     */
    uint64_t id;
} lh_clock;

/**
 * What a pool is made with. Fill it with lh_pool_options_init, then change what you want otherwise.
 */
typedef struct lh_pool_options {
    /**
     * The size of this struct as the program knows it. Set by lh_pool_options_init.
     */
    size_t size;
    /**
     * Most connections of all routes together: leased, idle and being opened. With 0 every lease waits. LH_UNLIMITED by default.
     */
    uint32_t max_total;
    /**
     * Most connections of a route that has no limit of its own by lh_route_set_max. With 0 every lease waits. LH_UNLIMITED by default.
     */
    uint32_t default_max_per_route;
    /**
     * Most leases and requests that may wait at once; one more is refused. LH_UNLIMITED by default.
     */
    uint32_t max_waiters;
    /**
     * An lh_policy. LH_POLICY_LIFO by default.
     */
    uint32_t policy;
    /**
     * Not 0: a newcomer may take a released connection before those who wait. That gives more throughput where leases are very
     * short, but no order, and no bound on the waiting time. 0 by default: requests are served in the order of arrival.
     */
    uint32_t barging;
    /**
     * An lh_watching. LH_WATCHING_BOTH by default.
     */
    uint32_t watching;
    /**
     * Milliseconds after its opening at which a connection is closed, however busy it is. 0, the default, is never.
     */
    uint64_t time_to_live_ms;
    /**
     * Gets every connection that the pool gives up. NULL, the default: nothing needs to be done.
     */
    lh_dispose_callback dispose;
    /**
     * Passed to `dispose` as it is.
     */
    void *dispose_context;
    /**
     * Where time comes from: a clock that a test moves, or id 0, the default, for the machine's monotonic clock.
     */
    lh_clock clock;
    /**
     * Disposes of connections that have been idle for this many milliseconds or longer, within a second. 0, the default, is
     * never: then lh_pool_close_idle does it when it is called.
     */
    uint64_t evict_idle_ms;
    /**
     * Not 0: disposes of idle connections whose keep-alive time or time to live is over, within a second. 0 by default: a
     * lease disposes of those of its own route that it comes across, and lh_pool_close_expired of all.
     */
    uint32_t evict_expired;
    /**
     * Not 0: `dispose` is called on a thread of the library's own also for what calls of the program bring about. That is for
     * connections whose close may take its time, as a TLS goodbye may: no call waits for it. A connection may then be opened in place of
     * one whose disposal is still to come. 0 by default: those calls dispose of it themselves. They also do so where the system has no
     * thread to give. See lh_dispose_callback.
     */
    uint32_t dispose_apart;
    /**
     * The pool's name, for log lines and lh_pool_describe; a string, which is copied. NULL, the default: `pool-` and a number that no other
     * pool of the process has.
     */
    const char *name;
} lh_pool_options;

/**
 * What a lease is to be like. Fill it with lh_lease_options_init, then change what you want otherwise.
 */
typedef struct lh_lease_options {
    /**
     * The size of this struct as the program knows it. Set by lh_lease_options_init.
     */
    size_t size;
    /**
     * Who the connection may be bound to, `state_length` bytes. The lease gets a connection that lh_lease_bind has bound to this state,
     * or one that is bound to nobody, and no other. NULL, the default: only one that is bound to nobody.
     */
    const void *state;
    /**
     * How many bytes `state` points to.
     */
    size_t state_length;
    /**
     * How many milliseconds of the pool's clock a request by lh_pool_request may wait; its callback gets LH_TIMED_OUT then.
     * LH_FOREVER by default. lh_pool_lease and lh_pool_try_lease do not look at it.
     */
    uint64_t timeout_ms;
} lh_lease_options;

/**
 * Fills a struct of options with the defaults. `size` is sizeof(lh_pool_options).
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`. Thread-safe.
 */
lh_status lh_pool_options_init(lh_pool_options *options,
                               size_t size);

/**
 * Fills a struct of options with the defaults. `size` is sizeof(lh_lease_options).
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`. Thread-safe.
 */
lh_status lh_lease_options_init(lh_lease_options *options,
                                size_t size);

/* ---------- Pool ----------
 *
 * lh_pool_create makes one. Any number of threads lease from it. To end it, say lh_pool_drain, which lets leases end for a while, and then
 * lh_pool_destroy, which waits for no lease. On a thread that must not wait, an event loop's, say lh_pool_shutdown, and leave
 * lh_pool_destroy to another thread.
 */

/**
 * A pool. The handle with id 0 is none.
 */
typedef struct lh_pool {
    /**
     * For comparing and storing only.
     */
    uint64_t id;
} lh_pool;

/**
 * Makes a pool. No connection is opened. Destroy it with lh_pool_destroy.
 *
 * The library has one thread of its own for all pools. The first pool that needs it starts it: for its first socket that is
 * watched, its first request with a timeout, its first disposal with `dispose_apart`, or at once for evict_expired and evict_idle_ms.
 * It ends with the last of those pools. Where the system has no thread to give, a line at error says so. What takes the thread is
 * refused then, or done without it, as the text of the function in question says. Each call that needs the thread tries again.
 *
 * `options` is what the pool is made with, read during the call only; NULL for the defaults.
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: `options` was not filled by lh_pool_options_init; LH_INVALID_ARGUMENT: an option means nothing, or is of
 * a later version of the library, or the name is not UTF-8; LH_NO_MEMORY: for a copy of the name; LH_NO_CLOCK; LH_NO_THREAD: the pool is to evict, and there is no thread for that; LH_TOO_MANY: 1,024
 * pools are there. Thread-safe. O(pools).
 */
lh_status lh_pool_create(const lh_pool_options *options,
                         lh_pool *pool);

/**
 * Changes the limit of all routes together. A raised limit serves those who wait at once. A lowered one disposes of idle connections at
 * once, least recently released first, and of leased ones when their leases end, with LH_CAUSE_OVER_LIMIT. O(what it serves or disposes
 * of).
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_set_max_total(lh_pool pool,
                                uint32_t max);

/**
 * Changes the limit of each route that has none of its own by lh_route_set_max. What a raised and a lowered limit do is said at
 * lh_pool_set_max_total. O(routes).
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_set_default_max_per_route(lh_pool pool,
                                            uint32_t max);

/**
 * Writes the limit of each route that has none of its own. LH_UNLIMITED reads as 524,288. That in total is in lh_pool_stats.
 *
 * LH_NULL_POINTER, LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_default_max_per_route(lh_pool pool,
                                        uint32_t *max);

/**
 * LH_SHUT_DOWN where the pool was shut down, else LH_OK. Takes no lock.
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_check(lh_pool pool);

/**
 * How to shut a pool down.
 */
typedef enum lh_shutdown {
    /**
     * What is leased stays usable, and is disposed of when its lease ends.
     */
    LH_SHUTDOWN_GRACEFUL = 0,
    /**
     * What is leased is disposed of at once, with LH_CAUSE_REVOKED.
     */
    LH_SHUTDOWN_IMMEDIATE = 1,
} lh_shutdown;

/**
 * Shuts a pool down. Leases and requests that wait end with LH_SHUT_DOWN, as do all later ones. Idle connections are disposed of. It
 * waits for nothing but the callbacks that it makes itself.
 *
 * `mode` is an lh_shutdown. Gracefully: leases go on, and their connections are disposed of when they end. Immediately: connections that
 * are leased are disposed of at once, with LH_CAUSE_REVOKED, although another thread may be using them. Their leases are dead then, and
 * ending one is LH_NO_LEASE. A program that does this with leases in use had better have its disposal callback call shutdown(2) on the
 * socket, and leave closing and freeing to the lease's thread. May be called again. O(connections + waiters).
 *
 * LH_NO_POOL, LH_INVALID_ARGUMENT: `mode` is no lh_shutdown. Thread-safe.
 */
lh_status lh_pool_shutdown(lh_pool pool,
                           uint32_t mode);

/**
 * Shuts a pool down gracefully (see lh_pool_shutdown), and waits until every lease has ended, or until `timeout_ms` milliseconds of the
 * machine's clock are over. Writes to `left` how many leases have not ended, those that are rights to open a connection among them.
 *
 * Those that are left go on, and lh_pool_destroy revokes them. LH_FOREVER waits for the last of them, 0 for none. A lease that has ended
 * is not waited for any more, although the disposal callback may still be busy with its connection, on the thread that ended it or on one
 * of the library's own. The thread sleeps meanwhile. May be called again, and on several threads at once. O(connections + waiters).
 *
 * LH_NULL_POINTER; LH_IN_CALLBACK: it was called in a callback, and has done nothing; LH_NO_POOL: also where another thread destroys the
 * pool meanwhile. Thread-safe.
 */
lh_status lh_pool_drain(lh_pool pool,
                        uint64_t timeout_ms,
                        uint32_t *left);

/**
 * Ends a pool: shuts it down immediately (see lh_pool_shutdown) and forgets its handle and those of its routes, leases
 * and requests.
 *
 * When it returns, the disposal callback has had every connection, those still leased with LH_CAUSE_REVOKED, and every
 * request's callback was called with LH_SHUT_DOWN. Excepted is what calls of other threads of the program have under way. No callback
 * of the pool's comes from a thread of the library's own any more.
 *
 * What it waits for, and how long:
 *
 * - The callbacks that it makes itself, on this thread, one after the other: as long as they take.
 * - Callbacks of this pool on threads of the library's own, those that are under way and those that are due: as long as they take. So
 *   hold no lock that one of them takes. A disposal there that hangs has its socket shut down after a second, if the pool was given it.
 * - The end of the library's own threads, where this is the last pool that needs them: three seconds at most, should a callback of
 *   another pool hang there.
 *
 * It does not wait for leases, nor for calls of other threads. Those end with LH_SHUT_DOWN, also where they wait, and later ones with
 * LH_NO_POOL. To let leases end, say lh_pool_drain before. A thread that must not wait, an event loop's, says lh_pool_shutdown and leaves
 * this call to another.
 *
 * LH_NO_POOL; LH_IN_CALLBACK: it was called in a callback, whatever pool that serves. Shut the pool down there, and destroy it later.
 * Thread-safe. O(connections + waiters).
 */
lh_status lh_pool_destroy(lh_pool pool);

/* ---------- Route ----------
 *
 * What connections go to. Make one of a name with lh_route_of_name, lease from it as often as you like, and let go of it with
 * lh_route_free when no lease of it will be asked for any more. A program that knows its hosts beforehand keeps their routes as long as
 * the pool.
 */

/**
 * A route of a pool: what a connection goes to, such as a scheme, host and port. The handle with id 0 is none.
 */
typedef struct lh_route {
    /**
     * For comparing and storing only. Routes of one pool made of equal bytes have equal ids as long as one is held.
     */
    uint64_t id;
} lh_route;

/**
 * Makes a route of a string, say `https://example.org:443`, copied during the call. Equal strings are the same route.
 *
 * The route is held until lh_route_free is called as often as it was made, or the pool ends. O(1).
 *
 * LH_NULL_POINTER, LH_NO_POOL, LH_TOO_MANY: more than a million routes are there; LH_NO_MEMORY: for the copy. Thread-safe.
 */
lh_status lh_route_of_name(lh_pool pool,
                           const char *name,
                           lh_route *route);

/**
 * Makes a route of any bytes, `length` of them, text or not. None of them is special. Otherwise as lh_route_of_name.
 *
 * LH_NULL_POINTER, LH_INVALID_ARGUMENT: `length` is more than any object has; LH_NO_POOL, LH_TOO_MANY, LH_NO_MEMORY.
 * Thread-safe.
 */
lh_status lh_route_of_bytes(lh_pool pool,
                            const void *name,
                            size_t length,
                            lh_route *route);

/**
 * Lets go of a route, once. When that was done as often as it was made, the handle may be refused at any time. Connections and waiting
 * requests of the route are not touched. The pool forgets the route some time after the last of them. O(1).
 *
 * LH_NO_POOL, LH_NO_ROUTE: nobody holds it. Thread-safe.
 */
lh_status lh_route_free(lh_pool pool,
                        lh_route route);

/**
 * Copies the bytes that a route was made of into `buffer`, up to `capacity` of them, without a terminating NUL, and
 * writes to `length` how many there are, which may be more. NULL and 0 ask for the length only.
 *
 * LH_NULL_POINTER: `length`, or `buffer` with a capacity other than 0; LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_name(lh_pool pool,
                        lh_route route,
                        void *buffer,
                        size_t capacity,
                        size_t *length);

/**
 * Gives a route a limit of its own, in place of the pool's default. LH_UNLIMITED is one, too. What a raised and a lowered limit do is
 * said at lh_pool_set_max_total. The pool does not forget a route that has a limit of its own.
 *
 * LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_set_max(lh_pool pool,
                           lh_route route,
                           uint32_t max);

/**
 * Takes a route's own limit back: the pool's default holds again.
 *
 * LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_unset_max(lh_pool pool,
                             lh_route route);

/**
 * Disposes of every idle connection of a route, with LH_CAUSE_CLEARED. Leased ones are disposed of when their leases end.
 * O(connections of the pool).
 *
 * LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_clear(lh_pool pool,
                         lh_route route);

/* ---------- Lease ----------
 *
 * lh_pool_lease or lh_pool_try_lease begins one: LH_OK with a connection, LH_VACANCY with the right to open one. Say
 * lh_lease_opened_socket, or lh_lease_opened where there is no socket to tell, when it is open. Use the connection. Then end the lease,
 * once: with lh_lease_release, if the whole answer was read and the connection may be used again, else with lh_lease_close.
 */

/**
 * A lease of a pool: the right to use a connection, or to open one. It ends once; the handle is dead then. It may be
 * passed from thread to thread, but is used by one at a time. The handle with id 0 is none.
 */
typedef struct lh_lease {
    /**
     * For comparing and storing only.
     */
    uint64_t id;
} lh_lease;

/**
 * Leases a connection of a route, and waits up to `timeout_ms` milliseconds of the machine's clock for one to come free. LH_FOREVER waits
 * for ever. Otherwise as lh_pool_try_lease.
 *
 * Those who wait are served in the order in which they came, whatever their route. The thread sleeps meanwhile.
 *
 * LH_TIMED_OUT, LH_QUEUE_FULL; LH_SHUT_DOWN, also when that happens while it waits; LH_IN_CALLBACK: it would have to wait
 * inside a callback; LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT, LH_NO_POOL, LH_NO_ROUTE, LH_TOO_MANY, LH_NO_MEMORY.
 * Thread-safe.
 */
lh_status lh_pool_lease(lh_pool pool,
                        lh_route route,
                        const lh_lease_options *options,
                        uint64_t timeout_ms,
                        lh_lease *lease,
                        void **data);

/**
 * Leases an idle connection of a route or the right to open one, if that is possible now. O(1) for an idle connection.
 *
 * `options` is read during the call only; NULL for the defaults. LH_OK: `lease` has a connection, whose data is written
 * to `data`. LH_VACANCY: there is none yet, and NULL is written to `data`. Open one and say lh_lease_opened_socket or lh_lease_opened.
 * Either way end the lease with lh_lease_release or lh_lease_close.
 *
 * A connection with a socket is probed before it is handed out, where the pool's `watching` says so. One that the probe finds unusable
 * is disposed of. The next idle one, or the right to open one, takes its place.
 *
 * LH_EXHAUSTED: the limits leave nothing; LH_SHUT_DOWN, LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT, LH_NO_POOL,
 * LH_NO_ROUTE, LH_TOO_MANY; LH_NO_MEMORY: for a copy of the options' state. Thread-safe.
 */
lh_status lh_pool_try_lease(lh_pool pool,
                            lh_route route,
                            const lh_lease_options *options,
                            lh_lease *lease,
                            void **data);

/**
 * What the socket of an idle connection must be like for the connection to be usable. By which means that is found out,
 * and when, is the pool's lh_watching.
 */
typedef enum lh_probe {
    /**
     * It is not looked at: neither probed nor watched.
     */
    LH_PROBE_OFF = 0,
    /**
     * It must be open and silent. For plain connections: bytes that nobody asked for belong to no answer.
     */
    LH_PROBE_SILENT = 1,
    /**
     * It must be open. For TLS connections, whose peers may send session tickets at any time.
     */
    LH_PROBE_OPEN = 2,
} lh_probe;

/**
 * Gives a lease that is the right to open a connection what was opened, and tells the pool the connection's socket: lh_lease_opened and
 * lh_lease_set_socket in one. From then on the pool finds out when the peer closes it.
 *
 * `data` is as for lh_lease_opened, and so is whose the connection is after which status. `socket` and `probe` are as for
 * lh_lease_set_socket. A socket that cannot be watched now does not fail the call: the connection is probed, and its watch tried again,
 * when it is leased next. Two or three system calls.
 *
 * LH_INVALID_ARGUMENT: `socket` is negative, or `probe` is no lh_probe; LH_SHUT_DOWN, LH_HAS_CONNECTION, LH_NO_POOL, LH_NO_LEASE: as for
 * lh_lease_opened. Thread-safe.
 */
lh_status lh_lease_opened_socket(lh_pool pool,
                                 lh_lease lease,
                                 void *data,
                                 int32_t socket,
                                 uint32_t probe);

/**
 * Gives a lease that is the right to open a connection what was opened. The connection's time to live begins.
 *
 * `data` is the program's own pointer, NULL allowed. Leases of this connection and the disposal callback get it. Where the connection
 * has a socket, lh_lease_opened_socket tells the pool of it as well.
 *
 * From LH_OK on the connection is the pool's to dispose of: the disposal callback gets it, exactly once. After any error
 * it is still the program's. LH_SHUT_DOWN: the pool was shut down meanwhile. The lease has ended, and the connection may be
 * used once and then closed. LH_HAS_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_opened(lh_pool pool,
                          lh_lease lease,
                          void *data);

/**
 * Writes the data of a lease's connection.
 *
 * LH_NULL_POINTER, LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_data(lh_pool pool,
                        lh_lease lease,
                        void **data);

/**
 * Replaces the data of a lease's connection.
 *
 * From LH_OK on the disposal callback will get the new data, and what was there before is the program's again. After any error the
 * new data is still the program's. LH_NO_LEASE may mean that an immediate shutdown was faster: the callback then gets what was there
 * before, if it has not got it already.
 *
 * LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_set_data(lh_pool pool,
                            lh_lease lease,
                            void *data);

/**
 * Says who holds a lease: `tag` is the program's own, which is only passed on. It is in the lease's lh_entry and in what lh_pool_describe
 * says, for as long as the lease goes on, or until another is set. NULL, as it is before: nobody knows.
 *
 * A lease's holder alone may say it. Takes no lock.
 *
 * LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_set_tag(lh_pool pool,
                           lh_lease lease,
                           const void *tag);

/**
 * Binds a lease's connection to a state, `length` bytes, copied during the call. The state is who the connection is authenticated as, say
 * an NTLM user or a client certificate. Once released, the connection goes only to leases whose options ask for an equal state. NULL
 * and 0 bind it to nobody again: it is for any lease. O(length).
 *
 * LH_NULL_POINTER; LH_INVALID_ARGUMENT: `length` is more than any object has; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE,
 * LH_NO_MEMORY. Thread-safe.
 */
lh_status lh_lease_bind(lh_pool pool,
                        lh_lease lease,
                        const void *state,
                        size_t length);

/**
 * Disposes of a lease's connection, say because it turned out to be dead, with LH_CAUSE_REQUESTED. The lease becomes the right to open
 * another one, which keeps the place in every limit.
 *
 * LH_VACANCY: open a connection and say lh_lease_opened_socket or lh_lease_opened. LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_replace(lh_pool pool,
                           lh_lease lease);

/**
 * As the time to keep a connection: for what lh_lease_update_expiry said last, in this lease or an earlier one.
 */
#define LH_KEEP_AS_BEFORE (UINT64_MAX - 1)

/**
 * Reads how long an HTTP/1 connection may be kept after a response: what lh_lease_release wants to know.
 *
 * `minor_version` is the response's: 0 for HTTP/1.0, 1 for HTTP/1.1. `connection` and `keep_alive` are the values of the
 * headers of these names, `connection_length` and `keep_alive_length` bytes long, which need no terminating NUL; NULL
 * and 0 where there is none. Join several of one name by commas.
 *
 * Writes to `keep_ms` milliseconds, or 0 for "close it", or LH_FOREVER for "keep it as long as it lasts". `close` in
 * Connection wins. HTTP/1.0 needs `keep-alive` there. Of Keep-Alive `timeout=seconds` is read, and `max=requests`, which is how many
 * requests are left. With max=0, as with timeout=0, the connection closes. Of several of one name the smallest counts. What cannot
 * be read is passed over. O(length).
 *
 * LH_NULL_POINTER: `keep_ms`, or a value of a length other than 0, is NULL; LH_INVALID_ARGUMENT: a length is more than any
 * object has; LH_NO_MEMORY. Thread-safe.
 */
lh_status lh_http1_keep_alive(uint8_t minor_version,
                              const char *connection,
                              size_t connection_length,
                              const char *keep_alive,
                              size_t keep_alive_length,
                              uint64_t *keep_ms);

/**
 * Notes for how many milliseconds from now on the server keeps a lease's connection. lh_lease_release with
 * LH_KEEP_AS_BEFORE then keeps it for that long. LH_FOREVER: for as long as it lasts. It is never kept beyond its time to live. O(1).
 *
 * LH_INVALID_ARGUMENT: `keep_ms` is LH_KEEP_AS_BEFORE; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_update_expiry(lh_pool pool,
                                 lh_lease lease,
                                 uint64_t keep_ms);

/**
 * Ends a lease and keeps its connection for the next one, for up to `keep_ms` milliseconds from now on: what
 * lh_http1_keep_alive wrote. LH_FOREVER keeps it for as long as it lasts, LH_KEEP_AS_BEFORE for what lh_lease_update_expiry
 * said last. 0 closes it, as lh_lease_close does.
 *
 * The connection goes to the one who has waited longest, or becomes idle where nobody waits. It is disposed of (see
 * lh_dispose_callback) where the pool is shut down or over a limit, its peer has closed it, its route was cleared, its time
 * to live is over, or a request for another route or state needs its place. O(1) where nobody waits.
 *
 * LH_NO_CONNECTION: the lease is a right to open one, and goes on; LH_NO_POOL; LH_NO_LEASE: it was ended before. Thread-safe.
 */
lh_status lh_lease_release(lh_pool pool,
                           lh_lease lease,
                           uint64_t keep_ms);

/**
 * Ends a lease and has its connection disposed of, with LH_CAUSE_REQUESTED; see lh_dispose_callback. A right to open one is given
 * back: the next request may open a connection in its place. O(1) where nobody waits.
 *
 * LH_NO_POOL; LH_NO_LEASE: it was ended before. Thread-safe.
 */
lh_status lh_lease_close(lh_pool pool,
                         lh_lease lease);

/* ---------- Request ----------
 *
 * A lease for those who must not wait, an event loop say. lh_pool_request answers at once where that is possible. Otherwise it answers
 * LH_PENDING, and a callback gets the lease later. lh_request_cancel takes the request back as long as it waits.
 */

/**
 * A request that waits for a lease. The handle with id 0 is none.
 */
typedef struct lh_request {
    /**
     * For comparing and storing only.
     */
    uint64_t id;
} lh_request;

/**
 * Gets the answer to a request that had to wait, exactly once.
 *
 * `status`, `lease` and `data` are what lh_pool_try_lease would have answered and written: LH_OK, LH_VACANCY, or the error
 * LH_SHUT_DOWN or LH_TIMED_OUT. After an error there is no lease.
 *
 * It is called on the thread whose call served the request, say lh_lease_release, before that call returns. It is called on a thread of
 * the library's own for LH_TIMED_OUT, and where something that was disposed of there has made room. No lock is held. What holds for the
 * disposal callback holds for this one: it may call the pool's functions, but not wait; callbacks never nest; it must return normally.
 */
typedef void (*lh_lease_callback)(void *context,
                                  lh_pool pool,
                                  lh_status status,
                                  lh_lease lease,
                                  void *data);

/**
 * Leases a connection of a route: at once where that is possible, as lh_pool_try_lease, else as soon as one comes free,
 * by a callback.
 *
 * LH_OK, LH_VACANCY: `lease` and `data` were written, `callback` is not called. LH_PENDING: only `request` was written, and
 * `callback` is called once, unless lh_request_cancel succeeds. That may be on another thread, and before this function has returned.
 * A request waits for the options' timeout_ms at most. Hold the route until then.
 *
 * The callback may come on any thread that uses the pool and on the library's own. That of an event loop is to wake the loop. O(1) where
 * something is idle or nobody waits.
 *
 * LH_QUEUE_FULL, LH_SHUT_DOWN, LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT, LH_NO_POOL, LH_NO_ROUTE, LH_TOO_MANY,
 * LH_NO_MEMORY; LH_NO_THREAD: it would have to wait, with a timeout, and there is no thread to tell when that is over. Thread-safe.
 */
lh_status lh_pool_request(lh_pool pool,
                          lh_route route,
                          const lh_lease_options *options,
                          lh_lease_callback callback,
                          void *context,
                          lh_request *request,
                          lh_lease *lease,
                          void **data);

/**
 * Takes a request back. After LH_OK its callback is not called. A connection that it had been granted already goes to the next one.
 *
 * LH_NO_REQUEST: it is too late, as its callback was called or is being called; LH_NO_POOL. Thread-safe.
 */
lh_status lh_request_cancel(lh_pool pool,
                            lh_request request);

/* ---------- Upkeep ----------
 *
 * What a program may do now and then on a timer of its own: a pool that was made with evict_expired and evict_idle_ms closes by itself.
 * And what whoever operates it may do, to hold its users up without failing them.
 */

/**
 * Disposes of every idle connection whose keep-alive time or time to live is over. O(closed · log(connections)).
 *
 * A lease disposes of those of its own route that it comes across. Call this now and then where routes fall out of use.
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_close_expired(lh_pool pool);

/**
 * Disposes of every connection that has been idle for `ms` milliseconds or longer; with 0, of all that are idle.
 * O(closed).
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_close_idle(lh_pool pool,
                             uint64_t ms);

/**
 * Lets nobody have a connection from now on: leases and requests wait until lh_pool_resume, as long as they would for one to come free,
 * and lh_pool_try_lease is LH_EXHAUSTED. So a server can be moved or its certificates changed without a request failing. Does nothing
 * where the pool is suspended already.
 *
 * Leases go on and end as ever, and a right to open a connection that is out may be used. What is idle is watched and disposed of as
 * ever, and so it is by all functions of this header; limits may be changed, and the pool shut down, which all who wait are told. From the
 * return on no call is served that begins then, on whatever thread, and none that waits. One that has begun may be.
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_suspend(lh_pool pool);

/**
 * Ends what lh_pool_suspend began, however often that was called. Those who wait are served in the order of their arrival, as far as the
 * limits allow, before anybody who comes now. Does nothing where the pool is not suspended. O(routes + served).
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_resume(lh_pool pool);

/**
 * Writes 1 where the pool is suspended, else 0; a shutdown leaves that as it is. Takes no lock.
 *
 * LH_NULL_POINTER, LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_is_suspended(lh_pool pool,
                               uint32_t *suspended);

/* ---------- Statistics ----------
 *
 * lh_stats says what there is now, in a pool or of a route. lh_counters says what a pool has closed so far, and why; lh_metrics also what
 * became of the requests, for a pool or a route. lh_pool_histogram says how long things took in a pool. lh_pool_each_entry shows each
 * connection. All may be asked at any time; the first two take no lock.
 */

/**
 * Numbers of connections and requests, of a pool or of a route. They are exact when no call is under way, and plausible otherwise.
 */
typedef struct lh_stats {
    /**
     * Connections leased or being opened.
     */
    uint32_t leased;
    /**
     * Leases and requests that wait.
     */
    uint32_t pending;
    /**
     * Connections idle, expired ones included until they are noticed.
     */
    uint32_t available;
    /**
     * The limit: of a pool the one in total; of a route its own or, where it has none, the default. LH_UNLIMITED reads as 524,288.
     */
    uint32_t max;
} lh_stats;

/**
 * Writes the pool's numbers. `size` is sizeof(lh_stats). Takes no lock.
 *
 * A program whose lh_stats has members that the library does not know finds 0 in them.
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_stats(lh_pool pool,
                        lh_stats *stats,
                        size_t size);

/**
 * Writes the numbers of one route. `size` is sizeof(lh_stats), as for lh_pool_stats. Takes no lock.
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_stats(lh_pool pool,
                         lh_route route,
                         lh_stats *stats,
                         size_t size);

/**
 * How many connections a pool has disposed of since it was made, by reason. What a lease asked for and what the shutdown of the pool
 * brought about is not counted. Numbers only grow.
 */
typedef struct lh_counters {
    /**
     * The peer had closed it, and the watch told.
     */
    uint64_t closed_by_peer;
    /**
     * The peer had closed it, or sent what nobody asked for, and only the probe at the lease found out.
     */
    uint64_t stale;
    /**
     * Its keep-alive time or its time to live was over.
     */
    uint64_t expired;
    /**
     * It was idle for too long.
     */
    uint64_t idle;
    /**
     * It made room for a connection to another route or for another state.
     */
    uint64_t evicted;
    /**
     * A limit was lowered below what was there.
     */
    uint64_t over_limit;
    /**
     * Its route was cleared.
     */
    uint64_t cleared;
} lh_counters;

/**
 * Writes what the pool has disposed of. `size` is sizeof(lh_counters). Takes no lock.
 *
 * A program whose lh_counters has members that the library does not know finds 0 in them.
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_counters(lh_pool pool,
                           lh_counters *counters,
                           size_t size);

/**
 * What has become of the requests and connections of a pool since it was made, or of a route since it was opened. Numbers only grow; they
 * are exact when no call is under way. `hits`, `handed_over` and `openings` together are the requests that were served.
 */
typedef struct lh_metrics {
    /**
     * Requests that were served with a connection that lay idle.
     */
    uint64_t hits;
    /**
     * Requests that were served with a connection that another had just released: they waited for it.
     */
    uint64_t handed_over;
    /**
     * Requests that were served with a vacancy.
     */
    uint64_t openings;
    /**
     * Requests that had to wait, however that ended.
     */
    uint64_t waited;
    /**
     * Of those that waited: whose time was up first.
     */
    uint64_t timed_out;
    /**
     * Of those that waited: that were cancelled first.
     */
    uint64_t cancelled;
    /**
     * Requests that were refused because as many waited as the pool allows, and those that the pool's shutdown found waiting.
     */
    uint64_t refused;
    /**
     * Connections that were opened, those in the place of one that was found dead included.
     */
    uint64_t opened;
    /**
     * Vacancies that were given back without a connection.
     */
    uint64_t unopened;
    /**
     * Releases by which the pool, or a request that waited, got the connection.
     */
    uint64_t kept;
    /**
     * Connections that were closed because their lease asked for it.
     */
    uint64_t closed_by_lease;
    /**
     * Connections that were closed because the pool was shut down.
     */
    uint64_t closed_by_shutdown;
    /**
     * Connections that the pool has closed of its own accord, by reason, and those found stale: as in lh_counters.
     */
    uint64_t closed_by_peer;
    /**
     * As in lh_counters.
     */
    uint64_t stale;
    /**
     * As in lh_counters.
     */
    uint64_t expired;
    /**
     * As in lh_counters.
     */
    uint64_t idle;
    /**
     * As in lh_counters.
     */
    uint64_t evicted;
    /**
     * As in lh_counters.
     */
    uint64_t over_limit;
    /**
     * As in lh_counters.
     */
    uint64_t cleared;
} lh_metrics;

/**
 * Writes what has become of the pool's requests and connections. `size` is sizeof(lh_metrics). O(connections); nobody waits, opens or
 * closes meanwhile, but leases and releases of idle connections go on.
 *
 * A program whose lh_metrics has members that the library does not know finds 0 in them.
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_metrics(lh_pool pool,
                          lh_metrics *metrics,
                          size_t size);

/**
 * Writes the same of a route, as long as the program holds it. `size` is sizeof(lh_metrics). O(connections of the pool).
 *
 * A program whose lh_metrics has members that the library does not know finds 0 in them.
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL; LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_metrics(lh_pool pool,
                           lh_route route,
                           lh_metrics *metrics,
                           size_t size);

/**
 * How many ranges a histogram has.
 */
#define LH_HISTOGRAM_RANGES 240

/**
 * What is measured of a pool.
 */
typedef enum lh_timer {
    /**
     * How long leases and requests waited that wait no more, however that ended: from when they were queued to when they were answered or
     * gave up. That a thread was woken is not in it. To the microsecond; always measured.
     */
    LH_TIMER_WAITING = 0,
    /**
     * How long connections took to be opened: from when a vacancy was granted, or a dead connection found in its place, to
     * lh_lease_opened or lh_lease_opened_socket. A vacancy that came to nothing is not in it. To the microsecond; always measured.
     */
    LH_TIMER_OPENING = 1,
    /**
     * How long connections were leased whose leases have ended, each since it was leased or, if that was later, opened. Measured where
     * lh_pool_measure_held has asked for it, by the system's coarse clock: each is off by a tick of it at most, which is 1 to 10
     * milliseconds, so that a lease that is shorter is told as 0 or a tick long.
     */
    LH_TIMER_HELD = 2,
} lh_timer;

/**
 * How long something took, how often. Times are in microseconds here. A copy, which does not change; numbers of later ones are never less.
 *
 * There are 240 ranges, from the shortest times to the longest: 16 of a microsecond each, then 8 to each power of two, and what took
 * longer than 71 minutes is in the last. lh_histogram_range_end_us says where one ends.
 */
typedef struct lh_histogram {
    /**
     * How many times there are.
     */
    uint64_t count;
    /**
     * How long all were together.
     */
    uint64_t sum_us;
    /**
     * The longest; 0 where there is none.
     */
    uint64_t max_us;
    /**
     * How many are in each range.
     */
    uint64_t ranges[LH_HISTOGRAM_RANGES];
} lh_histogram;

/**
 * Writes how long something took in the pool. `timer` is an lh_timer, `size` is sizeof(lh_histogram). O(connections); nobody waits, opens
 * or closes meanwhile, but leases and releases of idle connections go on.
 *
 * A program whose lh_histogram has members that the library does not know finds 0 in them.
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_INVALID_ARGUMENT: `timer` is no lh_timer; LH_NO_POOL.
 * Thread-safe.
 */
lh_status lh_pool_histogram(lh_pool pool,
                            uint32_t timer,
                            lh_histogram *histogram,
                            size_t size);

/**
 * Has it measured from now on how long connections are leased, for LH_TIMER_HELD, if `wanted` is not 0, or else no more; what was measured
 * stays. Off by default: it costs each lease and release of an idle connection some 30 instructions, and the pool 2 kilobytes for each of
 * its up to 16 idle lists.
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_measure_held(lh_pool pool,
                               uint32_t wanted);

/**
 * Writes how long at most the shortest `quantile` of all times were, in microseconds: with 0.5 the median, with 0.99 what one in a hundred
 * exceeds. At most an eighth more than it was, never less, and never more than the longest. 0 where there is none. What is no number
 * from 0 to 1 means the next that is, NaN 0. `size` is sizeof(lh_histogram). O(ranges).
 *
 * LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`, or it has numbers that the library does not know. Thread-safe.
 */
lh_status lh_histogram_quantile_us(const lh_histogram *histogram,
                                   size_t size,
                                   double quantile,
                                   uint64_t *us);

/**
 * The longest time that is in a range, in microseconds; UINT64_MAX for the last, which has no end, and for what is no range.
 *
 * Thread-safe.
 */
uint64_t lh_histogram_range_end_us(uint32_t range);

/**
 * What a connection is doing.
 */
typedef enum lh_use {
    /**
     * Leased, and not opened yet.
     */
    LH_USE_OPENING = 0,
    /**
     * Leased.
     */
    LH_USE_LEASED = 1,
    /**
     * Idle.
     */
    LH_USE_IDLE = 2,
} lh_use;

/**
 * One connection of a pool as it was when it was looked at.
 */
typedef struct lh_entry {
    /**
     * The size of this struct as the library knows it. A member that lies beyond is not there.
     */
    size_t size;
    /**
     * What it goes to. Valid as a handle as long as the program holds the route.
     */
    lh_route route;
    /**
     * The lease that it is in or, if it is idle, was last in.
     */
    lh_lease lease;
    /**
     * The name of the route, `route_length` bytes, valid during the call only.
     */
    const char *route_name;
    /**
     * How many bytes the name has.
     */
    size_t route_length;
    /**
     * For how many milliseconds it has been idle; 0 if it is not.
     */
    uint64_t idle_ms;
    /**
     * In how many milliseconds it expires, 0 if it has; LH_FOREVER if it does not.
     */
    uint64_t expires_in_ms;
    /**
     * What it is doing.
     */
    lh_use used;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * For how many milliseconds it has been leased or, if that was later, granted as a vacancy or opened; 0 if it is idle.
     */
    uint64_t leased_ms;
    /**
     * What lh_lease_set_tag has said of its lease; NULL if nothing, or if it is idle.
     */
    const void *tag;
} lh_entry;

/**
 * Gets one connection of a pool. Answers 0 to see the next one, anything else to stop.
 *
 * Called with no lock held, on the thread that called lh_pool_each_entry. It may call the pool's functions, but not wait. It must return
 * normally.
 */
typedef int32_t (*lh_entry_callback)(void *context,
                                     const lh_entry *entry);

/**
 * Calls `callback` for every connection of the pool, each once, as it was when this function looked at it. O(connections).
 *
 * LH_NULL_POINTER: `callback` is NULL; LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_each_entry(lh_pool pool,
                             lh_entry_callback callback,
                             void *context);

/**
 * Says in words what the pool looks like to who asks for `route`, say for a log line after LH_TIMED_OUT: its name, whether it is
 * suspended, how many are leased, idle and waiting, of how many, in the pool and of the route, how old the oldest lease is, and its tag,
 * if it has one.
 *
 * Copies the text into `buffer`, up to `capacity` bytes, without a terminating NUL, and writes to `length` how many it has, which may be
 * more. NULL and 0 ask for the length only. The words may change with any version. O(connections), takes no lock.
 *
 * LH_NULL_POINTER: `length`, or `buffer` with a capacity other than 0; LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_pool_describe(lh_pool pool,
                           lh_route route,
                           void *buffer,
                           size_t capacity,
                           size_t *length);

/* ---------- Sockets ----------
 *
 * A pool that knows a connection's socket finds out when the peer closes it. lh_lease_opened_socket tells the socket of a new connection,
 * lh_lease_set_socket that of one that has none yet or is to be probed in another way.
 */

/**
 * Tells the pool the socket of a lease's connection. The pool then finds out when the peer closes it, by the means that its
 * `watching` says. An idle connection is disposed of at once, with LH_CAUSE_PEER_CLOSED, on a thread of the library's own; a leased
 * one when its lease ends. The first socket that is watched starts that thread.
 *
 * `socket` is a file descriptor, which must stay open until the disposal callback has got the connection. `probe` is an
 * lh_probe: LH_PROBE_SILENT for plain connections, LH_PROBE_OPEN for TLS. Say it once for a connection, and again when the
 * probe is to be another one. To put another connection in this one's place, say lh_lease_replace. The pool never reads from, writes to
 * or closes a socket. It may shut one down whose disposal on a thread of the library's own hangs. Two or three system calls.
 *
 * A socket cannot be watched that is not connected yet, or where the system's limits are reached, in descriptors or threads. Its
 * connection is probed, and the watch tried again, when it is leased next.
 *
 * LH_INVALID_ARGUMENT: a negative `socket`, or `probe` is no lh_probe; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE.
 * Thread-safe.
 */
lh_status lh_lease_set_socket(lh_pool pool,
                              lh_lease lease,
                              int32_t socket,
                              uint32_t probe);

/**
 * Writes the socket of a lease's connection, -1 if it was given none.
 *
 * LH_NULL_POINTER, LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_socket(lh_pool pool,
                          lh_lease lease,
                          int32_t *socket);

/**
 * Switches TCP keep-alive on for a socket. That is for peers that vanish without a word, as a crashed machine does, or a firewall that
 * forgot the connection: nothing else tells of those. Four system calls. It needs no pool.
 *
 * When nothing has arrived for `idle_s` seconds the system asks the peer every `interval_s` seconds; after `probes`
 * questions in a row without an answer the connection breaks, which a pool notices as it does a close. Times are 1 to
 * 32,767 seconds, probes 1 to 127.
 *
 * LH_INVALID_ARGUMENT: a time or `probes` is out of range, or `socket` is negative; LH_NO_TCP_SOCKET. Thread-safe.
 */
lh_status lh_socket_set_keep_alive(int32_t socket,
                                   uint32_t idle_s,
                                   uint32_t interval_s,
                                   uint32_t probes);

/* ---------- Logging ----------
 *
 * One callback for the whole process gets the library's messages. Without one there are none.
 */

/**
 * How grave a message is. A callback gets those of its level and all graver ones.
 */
typedef enum lh_log_level {
    /**
     * Nothing.
     */
    LH_LOG_OFF = 0,
    /**
     * A defect of the library.
     */
    LH_LOG_ERROR = 1,
    /**
     * Something that the program should not do.
     */
    LH_LOG_WARN = 2,
    /**
     * Pools made and ended.
     */
    LH_LOG_INFO = 3,
    /**
     * Connections disposed of.
     */
    LH_LOG_DEBUG = 4,
    /**
     * Everything.
     */
    LH_LOG_TRACE = 5,
} lh_log_level;

/**
 * Gets the library's messages: how grave one is (an lh_log_level), and a line of UTF-8 text, valid during the call only.
 *
 * Called on whichever thread the message arises on, on several at once, with no lock held. It may call any function, but not wait. It must
 * return normally. What the library would log because of the callback's own calls is not logged.
 */
typedef void (*lh_log_callback)(void *context,
                                uint32_t level,
                                const char *message);

/**
 * Sets the callback that gets the library's messages up to `level` (an lh_log_level), in place of any before. NULL, or
 * LH_LOG_OFF, means none. The callback before may still be running on another thread when this returns.
 *
 * LH_INVALID_ARGUMENT: `level` is no lh_log_level. Thread-safe.
 */
lh_status lh_log_set(uint32_t level,
                     lh_log_callback callback,
                     void *context);

/* ---------- Clock ----------
 *
 * For tests of programs that use a pool: put one into the pool's options, and time passes for the pool when the test says so. What is
 * leased by lh_pool_lease, and what waits in lh_pool_drain, is timed by the machine's clock all the same.
 */

/**
 * Makes a clock for the `clock` member of lh_pool_options. Destroy it with lh_clock_destroy.
 *
 * LH_NULL_POINTER, LH_TOO_MANY: 1,024 clocks are there. Thread-safe.
 */
lh_status lh_clock_create(lh_clock *clock);

/**
 * Moves a clock on by `ms` milliseconds, for all pools that are on it. Soon after, the library's own thread answers requests
 * that have timed out and, where the pool is to evict, disposes of connections that have expired. Other pools' expired connections go when
 * a lease or lh_pool_close_expired comes across them. lh_pool_lease and lh_pool_drain wait by the machine's clock.
 *
 * LH_NO_CLOCK. Thread-safe.
 */
lh_status lh_clock_advance(lh_clock clock,
                           uint64_t ms);

/**
 * Destroys a clock. For pools that are still on it time stands still from then on.
 *
 * LH_NO_CLOCK. Thread-safe.
 */
lh_status lh_clock_destroy(lh_clock clock);

#ifdef __cplusplus
} // extern "C"
#endif

#endif /* LEASEHOLD_H */
