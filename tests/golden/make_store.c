// make_store STORE [EVENT UNIT] < STACKS: a store made of folded stacks, so that tests know what a report must say.
//
//   nginx;main;serve;memcpy_[i];asm_exc_page_fault_[k] 4
//   node;[truncated];[libv8.so+0x10];compute_[j] 2
//
// A first frame "worker@12/13" is thread 13, worker, of process 12, whose name is "process12". A line "# EVENT" begins
// another event, in samples. The suffixes and brackets are those of `hearth report -f folded`, which prints the same
// lines again, sorted and added up. An interval of ten seconds for each 1,000 lines, from 2026-11-21 12:00:00 UTC.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/strings.h"
#include "store/base/cleanup.h"
#include "store/writer/writer.h"

#define START_NS       (1795262400ull * 1000000000u)
#define INTERVAL_NS    10000000000ull
#define INTERVAL_LINES 1000u
#define DEPTH_MAX      4096u

// The ids of texts that have been made.
struct made {
    struct strings *texts;
    uint32_t *ids, capacity;
};

static struct {
    struct store_writer *writer;
    struct made frames, threads, processes;
    uint32_t event;
    bool by_value;
    struct store_value values[INTERVAL_LINES];
    size_t value_count;
    uint64_t interval_count;
} maker;

static void check(int err, const char *what)
{
    if (!err)
        return;
    fprintf(stderr, "make_store: %s: %s\n", what, strerror(-err));
    exit(1);
}

static void check_fault(int err, const struct fault *fault)
{
    if (err)
        exit(fault__say(fault, err));
}

static bool cut_suffix(char *name, const char *suffix)
{
    size_t length = strlen(name), suffix_length = strlen(suffix);
    if (length <= suffix_length || strcmp(name + length - suffix_length, suffix) != 0)
        return false;
    name[length - suffix_length] = '\0';
    return true;
}

static uint32_t binary(enum store_binary_kind kind, const char *path)
{
    uint32_t id;
    check(store_writer__binary(maker.writer, &(struct store_binary){.kind = kind, .path = path}, &id), "binary");
    return id;
}

// "[FILE+0xOFFSET]" has no name; other words in brackets are marks.
static void make_bracketed(const char *text, uint32_t *ret_frame)
{
    char path[256];
    uint64_t offset;
    if (sscanf(text, "[%255[^+]+%" SCNx64 "]", path, &offset) == 2) {
        check(store_writer__frame(maker.writer, binary(STORE_BINARY_ELF, path), offset, ret_frame, NULL), "frame");
        check(store_writer__name(maker.writer, *ret_frame, NULL, 0), "name");
        return;
    }
    check(store_writer__frame(maker.writer, binary(STORE_BINARY_MARK, text), 0, ret_frame, NULL), "frame");
}

// "outer;inlined_[i];inlined again_[i]" is one frame of the store.
static uint32_t make_frame(const char *text, uint32_t number)
{
    struct store_line chain[64] = {0};
    char copy[65536];
    size_t length = 0;
    uint32_t frame;
    enum store_binary_kind kind = STORE_BINARY_ELF;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *rest = copy, *name; (name = strsep(&rest, ";")) && length < 64; length++) {
        if (cut_suffix(name, "_[k]"))
            kind = STORE_BINARY_KERNEL;
        if (cut_suffix(name, "_[j]"))
            kind = STORE_BINARY_JIT;
        cut_suffix(name, "_[i]");
        memmove(chain + 1, chain, sizeof(chain) - sizeof(chain[0])); // innermost first
        chain[0] = (struct store_line){.function = name, .file = "", .line = 0};
    }
    if (kind == STORE_BINARY_ELF && length == 1 && text[0] == '[') {
        make_bracketed(text, &frame);
        return frame;
    }
    static const char *const paths[] = {"/usr/bin/program", "[kernel]", "[jit] 1"};
    check(store_writer__frame(maker.writer, binary(kind, paths[kind]), 0x1000 + 16ull * number, &frame, NULL), "frame");
    check(store_writer__name(maker.writer, frame, chain, length), "name");
    return frame;
}

static uint32_t make_process(uint32_t pid, const char *comm)
{
    uint32_t process;
    struct store_process row = {
        .pid = pid, .start_ns = START_NS, .comm = comm, .exe = "/usr/bin/program", .cgroup = "/", .container = ""};
    check(store_writer__process(maker.writer, &row, &process), "process");
    return process;
}

static uint32_t make_known_process(const char *pid, uint32_t number)
{
    char comm[32];
    (void)number;
    snprintf(comm, sizeof(comm), "process%s", pid);
    return make_process((uint32_t)strtoul(pid, NULL, 10), comm);
}

static uint32_t find(struct made *made, const char *text, uint32_t (*make)(const char *text, uint32_t number));

static uint32_t make_thread(const char *text, uint32_t number)
{
    uint32_t process, tid = 0, thread;
    char comm[64], pid[16];
    bool is_known = sscanf(text, "%63[^@]@%15[0-9]/%" SCNu32, comm, pid, &tid) == 3;
    process = is_known ? find(&maker.processes, pid, make_known_process) : make_process(100 + number, text);
    check(store_writer__thread(maker.writer, process, is_known ? tid : 0, is_known ? comm : text, &thread), "thread");
    return thread;
}

static uint32_t find(struct made *made, const char *text, uint32_t (*make)(const char *text, uint32_t number))
{
    uint32_t number, before = strings__count(made->texts);
    check(strings__keep_id(made->texts, text, &number), text);
    if (number < before)
        return made->ids[number];
    if (number >= made->capacity) {
        made->capacity = made->capacity ? made->capacity * 2 : 1024;
        made->ids = reallocarray(made->ids, made->capacity, sizeof(*made->ids));
        check(made->ids ? 0 : -ENOMEM, text);
    }
    return made->ids[number] = make(text, number);
}

static void made__release(struct made *made)
{
    strings__free(made->texts);
    free(made->ids);
}

static void end_interval(void)
{
    struct fault fault = {0};
    struct store_interval interval = {.start_ns = START_NS + maker.interval_count * INTERVAL_NS};
    interval.end_ns = interval.start_ns + INTERVAL_NS;
    int err = store_writer__append(maker.writer, &interval, maker.values, maker.value_count, NULL, 0, &fault);
    check_fault(err, &fault);
    maker.value_count = 0;
    maker.interval_count++;
}

// Cuts off the next function, and those inlined into it: they are one frame.
static char *next_frame(char **rest)
{
    char *start = *rest, *end = start;
    if (!start)
        return NULL;
    do {
        end += *end == ';';
        end += strcspn(end, ";");
    } while (*end && strncmp(end + 1 + strcspn(end + 1, ";") - 4, "_[i]", 4) == 0);
    *rest = *end ? end + 1 : NULL;
    *end = '\0';
    return start;
}

static void add_line(char *line)
{
    char *space = strrchr(line, ' ');
    if (!space)
        return;
    *space = '\0';
    uint64_t weight = strtoull(space + 1, NULL, 10);
    uint32_t frames[DEPTH_MAX];
    size_t depth = 0;
    char *rest = line, *comm = strsep(&rest, ";");
    for (char *text; depth < DEPTH_MAX && (text = next_frame(&rest)); depth++)
        frames[depth] = find(&maker.frames, text, make_frame);
    struct store_value *value = &maker.values[maker.value_count];
    *value = (struct store_value){.event = maker.event,
                                  .thread = find(&maker.threads, comm, make_thread),
                                  .count = maker.by_value ? 1 : weight,
                                  .value = weight};
    if (depth)
        check(store_writer__stack(maker.writer, frames, depth, &value->node), "stack");
    if (++maker.value_count == INTERVAL_LINES)
        end_interval();
}

static void begin_event(const char *name)
{
    struct store_event event = {.name = name, .unit = "samples", .detail = "", .period = 0};
    maker.by_value = false;
    check(store_writer__event(maker.writer, &event, &maker.event), "event");
}

int main(int argc, char **argv)
{
    struct fault fault = {0};
    struct store_meta meta = {.host = "host",
                              .kernel = "6.18",
                              .arch = "x86_64",
                              .version = HEARTH_VERSION,
                              .command = "make_store",
                              .cpu_count = 2};
    struct store_event event = {.name = argc > 3 ? argv[2] : "cpu",
                                .unit = argc > 3 ? argv[3] : "samples",
                                .detail = argc > 3 ? "" : "cpu-clock at 99 Hz",
                                .period = argc > 3 ? 0 : 10101010};
    if (argc != 2 && argc != 4)
        return fprintf(stderr, "usage: make_store STORE [EVENT UNIT] < STACKS\n"), 2;
    check(strings__new(&maker.frames.texts), "frames");
    check(strings__new(&maker.threads.texts), "threads");
    check(strings__new(&maker.processes.texts), "processes");
    check_fault(store_writer__create(argv[1], &meta, &fault, &maker.writer), &fault);
    check(store_writer__event(maker.writer, &event, &maker.event), "event");
    maker.by_value = strcmp(event.unit, "samples") != 0;
    char *line = NULL;
    size_t size = 0;
    for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
        line[length - (line[length - 1] == '\n')] = '\0';
        if (strncmp(line, "# ", 2) == 0)
            begin_event(line + 2);
        else
            add_line(line);
    }
    free(line);
    end_interval();
    check_fault(store_writer__close(maker.writer, &fault), &fault);
    made__release(&maker.frames);
    made__release(&maker.threads);
    made__release(&maker.processes);
    return 0;
}
