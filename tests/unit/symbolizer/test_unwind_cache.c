// Tables go to disk and come back the same; what was damaged there does not come back; the bound holds.
#include "symbolizer/unwind/unwind_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const uint8_t build_id[20] = {0x2f, 0x89, 0xa1};

struct fixture {
    char directory[64];
    struct unwind_cache *cache;
    struct unwind_table *table;
};

static int make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    strcpy(fixture->directory, "/tmp/hearth-test-XXXXXX");
    if (!mkdtemp(fixture->directory))
        return -1;
    _cleanup_fd_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    *state = fixture;
    return unwind_table__compile(fd, NULL, &fixture->table) ||
           unwind_cache__open(fixture->directory, 0, NULL, &fixture->cache);
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;
    DIR *stream = opendir(fixture->directory);
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
    rmdir(fixture->directory);
    unwind_cache__free(fixture->cache);
    unwind_table__free(fixture->table);
    free(fixture);
    return 0;
}

static void gives_back_what_was_saved(void **state)
{
    struct fixture *fixture = *state;
    struct unwind_table *table;
    assert_int_equal(unwind_cache__load(fixture->cache, build_id, 20, &table), -ENOENT);
    assert_int_equal(unwind_cache__save(fixture->cache, build_id, 20, fixture->table), 0);
    assert_int_equal(unwind_cache__load(fixture->cache, build_id, 20, &table), 0);
    assert_int_equal(table->word_count, fixture->table->word_count);
    assert_int_equal(table->rule_count, fixture->table->rule_count);
    assert_memory_equal(table->words, fixture->table->words, 4 * table->word_count);
    assert_memory_equal(table->rules, fixture->table->rules, 8 * table->rule_count);
    unwind_table__free(table);
    assert_int_equal(unwind_cache__load(fixture->cache, build_id, 8, &table), -ENOENT); // another id
}

static void refuses_damage(void **state)
{
    struct fixture *fixture = *state;
    struct unwind_table *table;
    char path[160];
    snprintf(path, sizeof(path), "%s/2f89a10000000000000000000000000000000000.rows", fixture->directory);
    for (off_t at = 0; at < 400; at += 7) {
        assert_int_equal(unwind_cache__save(fixture->cache, build_id, 20, fixture->table), 0);
        _cleanup_fd_ int fd = open(path, O_RDWR | O_CLOEXEC);
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_equal(unwind_cache__load(fixture->cache, build_id, 20, &table), -EBADMSG);
        assert_int_equal(unwind_cache__load(fixture->cache, build_id, 20, &table), -ENOENT); // it is gone
    }
    assert_int_equal(unwind_cache__save(fixture->cache, build_id, 20, fixture->table), 0);
    assert_int_equal(truncate(path, 1000), 0);
    assert_int_equal(unwind_cache__load(fixture->cache, build_id, 20, &table), -EBADMSG);
}

static void rows_others_may_write_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct unwind_table *table;
    struct unwind_cache *open_to_all;
    struct fault fault = {0};
    char path[160];
    snprintf(path, sizeof(path), "%s/2f89a10000000000000000000000000000000000.rows", fixture->directory);
    assert_int_equal(unwind_cache__save(fixture->cache, build_id, 20, fixture->table), 0);
    assert_int_equal(chmod(path, 0620), 0);
    assert_int_equal(unwind_cache__load(fixture->cache, build_id, 20, &table), -EBADMSG);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(chmod(fixture->directory, 0777), 0);
    assert_int_equal(unwind_cache__open(fixture->directory, 0, &fault, &open_to_all), -EPERM);
    assert_non_null(strstr(fault.text, fixture->directory));
}

static uint64_t bytes_of_files(const char *directory)
{
    uint64_t bytes = 0;
    struct stat status;
    DIR *stream = opendir(directory);
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        if (fstatat(dirfd(stream), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode))
            bytes += (uint64_t)status.st_size;
    closedir(stream);
    return bytes;
}

static void keeps_its_bound(void **state)
{
    struct fixture *fixture = *state;
    struct unwind_cache *small;
    assert_int_equal(unwind_cache__save(fixture->cache, (uint8_t[8]){0}, 8, fixture->table), 0);
    uint64_t file_bytes = bytes_of_files(fixture->directory);
    assert_true(file_bytes > 8 * fixture->table->rule_count);
    assert_int_equal(unwind_cache__open(fixture->directory, 3 * file_bytes, NULL, &small), 0);
    for (uint8_t i = 0; i < 10; i++) {
        uint8_t id[8] = {i};
        assert_int_equal(unwind_cache__save(small, id, 8, fixture->table), 0);
    }
    int there = 0;
    for (uint8_t i = 0; i < 10; i++) {
        uint8_t id[8] = {i};
        struct unwind_table *table;
        if (unwind_cache__load(small, id, 8, &table) == 0) {
            there++;
            unwind_table__free(table);
        }
    }
    assert_int_equal(there, 3);
    unwind_cache__free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_saved, make, destroy),
        cmocka_unit_test_setup_teardown(refuses_damage, make, destroy),
        cmocka_unit_test_setup_teardown(rows_others_may_write_are_refused, make, destroy),
        cmocka_unit_test_setup_teardown(keeps_its_bound, make, destroy),
    };
    return cmocka_run_group_tests_name("unwind_cache", tests, NULL, NULL);
}
