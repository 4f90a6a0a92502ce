#include "store/directory/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "store/directory/day_writer.h"
#include "store/directory/listing.h"

struct store_directory {
    char *path;
    struct store_limits limits;
    int lock_fd;
    const struct store_writer *writer; // borrowed; NULL: none
    struct day_file file;              // its own
    uint64_t wall_ns, boot_ns;         // at the open
    char aside[DAY_FILE_NAME_BYTES], told[DAY_FILE_NAME_BYTES];
};

int store_directory__make(const char *path, struct fault *fault)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fault__set(fault, -errno, "cannot make the directory '%s': %s; choose another place with -o", path,
                          strerror(errno));
    return 0;
}

static int lock(struct store_directory *directory, struct fault *fault)
{
    char path[PATH_MAX];
    int err = store_directory__make(directory->path, fault);
    if (err)
        return err;
    if ((size_t)snprintf(path, sizeof(path), "%s/lock", directory->path) >= sizeof(path))
        return fault__set(fault, -ENAMETOOLONG, "cannot write to the directory '%s': its name is too long",
                          directory->path);
    directory->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (directory->lock_fd < 0)
        return fault__set(fault, -errno, "cannot write to the directory '%s': %s; choose another place with -o",
                          directory->path, strerror(errno));
    if (flock(directory->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fault__set(fault, -EBUSY,
                          "cannot write to the directory '%s': another hearth daemon does; end it, or choose another "
                          "place with -o",
                          directory->path);
    return 0;
}

int store_directory__open(const char *path, const struct store_limits *limits, uint64_t wall_ns, uint64_t boot_ns,
                          struct fault *fault, struct store_directory **ret_directory)
{
    _cleanup_(store_directory__freep) struct store_directory *directory = calloc(1, sizeof(*directory));
    if (!directory)
        return fault__set(fault, -ENOMEM, "out of memory");
    *directory = (struct store_directory){
        .limits = *limits, .lock_fd = -1, .wall_ns = wall_ns, .boot_ns = boot_ns, .path = strdup(path)};
    int err = directory->path ? lock(directory, fault) : fault__set(fault, -ENOMEM, "out of memory");
    if (!err)
        *ret_directory = take_pointer(directory);
    return err;
}

void store_directory__free(struct store_directory *directory)
{
    if (!directory)
        return;
    fd__close(&directory->lock_fd);
    free(directory->path);
    free(directory);
}

void store_directory__bound(struct store_directory *directory, uint64_t bytes_most)
{
    directory->limits.bytes_most = bytes_most;
}

static void name_live(const struct store_directory *directory, char ret_name[DAY_FILE_NAME_BYTES])
{
    *ret_name = '\0';
    if (directory->writer)
        day_file__name(&directory->file, ret_name);
}

// A file of this size is followed by another one of the same day: the cap must never need the one that is written.
static bool is_full(const struct store_directory *directory)
{
    return store_writer__bytes(directory->writer) >= directory->limits.bytes_most / 8;
}

void store_directory__leave(struct store_directory *directory)
{
    directory->writer = NULL;
}

bool store_directory__is_over(const struct store_directory *directory, uint64_t start_ns)
{
    return !directory->writer || directory->file.day != start_ns / DAY_NS || is_full(directory);
}

int store_directory__make_room(struct store_directory *directory, struct fault *fault)
{
    char live[DAY_FILE_NAME_BYTES];
    struct retirement retired = {0};
    name_live(directory, live);
    return retirement__make_room(directory->path, &directory->limits, live,
                                 directory->limits.bytes_most / LIMIT_STORE_RESERVE, fault, &retired);
}

int store_directory__begin(struct store_directory *directory, uint64_t start_ns, const struct store_meta *meta,
                           struct fault *fault, struct store_writer **ret_writer)
{
    struct day_file file = {.day = (uint32_t)(start_ns / DAY_NS), .tier = STORE_TIER_FULL};
    char aside[DAY_FILE_NAME_BYTES] = "";
    bool follows = directory->writer && directory->file.day == file.day; // the file is full
    int err = store_directory__make_room(directory, fault);
    if (!err)
        err = follows ? day_writer__create(directory->path, &file, meta, fault, ret_writer)
                      : day_writer__open(directory->path, &file, meta, fault, ret_writer, aside);
    if (*aside)
        memcpy(directory->aside, aside, sizeof(aside));
    if (err)
        return err;
    directory->file = file;
    directory->writer = *ret_writer;
    return 0;
}

int store_directory__set_aside(struct store_directory *directory, struct fault *fault)
{
    if (!directory->writer)
        return 0;
    directory->writer = NULL;
    int err = listing__set_aside(directory->path, &directory->file);
    day_file__name(&directory->file, directory->aside);
    return err ? fault__set(fault, err, "cannot rename the damaged store '%s/%s': %s", directory->path,
                            directory->aside, strerror(-err))
               : 0;
}

const char *store_directory__aside(struct store_directory *directory)
{
    memcpy(directory->told, directory->aside, sizeof(directory->told));
    *directory->aside = '\0';
    return directory->told;
}

void store_directory__maintenance(const struct store_directory *directory, uint64_t wall_ns, uint64_t boot_ns,
                                  uint64_t budget_ns, struct maintenance *ret_plan)
{
    uint64_t most_ns = directory->wall_ns + (boot_ns - directory->boot_ns) + DAY_NS;
    *ret_plan = (struct maintenance){.limits = directory->limits,
                                     .now_ns = wall_ns < most_ns ? wall_ns : most_ns,
                                     .deadline_ns = budget_ns ? boot_ns + budget_ns : 0};
    snprintf(ret_plan->directory, sizeof(ret_plan->directory), "%s", directory->path);
    name_live(directory, ret_plan->live);
}
