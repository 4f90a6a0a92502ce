#include "store/system/proc_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "store/base/cleanup.h"

struct sought {
    uint64_t start;
    struct proc_mapping found;
    char path[PATH_MAX];
    unsigned calls_after;
};

static int take_at(const struct proc_mapping *mapping, void *context)
{
    struct sought *sought = context;
    sought->calls_after += sought->path[0] != '\0';
    if (mapping->start != sought->start)
        return 0;
    sought->found = *mapping;
    snprintf(sought->path, sizeof(sought->path), "%s", mapping->path);
    return 7;
}

static struct sought find(const void *address)
{
    struct sought sought = {.start = (uint64_t)(uintptr_t)address};
    assert_int_equal(proc_maps__each(getpid(), take_at, &sought), 7);
    assert_int_equal(sought.calls_after, 0); // 7 ended it
    return sought;
}

static void mapping_is_as_it_was_made(void **state)
{
    (void)state;
    char name[] = "/var/tmp/a file  of maps-XXXXXX", deleted[64];
    struct stat status;
    _cleanup_fd_ int fd = mkstemp(name);
    assert_true(fd >= 0 && ftruncate(fd, 5 * 4096) == 0 && fstat(fd, &status) == 0);
    void *code = mmap(NULL, 2 * 4096, PROT_READ, MAP_PRIVATE, fd, 3 * 4096);
    assert_ptr_not_equal(code, MAP_FAILED);
    struct sought sought = find(code);
    assert_string_equal(sought.path, name);
    assert_int_equal(sought.found.end - sought.found.start, 2 * 4096);
    assert_int_equal(sought.found.file_offset, 3 * 4096);
    assert_int_equal(sought.found.inode, status.st_ino);
    assert_false(sought.found.is_executable);

    assert_int_equal(mprotect(code, 2 * 4096, PROT_READ | PROT_EXEC), 0);
    unlink(name);
    sought = find(code);
    snprintf(deleted, sizeof(deleted), "%s (deleted)", name);
    assert_string_equal(sought.path, deleted);
    assert_true(sought.found.is_executable);
    proc_maps__cut_deleted(sought.path);
    assert_string_equal(sought.path, name);
    proc_maps__cut_deleted(sought.path);
    assert_string_equal(sought.path, name);
    munmap(code, 2 * 4096);
}

static void anonymous_memory_has_no_path(void **state)
{
    (void)state;
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void *private = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(mprotect((char *)private + 4096, 4096, PROT_READ | PROT_EXEC), 0); // apart from its neighbours
    assert_string_equal(find(memory).path, "/dev/zero (deleted)");
    assert_string_equal(find((char *)private + 4096).path, "");
    assert_int_equal(find((char *)private + 4096).found.inode, 0);
    munmap(memory, 4096);
    munmap(private, 3 * 4096);
}

static int count_one(const struct proc_mapping *mapping, void *context)
{
    (void)mapping;
    ++*(unsigned *)context;
    return 0;
}

static void process_that_is_gone_has_none(void **state)
{
    (void)state;
    unsigned count = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(proc_maps__each(child, count_one, &count), -ENOENT);
    assert_int_equal(count, 0);
    assert_int_equal(proc_maps__each(getpid(), count_one, &count), 0);
    assert_true(count > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapping_is_as_it_was_made),
        cmocka_unit_test(anonymous_memory_has_no_path),
        cmocka_unit_test(process_that_is_gone_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
