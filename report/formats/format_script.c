// The text of `perf script`, for the tools that read it: a record for each sample, its frames leaf first, an empty
// line.
//
//   nginx 812/813 1795264200.000000:   10101010 cpu:
//   	            1abc memcpy (inlined)
//   	            1abc serve (/usr/bin/nginx)
//   	ffffffff8225a6c1 do_syscall_64 ([kernel.kallsyms])
//
// A store keeps sums of intervals: all records have the time of the range's beginning. The period is what one sample
// stands for: the event's period, or the value's share, so that records add up to samples and periods to time.
// Addresses are offsets in files.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/file_name.h"
#include "store/base/limits.h"

#define SECOND_NS ((uint64_t)1000000000)
#define KERNEL    "[kernel.kallsyms]"
#define UNKNOWN   "[unknown]"

struct script {
    const struct picture *picture;
    struct layout layout;
    uint32_t *path;   // labels, by depth
    struct buf stack; // of the record at hand
    char *event;
};

static void script__release(struct script *script)
{
    layout__release(&script->layout);
    free(script->path);
    buf__release(&script->stack);
    free(script->event);
}

// As perf names what a frame lies in: tools tell the kernel and JIT code by these words.
static void append_place(struct buf *stack, const struct store_binary *binary)
{
    const char *path = binary ? binary->path : "", *base = file_name__of(path);
    buf__append_string(stack, " (");
    if (binary && binary->kind == STORE_BINARY_JIT)
        buf__append_string(stack, strncmp(base, "perf-", 5) == 0 ? base : "[JIT]");
    else if (binary && binary->kind == STORE_BINARY_VDSO)
        buf__append_string(stack, "[vdso]");
    else if (binary && binary->kind == STORE_BINARY_KERNEL && base == path)
        buf__append_string(stack, KERNEL);
    else if (binary && binary->kind == STORE_BINARY_KERNEL)
        buf__append_format(stack, "[%.*s]", (int)strcspn(base, "."), base);
    else if (*path)
        safe_text__append(stack, path);
    else
        buf__append_string(stack, UNKNOWN);
    buf__append_string(stack, ")\n");
}

static void append_name(struct buf *stack, uint64_t address, const char *name)
{
    buf__append_format(stack, "\t%16" PRIx64 " ", address);
    safe_text__append(stack, name);
}

// Marks, and frames of which only the function is kept, have a number of their own for an address: tools take two
// frames of one address for one.
static void append_frame(struct script *script, uint32_t label_id)
{
    const struct label *label = profile__label(script->picture->profile, label_id);
    struct store_reader *reader = script->picture->reader;
    const struct store_frame *frame = label->frame ? store_reader__frame(reader, label->frame) : NULL;
    if (!frame) { // how the stack ended, or all of a binary or a file
        append_name(&script->stack, label_id, label->name);
        buf__append_format(&script->stack, " (%s)\n", *label->module ? label->module : UNKNOWN);
        return;
    }
    uint64_t address = store_offset__is_folded(frame->offset) ? label_id : frame->offset;
    for (size_t i = 0; i + 1 < frame->chain_length; i++) {
        append_name(&script->stack, address, frame->chain[i].function);
        buf__append_string(&script->stack, " (inlined)\n");
    }
    append_name(&script->stack, address,
                frame->chain_length ? frame->chain[frame->chain_length - 1].function : UNKNOWN);
    append_place(&script->stack, store_reader__binary(reader, frame->binary));
}

// The period of sample `i` of those that stand for a value: the first ones take what does not divide.
static uint64_t period_of(const struct picture *picture, const struct profile_weight *self, uint64_t i)
{
    if (picture->measure == LAYOUT_SAMPLES)
        return picture->event->period ? picture->event->period : 1;
    return self->value / self->samples + (i < self->value % self->samples);
}

static bool has_thread(const struct picture *picture)
{
    return profile__options(picture->profile)->group == &group_of_perf;
}

static void put_records(struct script *script, const struct layout_row *row, FILE *file)
{
    const struct picture *picture = script->picture;
    const struct profile_weight *self = profile__self(picture->profile, 0, row->node);
    buf__clear(&script->stack);
    for (uint32_t depth = row->depth; depth > 1; depth--)
        append_frame(script, script->path[depth]);
    buf__append_byte(&script->stack, '\n');
    for (uint64_t i = 0; i < self->samples && !script->stack.failed; i++) {
        fprintf(file, "%s%s %" PRIu64 ".%06" PRIu64 ": %10" PRIu64 " %s:\n",
                profile__label(picture->profile, script->path[1])->name, has_thread(picture) ? "" : " 0/0",
                picture->since_ns / SECOND_NS, picture->since_ns % SECOND_NS / 1000, period_of(picture, self, i),
                script->event);
        fwrite(script->stack.data, 1, script->stack.length_bytes, file);
    }
}

static int check_count(const struct picture *picture, struct fault *fault)
{
    if (picture->total.samples <= LIMIT_SCRIPT_RECORDS)
        return 0;
    return fault__set(fault, -E2BIG,
                      "a record for each of %" PRIu64
                      " samples is too much (%u at most); choose a shorter range, or -f folded",
                      picture->total.samples, LIMIT_SCRIPT_RECORDS);
}

static int begin(struct script *script)
{
    int err = layout__make(script->picture->profile, 0, LAYOUT_SAMPLES, LAYOUT_BY_NAME, &script->layout);
    if (err)
        return err;
    script->path = calloc((size_t)script->layout.depth + 1, sizeof(*script->path));
    script->event = safe_text__dup(script->picture->event->name);
    if (!script->path || !script->event)
        return -ENOMEM;
    for (char *at = script->event; (at = strchr(at, ' '));)
        *at = '_';
    return 0;
}

static int write_script(const struct picture *picture, FILE *file, struct fault *fault)
{
    _cleanup_(script__release) struct script script = {.picture = picture};
    int err = check_count(picture, fault);
    if (!err)
        err = begin(&script);
    for (uint32_t i = 1; !err && i < script.layout.count; i++) {
        const struct layout_row *row = &script.layout.rows[i];
        script.path[row->depth] = row->label;
        if (row->self)
            put_records(&script, row, file);
        err = script.stack.failed ? -ENOMEM : 0;
    }
    return err;
}

const struct format format_script = {
    .name = "script",
    .suffixes = (const char *const[]){".perf.txt", ".script", NULL},
    .summary = "the text of perf script, for tools that read it: a record a sample",
    .subject = FORMAT_FRAMES,
    .group = &group_of_perf,
    .write = write_script,
};
