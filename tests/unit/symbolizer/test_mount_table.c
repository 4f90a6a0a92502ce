// Which file systems may wait: by the lines of mountinfo, and by the layers of an overlay.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "symbolizer/opening/mount_table.h"

static const char mountinfo[] =
    "26 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
    "27 26 0:40 / /home rw,relatime shared:1 master:2 - nfs4 server:/home rw,vers=4.2\n"
    "28 26 0:41 / /home/local\\040disk rw - btrfs /dev/sdb rw,subvol=/\n"
    "29 26 0:42 / /mnt/host rw - fuse.sshfs host: rw,user_id=0\n"
    "30 26 0:43 / /merged rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/c/d,workdir=/c/w\n"
    "30 26 0:47 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw,fd=48\n"
    "31 26 0:44 / /srv rw - autofs systemd-1 rw,fd=49\n"
    "nonsense\n"
    "32 26 0:45 / /mnt/host rw - tmpfs tmpfs rw\n";

static int set_up(void **state)
{
    struct mount_table *table = calloc(1, sizeof(*table));
    _cleanup_free_ char *text = strdup(mountinfo);
    *state = table;
    return mount_table__parse(text, table);
}

static int tear_down(void **state)
{
    mount_table__release(*state);
    free(*state);
    return 0;
}

static enum mount_nature nature(const struct mount_table *table, uint32_t major, uint32_t minor)
{
    const struct mount *mount = mount_table__find(table, major << 20 | minor);
    return mount ? mount->nature : MOUNT_UNKNOWN;
}

static void a_device_tells_its_file_system(void **state)
{
    assert_int_equal(nature(*state, 254, 0), MOUNT_LOCAL);
    assert_int_equal(nature(*state, 0, 40), MOUNT_MAY_WAIT);
    assert_int_equal(nature(*state, 0, 41), MOUNT_LOCAL);
    assert_int_equal(nature(*state, 0, 42), MOUNT_MAY_WAIT);
    assert_int_equal(nature(*state, 0, 43), MOUNT_OVERLAY);
    assert_int_equal(nature(*state, 0, 44), MOUNT_MAY_WAIT);
    assert_int_equal(nature(*state, 0, 45), MOUNT_LOCAL);
    assert_int_equal(nature(*state, 0, 46), MOUNT_UNKNOWN);
    assert_true(((struct mount_table *)*state)->has_autofs);
}

static void a_mount_is_found_by_its_id(void **state)
{
    assert_string_equal(mount_table__find_id(*state, 28)->point, "/home/local disk");
    assert_null(mount_table__find_id(*state, 1));
}

static uint32_t minor_at(const struct mount_table *table, const char *path)
{
    const struct mount *mount = mount_table__find_path(table, path);
    return mount ? mount->device & 0xfffff : 999;
}

static void a_path_lies_in_the_longest_mount_point(void **state)
{
    assert_int_equal(minor_at(*state, "/usr/bin/env"), 0);
    assert_int_equal(minor_at(*state, "/"), 0);
    assert_int_equal(minor_at(*state, "/home/me/prog"), 40);
    assert_int_equal(minor_at(*state, "/home"), 40);
    assert_int_equal(minor_at(*state, "/homes/prog"), 0);
    assert_int_equal(minor_at(*state, "/home/local disk/prog"), 41);
    assert_int_equal(minor_at(*state, "/mnt/host/prog"), 45); // which covers what was mounted there before
    assert_int_equal(minor_at(*state, "relative"), 999);
}

static void a_magic_number_tells_the_same(void **state)
{
    (void)state;
    assert_int_equal(mount_nature__of_magic(0xef53), MOUNT_LOCAL);
    assert_int_equal(mount_nature__of_magic(0x01021994), MOUNT_LOCAL);
    assert_int_equal(mount_nature__of_magic(0x794c7630), MOUNT_OVERLAY);
    assert_int_equal(mount_nature__of_magic(0x6969), MOUNT_MAY_WAIT);     // NFS_SUPER_MAGIC
    assert_int_equal(mount_nature__of_magic(0x65735546), MOUNT_MAY_WAIT); // FUSE_SUPER_MAGIC
}

static int add_layer(const char *path, void *context)
{
    strcat(strcat(context, path), "|");
    return strcmp(path, "/stop") == 0 ? -EIO : 0;
}

static int layers(const char *options, char ret_layers[256])
{
    _cleanup_free_ char *text = strdup(options);
    ret_layers[0] = '\0';
    return mount_layers__each(text, add_layer, ret_layers);
}

static void an_overlay_has_its_layers(void **state)
{
    char found[256];
    (void)state;
    assert_int_equal(layers("rw,lowerdir=/a:/b,upperdir=/c/d,workdir=/c/w", found), 0);
    assert_string_equal(found, "/a|/b|/c/d|");
    assert_int_equal(layers("rw,lowerdir=/a\\:b:/c\\054d::/data", found), 0); // data-only layers stand behind ::
    assert_string_equal(found, "/a:b|/c,d|/data|");
    assert_int_equal(layers("rw,lowerdir+=/a,lowerdir+=/b,datadir+=/c,redirect_dir=on", found), 0);
    assert_string_equal(found, "/a|/b|/c|");
    assert_int_equal(layers("rw,lowerdir=l/ABC:/b,upperdir=/c", found), -ENOTSUP);
    assert_int_equal(layers("rw,lowerdir=/a:/stop:/b", found), -EIO);
    assert_string_equal(found, "/a|/stop|");
}

// No file of a stranger is below /proc, where systemd has one on most hosts.
static void an_autofs_below_proc_is_none(void **state)
{
    struct mount_table table;
    char text[] = "30 26 0:47 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw,fd=48\n";
    (void)state;
    assert_int_equal(mount_table__parse(text, &table), 0);
    assert_false(table.has_autofs);
    mount_table__release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_device_tells_its_file_system, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mount_is_found_by_its_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_lies_in_the_longest_mount_point, set_up, tear_down),
        cmocka_unit_test(an_autofs_below_proc_is_none),
        cmocka_unit_test(a_magic_number_tells_the_same),
        cmocka_unit_test(an_overlay_has_its_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
