// Compares our own DWARF reader with libdw: two_readers [-v] FILE... makes the index of each file by both and asks both
// about the same addresses. One line a file:
//
//   /usr/bin/FILE: refused 1 0, left 0, asked 20000, equal 19998, names 0, lines 2, lengths 0, ours 0, libdw 0
//
// "refused": units that each reader did not read whole; "left": those that remain when libdw is asked about the units
// that our own reader refuses, as hearth does. Then the classes of differences (tests/bench/symbols.md): another name
// of a function, another line or file, chains of other lengths, answers that only one of them has. With -v, the first
// differences of each class follow. Files without debug information are passed over. Exit code 1: there is a
// difference.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "symbolizer/companions/debug_dirs.h"
#include "symbolizer/index/index.h"
#include "symbolizer/worker/naming_job.h"

#define ASKED   20000u
#define SHOWN   3u
#define SECONDS 300u

enum difference { EQUAL, NAMES, LINES, LENGTHS, OURS_ALONE, LIBDW_ALONE, DIFFERENCES };
static const char *const classes[] = {"equal", "names", "lines", "lengths", "ours", "libdw"};

struct chain {
    struct index_frame frames[LIMIT_CHAIN];
    size_t length;
    const struct index *index;
};

static const char *const debug_folders[] = {"/usr/lib/debug", NULL};
static bool is_verbose;

static int open_companion(void *context, const struct companion *companion, int *ret_fd)
{
    return debug_dirs__open(context, companion, ret_fd);
}

static int make_index(const char *path, int fd, enum naming_reader reader, struct buf *ret_bytes,
                      struct index *ret_index)
{
    struct debug_dirs where = {.dirs = debug_folders, .root_fd = -1, .path = path};
    struct naming_request request = {
        .fd = fd, .complete = true, .reader = reader, .companions = {open_companion, &where}};
    int err = naming_job__run(&request, ret_bytes);
    return err ? err : index__check(ret_bytes->data, ret_bytes->length_bytes, 0, ret_index);
}

static struct chain ask(const struct index *index, uint64_t offset)
{
    struct chain chain = {.index = index};
    index__find(index, offset, false, chain.frames, &chain.length);
    return chain;
}

static enum difference compare(const struct chain *ours, const struct chain *libdw)
{
    const char *a = ours->index->strings, *b = libdw->index->strings;
    if (ours->length != libdw->length)
        return ours->length == 0 ? LIBDW_ALONE : libdw->length == 0 ? OURS_ALONE : LENGTHS;
    for (size_t i = 0; i < ours->length; i++)
        if (strcmp(a + ours->frames[i].function, b + libdw->frames[i].function) != 0)
            return NAMES;
    for (size_t i = 0; i < ours->length; i++)
        if (ours->frames[i].line != libdw->frames[i].line ||
            strcmp(a + ours->frames[i].file, b + libdw->frames[i].file) != 0)
            return LINES;
    return EQUAL;
}

static void show(const char *who, const struct chain *chain)
{
    printf("    %s", who);
    for (size_t i = 0; i < chain->length; i++)
        printf(" | %s %s:%u", chain->index->strings + chain->frames[i].function,
               chain->index->strings + chain->frames[i].file, chain->frames[i].line);
    putchar('\n');
}

// Addresses that are spread evenly over all code.
static uint64_t offset_of(const struct index *index, uint64_t i)
{
    const struct index_table *table = &index->header->tables[INDEX_SEGMENTS];
    uint64_t bytes = 0;
    for (uint64_t j = 0; j < table->count; j++)
        bytes += index->segments[j].bytes;
    uint64_t at = bytes * i / ASKED + i % 61 % (bytes / ASKED + 1);
    for (uint64_t j = 0; j < table->count; j++) {
        if (at < index->segments[j].bytes)
            return index->segments[j].file_offset + at;
        at -= index->segments[j].bytes;
    }
    return 0;
}

// How many units no reader reads.
static uint32_t left_by_both(const char *path, int fd, uint32_t refused)
{
    struct buf bytes = {0};
    struct index both;
    if (refused > 0 && make_index(path, fd, NAMING_BY_BOTH, &bytes, &both) == 0)
        refused = both.header->refused;
    buf__release(&bytes);
    return refused;
}

static int compare_file(const char *path)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf bytes[2] = {0};
    struct index ours, libdw;
    size_t counts[DIFFERENCES] = {0};
    if (fd < 0 || make_index(path, fd, NAMING_BY_OUR_OWN, &bytes[0], &ours) != 0 || !ours.header->has_dwarf)
        return 0;
    if (make_index(path, fd, NAMING_BY_LIBDW, &bytes[1], &libdw) != 0)
        return 1;
    for (uint64_t i = 0; i < ASKED; i++) {
        uint64_t offset = offset_of(&ours, i);
        struct chain a = ask(&ours, offset), b = ask(&libdw, offset);
        enum difference difference = compare(&a, &b);
        if (counts[difference]++ < SHOWN && difference != EQUAL && is_verbose) {
            printf("  %s 0x%lx\n", classes[difference], (unsigned long)offset);
            show("ours ", &a);
            show("libdw", &b);
        }
    }
    printf("%s: refused %u %u, left %u, asked %u", path, ours.header->refused, libdw.header->refused,
           left_by_both(path, fd, ours.header->refused), ASKED);
    for (size_t i = 0; i < DIFFERENCES; i++)
        printf(", %s %zu", classes[i], counts[i]);
    putchar('\n');
    return counts[EQUAL] != ASKED;
}

// In a process of its own: libdw may crash or not end.
static int compare_apart(const char *path)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(SECONDS);
        int err = compare_file(path);
        fflush(stdout);
        _exit(err);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    if (WIFSIGNALED(status))
        printf("%s: %s\n", path, strsignal(WTERMSIG(status)));
    return status != 0;
}

int main(int argc, char **argv)
{
    int result = 0;
    is_verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    for (int i = 1 + is_verbose; i < argc; i++)
        result |= compare_apart(argv[i]);
    return result;
}
