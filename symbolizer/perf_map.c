#include "symbolizer/perf_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/foreign_file.h"

int perf_map__open(pid_t pid, int *ret_fd)
{
    char path[64];
    _cleanup_fd_ int root = -1;
    pid_t inner = foreign_file__inner_pid(pid);
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", inner);
    int err = foreign_file__open_root(pid, &root);
    return err ? err : foreign_file__open(root, path, ret_fd);
}

struct wanted {
    uint64_t address;
    size_t index;
};

static int compare(const void *left, const void *right)
{
    const struct wanted *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static size_t first_at_or_above(const struct wanted *wanted, size_t count, uint64_t address)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wanted[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int take_line(char *line, const struct wanted *wanted, size_t count, struct jit_frame *frames)
{
    char *end, *name;
    uint64_t start = strtoull(line, &end, 16);
    if (end == line || *end != ' ')
        return 0;
    uint64_t bytes = strtoull(end + 1, &name, 16);
    if (name == end + 1 || *name != ' ' || start + bytes < start)
        return 0;
    name++;
    name[strcspn(name, "\n")] = '\0';
    for (size_t i = first_at_or_above(wanted, count, start); i < count && wanted[i].address < start + bytes; i++) {
        char *copy = strndup(name, LIMIT_NAME_BYTES);
        if (!copy)
            return -ENOMEM;
        jit_frame__release(&frames[wanted[i].index]);
        frames[wanted[i].index].name = copy;
    }
    return 0;
}

int perf_map__find(FILE *stream, const uint64_t *addresses, size_t count, struct jit_frame *frames)
{
    _cleanup_free_ struct wanted *wanted = calloc(count + 1, sizeof(*wanted));
    char line[LIMIT_NAME_BYTES + 64];
    if (!wanted)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct wanted){addresses[i], i};
    qsort(wanted, count, sizeof(*wanted), compare);
    bool starts_line = true;
    int err = 0;
    // fgets, not getline: one line may be as long as the file. What is behind the buffer's end is cut off.
    for (size_t read_bytes = 0; !err && read_bytes < LIMIT_PERF_MAP_BYTES && fgets(line, sizeof(line), stream);) {
        size_t length = strlen(line);
        bool ends_line = length > 0 && line[length - 1] == '\n';
        if (starts_line)
            err = take_line(line, wanted, count, frames);
        starts_line = ends_line;
        read_bytes += length ? length : 1;
    }
    return err;
}
