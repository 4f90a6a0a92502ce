#include "report/profile/frame_labels.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/file_name.h"
#include "store/base/grow.h"

struct frame_labels {
    struct profile *profile;
    struct store_reader *reader;
    uint32_t *places; // by frame: where in `chains` its labels begin; 0: not looked up yet
    uint32_t last_frame;
    uint32_t *chains; // how many labels, then these
    uint32_t used, capacity;
};

DEFINE_CLEANUP(struct frame_labels *, frame_labels__free);

static int push_chain(struct frame_labels *labels, uint32_t value)
{
    if (labels->used == labels->capacity) {
        if (labels->capacity > UINT32_MAX / 8)
            return -EOVERFLOW;
        if (GROW(labels->chains, labels->capacity, labels->used + 1) != 0)
            return -ENOMEM;
    }
    labels->chains[labels->used++] = value;
    return 0;
}

int frame_labels__new(struct profile *profile, struct store_reader *reader, uint32_t last_frame,
                      struct frame_labels **ret_labels)
{
    _cleanup_(frame_labels__freep) struct frame_labels *labels = calloc(1, sizeof(*labels));
    if (!labels)
        return -ENOMEM;
    *labels = (struct frame_labels){.profile = profile, .reader = reader, .last_frame = last_frame};
    labels->places = calloc((size_t)last_frame + 1, sizeof(*labels->places));
    int err = labels->places ? push_chain(labels, 0) : -ENOMEM; // so that 0 is no place in `chains`
    if (err)
        return err;
    *ret_labels = take_pointer(labels);
    return 0;
}

void frame_labels__free(struct frame_labels *labels)
{
    if (!labels)
        return;
    free(labels->places);
    free(labels->chains);
    free(labels);
}

// Functions of one name in two binaries are two, unless only names are asked for. JIT code of several processes is one.
static const char *module_of(const struct frame_labels *labels, const struct store_binary *binary)
{
    if (profile__options(labels->profile)->names_only)
        return "";
    return binary->kind == STORE_BINARY_JIT ? "[jit]" : file_name__of(binary->path);
}

// "[libfoo.so+0x1234]"; a file name that has brackets of its own ("[vdso]") gives them up. Code without a file has
// addresses that mean nothing to anyone: "[jit]".
static void name_offset(const struct store_binary *binary, uint64_t offset, char *ret_name, size_t size)
{
    const char *module = file_name__of(binary->path);
    size_t length = strlen(module);
    bool bracketed = length > 2 && module[0] == '[' && module[length - 1] == ']';
    if (binary->kind == STORE_BINARY_JIT)
        snprintf(ret_name, size, "[jit]");
    else
        snprintf(ret_name, size, "[%.*s+0x%" PRIx64 "]", (int)(bracketed ? length - 2 : length),
                 bracketed ? module + 1 : module, offset);
}

static void name_line(const struct store_line *line, char *ret_name, size_t size)
{
    if (*line->file && !line->line)
        snprintf(ret_name, size, "%s (%s)", line->function, file_name__of(line->file));
    else if (*line->file)
        snprintf(ret_name, size, "%s (%s:%" PRIu32 ")", line->function, file_name__of(line->file), line->line);
    else
        snprintf(ret_name, size, "%s", line->function);
}

static int push_label(struct frame_labels *labels, const struct label *label)
{
    uint32_t id;
    int err = profile__keep_label(labels->profile, label, &id);
    return err ? err : push_chain(labels, id);
}

// Labels the functions of a frame, outermost first.
static int push_functions(struct frame_labels *labels, const struct store_frame *frame, struct label *label)
{
    const struct profile_options *options = profile__options(labels->profile);
    char name[4096];
    for (size_t i = frame->chain_length; i-- > 0;) {
        const struct store_line *line = &frame->chain[i];
        label->name = line->function;
        if (options->grain == PROFILE_BY_LINE) {
            name_line(line, name, sizeof(name));
            label->name = name;
        }
        label->file = line->file;
        label->line_first = label->line_last = line->line;
        label->inlined = i + 1 < frame->chain_length;
        int err = push_label(labels, label);
        if (err || options->no_inline)
            return err;
    }
    return 0;
}

static int push_frame(struct frame_labels *labels, uint32_t frame_id)
{
    const struct store_frame *frame = store_reader__frame(labels->reader, frame_id);
    const struct store_binary *binary = frame ? store_reader__binary(labels->reader, frame->binary) : NULL;
    if (!binary)
        return push_label(labels, &(struct label){.name = STORE_MARK_UNKNOWN, .kind = STORE_BINARY_ELF});
    struct label label = {.module = module_of(labels, binary), .kind = binary->kind};
    char name[4096];
    if (label.kind == STORE_BINARY_MARK) {
        label.name = frame->chain_length ? frame->chain[0].function : binary->path;
        label.module = "";
        if (strcmp(label.name, STORE_MARK_UNKNOWN) == 0) // an address in no known mapping: code, but nobody's
            label.kind = STORE_BINARY_ELF;
        return push_label(labels, &label);
    }
    if (profile__options(labels->profile)->grain == PROFILE_BY_FRAME)
        label.frame = frame_id;
    else if (frame->chain_length)
        return push_functions(labels, frame, &label);
    name_offset(binary, frame->offset, name, sizeof(name));
    label.name = name;
    return push_label(labels, &label);
}

int frame_labels__of(struct frame_labels *labels, uint32_t frame, const uint32_t **ret_chain)
{
    if (frame > labels->last_frame)
        frame = 0;
    if (!labels->places[frame]) {
        uint32_t start = labels->used;
        int err = push_chain(labels, 0);
        if (!err)
            err = push_frame(labels, frame);
        if (err)
            return err;
        labels->chains[start] = labels->used - start - 1;
        labels->places[frame] = start;
    }
    *ret_chain = &labels->chains[labels->places[frame]];
    return 0;
}
