/* Runs every group of tests; with the name of a group that one, with the name of a test that one, with -NAME all but the test of that
 * name. Fails if one failed. */
#include "support.h"

static const struct {
    const char *name;
    int (*run)(void);
} groups[] = {
    {"basics", run_basics}, {"pools", run_pools}, {"routes", run_routes}, {"leases", run_leases},
    {"requests", run_requests}, {"threads", run_threads}, {"sockets", run_sockets}, {"misuse", run_misuse},
};
#define GROUPS (sizeof groups / sizeof groups[0])

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    int failed = 0;
    begin_alone();
    for (size_t i = 0; i < GROUPS; i++)
        if (strcmp(name, groups[i].name) == 0) return groups[i].run() == 0 ? 0 : 1;
    if (name[0] == '-') {
        cmocka_set_skip_filter(name + 1);
    } else if (argc > 1) {
        cmocka_set_test_filter(name);
    }
    for (size_t i = 0; i < GROUPS; i++) failed += groups[i].run();
    return failed == 0 ? 0 : 1;
}
