/* Sockets: the watch, the probe and TCP keep-alive over real connections; the library's own threads, and their end. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

/* A pool that closes its sockets, watched as `watching` says. */
static void make_watching(fixture *f, lh_watching watching) {
    lh_pool_options options = options_of(f);
    options.dispose = close_socket;
    options.watching = watching;
    make_pool(f, &options);
}

static void open_idle(fixture *f, int ends[2], lh_probe probe) {
    assert_status(LH_OK, lh_lease_release(f->pool, open_tcp(f, ends, probe), LH_FOREVER));
}

static void by_close(int peer) { close(peer); }

static void by_half_close(int peer) { shutdown(peer, SHUT_WR); }

static void by_reset(int peer) {
    const struct linger at_once = {1, 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
}

static void after_a_last_word(int peer) {
    assert_int_equal(write(peer, "HTTP/1.1 408 Request Timeout\r\n\r\n", 32), 32);
    close(peer);
}

static void an_idle_connection_goes_as_soon_as_its_peer_closes(void **state) {
    (void)state;
    void (*const farewells[])(int) = {by_close, by_half_close, by_reset, after_a_last_word};
    for (int i = 0; i < 4; i++) {
        fixture f;
        int ends[2];
        make_watching(&f, i % 2 ? LH_WATCHING_BOTH : LH_WATCHING_WATCH);
        open_idle(&f, ends, LH_PROBE_SILENT);
        farewells[i](ends[1]);
        until_disposals(&f, 1);
        assert_disposed(&f, 0, SOCKET_DATA(ends[0]), LH_CAUSE_PEER_CLOSED);
        assert_false(pthread_equal(f.thread[0], pthread_self()));
        assert_stats(&f, 0, 0, 0);
        assert_true(counters_of(&f).closed_by_peer == 1 && counters_of(&f).stale == 0);
        end_pool(&f);
        if (farewells[i] == by_half_close) close(ends[1]);
    }
}

static void a_connection_that_is_opened_with_its_socket_is_watched_at_once(void **state) {
    (void)state;
    fixture f;
    lh_lease lease;
    void *data;
    int ends[2], descriptor;
    make_watching(&f, LH_WATCHING_WATCH);
    connect_tcp(ends);
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_status(LH_OK, lh_lease_opened_socket(f.pool, lease, SOCKET_DATA(ends[0]), ends[0], LH_PROBE_SILENT));
    assert_status(LH_OK, lh_lease_socket(f.pool, lease, &descriptor));
    assert_int_equal(descriptor, ends[0]);
    assert_status(LH_HAS_CONNECTION, lh_lease_opened_socket(f.pool, lease, &f, ends[1], LH_PROBE_OFF));
    assert_status(LH_OK, lh_lease_socket(f.pool, lease, &descriptor));
    assert_int_equal(descriptor, ends[0]);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    close(ends[1]);
    until_disposals(&f, 1);
    assert_disposed(&f, 0, SOCKET_DATA(ends[0]), LH_CAUSE_PEER_CLOSED);
    end_pool(&f);
}

static void what_is_opened_with_no_socket_that_there_can_be_is_not_opened(void **state) {
    (void)state;
    fixture f;
    lh_lease lease;
    void *data;
    int ends[2];
    make_watching(&f, LH_WATCHING_BOTH);
    connect_tcp(ends);
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_status(LH_INVALID_ARGUMENT, lh_lease_opened_socket(f.pool, lease, &f, -1, LH_PROBE_SILENT));
    assert_status(LH_INVALID_ARGUMENT, lh_lease_opened_socket(f.pool, lease, &f, ends[0], 3));
    assert_status(LH_NO_CONNECTION, lh_lease_data(f.pool, lease, &data));
    /* A shutdown meanwhile: the connection is not the pool's, and the lease has ended. */
    assert_status(LH_OK, lh_pool_shutdown(f.pool, LH_SHUTDOWN_GRACEFUL));
    assert_status(LH_SHUT_DOWN, lh_lease_opened_socket(f.pool, lease, SOCKET_DATA(ends[0]), ends[0], LH_PROBE_SILENT));
    assert_status(LH_NO_LEASE, lh_lease_close(f.pool, lease));
    assert_int_equal(disposals(&f), 0);
    close(ends[0]);
    close(ends[1]);
    end_pool(&f);
}

static void a_leased_connection_goes_when_its_lease_ends(void **state) {
    (void)state;
    fixture f;
    int ends[2], later[2];
    make_watching(&f, LH_WATCHING_BOTH);
    lh_lease lease = open_tcp(&f, ends, LH_PROBE_SILENT);
    open_idle(&f, later, LH_PROBE_SILENT);
    /* Events come in order: with the second one seen, the first one was. */
    close(ends[1]);
    close(later[1]);
    until_disposals(&f, 1);
    assert_disposed(&f, 0, SOCKET_DATA(later[0]), LH_CAUSE_PEER_CLOSED);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(disposals(&f), 2);
    assert_disposed(&f, 1, SOCKET_DATA(ends[0]), LH_CAUSE_PEER_CLOSED);
    assert_true(pthread_equal(f.thread[1], pthread_self()));
    end_pool(&f);
}

static void bytes_on_an_idle_tls_connection_do_not_end_it(void **state) {
    (void)state;
    fixture f;
    int ends[2], later[2];
    make_watching(&f, LH_WATCHING_BOTH);
    lh_lease lease = open_tcp(&f, ends, LH_PROBE_OPEN);
    open_idle(&f, later, LH_PROBE_SILENT);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(write(ends[1], "ticket", 6), 6);
    close(later[1]);
    until_disposals(&f, 1);
    lease_idle(&f, f.route, SOCKET_DATA(ends[0]));
    end_pool(&f);
    assert_int_equal(f.count, 2);
    close(ends[1]);
}

static void only_what_the_pool_is_to_look_at_is_looked_at(void **state) {
    (void)state;
    const struct {
        lh_watching watching;
        lh_probe probe;
        int is_probed;
    } cases[] = {{LH_WATCHING_OFF, LH_PROBE_SILENT, 0}, {LH_WATCHING_PROBE, LH_PROBE_OFF, 0},
        {LH_WATCHING_BOTH, LH_PROBE_OFF, 0}, {LH_WATCHING_PROBE, LH_PROBE_SILENT, 1}};
    for (int i = 0; i < 4; i++) {
        fixture f;
        int ends[2];
        lh_lease lease;
        void *data;
        make_watching(&f, cases[i].watching);
        open_idle(&f, ends, cases[i].probe);
        close(ends[1]);
        /* Nobody else could dispose of it. */
        until_alone();
        lh_status status = lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data);
        assert_status(cases[i].is_probed ? LH_VACANCY : LH_OK, status);
        assert_true(counters_of(&f).stale == (uint64_t)cases[i].is_probed);
        end_pool(&f);
    }
}

static void a_socket_that_is_taken_back_is_watched_no_longer(void **state) {
    (void)state;
    fixture f;
    int ends[2], unlooked[2];
    make_watching(&f, LH_WATCHING_WATCH);
    lh_lease lease = open_tcp(&f, ends, LH_PROBE_SILENT), other = open_tcp(&f, unlooked, LH_PROBE_SILENT);
    assert_status(LH_VACANCY, lh_lease_replace(f.pool, lease));
    assert_disposed(&f, 0, SOCKET_DATA(ends[0]), LH_CAUSE_REQUESTED);
    close(ends[1]);
    connect_tcp(ends);
    assert_status(LH_OK, lh_lease_opened(f.pool, lease, SOCKET_DATA(ends[0])));
    assert_status(LH_OK, lh_lease_set_socket(f.pool, lease, ends[0], LH_PROBE_SILENT));
    assert_status(LH_OK, lh_lease_set_socket(f.pool, other, unlooked[0], LH_PROBE_OFF));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_status(LH_OK, lh_lease_release(f.pool, other, LH_FOREVER));
    close(unlooked[1]);
    close(ends[1]);
    until_disposals(&f, 2);
    assert_disposed(&f, 1, SOCKET_DATA(ends[0]), LH_CAUSE_PEER_CLOSED);
    end_pool(&f);
}

/* Each round closes one connection, by its peer and by its lease at once, and opens another, which gets its descriptor. */
static void a_reused_descriptor_is_not_mistaken_for_the_one_before(void **state) {
    (void)state;
    fixture f;
    int peers[100], reused = 0;
    make_watching(&f, LH_WATCHING_WATCH);
    for (int i = 0; i < 100; i++) {
        int gone[2], kept[2];
        lh_lease lease = open_tcp(&f, gone, LH_PROBE_SILENT);
        close(gone[1]);
        assert_status(LH_OK, lh_lease_close(f.pool, lease));
        connect_tcp(kept);
        reused += kept[0] == gone[0] || kept[1] == gone[0];
        lh_lease next;
        void *data;
        /* Beside those that are idle. */
        char name[16];
        lh_route route;
        snprintf(name, sizeof name, "route %d", i);
        assert_status(LH_OK, lh_route_of_name(f.pool, name, &route));
        assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, route, NULL, &next, &data));
        assert_status(LH_OK, lh_lease_opened(f.pool, next, SOCKET_DATA(kept[0])));
        assert_status(LH_OK, lh_lease_set_socket(f.pool, next, kept[0], LH_PROBE_SILENT));
        assert_status(LH_OK, lh_lease_release(f.pool, next, LH_FOREVER));
        peers[i] = kept[1];
    }
    assert_true(reused > 0);
    int last[2];
    open_idle(&f, last, LH_PROBE_SILENT);
    close(last[1]);
    until_disposals(&f, 101);
    assert_stats(&f, 0, 0, 100);
    assert_true(counters_of(&f).closed_by_peer == 1);
    end_pool(&f);
    for (int i = 0; i < 100; i++) close(peers[i]);
}

/* The sockets of this host whose peer has closed while they have not, to or from a port. */
static int in_close_wait(unsigned port) {
    char line[256];
    int count = 0;
    FILE *table = fopen("/proc/net/tcp", "r");
    assert_non_null(table);
    while (fgets(line, sizeof line, table) != NULL) {
        unsigned local, remote, status;
        if (sscanf(line, "%*d: %*x:%x %*x:%x %x", &local, &remote, &status) == 3)
            count += status == 8 && (local == port || remote == port);
    }
    fclose(table);
    return count;
}

/* Ends a forked child as another program: valgrind would look for leaks in this one, of which the fork has lost threads. */
static void end_child(void) {
    execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
    _exit(1);
}

#define MANY 1000

/* Accepts MANY connections; closes them all when the pipe does. */
static void serve_many(int listener, int until) {
    static int accepted[MANY];
    char byte;
    for (int i = 0; i < MANY; i++) accepted[i] = accept(listener, NULL, NULL);
    if (read(until, &byte, 1) >= 0) {
        for (int i = 0; i < MANY; i++) close(accepted[i]);
    }
    end_child();
}

static void a_thousand_connections_closed_by_the_server_leave_no_close_wait(void **state) {
    (void)state;
    fixture f;
    struct rlimit files;
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    int until[2];
    lh_lease leases[MANY];
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(listener, 128), 0);
    assert_int_equal(pipe(until), 0);
    pid_t server = fork();
    if (server == 0) {
        close(until[1]);
        serve_many(listener, until[0]);
    }
    close(until[0]);
    make_watching(&f, LH_WATCHING_BOTH);
    for (int i = 0; i < MANY; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
        leases[i] = open_lease(&f, f.route, SOCKET_DATA(fd));
        assert_status(LH_OK, lh_lease_set_socket(f.pool, leases[i], fd, LH_PROBE_SILENT));
    }
    for (int i = 0; i < MANY; i++) assert_status(LH_OK, lh_lease_release(f.pool, leases[i], LH_FOREVER));
    close(until[1]);
    until_disposals(&f, MANY);
    assert_true(counters_of(&f).closed_by_peer == MANY);
    assert_int_equal(in_close_wait(ntohs(address.sin_port)), 0);
    end_pool(&f);
    close(listener);
    assert_int_equal(waitpid(server, NULL, 0), server);
}

/* A disposal callback that waits in the middle. */
typedef struct {
    fixture f;
    sem_t is_inside, may_go_on;
    int is_over; /* written by the callback, read when the pool's end has returned */
} slow;

static void dispose_slowly(void *context, void *data, lh_cause cause) {
    slow *s = context;
    sem_post(&s->is_inside);
    sem_wait(&s->may_go_on);
    close_socket(&s->f, data, cause);
    s->is_over = 1;
}

static void make_slow(slow *s, uint32_t dispose_apart) {
    lh_pool_options options = options_of(&s->f);
    options.dispose = dispose_slowly;
    options.dispose_context = s;
    options.dispose_apart = dispose_apart;
    make_pool(&s->f, &options);
    sem_init(&s->is_inside, 0, 0);
    sem_init(&s->may_go_on, 0, 0);
    s->is_over = 0;
}

static void end_slow(slow *s) {
    sem_destroy(&s->is_inside);
    sem_destroy(&s->may_go_on);
    assert_status(LH_OK, lh_clock_destroy(s->f.clock));
}

static void *destroy_slow(void *context) {
    slow *s = context;
    if (lh_pool_destroy(s->f.pool) != LH_OK) return NULL;
    return s->is_over ? s : NULL;
}

static void the_end_of_a_pool_waits_for_callbacks_on_the_librarys_threads(void **state) {
    (void)state;
    for (uint32_t dispose_apart = 0; dispose_apart < 2; dispose_apart++) {
        slow s;
        fixture other;
        pthread_t thread;
        void *is_over;
        lh_stats stats;
        int ends[2];
        make_watching(&other, LH_WATCHING_OFF); /* So that it is not the last one's end that waits. */
        make_slow(&s, dispose_apart);
        open_idle(&s.f, ends, LH_PROBE_SILENT);
        close(ends[1]);
        sem_wait(&s.is_inside);
        assert_int_equal(pthread_create(&thread, NULL, destroy_slow, &s), 0);
        while (lh_pool_stats(s.f.pool, &stats, sizeof stats) == LH_OK) sched_yield();
        for (int i = 0; i < 1000; i++) sched_yield();
        sem_post(&s.may_go_on);
        assert_int_equal(pthread_join(thread, &is_over), 0);
        assert_ptr_equal(is_over, &s);
        end_slow(&s);
        end_pool(&other);
    }
}

static void disposal_apart_keeps_no_lease_waiting(void **state) {
    (void)state;
    slow s;
    int ends[2][2];
    make_slow(&s, 1);
    for (int i = 0; i < 2; i++) assert_status(LH_OK, lh_lease_close(s.f.pool, open_tcp(&s.f, ends[i], LH_PROBE_SILENT)));
    sem_wait(&s.is_inside);
    assert_int_equal(disposals(&s.f), 0);
    assert_stats(&s.f, 0, 0, 0);
    sem_post(&s.may_go_on);
    sem_post(&s.may_go_on);
    until_disposals(&s.f, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(s.f.cause[i], LH_CAUSE_REQUESTED);
        assert_false(pthread_equal(s.f.thread[i], pthread_self()));
        close(ends[i][1]);
    }
    assert_status(LH_OK, lh_pool_destroy(s.f.pool));
    end_slow(&s);
    until_alone();
}

/* As a TLS goodbye that the peer never answers. */
static void dispose_when_answered(void *context, void *data, lh_cause cause) {
    char byte;
    ssize_t count = recv((int)(intptr_t)data, &byte, 1, 0);
    (void)count;
    close_socket(context, data, cause);
}

static void a_disposal_that_hangs_has_its_socket_shut_down(void **state) {
    (void)state;
    fixture f;
    int ends[2];
    lh_pool_options options = options_of(&f);
    options.dispose = dispose_when_answered;
    options.dispose_apart = 1;
    make_pool(&f, &options);
    assert_status(LH_OK, lh_lease_close(f.pool, open_tcp(&f, ends, LH_PROBE_SILENT)));
    until_disposals(&f, 1);
    end_pool(&f);
    until_alone();
    close(ends[1]);
}

/* What the callback was told when it destroyed its pool, -1 before. */
static volatile int told_in_callback;

static void destroy_own_pool(void *context, void *data, lh_cause cause) {
    fixture *f = context;
    told_in_callback = lh_pool_destroy(f->pool);
    close_socket(context, data, cause);
}

static void a_callback_does_not_destroy_its_pool_whatever_thread_it_comes_on(void **state) {
    (void)state;
    for (uint32_t dispose_apart = 0; dispose_apart < 2; dispose_apart++) {
        for (int is_closed_by_peer = 0; is_closed_by_peer < 2; is_closed_by_peer++) {
            fixture f;
            int ends[2];
            lh_pool_options options = options_of(&f);
            options.dispose = destroy_own_pool;
            options.dispose_apart = dispose_apart;
            told_in_callback = -1;
            make_pool(&f, &options);
            open_idle(&f, ends, LH_PROBE_SILENT);
            if (is_closed_by_peer)
                close(ends[1]);
            else
                assert_status(LH_OK, lh_pool_close_idle(f.pool, 0));
            until_disposals(&f, 1);
            assert_status(LH_IN_CALLBACK, told_in_callback);
            assert_stats(&f, 0, 0, 0);
            end_pool(&f);
            until_alone();
            if (!is_closed_by_peer) close(ends[1]);
        }
    }
}

/* How many signals the thread of the callback would get. */
static volatile int unblocked;

static void count_unblocked(void *context, void *data, lh_cause cause) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    unblocked = 0;
    for (int number = 1; number < 32; number++)
        unblocked += number != SIGKILL && number != SIGSTOP && !sigismember(&blocked, number);
    close_socket(context, data, cause);
}

static void no_signal_comes_on_the_librarys_threads_and_the_callers_mask_stays(void **state) {
    (void)state;
    fixture f;
    sigset_t before, after;
    int ends[2];
    lh_pool_options options = options_of(&f);
    options.dispose = count_unblocked;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    unblocked = -1;
    make_pool(&f, &options);
    open_idle(&f, ends, LH_PROBE_SILENT);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (int number = 1; number < 32; number++)
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
    close(ends[1]);
    until_disposals(&f, 1);
    assert_int_equal(unblocked, 0);
    end_pool(&f);
}

static void *do_nothing(void *context) { return context; }

static void take_status(void *context, lh_pool pool, lh_status status, lh_lease lease, void *data) {
    (void)pool, (void)lease, (void)data;
    *(volatile int *)context = status;
}

/* In a child: no thread can be had at first, and later one can. */
static void live_without_threads(void) {
    fixture f, g;
    struct rlimit threads, none;
    pthread_t thread;
    int ends[2];
    volatile int status = -1;
    lh_lease_options brief;
    lh_lease other;
    lh_request request;
    void *data;
    /* Root is exempt from the limit. */
    if (geteuid() == 0) assert_int_equal(setuid(54321), 0);
    assert_int_equal(getrlimit(RLIMIT_NPROC, &threads), 0);
    none = threads;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NPROC, &none), 0);
    assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), EAGAIN);

    lh_pool_options options = options_of(&g);
    options.evict_expired = 1;
    assert_status(LH_NO_THREAD, lh_pool_create(&options, &g.pool));
    options = options_of(&f);
    options.max_total = 1;
    options.dispose = close_socket;
    options.dispose_apart = 1;
    options.watching = LH_WATCHING_WATCH;
    options.clock.id = 0;
    make_pool(&f, &options);
    lh_lease lease = open_tcp(&f, ends, LH_PROBE_SILENT);
    assert_status(LH_OK, lh_lease_options_init(&brief, sizeof brief));
    brief.timeout_ms = 1;
    /* What nobody would answer is refused, what takes no thread is not. */
    assert_status(LH_NO_THREAD, lh_pool_request(f.pool, f.route, &brief, take_status, (void *)&status, &request, &other, &data));
    assert_stats(&f, 1, 0, 0);
    assert_status(LH_PENDING, lh_pool_request(f.pool, f.route, NULL, take_status, (void *)&status, &request, &other, &data));
    assert_status(LH_OK, lh_request_cancel(f.pool, request));
    /* Not watched, but probed, and disposed of here. */
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    close(ends[1]);
    assert_status(LH_VACANCY, lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data));
    assert_int_equal(disposals(&f), 1);
    assert_true(pthread_equal(f.thread[0], pthread_self()));
    connect_tcp(ends);
    assert_status(LH_OK, lh_lease_opened(f.pool, lease, SOCKET_DATA(ends[0])));
    assert_status(LH_OK, lh_lease_set_socket(f.pool, lease, ends[0], LH_PROBE_SILENT));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));

    assert_int_equal(setrlimit(RLIMIT_NPROC, &threads), 0);
    lease = lease_idle(&f, f.route, SOCKET_DATA(ends[0]));
    assert_status(LH_PENDING, lh_pool_request(f.pool, f.route, &brief, take_status, (void *)&status, &request, &other, &data));
    for (begin_to_wait(); status < 0;) wait_on();
    assert_status(LH_TIMED_OUT, status);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    close(ends[1]);
    until_disposals(&f, 2);
    assert_disposed(&f, 1, SOCKET_DATA(ends[0]), LH_CAUSE_PEER_CLOSED);
    assert_false(pthread_equal(f.thread[1], pthread_self()));
    make_pool(&g, &(lh_pool_options){.size = sizeof(lh_pool_options), .evict_expired = 1, .clock = g.clock});
    end_pool(&g);
    end_pool(&f);
    end_child();
}

static void what_takes_a_thread_that_cannot_be_had_is_refused_and_tried_again(void **state) {
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) live_without_threads();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* The library's thread is held here while peers close. */
static void hold_the_librarys_thread(void *context, lh_pool pool, lh_status status, lh_lease lease, void *data) {
    slow *s = context;
    (void)pool, (void)status, (void)lease, (void)data;
    sem_post(&s->is_inside);
    sem_wait(&s->may_go_on);
}

#define BURST 200

/* What was idle in both pools of a burst when the first connection of it was disposed of, -1 before. */
static volatile int idle_at_first_disposal;
static lh_pool of_burst[2];

static void look_what_is_idle(void *context, void *data, lh_cause cause) {
    if (idle_at_first_disposal < 0) {
        lh_stats stats[2];
        for (int i = 0; i < 2; i++) lh_pool_stats(of_burst[i], &stats[i], sizeof stats[i]);
        idle_at_first_disposal = (int)(stats[0].available + stats[1].available);
    }
    close_socket(context, data, cause);
}

static void of_a_burst_nothing_is_leased_once_the_first_is_disposed_of(void **state) {
    (void)state;
    slow s;
    fixture f[2];
    static int peers[2][BURST];
    lh_lease_options brief;
    lh_lease lease;
    lh_request request;
    void *data;
    make_slow(&s, 0);
    assert_status(LH_OK, lh_pool_set_max_total(s.f.pool, 0));
    assert_status(LH_OK, lh_lease_options_init(&brief, sizeof brief));
    brief.timeout_ms = 1;
    idle_at_first_disposal = -1;
    for (int i = 0; i < 2; i++) {
        lh_lease leases[BURST];
        lh_pool_options options = options_of(&f[i]);
        options.dispose = look_what_is_idle;
        options.watching = LH_WATCHING_WATCH;
        make_pool(&f[i], &options);
        of_burst[i] = f[i].pool;
        for (int j = 0; j < BURST; j++) {
            int ends[2];
            leases[j] = open_tcp(&f[i], ends, LH_PROBE_SILENT);
            peers[i][j] = ends[1];
        }
        for (int j = 0; j < BURST; j++) assert_status(LH_OK, lh_lease_release(f[i].pool, leases[j], LH_FOREVER));
    }
    assert_status(LH_PENDING,
        lh_pool_request(s.f.pool, s.f.route, &brief, hold_the_librarys_thread, &s, &request, &lease, &data));
    assert_status(LH_OK, lh_clock_advance(s.f.clock, 1));
    sem_wait(&s.is_inside);
    for (int j = 0; j < BURST; j++) {
        close(peers[0][j]);
        close(peers[1][j]);
    }
    sem_post(&s.may_go_on);
    until_disposals(&f[0], BURST);
    until_disposals(&f[1], BURST);
    assert_int_equal(idle_at_first_disposal, 0);
    end_pool(&f[0]);
    end_pool(&f[1]);
    assert_status(LH_OK, lh_pool_destroy(s.f.pool));
    end_slow(&s);
}

static void no_thread_is_left_after_the_last_pool(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        fixture f, g;
        int ends[2], others[2];
        make_watching(&f, LH_WATCHING_BOTH);
        make_watching(&g, LH_WATCHING_BOTH);
        until_alone();
        open_idle(&f, ends, LH_PROBE_SILENT);
        open_idle(&g, others, LH_PROBE_SILENT);
        end_pool(&f);
        close(others[1]);
        until_disposals(&g, 1);
        end_pool(&g);
        until_alone();
        close(ends[1]);
    }
}

/* In the child, whose copy of the library has no thread and shares its descriptors with the parent. */
static void use_pool_of_child(void) {
    fixture f;
    int ends[2];
    make_watching(&f, LH_WATCHING_BOTH);
    open_idle(&f, ends, LH_PROBE_SILENT);
    close(ends[1]);
    until_disposals(&f, 1);
    end_pool(&f);
    end_child();
}

static void a_child_may_have_pools_of_its_own(void **state) {
    (void)state;
    fixture f;
    int ends[2], later[2], status;
    make_watching(&f, LH_WATCHING_WATCH);
    open_idle(&f, ends, LH_PROBE_SILENT);
    pid_t child = fork();
    if (child == 0) use_pool_of_child();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    lh_lease lease = lease_idle(&f, f.route, SOCKET_DATA(ends[0]));
    open_idle(&f, later, LH_PROBE_SILENT);
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    close(later[1]);
    until_disposals(&f, 1);
    assert_disposed(&f, 0, SOCKET_DATA(later[0]), LH_CAUSE_PEER_CLOSED);
    assert_stats(&f, 0, 0, 1);
    end_pool(&f);
    close(ends[1]);
}

/* In the child, to which the pool does not belong. */
static void end_inherited_pool(fixture *f) {
    assert_status(LH_NO_POOL, lh_pool_destroy(f->pool));
    assert_status(LH_NO_CLOCK, lh_clock_destroy(f->clock));
    end_child();
}

static void a_child_that_ends_an_inherited_pool_takes_nothing_from_its_parent(void **state) {
    (void)state;
    fixture f;
    int ends[2], status;
    make_watching(&f, LH_WATCHING_WATCH);
    open_idle(&f, ends, LH_PROBE_SILENT);
    pid_t child = fork();
    if (child == 0) end_inherited_pool(&f);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    close(ends[1]);
    until_disposals(&f, 1);
    assert_disposed(&f, 0, SOCKET_DATA(ends[0]), LH_CAUSE_PEER_CLOSED);
    end_pool(&f);
}

static void a_socket_that_connects_only_in_its_lease_is_no_dead_one_and_is_watched_later(void **state) {
    (void)state;
    fixture f;
    int ends[2], other[2];
    make_watching(&f, LH_WATCHING_WATCH);
    lh_lease lease = open_lease(&f, f.route, NULL);
    int unconnected = socket(AF_INET, SOCK_STREAM, 0);
    assert_status(LH_OK, lh_lease_set_socket(f.pool, lease, unconnected, LH_PROBE_SILENT));
    /* An event of it would come before this one's. */
    open_idle(&f, other, LH_PROBE_SILENT);
    close(other[1]);
    until_disposals(&f, 1);
    connect_tcp(ends);
    assert_int_equal(dup2(ends[0], unconnected), unconnected);
    close(ends[0]);
    assert_status(LH_OK, lh_lease_set_data(f.pool, lease, SOCKET_DATA(unconnected)));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    lease = lease_idle(&f, f.route, SOCKET_DATA(unconnected));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    close(ends[1]);
    until_disposals(&f, 2);
    assert_disposed(&f, 1, SOCKET_DATA(unconnected), LH_CAUSE_PEER_CLOSED);
    end_pool(&f);
}

static void out_of_descriptors_what_is_not_watched_is_probed_and_watched_when_that_is_over(void **state) {
    (void)state;
    fixture f;
    int ends[2], later[2];
    struct rlimit files, none;
    lh_lease lease;
    void *data;
    make_watching(&f, LH_WATCHING_WATCH);
    connect_tcp(ends);
    connect_tcp(later);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    none = files;
    none.rlim_cur = 1; /* With 0 poll would be refused, too. */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    lease = open_lease(&f, f.route, SOCKET_DATA(ends[0]));
    lh_lease other = open_lease(&f, f.route, SOCKET_DATA(later[0]));
    assert_status(LH_OK, lh_lease_set_socket(f.pool, lease, ends[0], LH_PROBE_SILENT));
    assert_status(LH_OK, lh_lease_set_socket(f.pool, other, later[0], LH_PROBE_SILENT));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    close(ends[1]);
    lh_status status = lh_pool_try_lease(f.pool, f.route, NULL, &lease, &data);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_status(LH_VACANCY, status);
    assert_true(counters_of(&f).stale == 1);
    assert_status(LH_OK, lh_lease_close(f.pool, lease));

    assert_status(LH_OK, lh_lease_release(f.pool, other, LH_FOREVER));
    other = lease_idle(&f, f.route, SOCKET_DATA(later[0]));
    assert_status(LH_OK, lh_lease_release(f.pool, other, LH_FOREVER));
    close(later[1]);
    until_disposals(&f, 2);
    assert_disposed(&f, 1, SOCKET_DATA(later[0]), LH_CAUSE_PEER_CLOSED);
    end_pool(&f);
}

static void a_disposal_of_what_a_peer_closed_keeps_no_other_pool_waiting(void **state) {
    (void)state;
    slow s;
    fixture other;
    int ends[2], others[2];
    make_slow(&s, 0);
    make_watching(&other, LH_WATCHING_BOTH);
    open_idle(&s.f, ends, LH_PROBE_SILENT);
    close(ends[1]);
    sem_wait(&s.is_inside);
    open_idle(&other, others, LH_PROBE_SILENT);
    close(others[1]);
    /* Found out meanwhile, whenever its own disposal comes. */
    for (begin_to_wait(); counters_of(&other).closed_by_peer == 0;) wait_on();
    sem_post(&s.may_go_on);
    until_disposals(&other, 1);
    assert_status(LH_OK, lh_pool_destroy(s.f.pool));
    end_slow(&s);
    end_pool(&other);
}

static pthread_mutex_t lines = PTHREAD_MUTEX_INITIALIZER;
static int lines_of_closes;

static void on_line(void *context, uint32_t level, const char *line) {
    (void)context;
    if (level != LH_LOG_DEBUG || strstr(line, "closed by its peer") == NULL) return;
    pthread_mutex_lock(&lines);
    lines_of_closes++;
    pthread_mutex_unlock(&lines);
}

static void what_a_peer_closes_is_logged(void **state) {
    (void)state;
    fixture f;
    int ends[2];
    lines_of_closes = 0;
    assert_status(LH_OK, lh_log_set(LH_LOG_DEBUG, on_line, NULL));
    make_watching(&f, LH_WATCHING_BOTH);
    open_idle(&f, ends, LH_PROBE_SILENT);
    close(ends[1]);
    until_disposals(&f, 1);
    end_pool(&f);
    assert_status(LH_OK, lh_log_set(LH_LOG_OFF, NULL, NULL));
    assert_int_equal(lines_of_closes, 1);
}

static int option_of(int socket, int level, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(socket, level, option, &value, &size), 0);
    return value;
}

static void keep_alive_is_set_on_a_tcp_socket_and_on_no_other(void **state) {
    (void)state;
    int ends[2], pair[2];
    connect_tcp(ends);
    const uint32_t bad[][3] = {{0, 5, 3}, {30, 0, 3}, {30, 5, 0}, {32768, 5, 3}, {30, UINT32_MAX, 3}, {30, 5, 128}};
    for (int i = 0; i < 6; i++)
        assert_status(LH_INVALID_ARGUMENT, lh_socket_set_keep_alive(ends[0], bad[i][0], bad[i][1], bad[i][2]));
    assert_status(LH_INVALID_ARGUMENT, lh_socket_set_keep_alive(-1, 30, 5, 3));
    assert_int_equal(option_of(ends[0], SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_status(LH_OK, lh_socket_set_keep_alive(ends[0], 30, 5, 3));
    assert_int_equal(option_of(ends[0], SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option_of(ends[0], IPPROTO_TCP, TCP_KEEPIDLE), 30);
    assert_int_equal(option_of(ends[0], IPPROTO_TCP, TCP_KEEPINTVL), 5);
    assert_int_equal(option_of(ends[0], IPPROTO_TCP, TCP_KEEPCNT), 3);
    close(ends[0]);
    close(ends[1]);
    assert_status(LH_NO_TCP_SOCKET, lh_socket_set_keep_alive(ends[0], 30, 5, 3));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_status(LH_NO_TCP_SOCKET, lh_socket_set_keep_alive(pair[0], 30, 5, 3));
    close(pair[0]);
    close(pair[1]);
}

int run_sockets(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_goes_as_soon_as_its_peer_closes),
        cmocka_unit_test(a_connection_that_is_opened_with_its_socket_is_watched_at_once),
        cmocka_unit_test(what_is_opened_with_no_socket_that_there_can_be_is_not_opened),
        cmocka_unit_test(a_leased_connection_goes_when_its_lease_ends),
        cmocka_unit_test(bytes_on_an_idle_tls_connection_do_not_end_it),
        cmocka_unit_test(only_what_the_pool_is_to_look_at_is_looked_at),
        cmocka_unit_test(a_socket_that_is_taken_back_is_watched_no_longer),
        cmocka_unit_test(a_reused_descriptor_is_not_mistaken_for_the_one_before),
        cmocka_unit_test(a_thousand_connections_closed_by_the_server_leave_no_close_wait),
        cmocka_unit_test(the_end_of_a_pool_waits_for_callbacks_on_the_librarys_threads),
        cmocka_unit_test(disposal_apart_keeps_no_lease_waiting),
        cmocka_unit_test(a_disposal_that_hangs_has_its_socket_shut_down),
        cmocka_unit_test(a_callback_does_not_destroy_its_pool_whatever_thread_it_comes_on),
        cmocka_unit_test(no_signal_comes_on_the_librarys_threads_and_the_callers_mask_stays),
        cmocka_unit_test(what_takes_a_thread_that_cannot_be_had_is_refused_and_tried_again),
        cmocka_unit_test(of_a_burst_nothing_is_leased_once_the_first_is_disposed_of),
        cmocka_unit_test(no_thread_is_left_after_the_last_pool),
        cmocka_unit_test(a_child_may_have_pools_of_its_own),
        cmocka_unit_test(a_child_that_ends_an_inherited_pool_takes_nothing_from_its_parent),
        cmocka_unit_test(a_socket_that_connects_only_in_its_lease_is_no_dead_one_and_is_watched_later),
        cmocka_unit_test(out_of_descriptors_what_is_not_watched_is_probed_and_watched_when_that_is_over),
        cmocka_unit_test(a_disposal_of_what_a_peer_closed_keeps_no_other_pool_waiting),
        cmocka_unit_test(what_a_peer_closes_is_logged),
        cmocka_unit_test(keep_alive_is_set_on_a_tcp_socket_and_on_no_other),
    };
    return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
