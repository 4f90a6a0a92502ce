// hearth symbolize: addresses in, names out.
//
//   $ hearth symbolize -e ./server 0x401136
//   parse_header /src/server/http.c:88
//   serve /src/server/main.c:31
//
// Addresses on stdin are answered as they come, in batches of what is there: a large file is one batch, and a program
// that asks one at a time over a pipe is not kept waiting.
#include "report/cmd_symbolize.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/foreign_file.h"
#include "symbolizer/process_maps.h"
#include "symbolizer/symbol_name.h"
#include "symbolizer/symbolizer.h"

#define MAX_DEBUG_DIRS 15

static struct {
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
    {'e', "exe", "FILE", "name addresses of this ELF file, as it has them", option__string, &options.file},
    {'p', "pid", "PID", "name addresses of this live process", option__u64, &options.pid},
    {'k', "kernel", NULL, "name addresses of the running kernel", option__flag, &options.kernel},
    {0, "no-inline", NULL, "only the function the code belongs to", option__flag, &options.no_inline},
    {0, "no-demangle", NULL, "names as the binary has them", option__flag, &options.no_demangle},
    {0, "debug-dir", "DIR", "where debug files are looked for (/usr/lib/debug)", option__list, &options.debug_dirs},
    {0, "debuginfod", NULL, "ask the servers of $DEBUGINFOD_URLS for debug files", option__flag, &options.debuginfod},
    {0, "root", "DIR", "with -k: the kernel whose /proc, /sys and debug files are below DIR", option__string,
     &options.root},
    {0, "cache", "DIR", "keep what was read of a binary here, for the next time", option__string, &options.cache_dir},
    {0, "stats", NULL, "say on stderr what it cost", option__flag, &options.stats},
    {'f', "format", "text|json", "how to print (text)", option__string, &options.format},
    {0},
};

enum format {
    FORMAT_TEXT,
    FORMAT_JSON_LINES, // an object a line, for stdin
    FORMAT_JSON_ARRAY, // one array, for operands
};

struct answer { // where its text stands in `text`
    size_t at;
    size_t length;
};

struct batch {
    uint64_t *addresses;
    bool *bad; // what was asked is no address
    size_t count;
    size_t capacity;
    struct answer *answers;
    struct buf text;
    enum format format;
    const size_t *places; // of a part of the batch: its index in the whole; NULL: the same
};

static void append_escaped(struct buf *text, const char *name)
{
    char shown[4 * LIMIT_NAME_BYTES + 1];
    buf__append(text, shown, symbol_name__escape(name, shown, sizeof(shown)));
}

static void append_json_string(struct buf *text, const char *name)
{
    char shown[4 * LIMIT_NAME_BYTES + 1];
    symbol_name__escape(name, shown, sizeof(shown));
    buf__append_byte(text, '"');
    for (const char *at = shown; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf__append_byte(text, '\\');
        buf__append_byte(text, (uint8_t)*at);
    }
    buf__append_byte(text, '"');
}

static void append_line(struct buf *text, uint32_t line) // ":LINE\n", without the cost of a format
{
    char digits[12];
    size_t at = sizeof(digits);
    digits[--at] = '\n';
    do
        digits[--at] = (char)('0' + line % 10);
    while (line /= 10);
    buf__append_byte(text, ':');
    buf__append(text, digits + at, sizeof(digits) - at);
}

static void append_text(struct buf *text, const struct symbol *chain, size_t length)
{
    static const struct symbol unknown = {.file = ""};
    for (size_t i = 0; i < (length ? length : 1); i++) {
        const struct symbol *symbol = length ? &chain[i] : &unknown;
        append_escaped(text, symbol->function ? symbol->function : "??");
        buf__append_byte(text, ' ');
        append_escaped(text, symbol->file[0] ? symbol->file : "??");
        append_line(text, symbol->line);
    }
    buf__append_byte(text, '\n');
}

static void append_json(struct buf *text, uint64_t address, const struct symbol *chain, size_t length)
{
    buf__append_format(text, "{\"address\":\"0x%" PRIx64 "\",\"frames\":[", address);
    for (size_t i = 0; i < length; i++) {
        buf__append_string(text, i > 0 ? ",{\"function\":" : "{\"function\":");
        if (chain[i].function)
            append_json_string(text, chain[i].function);
        else
            buf__append_string(text, "null");
        buf__append_string(text, ",\"file\":");
        append_json_string(text, chain[i].file);
        buf__append_format(text, ",\"line\":%" PRIu32 "}", chain[i].line);
    }
    buf__append_string(text, "]}");
}

static void take(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct batch *batch = context;
    size_t place = batch->places ? batch->places[index] : index;
    struct answer *answer = &batch->answers[place];
    answer->at = batch->text.length_bytes;
    if (batch->format == FORMAT_TEXT)
        append_text(&batch->text, chain, length);
    else
        append_json(&batch->text, batch->addresses[place], chain, length);
    answer->length = batch->text.length_bytes - answer->at;
}

static int add(struct batch *batch, const char *word)
{
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity ? batch->capacity * 2 : 1024;
        uint64_t *addresses = realloc(batch->addresses, capacity * sizeof(*addresses));
        if (!addresses)
            return -ENOMEM;
        batch->addresses = addresses;
        bool *bad = realloc(batch->bad, capacity * sizeof(*bad));
        if (!bad)
            return -ENOMEM;
        batch->bad = bad;
        batch->capacity = capacity;
    }
    char *end;
    errno = 0;
    uint64_t address = strtoull(word, &end, 16); // with or without 0x, as addr2line reads them
    bool bad = errno || end == word || *end || word[0] == '-' || word[0] == '+';
    batch->bad[batch->count] = bad;
    batch->addresses[batch->count++] = bad ? UINT64_MAX : address;
    return 0;
}

static void release(struct batch *batch)
{
    free(batch->addresses);
    free(batch->bad);
    free(batch->answers);
    buf__release(&batch->text);
}

static int name_file(struct symbolizer *symbolizer, int fd, struct batch *batch)
{
    _cleanup_free_ uint64_t *file_offsets = calloc(batch->count + 1, sizeof(*file_offsets));
    uint8_t build_id[20];
    struct symbol_file file = {.fd = fd, .root_fd = -1, .path = options.file, .build_id = build_id};
    _cleanup_free_ char *whole_path = realpath(options.file, NULL); // debug files are looked for beside it
    if (!file_offsets)
        return -ENOMEM;
    if (whole_path)
        file.path = whole_path;
    if (symbolizer__build_id(fd, build_id, &file.build_id_bytes) != 0)
        file.build_id = NULL;
    int err = symbolizer__file_offsets(fd, batch->addresses, batch->count, file_offsets);
    return err ? err : symbolizer__resolve_file(symbolizer, &file, file_offsets, batch->count, take, batch);
}

static int name_mapping(struct symbolizer *symbolizer, int root_fd, const struct process_mapping *mapping,
                        const uint64_t *addresses, size_t count, struct batch *batch)
{
    pid_t pid = (pid_t)options.pid;
    _cleanup_fd_ int fd = -1;
    _cleanup_free_ uint64_t *file_offsets = calloc(count + 1, sizeof(*file_offsets));
    if (!file_offsets)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        file_offsets[i] = addresses[i] - mapping->start + mapping->file_offset;
    if (strcmp(mapping->path, "[vdso]") == 0)
        return symbolizer__resolve_vdso(symbolizer, file_offsets, count, take, batch);
    if (mapping->inode == 0)
        return symbolizer__resolve_jit(symbolizer, pid, addresses, count, take, batch);
    int err = process_maps__open(pid, mapping, &fd);
    if (err)
        return err;
    uint8_t build_id[20];
    struct symbol_file file = {.fd = fd, .root_fd = root_fd, .path = mapping->path, .build_id = build_id};
    if (symbolizer__build_id(fd, build_id, &file.build_id_bytes) != 0)
        file.build_id = NULL;
    return symbolizer__resolve_file(symbolizer, &file, file_offsets, count, take, batch);
}

static int name_kernel_part(struct symbolizer *symbolizer, const uint64_t *addresses, size_t count, struct batch *batch,
                            struct fault *fault)
{
    return symbolizer__resolve_kernel(symbolizer, addresses, count, take, batch, fault);
}

struct place {
    const struct process_mapping *mapping; // NULL: none
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
static int name_process(struct symbolizer *symbolizer, struct batch *batch, struct fault *fault)
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
    batch->places = indexes;
    for (size_t i = 0, next; i < batch->count; i = next) {
        for (next = i; next < batch->count && places[next].mapping == places[i].mapping &&
                       places[next].kernel == places[i].kernel;
             next++) {
            indexes[next - i] = places[next].index;
            addresses[next - i] = batch->addresses[places[next].index];
        }
        if (places[i].kernel)
            name_kernel_part(symbolizer, addresses, next - i, batch, NULL);
        else if (places[i].mapping)
            name_mapping(symbolizer, root_fd, places[i].mapping, addresses, next - i, batch);
    }
    batch->places = NULL;
    return 0;
}

static int name_batch(struct symbolizer *symbolizer, int fd, struct batch *batch, struct fault *fault)
{
    free(batch->answers);
    buf__clear(&batch->text);
    batch->answers = calloc(batch->count + 1, sizeof(*batch->answers));
    if (!batch->answers)
        return -ENOMEM;
    int err = options.kernel
                  ? symbolizer__resolve_kernel(symbolizer, batch->addresses, batch->count, take, batch, fault)
              : options.file ? name_file(symbolizer, fd, batch)
                             : name_process(symbolizer, batch, fault);
    for (size_t i = 0; !err && i < batch->count; i++)
        if (batch->answers[i].length == 0)
            take(i, NULL, 0, batch);
    return batch->text.failed ? -ENOMEM : err;
}

static void print_batch(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->format == FORMAT_JSON_ARRAY)
            fputs(i == 0 ? "[" : ",\n", stdout);
        fwrite(batch->text.data + batch->answers[i].at, 1, batch->answers[i].length, stdout);
        if (batch->format == FORMAT_JSON_LINES)
            putchar('\n');
    }
    if (batch->format == FORMAT_JSON_ARRAY)
        fputs("]\n", stdout);
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

static int take_lines(struct buf *input, bool at_end, struct batch *batch)
{
    int err = 0;
    size_t start = 0;
    buf__append_byte(input, '\n'); // a sentinel, cut off below where the last line is not whole
    batch->count = 0;
    for (size_t i = 0; i < input->length_bytes && !err; i++) {
        bool whole = i + 1 < input->length_bytes || at_end;
        if (input->data[i] != '\n' || !whole)
            continue;
        char *word = (char *)input->data + start;
        input->data[i] = '\0';
        word += strspn(word, " \t");
        word[strcspn(word, " \t\r")] = '\0';
        if (i + 1 < input->length_bytes || word[0])
            err = add(batch, word);
        start = i + 1;
    }
    if (!at_end) {
        input->length_bytes -= start + 1;
        memmove(input->data, input->data + start, input->length_bytes);
    }
    return err;
}

static int answer_stdin(struct symbolizer *symbolizer, int fd, struct batch *batch, struct fault *fault)
{
    _cleanup_(buf__release) struct buf input = {0};
    bool more = true;
    int err = 0;
    while (more && !err) {
        more = fill(&input);
        err = input.failed ? -ENOMEM : take_lines(&input, !more, batch);
        if (!err && batch->count > 0)
            err = name_batch(symbolizer, fd, batch, fault);
        if (!err)
            print_batch(batch);
        if (fflush(stdout) != 0)
            break; // main says it
    }
    return err;
}

static int answer_operands(struct symbolizer *symbolizer, int fd, int argc, char **argv, struct batch *batch,
                           struct fault *fault)
{
    int err = 0;
    for (int i = 0; i < argc && !err; i++) {
        err = add(batch, argv[i]);
        if (!err && batch->bad[batch->count - 1])
            return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                                   "'%s' is not an address; give it in hex, such as 0x401136", argv[i]);
    }
    if (!err)
        err = name_batch(symbolizer, fd, batch, fault);
    if (!err)
        print_batch(batch);
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
    _cleanup_(release) struct batch batch = {0};
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
    batch.format = strcmp(options.format, "text") == 0 ? FORMAT_TEXT : argc > 0 ? FORMAT_JSON_ARRAY : FORMAT_JSON_LINES;
    err = argc > 0 ? answer_operands(symbolizer, fd, argc, argv, &batch, &fault)
                   : answer_stdin(symbolizer, fd, &batch, &fault);
    if (options.stats)
        print_stats(symbolizer);
    symbolizer__free(symbolizer);
    if (err && !fault.text[0] && options.file)
        fault__set(&fault, err, "cannot name addresses of '%s': %s", options.file,
                   err == -EBADMSG ? "not an ELF file, or a damaged one" : strerror(-err));
    return err ? fault__say(&fault, err) : EXIT_CODE_DONE;
}

const struct command cmd_symbolize = {
    .name = "symbolize",
    .operands = "[ADDRESS...]",
    .summary = "addresses in, names out, like addr2line and llvm-symbolizer",
    .details =
        "Addresses are in hex, on stdin where none is given. For each address: one line a frame, innermost first,\n"
        "`FUNCTION FILE:LINE`, then an empty line; `?? ??:0` where unknown.\n",
    .options = rows,
    .run = run,
};
