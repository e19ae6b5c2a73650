/*
 * Leasehold: an HTTP connection pool. This is its C interface.
 *
 * A pool decides which connection a caller gets, when one may be opened and when one must go. Opening, TLS and HTTP are
 * the program's: to the pool a connection is a pointer, and a socket that it may look at.
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
 *         status = lh_lease_opened(pool, lease, connection);
 *         // From here on the pool notices when the peer closes. Without this nothing is watched.
 *         if (status == LH_OK) status = lh_lease_set_socket(pool, lease, fd, LH_PROBE_SILENT);
 *     }
 *     if (status == LH_OK) {
 *         exchange(connection);                                 // the program's: a request and its whole answer
 *         lh_lease_release(pool, lease, LH_FOREVER);            // or lh_lease_close, if that failed
 *     }
 *     lh_pool_destroy(pool);
 *
 * What holds for every function:
 *
 * - Names are lh_<type>_<verb>. The pool comes first, then the object, then what goes in, then what comes out.
 * - It answers an lh_status, except those that cannot fail. Outputs are written only on success.
 * - Handles are numbers that are looked up. A wrong one (stale, of another pool, made up) is a status, as is an object
 *   that was ended before; nothing happens then.
 * - Pointers are NULL, which is a status where something is needed, or point to what the function's text says, for as
 *   long as the call. What is kept is copied, except the data and context pointers, which are only passed on.
 * - Thread-safe means: any thread may call it at any time, whatever others do with the same objects. Every function is.
 *   A lease is used by one thread at a time all the same, as the connection in it is.
 * - Times are milliseconds, lengths are bytes.
 * - No function prints, and none ends the process, with one exception: where the system has no memory for the library's own
 *   records, which are small, the Rust runtime writes a line to stderr and calls abort. A copy of what the program gives, of any
 *   length, is LH_NO_MEMORY then. A defect inside is LH_PANICKED and a message to the log callback, and a line on stderr, too.
 * - What a callback must not do: throw, longjmp, pthread_exit. It may call any function. What would have to wait is refused there
 *   with LH_IN_CALLBACK, and so is lh_pool_destroy.
 *
 * Who owns a connection: the program, until lh_lease_opened is LH_OK; then the pool, until its disposal callback is given
 * it. That happens exactly once for each, at the latest in lh_pool_destroy. A lease lends it.
 *
 * What a peer closes: tell the pool the connection's socket by lh_lease_set_socket, and it is disposed of at once while it is
 * idle, and never handed out. For that the library has a thread of its own while a pool needs it, on which callbacks may
 * come: lh_dispose_callback and lh_lease_callback say which.
 *
 * A forked child is a process of its own: pools and clocks made there work, whatever its parent's threads were doing at the
 * fork. Those it has inherited are its parent's: LH_NO_POOL, LH_NO_CLOCK. So it is called back for none of their connections,
 * whose copies close when it ends or executes another program. It goes on with the log callback. One that was forked in a
 * callback ends or executes another program before it returns from there.
 */


#ifndef LEASEHOLD_H
#define LEASEHOLD_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header. */
#define LH_VERSION_MAJOR 0
#define LH_VERSION_MINOR 1
#define LH_VERSION_PATCH 0
#define LH_VERSION_TEXT "0.1.0-SNAPSHOT"
/** The same as one number that grows: compare it with lh_version_number(). */
#define LH_VERSION_NUMBER ((LH_VERSION_MAJOR << 16) | (LH_VERSION_MINOR << 8) | LH_VERSION_PATCH)

/**
 * For ever: as a timeout, or as the time to keep a connection.
 */
#define LH_FOREVER UINT64_MAX

/**
 * As the time to keep a connection: until what lh_lease_update_expiry said last, in this lease or an earlier one.
 */
#define LH_KEEP_AS_BEFORE (UINT64_MAX - 1)

/**
 * No limit, as a limit. The most connections that a pool can have are 524,288; larger limits mean that number.
 */
#define LH_UNLIMITED UINT32_MAX

/**
 * What a function answers. Numbers below 100 are successes, all others errors, after which no output was written and,
 * unless the function says otherwise, nothing was changed. A number never changes its meaning.
 */
typedef enum {
    /**
     * Done. Of a lease: it has a connection.
     */
    LH_OK = 0,
    /**
     * Leased, but there is no connection yet: open one and say lh_lease_opened, or lh_lease_close to give the right back.
     */
    LH_VACANCY = 1,
    /**
     * The request waits; its callback will be called.
     */
    LH_PENDING = 2,
    /**
     * The limits leave nothing at the moment, and the call was not to wait.
     */
    LH_EXHAUSTED = 100,
    /**
     * Nothing came free in time.
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
     * The call would have to wait, which a callback must not: what it waits for may be delivered by this very thread.
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
     * The size member of an options struct is too small: use the struct's init function.
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
 * Why the pool gives a connection up.
 */
typedef enum {
    /**
     * Whoever had leased it asked for that: lh_lease_close, lh_lease_replace, or lh_lease_release with 0.
     */
    LH_CAUSE_REQUESTED = 0,
    /**
     * Its keep-alive time or its time to live was over.
     */
    LH_CAUSE_EXPIRED = 1,
    /**
     * It was idle for longer than lh_pool_close_idle allowed.
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
 * What a connection is doing.
 */
typedef enum {
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
 * Which idle connection of a route is handed out first.
 */
typedef enum {
    /**
     * The most recently released: few connections do the work and the others age out. Exactly so as long as no two threads meet
     * at the pool's idle list. From then on each thread takes what it has released last itself, or else what others have, until
     * nobody has met for ten to twenty seconds and a call opens, closes, waits or cleans up.
     */
    LH_POLICY_LIFO = 0,
    /**
     * The least recently released: all connections are used in turn.
     */
    LH_POLICY_FIFO = 1,
} lh_policy;

/**
 * What the socket of an idle connection must be like for the connection to be usable. By which means that is found out,
 * and when, is the pool's lh_watching.
 */
typedef enum {
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
 * How a pool finds out that the peer of an idle connection has closed it, for connections that lh_lease_set_socket gave a
 * socket.
 */
typedef enum {
    /**
     * Not at all: whoever uses the connection finds out.
     */
    LH_WATCHING_OFF = 0,
    /**
     * One look at the socket when the connection is leased: a system call of half a microsecond.
     */
    LH_WATCHING_PROBE = 1,
    /**
     * The system tells the library's thread, which has it disposed of at once; no system call at a lease. A connection may be
     * handed out until that thread has run after its peer's close: mostly a fraction of a millisecond, but as long as other threads
     * keep it from its processor. Of many that close at once each is noted before the first of them is disposed of. One that the
     * system does not watch is probed.
     */
    LH_WATCHING_WATCH = 2,
    /**
     * Both: nothing stays open that its peer has closed, and nothing is handed out whose peer's close has arrived.
     */
    LH_WATCHING_BOTH = 3,
} lh_watching;

/**
 * How to shut a pool down.
 */
typedef enum {
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
 * How grave a message is. A callback gets those of its level and all graver ones.
 */
typedef enum {
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
 * A clock that stands still until it is moved, for tests of programs that use a pool. The handle with id 0 is none.
 */
typedef struct {
    /**
     * For comparing and storing only.
     */
    uint64_t id;
} lh_clock;

/**
 * A pool. The handle with id 0 is none.
 */
typedef struct {
    /**
     * For comparing and storing only.
     */
    uint64_t id;
} lh_pool;

/**
 * A route of a pool: what a connection goes to, such as a scheme, host and port. The handle with id 0 is none.
 */
typedef struct {
    /**
     * For comparing and storing only. Routes of one pool made of equal bytes have equal ids as long as one is held.
     */
    uint64_t id;
} lh_route;

/**
 * What a lease is to be like. Fill it with lh_lease_options_init, then change what you want otherwise.
 */
typedef struct {
    /**
     * The size of this struct as the program knows it. Set by lh_lease_options_init.
     */
    size_t size;
    /**
     * Who the connection may be bound to, `state_length` bytes: the lease gets a connection bound to this state by
     * lh_lease_bind, or one bound to nobody, and no other. NULL, the default: only one bound to nobody.
     */
    const void *state;
    /**
     * How many bytes `state` points to.
     */
    size_t state_length;
    /**
     * How many milliseconds of the pool's clock a request by lh_pool_request may wait; its callback gets LH_TIMED_OUT then.
     * LH_FOREVER by default. Other leases do not look at it.
     */
    uint64_t timeout_ms;
} lh_lease_options;

/**
 * A lease of a pool: the right to use a connection, or to open one. It ends once; the handle is dead then. It may be
 * passed from thread to thread, but is used by one at a time. The handle with id 0 is none.
 */
typedef struct {
    /**
     * For comparing and storing only.
     */
    uint64_t id;
} lh_lease;

/**
 * Gets the library's messages: how grave (an lh_log_level), and one line of UTF-8 text, valid during the call only.
 *
 * Called on whichever thread the message arises on, several at once, with no lock held. It must return normally. What the
 * library would log because of the callback's own calls is not logged.
 */
typedef void (*lh_log_callback)(void *context,
                                uint32_t level,
                                const char *message);

/**
 * Gets a connection that the pool gives up, once for each, whatever the reason: close it and free what belongs to it.
 *
 * `data` is what lh_lease_opened or lh_lease_set_data said last. The pool watches its socket no longer.
 *
 * Called on the thread whose call brought it about, before that call returns; or on a thread of the library's own that does
 * nothing else, for what the watch found closed by its peer, for what evict_expired and evict_idle_ms are about and, with
 * `dispose_apart`, for all. There they come one after the other. A connection that is not disposed of within a second has its
 * socket, if the pool was given it, shut down, which ends what reads or writes on it, and another thread goes on with the
 * others; while 16 disposals hang that nothing ends, others wait. No lock is held in any case, and whoever waits for the
 * connection's place is told before, so a close that hangs delays no lease of another thread. A limit is what the pool counts,
 * and what it disposes of is not counted any more: a server may briefly see one connection more for each that is still closing.
 * Where the system has no thread to give it is called as without `dispose_apart`; for what the library's own thread found that is
 * tried again, and after a second called there. Threads of the library's own block every signal, as does what is started on them,
 * by a fork or otherwise: a fault there ends the process without a handler.
 *
 * A socket that is to linger does so only where the callback closes it on the program's own thread.
 *
 * It may call the pool's functions, with two exceptions: a lease that would have to wait, and lh_pool_destroy, are refused with
 * LH_IN_CALLBACK.
 * Callbacks never nest: what its own calls bring about is delivered after it has returned. It must return normally: no
 * longjmp, no C++ exception, no pthread_exit.
 */
typedef void (*lh_dispose_callback)(void *context,
                                    void *data,
                                    lh_cause cause);

/**
 * What a pool is made with. Fill it with lh_pool_options_init, then change what you want otherwise.
 */
typedef struct {
    /**
     * The size of this struct as the program knows it. Set by lh_pool_options_init.
     */
    size_t size;
    /**
     * Most connections in total: leased, idle and being opened. With 0 every lease waits. LH_UNLIMITED by default.
     */
    uint32_t max_total;
    /**
     * Most connections of one route. With 0 every lease waits. LH_UNLIMITED by default.
     */
    uint32_t max_per_route;
    /**
     * Most leases and requests that may wait at once; one more is refused. LH_UNLIMITED by default.
     */
    uint32_t max_waiters;
    /**
     * An lh_policy. LH_POLICY_LIFO by default.
     */
    uint32_t policy;
    /**
     * Not 0: a newcomer may take a released connection before those who wait. More throughput where leases are very
     * short, no order, and no bound on the waiting time. 0 by default: served in the order of arrival.
     */
    uint32_t barging;
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
     * never: lh_pool_close_idle is there for when it is asked for.
     */
    uint64_t evict_idle_ms;
    /**
     * Not 0: disposes of idle connections whose keep-alive time or time to live is over, within a second. 0 by default: a
     * lease meets those of its own route.
     */
    uint32_t evict_expired;
    /**
     * An lh_watching. LH_WATCHING_BOTH by default.
     */
    uint32_t watching;
    /**
     * Not 0: `dispose` is called on a thread of the library's own also for what calls of the program bring about, for
     * connections whose close may take its time, as a TLS goodbye or a socket that lingers may: no lease waits for it. A
     * connection may then be opened in place of one whose disposal is still to come. 0, the default, and where the system has no
     * thread to give: those calls dispose of it themselves. See lh_dispose_callback.
     */
    uint32_t dispose_apart;
} lh_pool_options;

/**
 * Numbers of connections and requests: exact when nothing is under way.
 */
typedef struct {
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
     * The limit.
     */
    uint32_t max;
} lh_stats;

/**
 * How many connections a pool has disposed of since it was made, by reason, other than because a lease asked for it or the
 * pool was shut down. Numbers only grow. Later versions may add members at the end.
 */
typedef struct {
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
 * One connection of a pool as it was when it was looked at. Later versions may add members at the end.
 */
typedef struct {
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
} lh_entry;

/**
 * Gets one connection of a pool. Answers 0 to see the next one, anything else to stop.
 *
 * Called with no lock held; it may call the pool's functions. It must return normally.
 */
typedef int32_t (*lh_entry_callback)(void *context,
                                     const lh_entry *entry);

/**
 * Gets the answer to a request that had to wait, exactly once.
 *
 * `status`, `lease` and `data` are what lh_pool_try_lease would have answered and written: LH_OK, LH_VACANCY, or the error
 * LH_SHUT_DOWN or LH_TIMED_OUT, in which case there is no lease. Called on the thread whose call served the request, say
 * lh_lease_release, before that call returns, or on a thread of the library's own: always for LH_TIMED_OUT, and where what
 * that thread disposed of made room. No lock is held. What holds for the disposal callback holds for this one: it may call the
 * pool's functions, but not wait; callbacks never nest; it must return normally.
 */
typedef void (*lh_lease_callback)(void *context,
                                  lh_pool pool,
                                  lh_status status,
                                  lh_lease lease,
                                  void *data);

/**
 * A request that waits for a lease. The handle with id 0 is none.
 */
typedef struct {
    /**
     * For comparing and storing only.
     */
    uint64_t id;
} lh_request;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a clock for the `clock` member of lh_pool_options. Destroy it with lh_clock_destroy.
 *
 * LH_NULL_POINTER, LH_TOO_MANY: 1,024 clocks are there. Thread-safe.
 */
lh_status lh_clock_create(lh_clock *clock);

/**
 * Moves a clock on by `ms` milliseconds, for all pools that are on it. The library's own thread then looks soon for requests
 * that have timed out and, where the pool was asked to evict, for connections that have expired; otherwise a lease or
 * lh_pool_close_expired notices these. Leases that wait time out by the machine's clock.
 *
 * LH_NO_CLOCK. Thread-safe.
 */
lh_status lh_clock_advance(lh_clock clock,
                           uint64_t ms);

/**
 * Destroys a clock. It stands still then for pools that are still on it.
 *
 * LH_NO_CLOCK. Thread-safe.
 */
lh_status lh_clock_destroy(lh_clock clock);

/**
 * Reads how long an HTTP/1 connection may be kept after a response: what lh_lease_release wants to know.
 *
 * `minor_version` is the response's: 0 for HTTP/1.0, 1 for HTTP/1.1. `connection` and `keep_alive` are the values of the
 * headers of these names, `connection_length` and `keep_alive_length` bytes long, which need no terminating NUL; NULL
 * and 0 where there is none. Join several of one name by commas.
 *
 * Writes to `keep_ms` milliseconds, 0 for "close it", or LH_FOREVER for "keep it as long as it lasts". `close` in
 * Connection wins; HTTP/1.0 needs `keep-alive` there. Of Keep-Alive `timeout=seconds` is read, and `max=requests`, the
 * requests left: with max=0, as with timeout=0, the connection closes. Of several of one name the smallest counts. What cannot
 * be read is passed over.
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
 * Leases an idle connection of a route or the right to open one, if that is possible now. O(1) for an idle connection.
 *
 * `options` is read during the call only; NULL for the defaults. LH_OK: `lease` has a connection, whose data is written
 * to `data`. LH_VACANCY: there is none yet and `data` is NULL; open one and say lh_lease_opened. Either way end the lease
 * with lh_lease_release or lh_lease_close. A connection with a socket is probed before it is handed out, as the pool's
 * `watching` says; what the probe finds unusable is disposed of, and the next idle one, or the right to open one, takes its
 * place.
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
 * Leases a connection of a route, waiting up to `timeout_ms` milliseconds for one to come free; LH_FOREVER waits for
 * ever. Otherwise as lh_pool_try_lease.
 *
 * Requests are served in the order in which they came, whatever their route. The thread sleeps meanwhile.
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
 * The right to open a connection has been used: the lease has a connection now, whose time to live begins.
 *
 * `data` is the program's own pointer, NULL allowed, that leases of this connection and the disposal callback get.
 *
 * From LH_OK on the connection is the pool's to dispose of: the disposal callback gets it, exactly once. After any error
 * it is still the program's. LH_SHUT_DOWN: the pool was shut down meanwhile; the lease has ended, the connection may be
 * used once and then closed. LH_HAS_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_opened(lh_pool pool,
                          lh_lease lease,
                          void *data);

/**
 * Gives the pool the socket of a lease's connection, so that it is found out when the peer closes it, by the means that
 * the pool's `watching` says: an idle connection is then disposed of at once, with LH_CAUSE_PEER_CLOSED, on a thread of the
 * library's own, a leased one when its lease ends. The first socket that is watched starts that thread.
 *
 * `socket` is a file descriptor, which must stay open until the disposal callback has got the connection; `probe` an
 * lh_probe, LH_PROBE_SILENT for plain connections, LH_PROBE_OPEN for TLS. Say it once for a connection, or again when the
 * probe is to be another; a new connection comes by lh_lease_replace. The pool never reads from, writes to or closes a
 * socket, but it may shut one down whose disposal on a thread of the library's own hangs. Two or three system calls.
 *
 * What cannot be watched now, because it is not connected yet or because the system's limits are reached, in descriptors or
 * threads, is probed in any case, and its watch tried again, when the connection is leased next.
 *
 * LH_INVALID_ARGUMENT: a negative `socket`, or `probe` is no lh_probe; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE.
 * Thread-safe.
 */
lh_status lh_lease_set_socket(lh_pool pool,
                              lh_lease lease,
                              int32_t socket,
                              uint32_t probe);

/**
 * Replaces the data of a lease's connection.
 *
 * From LH_OK on the disposal callback will get the new data, and what was there before is the program's again. After any error the
 * new data is still the program's: after LH_NO_LEASE, when an immediate shutdown was faster, the callback has got what was there before,
 * or is about to.
 *
 * LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_set_data(lh_pool pool,
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
 * Writes the socket of a lease's connection, -1 if it was given none.
 *
 * LH_NULL_POINTER, LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_socket(lh_pool pool,
                          lh_lease lease,
                          int32_t *socket);

/**
 * Binds a lease's connection to a state, `length` bytes, copied during the call: who it is authenticated as, say an NTLM
 * user or a client certificate. From its release on it goes only to leases whose options ask for an equal state. NULL
 * and 0: to nobody again, for any lease.
 *
 * LH_NULL_POINTER, LH_INVALID_ARGUMENT: `length` is more than any object has; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE,
 * LH_NO_MEMORY. Thread-safe.
 */
lh_status lh_lease_bind(lh_pool pool,
                        lh_lease lease,
                        const void *state,
                        size_t length);

/**
 * Notes for how many milliseconds from now on the server keeps a lease's connection; lh_lease_release with
 * LH_KEEP_AS_BEFORE then leaves it so. LH_FOREVER: for as long as it lasts. Never beyond its time to live. O(1).
 *
 * LH_INVALID_ARGUMENT: `keep_ms` is LH_KEEP_AS_BEFORE; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_update_expiry(lh_pool pool,
                                 lh_lease lease,
                                 uint64_t keep_ms);

/**
 * Disposes of a lease's connection, say because it turned out to be dead, with LH_CAUSE_REQUESTED; the lease becomes a
 * vacancy in its place: same place in every limit. Open another connection and say lh_lease_opened.
 *
 * LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
 */
lh_status lh_lease_replace(lh_pool pool,
                           lh_lease lease);

/**
 * Ends a lease and keeps its connection for the next one, for up to `keep_ms` milliseconds from now on: what
 * lh_http1_keep_alive wrote. LH_FOREVER: for as long as it lasts. LH_KEEP_AS_BEFORE: until what lh_lease_update_expiry
 * said. 0: closes it, as lh_lease_close.
 *
 * The connection goes to the request that has waited longest, else it becomes idle. It is disposed of (see
 * lh_dispose_callback) where the pool is shut down or over a limit, its peer has closed it, its route was cleared, its time
 * to live is over, or a request for another route or state needs its place. O(1) where nobody waits.
 *
 * LH_NO_CONNECTION: it is a vacancy, and still yours to use or to close; LH_NO_POOL, LH_NO_LEASE: ended before. Thread-safe.
 */
lh_status lh_lease_release(lh_pool pool,
                           lh_lease lease,
                           uint64_t keep_ms);

/**
 * Ends a lease and closes its connection, which the disposal callback gets; see lh_dispose_callback. A vacancy is given
 * back: the next request may open a connection in its place.
 *
 * LH_NO_POOL, LH_NO_LEASE: ended before. Thread-safe.
 */
lh_status lh_lease_close(lh_pool pool,
                         lh_lease lease);

/**
 * Sets the callback that gets the library's messages up to `level` (an lh_log_level), in place of any before; NULL, or
 * LH_LOG_OFF, for none. A call to the callback before, under way on another thread, may still end after this function.
 *
 * LH_INVALID_ARGUMENT: `level` is no lh_log_level. Thread-safe.
 */
lh_status lh_log_set(uint32_t level,
                     lh_log_callback callback,
                     void *context);

/**
 * Fills a struct of options with the defaults. `size` is sizeof(lh_pool_options).
 *
 * LH_NULL_POINTER, LH_BAD_SIZE: `size` is smaller than any version of the struct. Thread-safe.
 */
lh_status lh_pool_options_init(lh_pool_options *options,
                               size_t size);

/**
 * Fills a struct of options with the defaults. `size` is sizeof(lh_lease_options).
 *
 * LH_NULL_POINTER, LH_BAD_SIZE: `size` is smaller than any version of the struct. Thread-safe.
 */
lh_status lh_lease_options_init(lh_lease_options *options,
                                size_t size);

/**
 * Makes a pool. No connection is opened. Destroy it with lh_pool_destroy.
 *
 * A thread of the library's own, one for all pools, is started by the first of them that needs it: for its first socket
 * that is watched, its first request with a timeout, its first disposal with `dispose_apart`, or at once for evict_expired
 * and evict_idle_ms. It ends with the last of those pools. Where the system has no thread to give, a line at error says so; what
 * takes one is refused then or done as the function in question says, and each call that needs the thread tries again.
 *
 * `options` is what it is made with, read during the call only; NULL for the defaults.
 *
 * LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT: an option means nothing, or is of a later version; LH_NO_CLOCK,
 * LH_NO_THREAD: it is to evict, and there is no thread for that; LH_TOO_MANY: 1,024 pools are there. Thread-safe.
 */
lh_status lh_pool_create(const lh_pool_options *options,
                         lh_pool *pool);

/**
 * Ends a pool: shuts it down immediately (see lh_pool_shutdown) and forgets its handle and those of its routes, leases
 * and requests.
 *
 * When it returns, the disposal callback has had every connection, those still leased with LH_CAUSE_REVOKED, and every
 * request's callback was called with LH_SHUT_DOWN, except by calls under way on other threads of the program. No callback
 * of the pool's comes from a thread of the library's own any more, and with the last pool that needed them those threads
 * have ended: it waits for callbacks under way on them, so hold no lock that one of them takes. A callback of another pool
 * that hangs holds it up for three seconds at most. On a thread that must not wait, an event loop's, shut the pool down, which waits
 * for nothing, and leave this call to another.
 *
 * To end a pool without revoking anything, shut it down gracefully and wait until its lh_stats say that nothing is leased.
 * Calls of other threads may be under way, also waiting ones: they end with LH_SHUT_DOWN, later ones with LH_NO_POOL.
 *
 * LH_NO_POOL; LH_IN_CALLBACK: it was called in a callback, whatever pool that serves. Shut it down there, and destroy it later.
 * Thread-safe.
 */
lh_status lh_pool_destroy(lh_pool pool);

/**
 * Shuts a pool down: leases and requests that wait end with LH_SHUT_DOWN, as do all later ones; idle connections are
 * disposed of.
 *
 * `mode` is an lh_shutdown. Gracefully: leases go on, and their connections are disposed of when they end. Immediately:
 * their connections are disposed of at once, on this thread, with LH_CAUSE_REVOKED, although another thread may be using
 * them; the leases are dead then, and ending one is LH_NO_LEASE. A callback that is to survive that had better call
 * shutdown(2) on the socket and leave closing and freeing to the lease's thread. May be called again. O(entries + waiters).
 *
 * LH_NO_POOL, LH_INVALID_ARGUMENT: `mode` is no lh_shutdown. Thread-safe.
 */
lh_status lh_pool_shutdown(lh_pool pool,
                           uint32_t mode);

/**
 * LH_SHUT_DOWN where the pool was shut down, else LH_OK. Takes no lock.
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_check(lh_pool pool);

/**
 * Changes the limit in total. Raised, it serves who waits at once; lowered, it disposes of idle connections at once,
 * least recently released first, and of leased ones when their leases end.
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_set_max_total(lh_pool pool,
                                uint32_t max);

/**
 * Changes the limit of every route that has none of its own, in the same way. O(routes).
 *
 * LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_set_max_per_route(lh_pool pool,
                                    uint32_t max);

/**
 * Writes the limit of every route that has none of its own. What is beyond 524,288 reads as that.
 *
 * LH_NULL_POINTER, LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_max_per_route(lh_pool pool,
                                uint32_t *max);

/**
 * Disposes of every idle connection whose keep-alive time or time to live is over. O(closed · log n).
 *
 * A lease meets those of its own route by itself; call this now and then where routes fall out of use.
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
 * Writes the pool's numbers. Takes no lock.
 *
 * LH_NULL_POINTER, LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_stats(lh_pool pool,
                        lh_stats *stats);

/**
 * Writes what the pool has disposed of. `size` is sizeof(lh_counters): of a version that has more members than this one
 * the others become 0. Takes no lock.
 *
 * LH_NULL_POINTER, LH_BAD_SIZE: `size` is smaller than any version of the struct; LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_counters(lh_pool pool,
                           lh_counters *counters,
                           size_t size);

/**
 * Calls `callback` for every connection of the pool, each once, as it was when this function looked at it. O(entries).
 *
 * LH_NULL_POINTER: `callback` is NULL; LH_NO_POOL. Thread-safe.
 */
lh_status lh_pool_each_entry(lh_pool pool,
                             lh_entry_callback callback,
                             void *context);

/**
 * Leases a connection of a route: at once where that is possible, as lh_pool_try_lease, else as soon as one comes free,
 * by a callback.
 *
 * LH_OK, LH_VACANCY: `lease` and `data` were written, `callback` is not called. LH_PENDING: only `request` was written, and
 * `callback` is called once, unless lh_request_cancel succeeds, maybe on another thread before this function has returned.
 * A request waits for the options' timeout_ms at most. Hold the route until then. An event loop leases by this without ever waiting;
 * let its callback wake the loop, since it may come on any thread that uses the pool and on the library's own.
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
 * Takes a request back. After LH_OK its callback is not called; what it had been granted unseen goes to the next.
 *
 * LH_NO_REQUEST: too late, its callback was called or is being called; LH_NO_POOL. Thread-safe.
 */
lh_status lh_request_cancel(lh_pool pool,
                            lh_request request);

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
 * The same of any bytes, `length` of them, text or not, none of them special.
 *
 * LH_NULL_POINTER, LH_INVALID_ARGUMENT: `length` is more than any object has; LH_NO_POOL, LH_TOO_MANY, LH_NO_MEMORY.
 * Thread-safe.
 */
lh_status lh_route_of_bytes(lh_pool pool,
                            const void *name,
                            size_t length,
                            lh_route *route);

/**
 * Lets go of a route once. When all who made it have, the handle may be refused at any time; connections and waiting
 * requests of the route are not touched, and the pool forgets it some time after the last of them. O(1).
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
 * Gives a route a limit of its own, instead of the pool's for each route; LH_UNLIMITED is one, too. Works as
 * lh_pool_set_max_total. The pool does not forget a route that has one.
 *
 * LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_set_max(lh_pool pool,
                           lh_route route,
                           uint32_t max);

/**
 * Takes a route's own limit back: the pool's for each route holds again.
 *
 * LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_unset_max(lh_pool pool,
                             lh_route route);

/**
 * Disposes of every idle connection of a route; leased ones are disposed of when their leases end. O(entries).
 *
 * LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_clear(lh_pool pool,
                         lh_route route);

/**
 * Writes the numbers of one route. Takes no lock.
 *
 * LH_NULL_POINTER, LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
 */
lh_status lh_route_stats(lh_pool pool,
                         lh_route route,
                         lh_stats *stats);

/**
 * Switches TCP keep-alive on for a socket, for peers that vanish without a word, a crashed machine or a firewall that
 * forgot the connection: nothing else tells of those. Four system calls; needs no pool.
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

/**
 * What a status means, in English: one line without a full stop. Never NULL, valid for ever, also for a number that is
 * no status. Thread-safe.
 */
const char *lh_status_message(int32_t status);

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

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LEASEHOLD_H */
