#include "symbolizer/kernel/kernel_image.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/elf/elf_file.h"
#include "symbolizer/elf/elf_notes.h"
#include "symbolizer/kernel/kernel_modules.h"
#include "symbolizer/opening/foreign_file.h"

// Where distributions put it; %s is the release.
static const char *const places[] = {
    "/usr/lib/debug/boot/vmlinux-%s",            // Debian, Ubuntu
    "/usr/lib/debug/lib/modules/%s/vmlinux",     // Fedora, RHEL
    "/usr/lib/debug/usr/lib/modules/%s/vmlinux", // the same, merged
    "/usr/lib/debug/boot/vmlinux-%s.debug",      // SUSE
    "/usr/lib/debug/usr/lib/modules/%s/vmlinux.debug",
    "/lib/modules/%s/build/vmlinux", // built here
    "/boot/vmlinux-%s",
};

static int read_running_id(const char *root, uint8_t ret_build_id[20], size_t *ret_bytes)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/sys/kernel/notes", root);
    return elf_notes__build_id_of(path, ret_build_id, ret_bytes);
}

static int take_image(int fd, struct kernel_image *image)
{
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    uint8_t build_id[20];
    size_t bytes;
    int err = elf_file__open(fd, ELF_BOUNDED, &file); // root's own file, not a stranger's
    if (!err)
        err = elf_file__build_id(file, build_id, &bytes);
    if (err || bytes != image->build_id_bytes || memcmp(build_id, image->build_id, sizeof(build_id)) != 0)
        return -ENOENT;
    for (size_t i = 0; i < elf_file__segment_count(file); i++) {
        const struct elf_segment *segment = elf_file__segment(file, i);
        if (segment->type != PT_LOAD || !(segment->flags & PF_X))
            continue;
        image->text_address = segment->address;
        image->text_file_offset = segment->file_offset;
        image->text_bytes = segment->file_bytes;
        return 0;
    }
    return -ENOENT;
}

int kernel_image__open(const char *root, struct kernel_image *ret_image)
{
    struct kernel_image image = {0};
    char release[128];
    if (kernel_modules__release_of(root, release, sizeof(release)) != 0 ||
        read_running_id(root, image.build_id, &image.build_id_bytes) != 0)
        return -ENOENT;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char place[PATH_MAX], path[PATH_MAX];
        snprintf(place, sizeof(place), places[i], release);
        if (snprintf(path, sizeof(path), "%s%s", root, place) >= (int)sizeof(path))
            continue;
        _cleanup_fd_ int fd = -1;
        if (foreign_file__open(-1, path, &fd) != 0 || take_image(fd, &image) != 0)
            continue;
        image.fd = take_fd(&fd);
        *ret_image = image;
        return 0;
    }
    return -ENOENT;
}
