// A profile of another tool: all importers, and the reader over the store that they make.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/imports/imported.h"
#include "store/base/cleanup.h"
#include "store/reader/reader.h"
#include "store/system/file_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];
    struct fault fault = {0};
    struct imported imported = {0};
    struct store_reader *reader = NULL;
    _cleanup_fd_ int fd = memfd_create("import", MFD_CLOEXEC);
    if (fd < 0 || file_bytes__write(fd, data, bytes) != 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (imported__open(path, &fault, &imported) == 0 && imported.store.folder[0]) {
        if (store_reader__open(imported.path, &fault, &reader) != 0)
            __builtin_trap(); // a store that hearth made is one that it reads
        store_reader__free(reader);
    }
    imported__release(&imported);
    return 0;
}
