#include "collector/programs/iterator.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"

// Hands over the whole records, moves the beginning of the next one to the front, and says how many bytes that is.
static int take_whole(char *bytes, size_t *have, size_t record_bytes, iterator_take_fn *take, void *context)
{
    size_t whole = *have / record_bytes * record_bytes;
    for (size_t at = 0; at < whole; at += record_bytes) {
        int err = take(context, bytes + at);
        if (err)
            return err;
    }
    *have -= whole;
    memmove(bytes, bytes + whole, *have);
    return 0;
}

int iterator__run(const struct bpf_link *link, size_t record_bytes, iterator_take_fn *take, void *context)
{
    uint64_t words[8 * ITERATOR_RECORD_BYTES_MAX / sizeof(uint64_t)];
    char *bytes = (char *)words;
    size_t have = 0;
    _cleanup_fd_ int fd = bpf_iter_create(bpf_link__fd(link));
    if (fd < 0)
        return -errno;
    for (;;) {
        ssize_t got = read(fd, bytes + have, sizeof(words) - have);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        if (!take)
            continue;
        have += (size_t)got;
        int err = take_whole(bytes, &have, record_bytes, take, context);
        if (err)
            return err;
    }
}

int iterator__run_program(const struct bpf_program *program, size_t record_bytes, iterator_take_fn *take, void *context)
{
    struct bpf_link *link = bpf_program__attach_iter(program, NULL);
    if (!link)
        return -errno;
    int err = iterator__run(link, record_bytes, take, context);
    bpf_link__destroy(link);
    return err;
}
