#include "symbolizer/opening/mount_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

// statfs(2)'s numbers; linux/magic.h lacks some.
static const struct {
    const char *type;
    uint32_t magic;
} locals[] = {
    {"ext4", 0xef53},       {"ext3", 0xef53},         {"ext2", 0xef53},         {"xfs", 0x58465342},
    {"btrfs", 0x9123683e},  {"tmpfs", 0x01021994},    {"devtmpfs", 0x01021994}, {"ramfs", 0x858458f6},
    {"rootfs", 0x858458f6}, {"f2fs", 0xf2f52010},     {"erofs", 0xe0f5e1e2},    {"squashfs", 0x73717368},
    {"zfs", 0x2fc12fc1},    {"bcachefs", 0xca451a4e}, {"jfs", 0x3153464a},      {"reiserfs", 0x52654973},
    {"nilfs2", 0x3434},     {"vfat", 0x4d44},         {"exfat", 0x2011bab0},    {"ntfs3", 0x7366746e},
    {"iso9660", 0x9660},    {"udf", 0x15013346},      {"ubifs", 0x24051905},    {"jffs2", 0x72b6},
    {"cramfs", 0x28cd3d45}, {"romfs", 0x7275},        {"minix", 0x137f},        {"hugetlbfs", 0x958458f6},
};
#define LOCALS        (sizeof(locals) / sizeof(locals[0]))
#define OVERLAY_MAGIC 0x794c7630

enum mount_nature mount_nature__of_magic(uint32_t magic)
{
    for (size_t i = 0; i < LOCALS; i++)
        if (locals[i].magic == magic)
            return MOUNT_LOCAL;
    return magic == OVERLAY_MAGIC ? MOUNT_OVERLAY : MOUNT_MAY_WAIT;
}

static enum mount_nature nature_of_type(const char *type)
{
    for (size_t i = 0; i < LOCALS; i++)
        if (strcmp(locals[i].type, type) == 0)
            return MOUNT_LOCAL;
    return strcmp(type, "overlay") == 0 ? MOUNT_OVERLAY : MOUNT_MAY_WAIT;
}

// The kernel writes blanks, commas and backslashes in mountinfo as \ooo. Who mounts an overlay also writes \: and \, in
// a layer's path, where : and , end it.
static void unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at; to++) {
        unsigned code;
        int used = 0;
        if (*at != '\\' || !at[1])
            *to = *at++;
        else if (sscanf(at + 1, "%3o%n", &code, &used) == 1 && used == 3) {
            *to = (char)code;
            at += 4;
        } else {
            *to = at[1];
            at += 2;
        }
    }
    *to = '\0';
}

static int add_line(char *line, struct mount_table *table)
{
    uint64_t id;
    unsigned major, minor;
    int point_at = 0, point_end = 0;
    char type[32];
    char *behind = strstr(line, " - ");
    if (sscanf(line, "%" SCNu64 " %*d %u:%u %*s %n%*s%n", &id, &major, &minor, &point_at, &point_end) < 3 ||
        !point_end || !behind || sscanf(behind, " - %31s", type) != 1)
        return 0;
    line[point_end] = '\0';
    unescape(line + point_at);
    // systemd mounts an autofs on /proc/sys/fs/binfmt_misc, where no file of a stranger is.
    table->has_autofs |= strcmp(type, "autofs") == 0 && strncmp(line + point_at, "/proc/", 6) != 0;
    struct mount mount = {.id = id, .device = major << 20 | minor, .nature = nature_of_type(type)};
    mount.point = strdup(line + point_at);
    if (mount.point)
        buf__append(&table->mounts, &mount, sizeof(mount));
    if (!mount.point || table->mounts.failed) {
        free(mount.point);
        return -ENOMEM;
    }
    return 0;
}

int mount_table__parse(char *text, struct mount_table *ret_table)
{
    _cleanup_(mount_table__release) struct mount_table table = {0};
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        int err = add_line(line, &table);
        if (err)
            return err;
    }
    *ret_table = table;
    table = (struct mount_table){0};
    return 0;
}

static struct mount *mounts_of(const struct mount_table *table, size_t *ret_count)
{
    *ret_count = table->mounts.length_bytes / sizeof(struct mount);
    return (struct mount *)table->mounts.data;
}

void mount_table__release(struct mount_table *table)
{
    size_t count;
    struct mount *mounts = mounts_of(table, &count);
    for (size_t i = 0; i < count; i++)
        free(mounts[i].point);
    buf__release(&table->mounts);
    *table = (struct mount_table){0};
}

struct mount *mount_table__find(const struct mount_table *table, uint32_t device)
{
    size_t count;
    struct mount *mounts = mounts_of(table, &count);
    for (size_t i = 0; i < count; i++)
        if (mounts[i].device == device)
            return &mounts[i];
    return NULL;
}

struct mount *mount_table__find_id(const struct mount_table *table, uint64_t id)
{
    size_t count;
    struct mount *mounts = mounts_of(table, &count);
    for (size_t i = 0; i < count; i++)
        if (mounts[i].id == id)
            return &mounts[i];
    return NULL;
}

const struct mount *mount_table__find_path(const struct mount_table *table, const char *path)
{
    const struct mount *found = NULL;
    size_t longest = 0, count;
    const struct mount *mounts = mounts_of(table, &count);
    for (size_t i = 0; i < count; i++) {
        const char *point = mounts[i].point;
        size_t length = strcmp(point, "/") == 0 ? 0 : strlen(point);
        if (length < longest || strncmp(path, point, length) != 0 || (path[length] != '/' && path[length] != '\0'))
            continue;
        found = &mounts[i]; // of two at one place, the later covers the earlier
        longest = length;
    }
    return found;
}

// "/a:/b\:c::/data"
static int each_of(char *paths, mount_layer_fn *take, void *context)
{
    int err = 0;
    for (char *at = paths, *end; at && !err; at = end) {
        for (end = at; *end && *end != ':'; end++)
            end += *end == '\\' && end[1];
        end = *end ? (*end = '\0', end + 1) : NULL;
        unescape(at);
        if (*at && *at != '/')
            return -ENOTSUP;
        err = *at ? take(at, context) : 0;
    }
    return err;
}

int mount_layers__each(char *options, mount_layer_fn *take, void *context)
{
    static const char *const names[] = {"lowerdir=", "lowerdir+=", "datadir+=", "upperdir="};
    int err = 0;
    for (char *option = options, *end; option && !err; option = end) {
        for (end = option; *end && *end != ','; end++)
            end += *end == '\\' && end[1];
        end = *end ? (*end = '\0', end + 1) : NULL;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !err; i++)
            if (strncmp(option, names[i], strlen(names[i])) == 0)
                err = each_of(option + strlen(names[i]), take, context);
    }
    return err;
}
