// The roots of service instances: what is written into a name is read out of it, whatever strangers call themselves;
// and records, which stand once.
#include "report/profile/instance.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/text/records.h"
#include "store/base/safe_text.h"

#define ID "4f0c11e09a0f"

static void root_of(const char *cgroup, const char *exe, const char *comm, char ret_root[GROUP_NAME_BYTES])
{
    struct store_process process = {.pid = 7, .comm = "leader", .exe = exe, .cgroup = cgroup, .container = ""};
    struct store_thread thread = {.process = 1, .tid = 8, .comm = comm};
    group_of_instances.root(&process, &thread, ret_root);
}

static void names_are_read_again(void **state)
{
    (void)state;
    static const struct {
        const char *cgroup, *exe, *comm, *service, *container;
    } cases[] = {
        {"/system.slice/nginx.service", "/usr/sbin/nginx", "worker", "nginx.service", ""},
        {"/system.slice/docker-" ID ID ID ID ID "0000.scope", "/app/server", "x", "server", ID},
        {"/machine.slice/machine-web.scope", "/sbin/init", "init", "web", "web"},
        {"/user.slice/user-0.slice/session-3.scope", "/bin/bash", "bash", "bash", ""},
        {"", "", "kworker/0:1", "leader", ""},
        {"", "/tmp/1 2 3 4 5", "6 7", "1 2 3 4 5", ""},
        {"", "/tmp/\x1b[31m\n\xff", "\n\xc3\x28;", "\\x1b[31m\\x0a\\xff", ""},
        {"", "/tmp/\\x0a", "", "\\x0a", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct instance instance;
        char root[GROUP_NAME_BYTES], clean[GROUP_NAME_BYTES], comm[64], exe[64];
        root_of(cases[i].cgroup, cases[i].exe, cases[i].comm, root);
        safe_text__copy(root, clean, sizeof(clean)); // as a profile keeps it
        safe_text__copy(*cases[i].comm ? cases[i].comm : STORE_MARK_UNKNOWN, comm, sizeof(comm));
        safe_text__copy(cases[i].exe, exe, sizeof(exe));
        assert_int_equal(instance__read(clean, &instance), 0);
        assert_string_equal(instance.service, cases[i].service);
        assert_string_equal(instance.container, cases[i].container);
        assert_string_equal(instance.exe, exe);
        assert_string_equal(instance.thread, comm);
    }
}

static void long_names_are_cut(void **state)
{
    (void)state;
    static struct instance instance;
    static char exe[9000], comm[9000], root[GROUP_NAME_BYTES];
    memset(exe, 'e', sizeof(exe) - 1);
    memset(comm, 'c', sizeof(comm) - 1);
    exe[0] = '/';
    root_of("", exe, comm, root);
    assert_int_equal(instance__read(root, &instance), 0);
    assert_true(strlen(instance.exe) > 3000 && strspn(instance.exe + 1, "e") == strlen(instance.exe) - 1);
    assert_true(strlen(instance.thread) > 500 && strspn(instance.thread, "c") == strlen(instance.thread));
}

static void other_names_are_refused(void **state)
{
    (void)state;
    static const char *const roots[] = {"",         "nginx",      "1 2 3",          "1 2 3 4",    "1 0 0 0 ",
                                        "9 0 0 0x", "-1 0 0 0 x", "0 0 0 5000 abc", "1 1 1 1 abc"};
    static struct instance instance;
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        assert_int_equal(instance__read(roots[i], &instance), -EBADMSG);
}

static void equal_records_are_one(void **state)
{
    (void)state;
    struct records records = {0};
    char text[16];
    uint32_t id;
    assert_int_equal(records__keep(&records, "", 0, &id), 0);
    assert_int_equal(id, 0);
    for (unsigned round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            int length = snprintf(text, sizeof(text), "%u", (unsigned)i);
            assert_int_equal(records__keep(&records, text, (size_t)length, &id), 0);
            assert_int_equal(id, i + 1);
        }
    assert_int_equal(records__keep(&records,
                                   "1\0"
                                   "2",
                                   3, &id),
                     0);
    assert_int_equal(id, 5001);
    size_t length_bytes;
    assert_memory_equal(records__of(&records, 5001, &length_bytes),
                        "1\0"
                        "2",
                        3);
    assert_int_equal(length_bytes, 3);
    records__of(&records, 0, &length_bytes);
    assert_int_equal(length_bytes, 0);
    records__release(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_again),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(equal_records_are_one),
    };
    return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
