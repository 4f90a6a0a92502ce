// Folded stacks: a line for each stack, root first, and its count, as flamegraph.pl, inferno and hearth take them.
//
//   nginx;main;serve;memcpy_[i] 2
//   nginx;[truncated];serve;do_syscall_64_[k] 5
//
// Lines that follow each other mostly begin alike: the frames up to there are those of the line before.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/imports/import.h"
#include "store/base/limits.h"

// The frames of the line before: where each ends in it, and its node.
struct folded {
    struct foreign *foreign;
    uint32_t event, thread;
    const char *before; // up to its count
    size_t before_length, depth;
    size_t ends[LIMIT_STORE_STACK_FRAMES];
    uint32_t nodes[LIMIT_STORE_STACK_FRAMES];
    uint64_t lines, bad, first_bad;
    bool is_too_deep;
};

// The blank before the count; NULL: the line has none.
static char *find_count(char *line, char *end, uint64_t *ret_count)
{
    char *digits = end, *stop = NULL;
    while (digits > line && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    if (digits == end || digits - line < 2 || digits[-1] != ' ')
        return NULL;
    errno = 0;
    *ret_count = strtoull(digits, &stop, 10);
    for (digits--; digits > line && digits[-1] == ' ';)
        digits--;
    return errno || stop != end || digits == line ? NULL : digits;
}

// How many frames, the comm being the first, the line has as the one before it: not the last one that begins alike,
// into which another function may be inlined here.
static size_t count_alike(const struct folded *folded, const char *line, size_t length)
{
    size_t alike = 0, most = length < folded->before_length ? length : folded->before_length, depth = 0;
    while (alike < most && line[alike] == folded->before[alike])
        alike++;
    while (depth < folded->depth && folded->ends[depth] <= alike &&
           (folded->ends[depth] == length || line[folded->ends[depth]] == ';'))
        depth++;
    return depth > 1 ? depth - 1 : depth;
}

// Where the function ends that begins there, with those inlined into it: they are one frame.
static size_t find_end(const char *line, size_t length, size_t at)
{
    for (;;) {
        const char *semicolon = memchr(line + at, ';', length - at);
        if (!semicolon)
            return length;
        size_t end = (size_t)(semicolon - line), next = end + 1;
        const char *after = memchr(line + next, ';', length - next);
        size_t next_end = after ? (size_t)(after - line) : length;
        if (next_end - next < 5 || memcmp(line + next_end - 4, "_[i]", 4) != 0)
            return end;
        at = next;
    }
}

static void begin_thread(struct folded *folded, const char *line, size_t length)
{
    char comm[LIMIT_NAME_BYTES];
    size_t bytes = length < sizeof(comm) ? length : sizeof(comm) - 1;
    memcpy(comm, line, bytes);
    comm[bytes] = '\0';
    folded->thread = foreign__thread(folded->foreign, 0, 0, comm);
}

static void add_stack(struct folded *folded, const char *line, size_t length, uint64_t count)
{
    size_t depth = count_alike(folded, line, length);
    for (size_t at = depth ? folded->ends[depth - 1] + 1 : 0;
         at < length + !depth && depth < LIMIT_STORE_STACK_FRAMES;) {
        size_t end = depth ? find_end(line, length, at) : (size_t)(strchrnul(line, ';') - line);
        end = end < length ? end : length;
        if (!depth)
            begin_thread(folded, line, end);
        folded->nodes[depth] = depth ? foreign__node(folded->foreign, folded->nodes[depth - 1],
                                                     foreign__word(folded->foreign, line + at, end - at))
                                     : 0;
        folded->ends[depth++] = end;
        at = end + 1;
        folded->is_too_deep |= depth == LIMIT_STORE_STACK_FRAMES && at < length;
    }
    folded->depth = depth;
    folded->before = line;
    folded->before_length = length;
    foreign__add(folded->foreign, &(struct store_value){.event = folded->event,
                                                        .thread = folded->thread,
                                                        .node = folded->nodes[depth - 1],
                                                        .count = count,
                                                        .value = count});
}

static void add_line(struct folded *folded, char *line, char *end)
{
    uint64_t count = 0;
    folded->lines++;
    if (end > line && end[-1] == '\r')
        *--end = '\0';
    if (end == line || *line == '#')
        return;
    char *blank = find_count(line, end, &count);
    if (blank) {
        *blank = '\0';
        add_stack(folded, line, (size_t)(blank - line), count);
    } else if (!folded->bad++) {
        folded->first_bad = folded->lines;
    }
}

static int read_folded(struct import_file *file, struct foreign *foreign, struct fault *fault)
{
    _cleanup_free_ struct folded *folded = calloc(1, sizeof(*folded));
    if (!folded)
        return -ENOMEM;
    folded->foreign = foreign;
    folded->event = foreign__event(foreign, &(struct store_event){.name = "samples", .unit = "samples", .detail = ""});
    for (char *line = file->bytes, *all = file->bytes + file->length; line < all && !foreign__error(foreign);) {
        char *newline = memchr(line, '\n', (size_t)(all - line)), *end = newline ? newline : all;
        *end = '\0';
        add_line(folded, line, end);
        line = end + 1;
    }
    if (folded->bad)
        return fault__set(fault, -EBADMSG,
                          "cannot read the folded stacks '%s': line %" PRIu64 " does not end with a count", file->path,
                          folded->first_bad);
    if (folded->is_too_deep)
        return fault__set(fault, -EBADMSG, "cannot read the folded stacks '%s': a stack has more than %u frames",
                          file->path, LIMIT_STORE_STACK_FRAMES);
    return 0;
}

// The first line that says something: "FRAME;FRAME 12".
static bool knows_folded(const struct import_file *file)
{
    for (const char *line = file->bytes, *end; *line; line = *end ? end + 1 : end) {
        end = strchrnul(line, '\n');
        if (end == line || *line == '#' || (*line == '\r' && end == line + 1))
            continue;
        const char *last = end[-1] == '\r' ? end - 1 : end, *digits = last;
        while (digits > line && digits[-1] >= '0' && digits[-1] <= '9')
            digits--;
        return digits < last && digits - line >= 2 && digits[-1] == ' ';
    }
    return false;
}

const struct import import_folded = {.name = "folded stacks", .knows = knows_folded, .read = read_folded};
