// hearth symbolize: addresses in, names out.
//
//   $ hearth symbolize -e ./server 0x401136
//   parse_header /src/server/http.c:88
//   serve /src/server/main.c:31
//
// Addresses on stdin are answered as they come, in batches of what is there: a large file is one batch, and a program
// that asks one at a time over a pipe is not kept waiting.
#include "report/commands/cmd_symbolize.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "report/commands/address_batch.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/system/warm_heap.h"
#include "symbolizer/jit/process_maps.h"
#include "symbolizer/opening/foreign_file.h"
#include "symbolizer/opening/opener.h"
#include "symbolizer/symbolizer.h"

#define MAX_DEBUG_DIRS 15
#define WARM_BYTES     ((size_t)32 << 20) // for 100,000 addresses and their answers

static struct symbolize_options {
    const char *file;
    uint64_t pid;
    bool kernel;
    bool no_inline;
    bool no_demangle;
    bool debuginfod;
    bool stats;
    const char *cache_dir;
    const char *root;
    struct option_list debug_dirs;
    const char *format;
} options = {.format = "text"};

static const struct option_row rows[] = {
    {'e', "exe", "FILE", "name addresses of this ELF file, as it has them", option__string,
     offsetof(struct symbolize_options, file)},
    {'p', "pid", "PID", "name addresses of this live process", option__u64, offsetof(struct symbolize_options, pid)},
    {'k', "kernel", NULL, "name addresses of the running kernel", option__flag,
     offsetof(struct symbolize_options, kernel)},
    {0, "no-inline", NULL, "only the function the code belongs to", option__flag,
     offsetof(struct symbolize_options, no_inline)},
    {0, "no-demangle", NULL, "names as the binary has them", option__flag,
     offsetof(struct symbolize_options, no_demangle)},
    {0, "debug-dir", "DIR", "where debug files are looked for (/usr/lib/debug)", option__list,
     offsetof(struct symbolize_options, debug_dirs)},
    {0, "debuginfod", NULL, "ask the servers of $DEBUGINFOD_URLS for debug files", option__flag,
     offsetof(struct symbolize_options, debuginfod)},
    {0, "root", "DIR", "with -k: the kernel whose /proc, /sys and debug files are below DIR", option__string,
     offsetof(struct symbolize_options, root)},
    {0, "cache", "DIR", "keep what was read of a binary here, for the next time", option__string,
     offsetof(struct symbolize_options, cache_dir)},
    {0, "stats", NULL, "say on stderr what it cost", option__flag, offsetof(struct symbolize_options, stats)},
    {'f', "format", "text|json", "how to print (text)", option__string, offsetof(struct symbolize_options, format)},
    {0},
};

static int name_file(struct symbolizer *symbolizer, int fd, struct address_batch *batch)
{
    _cleanup_free_ uint64_t *file_offsets = calloc(batch->count + 1, sizeof(*file_offsets));
    struct symbol_file file = {.fd = fd, .root_fd = -1, .path = options.file};
    _cleanup_free_ char *whole_path = realpath(options.file, NULL); // debug files are looked for beside it
    if (!file_offsets)
        return -ENOMEM;
    if (whole_path)
        file.path = whole_path;
    symbolizer__identify(&file);
    int err = symbolizer__file_offsets(fd, batch->addresses, batch->count, file_offsets);
    return err ? err
               : symbolizer__resolve_file(symbolizer, &file, file_offsets, batch->count, address_batch__take_of_file,
                                          batch);
}

static int name_mapping(struct symbolizer *symbolizer, int root_fd, const struct proc_mapping *mapping,
                        const uint64_t *addresses, size_t count, struct address_batch *batch)
{
    pid_t pid = (pid_t)options.pid;
    _cleanup_fd_ int fd = -1;
    _cleanup_free_ uint64_t *file_offsets = calloc(count + 1, sizeof(*file_offsets));
    if (!file_offsets)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        file_offsets[i] = addresses[i] - mapping->start + mapping->file_offset;
    if (strcmp(mapping->path, "[vdso]") == 0)
        return symbolizer__resolve_vdso(symbolizer, file_offsets, count, address_batch__take_of_file, batch);
    if (mapping->inode == 0)
        return symbolizer__resolve_jit(symbolizer, pid, addresses, count, address_batch__take, batch);
    int err = process_maps__open(pid, mapping, &fd);
    if (err)
        return err;
    struct symbol_file file = {.fd = fd, .root_fd = root_fd, .path = mapping->path};
    symbolizer__identify(&file);
    return symbolizer__resolve_file(symbolizer, &file, file_offsets, count, address_batch__take_of_file, batch);
}

static int name_kernel_part(struct symbolizer *symbolizer, const uint64_t *addresses, size_t count,
                            struct address_batch *batch, struct fault *fault)
{
    return symbolizer__resolve_kernel(symbolizer, addresses, count, address_batch__take, batch, fault);
}

struct place {
    const struct proc_mapping *mapping; // NULL: none
    bool kernel;
    size_t index;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->kernel != b->kernel)
        return a->kernel - b->kernel;
    if (a->mapping != b->mapping)
        return a->mapping < b->mapping ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

// The batch of a process falls into a part a mapping. A part that fails leaves its addresses without names.
static int name_process(struct symbolizer *symbolizer, struct address_batch *batch, struct fault *fault)
{
    _cleanup_(process_maps__release) struct process_maps maps = {0};
    _cleanup_free_ struct place *places = calloc(batch->count + 1, sizeof(*places));
    _cleanup_free_ uint64_t *addresses = calloc(batch->count + 1, sizeof(*addresses));
    _cleanup_free_ size_t *indexes = calloc(batch->count + 1, sizeof(*indexes));
    _cleanup_fd_ int root_fd = -1;
    if (!places || !addresses || !indexes)
        return -ENOMEM;
    int err = process_maps__read((pid_t)options.pid, &maps);
    if (!err)
        err = foreign_file__open_root((pid_t)options.pid, &root_fd);
    if (err)
        return fault__set_code(fault, err == -EACCES ? EXIT_CODE_LACKS : EXIT_CODE_FAILED, err,
                               "cannot read the mappings of process %" PRIu64 ": %s%s", options.pid,
                               err == -ENOENT ? "there is none" : strerror(-err),
                               err == -EACCES ? "; run as root" : "");
    for (size_t i = 0; i < batch->count; i++)
        places[i] = (struct place){.mapping = process_maps__find(&maps, batch->addresses[i]),
                                   .kernel = !batch->bad[i] && batch->addresses[i] >> 63,
                                   .index = i};
    qsort(places, batch->count, sizeof(*places), compare_places);
    for (size_t i = 0, next; i < batch->count; i = next) {
        for (next = i; next < batch->count && places[next].mapping == places[i].mapping &&
                       places[next].kernel == places[i].kernel;
             next++) {
            indexes[next - i] = places[next].index;
            addresses[next - i] = batch->addresses[places[next].index];
        }
        address_batch__begin_part(batch, indexes);
        if (places[i].kernel)
            name_kernel_part(symbolizer, addresses, next - i, batch, NULL);
        else if (places[i].mapping)
            name_mapping(symbolizer, root_fd, places[i].mapping, addresses, next - i, batch);
    }
    return 0;
}

static int name_batch(struct symbolizer *symbolizer, int fd, struct address_batch *batch, struct fault *fault)
{
    int err = address_batch__begin(batch);
    if (!err)
        err = options.kernel ? name_kernel_part(symbolizer, batch->addresses, batch->count, batch, fault)
              : options.file ? name_file(symbolizer, fd, batch)
                             : name_process(symbolizer, batch, fault);
    return err ? err : address_batch__end(batch);
}

// Reads what is there, and what comes while it is read, up to a bound; the rest of a line stays in `input`. Returns
// false at the end.
static bool fill(struct buf *input)
{
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    const size_t enough_bytes = 16u << 20;
    uint8_t block[64 << 10];
    do {
        ssize_t got = read(STDIN_FILENO, block, sizeof(block));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        buf__append(input, block, (size_t)got);
    } while (!input->failed && input->length_bytes < enough_bytes && poll(&ready, 1, 2) > 0);
    return !input->failed;
}

static int answer_stdin(struct symbolizer *symbolizer, int fd, struct address_batch *batch, struct fault *fault)
{
    _cleanup_(buf__release) struct buf input = {0};
    bool more = true;
    int err = 0;
    while (more && !err) {
        more = fill(&input);
        err = input.failed ? -ENOMEM : address_batch__add_lines(batch, &input, !more);
        if (!err && batch->count > 0)
            err = name_batch(symbolizer, fd, batch, fault);
        if (!err)
            err = address_batch__print(batch);
        if (fflush(stdout) != 0)
            break; // main says it
    }
    return err;
}

static int answer_operands(struct symbolizer *symbolizer, int fd, int argc, char **argv, struct address_batch *batch,
                           struct fault *fault)
{
    int err = 0;
    for (int i = 0; i < argc && !err; i++) {
        err = address_batch__add(batch, argv[i], strlen(argv[i]));
        if (!err && batch->bad[batch->count - 1])
            return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                                   "'%s' is not an address; give it in hex, such as 0x401136", argv[i]);
    }
    if (!err)
        err = name_batch(symbolizer, fd, batch, fault);
    return err ? err : address_batch__print(batch);
}

// As the kernel writes them in its own traces: "vfs_read+0x1a/0x200", with "? " before and " [MODULE]" behind perhaps.
static int find_kernel_word(void *context, const char *word, uint64_t *ret_address)
{
    char function[LIMIT_SOURCE_PATH_BYTES], *end;
    uint64_t start, offset = 0;
    word += strncmp(word, "? ", 2) == 0 ? 2 : 0;
    size_t length = strcspn(word, "+ ");
    if (length == 0 || length >= sizeof(function))
        return -ENOENT;
    memcpy(function, word, length);
    function[length] = '\0';
    if (word[length] == '+') {
        offset = strtoull(word + length + 1, &end, 16);
        if (end == word + length + 1 || (*end && *end != '/' && *end != ' '))
            return -ENOENT;
    }
    int err = symbolizer__kernel_address(context, function, &start);
    if (!err)
        *ret_address = start + offset;
    return err;
}

static int check_options(struct fault *fault, int *ret_fd)
{
    if ((options.file != NULL) + (options.pid != 0) + options.kernel != 1)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "whose addresses? Give one of -e FILE, -p PID and -k");
    if (options.root && !options.kernel)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "--root is for the addresses of a kernel; give -k");
    if (strcmp(options.format, "text") != 0 && strcmp(options.format, "json") != 0)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown format '%s'; there are text and json",
                               options.format);
    if (!options.file)
        return 0;
    int err = foreign_file__open(-1, options.file, ret_fd);
    if (err)
        return fault__set(fault, err, "cannot open '%s': %s", options.file,
                          err == -EINVAL ? "not a regular file" : strerror(-err));
    return 0;
}

static void print_stats(const struct symbolizer *symbolizer)
{
    struct symbolizer_counts counts = symbolizer__counts(symbolizer);
    fault__warn("%" PRIu64 " binaries read, %" PRIu64 " from the cache, %" PRIu64 " failed, %" PRIu64
                " by symbol table only; workers' CPU %.3f s, peak memory %.1f MiB",
                counts.jobs, counts.cache_hits, counts.failed, counts.fallbacks, (double)counts.worker_cpu_us / 1e6,
                (double)counts.worker_peak_bytes / (1 << 20));
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    struct symbolizer *symbolizer;
    _cleanup_(address_batch__release) struct address_batch batch = {0};
    _cleanup_fd_ int fd = -1;
    int err = check_options(&fault, &fd);
    if (err)
        return fault__say(&fault, err);
    const char *debug_dirs[MAX_DEBUG_DIRS + 1] = {0};
    for (size_t i = 0; i < options.debug_dirs.count && i < MAX_DEBUG_DIRS; i++)
        debug_dirs[i] = options.debug_dirs.values[i];
    struct symbolizer_options wanted = {.no_inline = options.no_inline,
                                        .no_demangle = options.no_demangle,
                                        .cache_dir = options.cache_dir,
                                        .debuginfod = options.debuginfod,
                                        .kernel_root = options.root,
                                        .debug_dirs = debug_dirs[0] ? debug_dirs : NULL};
    err = symbolizer__new(&wanted, &fault, &symbolizer);
    if (err)
        return fault__say(&fault, err);
    batch.format = strcmp(options.format, "text") == 0 ? ADDRESS_TEXT
                   : argc > 0                          ? ADDRESS_JSON_ARRAY
                                                       : ADDRESS_JSON_LINES;
    if (options.kernel) {
        batch.find_word = find_kernel_word;
        batch.find_context = symbolizer;
    }
    if (argc == 0)
        warm_heap__prepare(WARM_BYTES);
    err = argc > 0 ? answer_operands(symbolizer, fd, argc, argv, &batch, &fault)
                   : answer_stdin(symbolizer, fd, &batch, &fault);
    if (options.stats && !err) // a command that fails prints one line
        print_stats(symbolizer);
    for (char text[512]; opener__tell(text, sizeof(text));)
        fault__warn("%s", text);
    symbolizer__free(symbolizer);
    if (err && !fault.text[0] && options.file)
        fault__set(&fault, err, "cannot name addresses of '%s': %s", options.file,
                   err == -EBADMSG ? "not an ELF file, or a damaged one" : strerror(-err));
    return err ? fault__say(&fault, err) : EXIT_CODE_DONE;
}

const struct command cmd_symbolize = {
    .name = "symbolize",
    .operands = "[ADDRESS...]",
    .summary = "name addresses, like addr2line and llvm-symbolizer",
    .details =
        "Addresses are in hex, on stdin where none is given. For each address: one line a frame, innermost first,\n"
        "`FUNCTION FILE:LINE`, then an empty line; `?? ??:0` where unknown. With -k also what a trace of the kernel "
        "has:\n"
        "`vfs_read+0x1a/0x200`.\n",
    .options = rows,
    .values = &options,
    .run = run,
};
