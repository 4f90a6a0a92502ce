// Any bytes as an ELF file, and as every file that belongs to it: naming it ends, and the index it makes is sound.
#include <stdlib.h>
#include <unistd.h>

#include "symbolizer/index/index.h"
#include "symbolizer/jail/sealed.h"
#include "symbolizer/worker/naming_job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int open_itself(void *context, const struct companion *companion, int *ret_fd)
{
    (void)companion;
    *ret_fd = dup(*(const int *)context); // NOLINT: closed by the job at once
    return *ret_fd < 0 ? -1 : 0;
}

static void look_up(const struct buf *made)
{
    struct index index;
    struct index_frame chain[LIMIT_CHAIN];
    size_t length;
    if (index__check(made->data, made->length_bytes, INDEX_CHECKSUM, &index) != 0)
        abort();
    for (uint64_t offset = 0; offset < 1u << 16; offset += 61)
        index__find(&index, offset, false, chain, &length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct buf made = {0};
    int fd;
    if (sealed__make("fuzz", data, bytes, &fd) != 0)
        return 0;
    uint64_t offsets[] = {0, 0x1000, 0x1010};
    struct naming_request request = {
        .fd = fd, .offsets = offsets, .count = 3, .complete = true, .companions = {open_itself, &fd}};
    if (naming_job__run(&request, &made) == 0)
        look_up(&made);
    buf__release(&made);
    close(fd);
    return 0;
}
