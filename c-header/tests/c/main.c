/* Runs every group of tests, or with a name the test of that name, or with -NAME all but that one; fails if one failed. */
#include "support.h"

int main(int argc, char **argv) {
    int failed = 0;
    if (argc > 1 && argv[1][0] == '-') {
        cmocka_set_skip_filter(argv[1] + 1);
    } else if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    begin_alone();
    failed += run_basics();
    failed += run_pools();
    failed += run_routes();
    failed += run_leases();
    failed += run_requests();
    failed += run_threads();
    failed += run_sockets();
    failed += run_misuse();
    return failed == 0 ? 0 : 1;
}
