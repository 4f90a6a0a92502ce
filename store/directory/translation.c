#include "store/directory/translation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/limits.h"

struct translation {
    struct store_reader *reader;
    struct store_writer *writer;
    const struct store_trie *trie;
    bool folds;
    uint32_t *events, *threads, *binaries, *frames, *nodes; // by the reader's id; 0: not copied yet
    struct store_line *lines;                               // scratch
    size_t line_capacity;
};

DEFINE_CLEANUP(struct translation *, translation__free);

void translation__free(struct translation *translation)
{
    if (!translation)
        return;
    free(translation->events);
    free(translation->threads);
    free(translation->binaries);
    free(translation->frames);
    free(translation->nodes);
    free(translation->lines);
    free(translation);
}

static uint32_t *new_ids(uint32_t count)
{
    return calloc((size_t)count + 1, sizeof(uint32_t));
}

int translation__new(struct store_reader *reader, struct store_writer *writer, bool folds, struct fault *fault,
                     struct translation **ret_translation)
{
    _cleanup_(translation__freep) struct translation *translation = calloc(1, sizeof(*translation));
    if (!translation)
        return fault__set(fault, -ENOMEM, "out of memory");
    *translation = (struct translation){.reader = reader, .writer = writer, .folds = folds};
    int err = store_reader__trie(reader, fault, &translation->trie);
    if (err)
        return err;
    translation->events = new_ids(store_reader__event_count(reader));
    translation->threads = new_ids(store_reader__thread_count(reader));
    translation->binaries = new_ids(store_reader__binary_count(reader));
    translation->frames = new_ids(store_reader__frame_count(reader));
    translation->nodes = new_ids(translation->trie->count);
    if (!translation->events || !translation->threads || !translation->binaries || !translation->frames ||
        !translation->nodes)
        return fault__set(fault, -ENOMEM, "out of memory");
    *ret_translation = take_pointer(translation);
    return 0;
}

int translation__event(struct translation *translation, uint32_t event, uint32_t *ret_event)
{
    uint32_t *mine = &translation->events[event];
    int err =
        *mine ? 0 : store_writer__event(translation->writer, store_reader__event(translation->reader, event), mine);
    *ret_event = *mine;
    return err;
}

static int copy_thread(struct translation *translation, uint32_t id, uint32_t *ret_thread)
{
    const struct store_thread *thread = store_reader__thread(translation->reader, id);
    uint32_t process;
    int err = store_writer__process(translation->writer, store_reader__process(translation->reader, thread->process),
                                    &process);
    return err ? err : store_writer__thread(translation->writer, process, thread->tid, thread->comm, ret_thread);
}

static int copy_binary(struct translation *translation, uint32_t id, uint32_t *ret_binary)
{
    uint32_t *mine = &translation->binaries[id];
    int err =
        *mine ? 0 : store_writer__binary(translation->writer, store_reader__binary(translation->reader, id), mine);
    *ret_binary = *mine;
    return err;
}

static uint64_t folded_offset(const struct store_frame *frame)
{
    uint64_t hash = frame->chain_length;
    for (size_t i = 0; i < frame->chain_length; i++) {
        const struct store_line *line = &frame->chain[i];
        hash = hash__pair(hash, hash__bytes(line->function, strlen(line->function)));
        hash = hash__pair(hash, hash__bytes(line->file, strlen(line->file)));
    }
    return STORE_FOLDED_OFFSET << 56 | hash >> 8;
}

// The chain, without its lines where frames become functions.
static int chain_of(struct translation *translation, const struct store_frame *frame, bool folds,
                    const struct store_line **ret_chain)
{
    *ret_chain = frame->chain;
    if (!folds)
        return 0;
    if (frame->chain_length > translation->line_capacity) {
        if (RESIZE(translation->lines, frame->chain_length) != 0)
            return -ENOMEM;
        translation->line_capacity = frame->chain_length;
    }
    memcpy(translation->lines, frame->chain, frame->chain_length * sizeof(*frame->chain));
    for (size_t i = 0; i < frame->chain_length; i++)
        translation->lines[i].line = 0;
    *ret_chain = translation->lines;
    return 0;
}

static int copy_frame(struct translation *translation, uint32_t id, uint32_t *ret_frame)
{
    const struct store_frame *frame = store_reader__frame(translation->reader, id);
    const struct store_line *chain;
    uint32_t binary, mine;
    if (!frame)
        return -EBADMSG;
    bool is_mark = store_reader__binary(translation->reader, frame->binary)->kind == STORE_BINARY_MARK;
    bool folds = translation->folds && frame->chain_length && !is_mark;
    int err = copy_binary(translation, frame->binary, &binary);
    if (!err)
        err =
            store_writer__frame(translation->writer, binary, folds ? folded_offset(frame) : frame->offset, &mine, NULL);
    if (!err)
        err = chain_of(translation, frame, folds, &chain);
    if (!err && frame->chain_length)
        err = store_writer__name(translation->writer, mine, chain, frame->chain_length);
    if (!err)
        *ret_frame = mine;
    return err;
}

static int copy_one_node(struct translation *translation, uint32_t node)
{
    uint32_t *frame = &translation->frames[translation->trie->frames[node]];
    int err = *frame ? 0 : copy_frame(translation, translation->trie->frames[node], frame);
    return err ? err
               : store_writer__node(translation->writer, translation->nodes[translation->trie->parents[node]], *frame,
                                    &translation->nodes[node]);
}

// From the nearest ancestor that is there down to the node.
static int copy_node(struct translation *translation, uint32_t node)
{
    uint32_t path[LIMIT_STORE_STACK_FRAMES], depth = 0;
    for (uint32_t at = node; at && !translation->nodes[at]; at = translation->trie->parents[at]) {
        if (depth == LIMIT_STORE_STACK_FRAMES)
            return -EBADMSG;
        path[depth++] = at;
    }
    int err = 0;
    while (depth && !err)
        err = copy_one_node(translation, path[--depth]);
    return err;
}

static int copy_value(struct translation *translation, const struct store_value *value)
{
    uint32_t event, *thread = &translation->threads[value->thread];
    int err = translation__event(translation, value->event, &event);
    if (!err && !*thread)
        err = copy_thread(translation, value->thread, thread);
    if (!err && value->node && !translation->nodes[value->node])
        err = copy_node(translation, value->node);
    return err;
}

int translation__value(struct translation *translation, const struct store_value *value, struct store_value *ret_value)
{
    int err = copy_value(translation, value);
    if (err == -ENOBUFS) { // more waits to be written than the writer holds
        err = store_writer__flush(translation->writer, NULL);
        if (!err)
            err = copy_value(translation, value);
    }
    if (err)
        return err;
    *ret_value = *value;
    ret_value->event = translation->events[value->event];
    ret_value->thread = translation->threads[value->thread];
    ret_value->node = value->node ? translation->nodes[value->node] : 0;
    return 0;
}
