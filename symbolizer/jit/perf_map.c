#include "symbolizer/jit/perf_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"

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

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static int digit(char byte)
{
    return byte >= '0' && byte <= '9'                 ? byte - '0'
           : (byte | 32) >= 'a' && (byte | 32) <= 'f' ? (byte | 32) - 'a' + 10
                                                      : -1;
}

// A number in hex, with or without 0x, and the blanks behind it. NULL: there is none.
static const char *take_number(const char *at, const char *end, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (end - at > 2 && at[0] == '0' && (at[1] | 32) == 'x')
        at += 2;
    const char *start = at;
    for (; at < end && digit(*at) >= 0; at++) {
        if (number >> 60)
            return NULL;
        number = number << 4 | (uint64_t)digit(*at);
    }
    if (at == start || at == end || !is_blank(*at))
        return NULL;
    *ret_number = number;
    return skip_blanks(at, end);
}

struct reading {
    const struct wanted *wanted;
    const struct jit_search *search;
};

static int take_line(const struct reading *reading, const char *line, const char *end)
{
    uint64_t start, bytes;
    const char *at = take_number(skip_blanks(line, end), end, &start);
    at = at ? take_number(at, end, &bytes) : NULL;
    while (at && end > at && (end[-1] == '\r' || is_blank(end[-1])))
        end--;
    if (!at || at == end || start + bytes < start)
        return 0;
    size_t length = (size_t)(end - at) < LIMIT_NAME_BYTES ? (size_t)(end - at) : LIMIT_NAME_BYTES;
    const struct wanted *wanted = reading->wanted;
    size_t count = reading->search->count;
    for (size_t i = first_at_or_above(wanted, count, start); i < count && wanted[i].address < start + bytes; i++) {
        char *copy = strndup(at, length);
        if (!copy)
            return -ENOMEM;
        jit_frame__release(&reading->search->frames[wanted[i].index]);
        reading->search->frames[wanted[i].index].name = copy;
    }
    return 0;
}

enum { BLOCK_BYTES = 64 << 10 }; // longer than any line that is taken whole

struct lines { // of a file, by blocks
    int fd;
    char block[BLOCK_BYTES];
    size_t have;    // bytes in the block
    uint64_t at;    // of the block, in the file
    uint64_t bytes; // read so far
    bool in_line;   // the block begins within a line that was too long for one
    uint64_t line;  // where that begins
};

// Appends to the block. Returns whether there was anything.
static bool read_more(struct lines *lines)
{
    if (lines->have == 0) { // a hole is skipped by the kernel, not read as zeros
        off_t data = lseek(lines->fd, (off_t)lines->at, SEEK_DATA);
        if (data > (off_t)lines->at)
            lines->at = (uint64_t)data;
    }
    ssize_t got =
        pread(lines->fd, lines->block + lines->have, BLOCK_BYTES - lines->have, (off_t)(lines->at + lines->have));
    lines->have += got > 0 ? (size_t)got : 0;
    lines->bytes += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static void drop(struct lines *lines, size_t bytes)
{
    lines->have -= bytes;
    lines->at += bytes;
    memmove(lines->block, lines->block + bytes, lines->have);
}

static int take_block(struct lines *lines, const struct reading *reading)
{
    const char *start = lines->block, *end = lines->block + lines->have, *newline;
    int err = 0;
    while (!err && (newline = memchr(start, '\n', (size_t)(end - start)))) {
        err = lines->in_line ? 0 : take_line(reading, start, newline);
        lines->in_line = false;
        start = newline + 1;
    }
    if (!err && start == lines->block && lines->have == BLOCK_BYTES) {
        if (!lines->in_line) {
            err = take_line(reading, start, end);
            lines->line = lines->at;
        }
        lines->in_line = true;
        start = end;
    }
    drop(lines, (size_t)(start - lines->block));
    return err;
}

static int read_lines(struct lines *lines, const struct reading *reading, uint64_t *ret_end)
{
    int err = 0;
    while (!err && lines->bytes < LIMIT_PERF_MAP_BYTES && read_more(lines))
        err = take_block(lines, reading);
    if (!err && reading->search->is_last && lines->have && !lines->in_line)
        err = take_line(reading, lines->block, lines->block + lines->have);
    *ret_end = lines->in_line ? lines->line : lines->at;
    return err;
}

int perf_map__find(int fd, const struct jit_search *search, uint64_t *ret_end)
{
    _cleanup_free_ struct wanted *wanted = calloc(search->count + 1, sizeof(*wanted));
    _cleanup_free_ struct lines *lines = malloc(sizeof(*lines));
    if (!wanted || !lines)
        return -ENOMEM;
    for (size_t i = 0; i < search->count; i++)
        wanted[i] = (struct wanted){search->addresses[i], i};
    qsort(wanted, search->count, sizeof(*wanted), compare);
    *lines = (struct lines){.fd = fd, .at = search->from};
    return read_lines(lines, &(struct reading){wanted, search}, ret_end);
}
