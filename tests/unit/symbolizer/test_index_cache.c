// The cache of indexes: what is saved is loaded, damage is noticed and removed, the bound holds, strangers are refused.
#include "symbolizer/index/index_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "symbolizer/index/index_parts.h"
#include "symbolizer/jail/sealed.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/hearth-test.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *stream = opendir(folder);
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        unlinkat(dirfd(stream), entry->d_name, 0);
    if (stream)
        closedir(stream);
    return rmdir(folder);
}

static void make_index(uint8_t id, size_t string_bytes, struct buf *out)
{
    struct index_parts parts = {.build_id = {id}, .build_id_bytes = 20, .complete = true};
    for (size_t i = 0; i < string_bytes; i++)
        buf__append_byte(&parts.strings, 0);
    assert_int_equal(index_parts__write(&parts, out), 0);
    index_parts__release(&parts);
}

static int load(struct index_cache *cache, uint8_t id)
{
    void *bytes;
    size_t length;
    struct index index;
    int err = index_cache__load(cache, &(struct index_cache_key){{id}, 1}, 0, &bytes, &length, &index);
    if (!err)
        munmap(bytes, length);
    return err;
}

static void save(struct index_cache *cache, uint8_t id, size_t string_bytes)
{
    struct buf bytes = {0};
    make_index(id, string_bytes, &bytes);
    assert_int_equal(
        index_cache__save(cache, &(struct index_cache_key){{id}, 1}, 0, bytes.data, bytes.length_bytes, false), 0);
    buf__release(&bytes);
}

static void path_of(uint8_t id, char path[160])
{
    snprintf(path, 160, "%s/%02x%038d-0000000000000001-0.names", folder, id, 0);
}

static void loads_what_was_saved(void **state)
{
    (void)state;
    struct index_cache *cache;
    assert_int_equal(index_cache__open(folder, 0, NULL, &cache), 0);
    assert_int_equal(load(cache, 1), -ENOENT);
    save(cache, 1, 100);
    assert_int_equal(load(cache, 1), 0);
    index_cache__free(cache);
    assert_int_equal(index_cache__open(folder, 0, NULL, &cache), 0); // another run
    assert_int_equal(load(cache, 1), 0);
    index_cache__free(cache);
}

static void files_of_one_build_id_are_apart(void **state)
{
    (void)state;
    struct index_cache *cache;
    struct index index;
    void *bytes;
    size_t length;
    assert_int_equal(index_cache__open(folder, 0, NULL, &cache), 0);
    save(cache, 1, 100);
    assert_int_equal(index_cache__load(cache, &(struct index_cache_key){{1}, 2}, 0, &bytes, &length, &index), -ENOENT);
    assert_int_equal(load(cache, 1), 0);
    index_cache__free(cache);
}

static void damage_is_noticed_and_removed(void **state)
{
    (void)state;
    char path[160];
    struct index_cache *cache;
    assert_int_equal(index_cache__open(folder, 0, NULL, &cache), 0);
    path_of(1, path);
    for (off_t at = 0; at < 280; at += 7) {
        save(cache, 1, 100);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        assert_int_equal(load(cache, 1), -EBADMSG);
        assert_int_equal(access(path, F_OK), -1);
    }
    save(cache, 1, 100);
    assert_int_equal(truncate(path, 200), 0);
    assert_int_equal(load(cache, 1), -EBADMSG);
    // Of another binary, under this one's name.
    struct buf bytes = {0};
    make_index(2, 100, &bytes);
    assert_int_equal(
        index_cache__save(cache, &(struct index_cache_key){{1}, 1}, 0, bytes.data, bytes.length_bytes, false), 0);
    assert_int_equal(load(cache, 1), -EBADMSG);
    buf__release(&bytes);
    index_cache__free(cache);
}

static void the_oldest_are_removed(void **state)
{
    (void)state;
    struct index_cache *cache;
    assert_int_equal(index_cache__open(folder, 10000, NULL, &cache), 0);
    for (uint8_t id = 1; id <= 4; id++) {
        char path[160];
        save(cache, id, 2000);
        path_of(id, path);
        struct timespec times[2] = {{.tv_sec = id}, {.tv_sec = id}};
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    assert_int_equal(load(cache, 1), 0); // used now
    save(cache, 5, 2000);
    assert_int_equal(load(cache, 1), 0);
    assert_int_equal(load(cache, 2), -ENOENT);
    assert_int_equal(load(cache, 4), 0);
    assert_int_equal(load(cache, 5), 0);
    struct buf bytes = {0};
    make_index(9, 20000, &bytes);
    assert_int_equal(
        index_cache__save(cache, &(struct index_cache_key){{9}, 1}, 0, bytes.data, bytes.length_bytes, false), -EFBIG);
    buf__release(&bytes);
    index_cache__free(cache);
}

static void a_folder_others_may_write_is_refused(void **state)
{
    (void)state;
    struct index_cache *cache;
    struct fault fault = {0};
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(index_cache__open(folder, 0, &fault, &cache), -EPERM);
    assert_non_null(strstr(fault.text, folder));
    assert_int_equal(chmod(folder, 0700), 0);
}

static size_t status_kib(const char *name)
{
    char line[256];
    size_t kib = 0;
    FILE *stream = fopen("/proc/self/status", "re");
    assert_non_null(stream);
    while (fgets(line, sizeof(line), stream))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoul(line + strlen(name), NULL, 10);
    fclose(stream);
    assert_true(kib > 0);
    return kib;
}

static bool forget_peak(void) // VmHWM begins anew
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, "5", 1) == 1;
    if (fd >= 0)
        close(fd);
    return done;
}

#define LARGE_ROWS 2000000u // 32 MB and the pages

static void *map_large_index(size_t *ret_length)
{
    struct index_parts parts = {.build_id = {7}, .build_id_bytes = 20, .complete = true};
    struct buf bytes = {0};
    int fd;
    void *mapped;
    buf__append(&parts.strings, "\0a.c", 5);
    for (uint32_t i = 0; i < LARGE_ROWS; i++) {
        struct index_line line = {.start = 4 * i, .file = 1, .line = i};
        buf__append(&parts.lines, &line, sizeof(line));
    }
    assert_int_equal(index_parts__write(&parts, &bytes), 0);
    index_parts__release(&parts);
    assert_int_equal(sealed__make("large", bytes.data, bytes.length_bytes, &fd), 0);
    buf__release(&bytes);
    assert_int_equal(sealed__map(fd, SIZE_MAX / 2, &mapped, ret_length), 0);
    close(fd);
    return mapped;
}

// The parent checks an index of a worker, and one from the disk, from end to end.
static void a_large_index_is_never_held_whole(void **state)
{
    (void)state;
    struct index_cache *cache;
    struct fault fault = {0};
    struct index index;
    size_t length;
    void *bytes = map_large_index(&length);
    assert_true(length > LARGE_ROWS * sizeof(struct index_row));
    assert_int_equal(index_cache__open(folder, 0, &fault, &cache), 0);
    if (!forget_peak())
        skip();
    size_t before_kib = status_kib("VmRSS:");
    assert_int_equal(index__check(bytes, length, INDEX_MAPPED, &index), 0);
    assert_int_equal(index_cache__save(cache, &(struct index_cache_key){{7}, 1}, 0, bytes, length, true), 0);
    munmap(bytes, length);
    assert_int_equal(index_cache__load(cache, &(struct index_cache_key){{7}, 1}, 0, &bytes, &length, &index), 0);
    assert_in_range(status_kib("VmHWM:"), 0, before_kib + 8 * 1024);
    munmap(bytes, length);
    index_cache__free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loads_what_was_saved, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(files_of_one_build_id_are_apart, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damage_is_noticed_and_removed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_oldest_are_removed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_large_index_is_never_held_whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_others_may_write_is_refused, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("index_cache", tests, NULL, NULL);
}
