/* Version, messages, log, clocks and the keep-alive helper: what needs no pool. */
#include <stdio.h>

/* Whatever system this is compiled for: no struct has bytes that none of its members has. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "leasehold.h"
#pragma GCC diagnostic pop

#include "support.h"

static void header_and_library_are_of_one_version(void **state) {
    (void)state;
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", LH_VERSION_MAJOR, LH_VERSION_MINOR, LH_VERSION_PATCH);
    /* What is not released yet has a word behind its number. */
    size_t length = strlen(text);
    assert_memory_equal(text, LH_VERSION_TEXT, length);
    assert_true(LH_VERSION_TEXT[length] == 0 || LH_VERSION_TEXT[length] == '-');
    assert_string_equal(lh_version_text(), LH_VERSION_TEXT);
    assert_int_equal(lh_version_number(), LH_VERSION_NUMBER);
}

static void every_status_has_a_message_of_its_own(void **state) {
    (void)state;
    const lh_status all[] = {LH_OK, LH_VACANCY, LH_PENDING, LH_EXHAUSTED, LH_TIMED_OUT, LH_QUEUE_FULL, LH_SHUT_DOWN,
        LH_IN_CALLBACK, LH_NO_POOL, LH_NO_ROUTE, LH_NO_LEASE, LH_NO_REQUEST, LH_NO_CLOCK, LH_NO_CONNECTION,
        LH_HAS_CONNECTION, LH_NO_TCP_SOCKET, LH_NULL_POINTER, LH_INVALID_ARGUMENT, LH_BAD_SIZE, LH_TOO_MANY, LH_PANICKED};
    const size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; i++) {
        const char *message = lh_status_message(all[i]);
        assert_true(strlen(message) > 0);
        assert_string_not_equal(message, lh_status_message(-1));
        for (size_t j = 0; j < i; j++) assert_string_not_equal(message, lh_status_message(all[j]));
    }
    assert_string_equal(lh_status_message(-1), lh_status_message(12345));
}

static uint64_t keep_alive(uint8_t minor, const char *connection, const char *keep_alive_value) {
    uint64_t keep_ms = 42;
    lh_status status = lh_http1_keep_alive(minor, connection, connection ? strlen(connection) : 0, keep_alive_value,
        keep_alive_value ? strlen(keep_alive_value) : 0, &keep_ms);
    assert_status(LH_OK, status);
    return keep_ms;
}

static void keep_alive_follows_the_headers(void **state) {
    (void)state;
    assert_true(keep_alive(1, NULL, NULL) == LH_FOREVER);
    assert_true(keep_alive(0, NULL, NULL) == 0);
    assert_true(keep_alive(0, "Keep-Alive", NULL) == LH_FOREVER);
    assert_true(keep_alive(1, "upgrade, CLOSE", "timeout=5") == 0);
    assert_true(keep_alive(1, NULL, "timeout=5, max=99") == 5000);
    assert_true(keep_alive(1, NULL, "timeout=5, max=0") == 0);
    assert_true(keep_alive(1, NULL, "timeout=5, timeout=0") == 0);
    assert_true(keep_alive(1, NULL, "timeout=0") == 0);
    assert_true(keep_alive(1, NULL, "timeout=18446744073709551615") == LH_FOREVER);
    assert_true(keep_alive(1, "\xff\xfe", "\xff=\xfe,timeout=7") == 7000);
    assert_true(keep_alive(1, "", "") == LH_FOREVER);
}

static void keep_alive_reads_no_further_than_the_length(void **state) {
    (void)state;
    uint64_t keep_ms;
    assert_status(LH_OK, lh_http1_keep_alive(1, "closeX", 5, NULL, 0, &keep_ms));
    assert_true(keep_ms == 0);
    assert_status(LH_NULL_POINTER, lh_http1_keep_alive(1, NULL, 1, NULL, 0, &keep_ms));
    assert_status(LH_NULL_POINTER, lh_http1_keep_alive(1, NULL, 0, NULL, 1, &keep_ms));
    assert_status(LH_NULL_POINTER, lh_http1_keep_alive(1, NULL, 0, NULL, 0, NULL));
    assert_status(LH_INVALID_ARGUMENT, lh_http1_keep_alive(1, "", SIZE_MAX, NULL, 0, &keep_ms));
}

static void a_destroyed_clock_is_a_status(void **state) {
    (void)state;
    lh_clock clock;
    assert_status(LH_NULL_POINTER, lh_clock_create(NULL));
    assert_status(LH_OK, lh_clock_create(&clock));
    assert_status(LH_OK, lh_clock_advance(clock, 1));
    assert_status(LH_OK, lh_clock_advance(clock, UINT64_MAX));
    assert_status(LH_OK, lh_clock_destroy(clock));
    assert_status(LH_NO_CLOCK, lh_clock_destroy(clock));
    assert_status(LH_NO_CLOCK, lh_clock_advance(clock, 1));
}

static void too_many_clocks_are_refused(void **state) {
    (void)state;
    static lh_clock clocks[1024];
    lh_clock one_more = {7};
    for (int i = 0; i < 1024; i++) assert_status(LH_OK, lh_clock_create(&clocks[i]));
    assert_status(LH_TOO_MANY, lh_clock_create(&one_more));
    assert_true(one_more.id == 7);
    for (int i = 0; i < 1024; i++) assert_status(LH_OK, lh_clock_destroy(clocks[i]));
}

static int messages;
static uint32_t gravest;
static char last_message[256];
static lh_pool made_in_callback;

static void on_message(void *context, uint32_t level, const char *message) {
    assert_ptr_equal(context, &messages);
    messages++;
    if (level < gravest) gravest = level;
    snprintf(last_message, sizeof last_message, "%s", message);
    /* What this logs is not logged: no recursion. */
    assert_status(LH_OK, lh_pool_create(NULL, &made_in_callback));
    assert_status(LH_IN_CALLBACK, lh_pool_destroy(made_in_callback));
}

static void the_log_callback_gets_what_its_level_asks_for(void **state) {
    (void)state;
    lh_pool pool;
    messages = 0;
    gravest = LH_LOG_TRACE;
    assert_status(LH_INVALID_ARGUMENT, lh_log_set(6, on_message, &messages));
    assert_status(LH_OK, lh_log_set(LH_LOG_WARN, on_message, &messages));
    assert_status(LH_OK, lh_pool_create(NULL, &pool));
    assert_int_equal(messages, 0);
    assert_status(LH_OK, lh_log_set(LH_LOG_INFO, on_message, &messages));
    assert_status(LH_OK, lh_pool_destroy(pool));
    assert_int_equal(messages, 1);
    assert_int_equal(gravest, LH_LOG_INFO);
    assert_status(LH_OK, lh_log_set(LH_LOG_OFF, NULL, NULL));
    assert_status(LH_OK, lh_pool_destroy(made_in_callback));
    assert_status(LH_OK, lh_log_set(LH_LOG_TRACE, NULL, NULL));
    assert_status(LH_OK, lh_pool_create(NULL, &pool));
    assert_status(LH_OK, lh_pool_destroy(pool));
    assert_int_equal(messages, 1);
}

static void a_panic_inside_is_a_status_and_a_message(void **state) {
    (void)state;
    messages = 0;
    gravest = LH_LOG_TRACE;
    assert_status(LH_OK, lh_log_set(LH_LOG_ERROR, on_message, &messages));
    assert_status(LH_PANICKED, lh_fault_panic());
    assert_status(LH_OK, lh_log_set(LH_LOG_OFF, NULL, NULL));
    assert_status(LH_OK, lh_pool_destroy(made_in_callback));
    assert_int_equal(messages, 1);
    assert_int_equal(gravest, LH_LOG_ERROR);
    assert_non_null(strstr(last_message, "on demand"));
}

int run_basics(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_and_library_are_of_one_version),
        cmocka_unit_test(every_status_has_a_message_of_its_own),
        cmocka_unit_test(keep_alive_follows_the_headers),
        cmocka_unit_test(keep_alive_reads_no_further_than_the_length),
        cmocka_unit_test(a_destroyed_clock_is_a_status),
        cmocka_unit_test(too_many_clocks_are_refused),
        cmocka_unit_test(the_log_callback_gets_what_its_level_asks_for),
        cmocka_unit_test(a_panic_inside_is_a_status_and_a_message),
    };
    return cmocka_run_group_tests_name("basics", tests, NULL, NULL);
}
