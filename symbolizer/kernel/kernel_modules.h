// The debug information of kernel modules, where a package of the distribution has put it: which file belongs to a
// module, and where in it an address lies.
//
// A module's sections lie at addresses of their own: /sys/module/NAME/sections/.text says 0xffffffffc0401000. Its debug
// file is /usr/lib/debug/lib/modules/RELEASE/kernel/.../NAME.ko (Debian, Ubuntu) or NAME.ko.debug (Fedora, SUSE), and
// has the build id of /sys/module/NAME/notes/.note.gnu.build-id.
#ifndef HEARTH_SYMBOLIZER_KERNEL_KERNEL_MODULES_H
#define HEARTH_SYMBOLIZER_KERNEL_KERNEL_MODULES_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/cleanup.h"

struct kernel_modules;

struct kernel_module { // one that has a debug file
    char name[64];
    int fd;
    uint8_t build_id[20];
    size_t build_id_bytes;
    struct kernel_module_section *sections; // those with code
    size_t section_count;
};

// `root` stands before all paths; "" is the machine's. Borrowed.
int kernel_modules__new(const char *root, struct kernel_modules **ret_modules);
void kernel_modules__free(struct kernel_modules *modules);
DEFINE_CLEANUP(struct kernel_modules *, kernel_modules__free);

// The module of that name, as kallsyms calls it, and the offset of an address in its debug file. -ENOENT: it has none.
int kernel_modules__find(struct kernel_modules *modules, const char *name, uint64_t address,
                         const struct kernel_module **ret_module, uint64_t *ret_offset);

// The release of the running kernel: /proc/sys/kernel/osrelease below root.
int kernel_modules__release_of(const char *root, char *ret_release, size_t release_bytes);

#endif
