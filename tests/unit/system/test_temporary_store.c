// Temporary stores that a process leaves behind are removed by the next one, and only those.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/system/temporary_store.h"

static char parent[] = "/tmp/hearth_test_XXXXXX";

static int make_parent(void **state)
{
    (void)state;
    return mkdtemp(parent) ? 0 : -1;
}

static int remove_parent(void **state)
{
    (void)state;
    return rmdir(parent);
}

static void make(struct temporary_store *store)
{
    struct fault fault;
    *store = (struct temporary_store){0};
    assert_int_equal(temporary_store__make_in(parent, store, &fault), 0);
    FILE *file = fopen(store->path, "w");
    assert_non_null(file);
    fclose(file);
}

static void let_it_be_old(const struct temporary_store *store)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - 3600}, {.tv_sec = time(NULL) - 3600}};
    assert_int_equal(utimensat(AT_FDCWD, store->folder, times, 0), 0);
}

// Of a process that ends without it.
static void leave_behind(struct temporary_store *store)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        make(store);
        _exit(write(ends[1], store, sizeof(*store)) == sizeof(*store) ? 0 : 1);
    }
    assert_int_equal(read(ends[0], store, sizeof(*store)), sizeof(*store));
    close(ends[0]);
    close(ends[1]);
    store->lock_fd = -1;
    waitpid(child, NULL, 0);
}

static bool is_there(const struct temporary_store *store)
{
    return access(store->path, F_OK) == 0;
}

static void one_that_is_used_stays(void **state)
{
    (void)state;
    struct temporary_store store;
    make(&store);
    let_it_be_old(&store);
    temporary_store__sweep(parent);
    assert_true(is_there(&store));
    temporary_store__remove(&store);
    assert_string_equal(store.folder, "");
}

static void one_that_was_left_behind_goes(void **state)
{
    (void)state;
    struct temporary_store store;
    leave_behind(&store);
    temporary_store__sweep(parent); // it may be one that is being made
    assert_true(is_there(&store));
    let_it_be_old(&store);
    temporary_store__sweep(parent);
    assert_int_equal(access(store.folder, F_OK), -1);
}

static void one_that_was_kept_stays(void **state)
{
    (void)state;
    struct temporary_store store, kept;
    make(&store);
    kept = store;
    temporary_store__keep(&store);
    let_it_be_old(&kept);
    temporary_store__sweep(parent);
    assert_true(is_there(&kept));
    kept.lock_fd = -1;
    temporary_store__remove(&kept);
}

static void making_one_sweeps(void **state)
{
    (void)state;
    struct temporary_store left, store;
    leave_behind(&left);
    let_it_be_old(&left);
    make(&store);
    assert_int_equal(access(left.folder, F_OK), -1);
    temporary_store__remove(&store);
}

static void a_folder_of_another_kind_stays(void **state)
{
    (void)state;
    struct temporary_store store;
    leave_behind(&store);
    let_it_be_old(&store);
    chmod(store.folder, 0755);
    temporary_store__sweep(parent);
    assert_true(is_there(&store));
    temporary_store__remove(&store);
}

static void a_folder_with_other_files_loses_the_store_alone(void **state)
{
    (void)state;
    struct temporary_store store;
    char path[PATH_MAX + 16];
    leave_behind(&store);
    snprintf(path, sizeof(path), "%s/other", store.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    let_it_be_old(&store);
    temporary_store__sweep(parent);
    assert_int_equal(access(path, F_OK), 0);
    assert_false(is_there(&store));
    unlink(path);
    rmdir(store.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_used_stays),
        cmocka_unit_test(one_that_was_left_behind_goes),
        cmocka_unit_test(one_that_was_kept_stays),
        cmocka_unit_test(making_one_sweeps),
        cmocka_unit_test(a_folder_of_another_kind_stays),
        cmocka_unit_test(a_folder_with_other_files_loses_the_store_alone),
    };
    return cmocka_run_group_tests(tests, make_parent, remove_parent);
}
