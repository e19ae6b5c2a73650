/* Runs every group of tests; fails if one failed. */
#include "support.h"

int main(void) {
    int failed = 0;
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
