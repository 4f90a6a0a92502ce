// The table of processes as perf's records fill it: exec replaces mappings but the old ones are found until the drain
// is over; a PID that comes back is another process; children begin with their parent's mappings.
#include "collector/who/processes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/who/procfs.h"
#include "store/base/limits.h"

enum { PARENT = 0x7ffffff0, CHILD = 0x7ffffff1 }; // above pid_max: /proc has nothing to say about them

static const uint64_t second_ns = 1000000000u;

struct table {
    struct binaries *binaries;
    struct processes *processes;
};

static int set_up(void **state)
{
    static struct table table;
    assert_int_equal(binaries__new(&table.binaries), 0);
    assert_int_equal(processes__new(table.binaries, &table.processes), 0);
    *state = &table;
    return 0;
}

static int tear_down(void **state)
{
    struct table *table = *state;
    processes__free(table->processes);
    binaries__free(table->binaries);
    return 0;
}

static void map(struct table *table, uint32_t tgid, uint64_t start, const char *path, uint8_t build_id)
{
    struct file_identity contents = {.build_id = {build_id}, .build_id_bytes = 20, .digest = 1};
    struct binary_identity identity = {.path = path, .contents = &contents};
    processes__on_mmap(table->processes, tgid, start, 0x1000, 0, &identity);
}

static const char *path_at(struct table *table, struct process *process, uint64_t address)
{
    const struct mapping *mapping = process__find(table->processes, process, address);
    return mapping ? mapping->binary->path : "nothing";
}

static void exec_keeps_the_old_mappings_until_the_drain(void **state)
{
    struct table *table = *state;
    processes__on_fork(table->processes, PARENT, 1, second_ns);
    processes__on_comm(table->processes, PARENT, true, "old", true);
    map(table, PARENT, 0x1000, "/bin/old", 1);
    processes__on_comm(table->processes, PARENT, true, "new", true);
    map(table, PARENT, 0x5000, "/bin/new", 2);
    struct process *process = processes__get(table->processes, PARENT, second_ns);
    assert_string_equal(process->comm, "new");
    assert_string_equal(process->exe, "/bin/new");
    assert_string_equal(path_at(table, process, 0x1800), "/bin/old");
    assert_string_equal(path_at(table, process, 0x5800), "/bin/new");
    processes__forget_exited(table->processes);
    assert_string_equal(path_at(table, process, 0x1800), "nothing");
    assert_string_equal(path_at(table, process, 0x5800), "/bin/new");
}

static void what_was_forked_before_is_known_from_its_exec(void **state)
{
    struct table *table = *state;
    processes__on_comm(table->processes, PARENT, true, "late", true);
    map(table, PARENT, 0x1000, "/bin/late", 1);
    struct process *process = processes__get(table->processes, PARENT, second_ns);
    assert_string_equal(process->exe, "/bin/late");
    assert_string_equal(path_at(table, process, 0x1000), "/bin/late");
}

static void children_inherit(void **state)
{
    struct table *table = *state;
    processes__on_fork(table->processes, PARENT, 1, second_ns);
    processes__on_comm(table->processes, PARENT, true, "shell", true);
    map(table, PARENT, 0x1000, "/bin/shell", 1);
    processes__on_fork(table->processes, CHILD, PARENT, 2 * second_ns);
    struct process *child = processes__get(table->processes, CHILD, 2 * second_ns);
    assert_int_equal(child->parent, PARENT);
    assert_string_equal(child->exe, "/bin/shell");
    assert_string_equal(path_at(table, child, 0x1fff), "/bin/shell");
    assert_string_equal(path_at(table, child, 0x2000), "nothing");
}

static void a_pid_that_comes_back_is_another_process(void **state)
{
    struct table *table = *state;
    processes__on_fork(table->processes, CHILD, 1, second_ns);
    processes__on_comm(table->processes, CHILD, true, "first", true);
    map(table, CHILD, 0x1000, "/bin/first", 1);
    processes__on_exit(table->processes, CHILD);
    processes__on_fork(table->processes, CHILD, 1, 9 * second_ns);
    processes__on_comm(table->processes, CHILD, true, "second", true);
    map(table, CHILD, 0x1000, "/bin/second", 2);
    struct process *first = processes__get(table->processes, CHILD, second_ns);
    struct process *second = processes__get(table->processes, CHILD, 9 * second_ns);
    assert_ptr_not_equal(first, second);
    assert_string_equal(path_at(table, first, 0x1000), "/bin/first");
    assert_string_equal(path_at(table, second, 0x1000), "/bin/second");
    processes__forget_exited(table->processes);
    assert_ptr_equal(processes__get(table->processes, CHILD, 9 * second_ns), second);
}

static void what_already_ran_is_read_from_proc(void **state)
{
    struct table *table = *state;
    struct process *self = processes__get(table->processes, (uint32_t)getpid(), 0);
    assert_non_null(self);
    char exe[4096] = "";
    assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
    assert_string_equal(self->exe, exe);
    assert_int_equal(self->parent, getppid());
    const struct mapping *mapping = process__find(table->processes, self, (uint64_t)(uintptr_t)path_at);
    assert_non_null(mapping);
    assert_string_equal(mapping->binary->path, exe);
    binaries__open(table->binaries, mapping->binary, getpid(), mapping->start, mapping->end);
    assert_true(mapping->binary->fd >= 0);
}

static void after_a_loss_proc_is_asked_once_more(void **state)
{
    struct table *table = *state;
    uint32_t self = (uint32_t)getpid();
    uint64_t start_boot_ns, here = (uint64_t)(uintptr_t)path_at;
    assert_int_equal(procfs__start(self, &start_boot_ns), 0);
    processes__on_fork(table->processes, self, PARENT, start_boot_ns);
    processes__on_comm(table->processes, self, true, "stale", true);
    map(table, self, here & ~0xfffull, "/bin/stale", 1);
    map(table, self, 0x1000, "/bin/stale", 1);
    struct process *process = processes__get(table->processes, self, start_boot_ns);
    assert_string_equal(path_at(table, process, here), "/bin/stale");
    processes__on_lost(table->processes);
    char exe[4096] = "";
    assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
    assert_ptr_equal(processes__get(table->processes, self, start_boot_ns), process);
    assert_string_equal(path_at(table, process, here), exe);
    assert_string_equal(process->exe, exe);
    assert_string_not_equal(process->comm, "stale");
    assert_string_equal(path_at(table, process, 0x1000), "/bin/stale");
    processes__forget_exited(table->processes);
    assert_string_equal(path_at(table, process, 0x1000), "nothing");
    assert_ptr_equal(processes__get(table->processes, self, start_boot_ns), process);
}

static void mappings_without_end_are_read_from_proc(void **state)
{
    struct table *table = *state;
    uint32_t self = (uint32_t)getpid();
    uint64_t start_boot_ns, here = (uint64_t)(uintptr_t)path_at;
    assert_int_equal(procfs__start(self, &start_boot_ns), 0);
    processes__on_fork(table->processes, self, PARENT, start_boot_ns);
    processes__on_comm(table->processes, self, true, "plugins", true);
    for (uint64_t i = 1; i <= LIMIT_MAPPINGS_A_PROCESS; i++)
        map(table, self, i << 13, "/lib/plugin", 1);
    map(table, self, here & ~0xfffull, "/lib/plugin", 1);
    struct process *process = processes__get(table->processes, self, start_boot_ns);
    char exe[4096] = "";
    assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
    assert_string_equal(path_at(table, process, here), exe);
    assert_in_range(process->mappings.count, 1, 1000);
    // Once: at the next sample the table is believed again.
    map(table, self, here & ~0xfffull, "/lib/plugin", 1);
    assert_ptr_equal(processes__get(table->processes, self, start_boot_ns), process);
    assert_string_equal(path_at(table, process, here), "/lib/plugin");
}

static void an_exit_that_was_lost_is_found(void **state)
{
    struct table *table = *state;
    processes__on_fork(table->processes, CHILD, PARENT, second_ns);
    processes__on_comm(table->processes, CHILD, true, "gone", true);
    map(table, CHILD, 0x1000, "/bin/gone", 1);
    processes__on_lost(table->processes);
    processes__forget_exited(table->processes);
    struct process *process = processes__get(table->processes, CHILD, second_ns);
    assert_string_equal(path_at(table, process, 0x1000), "/bin/gone"); // the drain may still speak of it
    processes__forget_exited(table->processes);
    process = processes__get(table->processes, CHILD, second_ns);
    assert_string_equal(path_at(table, process, 0x1000), "nothing");
}

// More than the table remembers, all within one interval.
static void fork_storm(struct table *table)
{
    enum { FORKS = 100000 };
    for (uint32_t i = 0; i < FORKS; i++) {
        processes__on_fork(table->processes, PARENT + 2 + i, PARENT, second_ns);
        processes__on_exit(table->processes, PARENT + 2 + i);
    }
}

static void those_only_heard_of_take_no_room(void **state)
{
    struct table *table = *state;
    processes__on_fork(table->processes, PARENT, 1, second_ns);
    fork_storm(table);
    assert_true(processes__is_crowded(table->processes));
    struct process *process = processes__get(table->processes, CHILD, second_ns);
    assert_non_null(process);
    processes__forget_exited(table->processes);
    assert_false(processes__is_crowded(table->processes));
    assert_ptr_equal(processes__get(table->processes, CHILD, second_ns), process);
}

static void only_the_chosen_are_kept(void **state)
{
    struct table *table = *state;
    assert_int_equal(processes__choose(table->processes, CHILD, true), 0);
    fork_storm(table);
    assert_false(processes__is_crowded(table->processes));
    map(table, CHILD, 0x1000, "/bin/chosen", 1);
    processes__on_fork(table->processes, CHILD + 1, CHILD, second_ns);
    struct process *child = processes__get(table->processes, CHILD + 1, second_ns);
    assert_string_equal(path_at(table, child, 0x1800), "/bin/chosen");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exec_keeps_the_old_mappings_until_the_drain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_forked_before_is_known_from_its_exec, set_up, tear_down),
        cmocka_unit_test_setup_teardown(children_inherit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pid_that_comes_back_is_another_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_loss_proc_is_asked_once_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mappings_without_end_are_read_from_proc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_exit_that_was_lost_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_only_heard_of_take_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_chosen_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_already_ran_is_read_from_proc, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
