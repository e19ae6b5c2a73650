/* A server that vanishes without a word: no packet of it arrives any more. Run by scripts/vanish.sh, which has such a server. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "support.h"

static struct sockaddr_in server_address(void) {
    struct sockaddr_in address = {0};
    char host[16];
    unsigned port;
    const char *text = getenv("VANISH_SERVER");
    assert_non_null(text);
    assert_int_equal(sscanf(text, "%15[0-9.]:%u", host, &port), 2);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    return address;
}

static void tcp_keep_alive_finds_out_and_the_idle_connection_goes_without_a_lease(void **state) {
    (void)state;
    fixture f;
    struct sockaddr_in address = server_address();
    lh_pool_options options = options_of(&f);
    options.dispose = close_socket;
    options.watching = LH_WATCHING_WATCH;
    make_pool(&f, &options);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_status(LH_OK, lh_socket_set_keep_alive(fd, 1, 1, 2));
    lh_lease lease = open_lease(&f, f.route, SOCKET_DATA(fd));
    assert_status(LH_OK, lh_lease_set_socket(f.pool, lease, fd, LH_PROBE_SILENT));
    assert_status(LH_OK, lh_lease_release(f.pool, lease, LH_FOREVER));
    assert_int_equal(system(getenv("VANISH")), 0);
    until_disposals(&f, 1);
    assert_disposed(&f, 0, SOCKET_DATA(fd), LH_CAUSE_PEER_CLOSED);
    end_pool(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_keep_alive_finds_out_and_the_idle_connection_goes_without_a_lease),
    };
    return cmocka_run_group_tests_name("vanish", tests, NULL, NULL);
}
