#include "report/imports/foreign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/imports/kind_suffix.h"
#include "report/text/strings.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/limits.h"
#include "store/writer/writer.h"

#define FOREIGN_VALUES_AT_ONCE (256u << 10) // values of one interval of the store

DEFINE_CLEANUP(struct strings *, strings__free);
DEFINE_CLEANUP(struct store_writer *, store_writer__free);

struct foreign {
    struct store_writer *writer;
    struct strings *words, *comms;
    uint32_t *frames; // by word
    size_t frame_capacity;
    struct store_value *values;
    size_t value_count, value_capacity;
    uint64_t start_ns, duration_ns, intervals;
    struct fault fault;
    int err;
};

static void keep(struct foreign *foreign, int err)
{
    if (err && !foreign->err)
        foreign->err = err;
}

static void append(struct foreign *foreign, bool is_last);

// Whether a call of the writer, which gave this error, is to be made again: its dictionaries were full, and have room
// again behind an interval.
static bool has_made_room(struct foreign *foreign, int err)
{
    if (err == -ENOBUFS && !foreign->err)
        append(foreign, false);
    else
        keep(foreign, err);
    return err == -ENOBUFS && !foreign->err;
}

#define KEEP(foreign, call)                                                                                            \
    do {                                                                                                               \
        if (!(foreign)->err && has_made_room((foreign), (call)))                                                       \
            keep((foreign), (call));                                                                                   \
    } while (0)

int foreign__new(const char *path, uint64_t changed_ns, struct fault *fault, struct foreign **ret_foreign)
{
    static const struct store_meta meta = {
        .host = "", .kernel = "", .arch = "", .version = HEARTH_VERSION, .command = ""};
    _cleanup_(foreign__freep) struct foreign *foreign = calloc(1, sizeof(*foreign));
    if (!foreign)
        return -ENOMEM;
    foreign__set_time(foreign, changed_ns, 0);
    int err = strings__new(&foreign->words);
    if (!err)
        err = strings__new(&foreign->comms);
    if (!err)
        err = store_writer__create(path, &meta, fault, &foreign->writer);
    if (!err)
        *ret_foreign = take_pointer(foreign);
    return err;
}

void foreign__free(struct foreign *foreign)
{
    if (!foreign)
        return;
    store_writer__free(foreign->writer);
    strings__free(foreign->words);
    strings__free(foreign->comms);
    free(foreign->frames);
    free(foreign->values);
    free(foreign);
}

void foreign__set_time(struct foreign *foreign, uint64_t start_ns, uint64_t duration_ns)
{
    foreign->start_ns = start_ns;
    foreign->duration_ns = duration_ns;
}

int foreign__error(const struct foreign *foreign)
{
    return foreign->err;
}

uint32_t foreign__event(struct foreign *foreign, const struct store_event *event)
{
    uint32_t id = 0;
    KEEP(foreign, store_writer__event(foreign->writer, event, &id));
    return id;
}

// Profiles without PIDs have a process for each comm: its number in the order in which they came.
static uint32_t number_comm(struct foreign *foreign, const char *comm)
{
    uint32_t number = 0;
    keep(foreign, strings__keep_id(foreign->comms, comm, &number));
    return number + 1;
}

uint32_t foreign__thread(struct foreign *foreign, uint32_t pid, uint32_t tid, const char *comm)
{
    uint32_t process = 0, thread = 0;
    struct store_process row = {.pid = pid ? pid : number_comm(foreign, comm),
                                .start_ns = foreign->start_ns,
                                .comm = comm,
                                .exe = "",
                                .cgroup = "",
                                .container = ""};
    KEEP(foreign, store_writer__process(foreign->writer, &row, &process));
    KEEP(foreign, store_writer__thread(foreign->writer, process, tid, comm, &thread));
    return thread;
}

static uint64_t hash_chain(const struct foreign_frame *frame)
{
    uint64_t hash = frame->kind;
    for (size_t i = 0; i < frame->chain_length; i++) {
        const struct store_line *line = &frame->chain[i];
        hash = hash__pair(hash, hash__text(line->function, strlen(line->function)));
        hash = hash__pair(hash, hash__pair(hash__text(line->file, strlen(line->file)), line->line));
    }
    return hash;
}

uint32_t foreign__frame(struct foreign *foreign, const struct foreign_frame *frame)
{
    const struct store_binary binary = {.kind = frame->kind, .path = frame->path};
    // An address of the kernel is shortened to what a file may have: places in binaries are added to (pprof).
    uint64_t offset =
        frame->has_offset ? frame->offset & (UINT64_MAX >> 17) : STORE_FOLDED_OFFSET << 56 | hash_chain(frame) >> 8;
    uint32_t binary_id = 0, id = 0;
    bool is_new = false;
    KEEP(foreign, store_writer__binary(foreign->writer, &binary, &binary_id));
    KEEP(foreign, store_writer__frame(foreign->writer, binary_id, offset, &id, &is_new));
    if (is_new && frame->kind != STORE_BINARY_MARK)
        KEEP(foreign, store_writer__name(foreign->writer, id, frame->chain, frame->chain_length));
    return id;
}

// "[FILE+0xOFFSET]" is an address without a name; another word in brackets is a mark.
static uint32_t make_bracketed(struct foreign *foreign, char *word, size_t length)
{
    struct foreign_frame frame = {.kind = STORE_BINARY_MARK, .path = word, .has_offset = true};
    char *plus = strrchr(word, '+'), *end = NULL;
    if (plus && strncmp(plus, "+0x", 3) == 0)
        frame.offset = strtoull(plus + 3, &end, 16);
    if (end && end == word + length - 1 && end > plus + 3) {
        *plus = '\0';
        frame.kind = STORE_BINARY_ELF;
        frame.path = word + 1;
    }
    return foreign__frame(foreign, &frame);
}

// "outer;inlined_[i];inlined again_[i]" is one frame.
static uint32_t make_word(struct foreign *foreign, char *word, size_t length)
{
    struct store_line chain[LIMIT_CHAIN] = {{0}};
    struct foreign_frame frame = {.path = "", .chain = chain};
    if (word[0] == '[' && word[length - 1] == ']')
        return make_bracketed(foreign, word, length);
    for (char *rest = word, *name; (name = strsep(&rest, ";")) && frame.chain_length < LIMIT_CHAIN;) {
        kind_suffix__cut(name, "_[i]");
        enum store_binary_kind kind = kind_suffix__cut_folded(name);
        frame.kind = kind == STORE_BINARY_ELF ? frame.kind : kind;
        memmove(chain + 1, chain, (LIMIT_CHAIN - 1) * sizeof(chain[0]));
        chain[0] = (struct store_line){.function = name, .file = ""};
        frame.chain_length++;
    }
    return foreign__frame(foreign, &frame);
}

uint32_t foreign__word(struct foreign *foreign, const char *word, size_t length)
{
    char text[LIMIT_NAME_BYTES];
    uint32_t number = 0, known = strings__count(foreign->words);
    if (length >= sizeof(text))
        length = sizeof(text) - 1;
    memcpy(text, word, length);
    text[length] = '\0';
    keep(foreign, strings__keep_id(foreign->words, text, &number));
    if (!foreign->err && number == known)
        keep(foreign, GROW(foreign->frames, foreign->frame_capacity, (size_t)number + 1));
    if (foreign->err)
        return 0;
    if (number == known)
        foreign->frames[number] = length ? make_word(foreign, text, length) : make_word(foreign, (char[]){"-"}, 1);
    return foreign->frames[number];
}

uint32_t foreign__node(struct foreign *foreign, uint32_t parent, uint32_t frame)
{
    uint32_t node = 0;
    KEEP(foreign, store_writer__node(foreign->writer, parent, frame, &node));
    return node;
}

uint32_t foreign__stack(struct foreign *foreign, const uint32_t *frames, size_t count)
{
    uint32_t node = 0;
    if (count)
        KEEP(foreign, store_writer__stack(foreign->writer, frames, count, &node));
    return node;
}

// Each interval of the store has a part of the time, so that the parts add up to it.
static void append(struct foreign *foreign, bool is_last)
{
    struct store_interval interval = {.start_ns = foreign->start_ns + foreign->intervals};
    uint64_t end_ns = foreign->start_ns + foreign->duration_ns;
    interval.end_ns = is_last && end_ns > interval.start_ns ? end_ns : interval.start_ns + 1;
    keep(foreign, store_writer__append(foreign->writer, &interval, foreign->values, foreign->value_count, NULL, 0,
                                       &foreign->fault));
    foreign->value_count = 0;
    foreign->intervals++;
}

void foreign__add(struct foreign *foreign, const struct store_value *value)
{
    if (!foreign->err && foreign->value_count == FOREIGN_VALUES_AT_ONCE)
        append(foreign, false);
    if (!foreign->err)
        keep(foreign, GROW(foreign->values, foreign->value_capacity, foreign->value_count + 1));
    if (!foreign->err)
        foreign->values[foreign->value_count++] = *value;
}

int foreign__end(struct foreign *foreign, struct fault *fault)
{
    if (!foreign->err && !foreign->intervals && !foreign->value_count)
        return -ENODATA;
    if (!foreign->err)
        append(foreign, true);
    if (foreign->err) {
        *fault = foreign->fault;
        return foreign->err;
    }
    return store_writer__close(take_pointer(foreign->writer), fault);
}
