#include "collector/keep/interned.h"

#include <errno.h>
#include <stdlib.h>

#include "bpf/wire/wire.h"
#include "store/base/id_map.h"

struct interned {
    struct store_writer *writer;
    struct id_map binaries; // kind and number of the code -> row
    struct id_map marks;    // address of the mark -> frame
    uint32_t events[WIRE_EVENTS_MAX];
};

int interned__new(struct store_writer *writer, struct interned **ret_interned)
{
    struct interned *interned = calloc(1, sizeof(*interned));
    if (!interned)
        return -ENOMEM;
    interned->writer = writer;
    *ret_interned = interned;
    return 0;
}

void interned__free(struct interned *interned)
{
    if (!interned)
        return;
    id_map__release(&interned->binaries);
    id_map__release(&interned->marks);
    free(interned);
}

int interned__set_event(struct interned *interned, size_t index, const struct store_event *event)
{
    if (index >= WIRE_EVENTS_MAX)
        return -E2BIG;
    return store_writer__event(interned->writer, event, &interned->events[index]);
}

const uint32_t *interned__events(const struct interned *interned)
{
    return interned->events;
}

int interned__thread(struct interned *interned, const struct store_process *process, uint32_t tid, const char *comm,
                     uint32_t *ret_thread)
{
    uint32_t row;
    int err = store_writer__process(interned->writer, process, &row);
    return err ? err : store_writer__thread(interned->writer, row, tid, comm, ret_thread);
}

static int find_binary(struct interned *interned, const struct code *code, uint32_t *ret_row)
{
    uint64_t key = (uint64_t)code->kind << 32 | code->number;
    if (id_map__get(&interned->binaries, key, ret_row))
        return 0;
    struct store_binary binary = {.kind = code->kind,
                                  .path = code->path,
                                  .build_id = code->build_id_bytes ? code->build_id : NULL,
                                  .build_id_bytes = code->build_id_bytes,
                                  .digest = code->digest};
    int err = store_writer__binary(interned->writer, &binary, ret_row);
    return err ? err : id_map__put(&interned->binaries, key, *ret_row);
}

int interned__frame(struct interned *interned, const struct code *code, uint64_t place, uint32_t *ret_frame,
                    bool *ret_is_new)
{
    uint32_t binary;
    int err = find_binary(interned, code, &binary);
    return err ? err : store_writer__frame(interned->writer, binary, place, ret_frame, ret_is_new);
}

static int name_mark(struct interned *interned, const char *mark, uint32_t *ret_frame)
{
    uint32_t binary;
    struct store_binary row = {.kind = STORE_BINARY_MARK, .path = mark};
    struct store_line line = {.function = mark, .file = ""};
    int err = store_writer__binary(interned->writer, &row, &binary);
    if (!err)
        err = store_writer__frame(interned->writer, binary, 0, ret_frame, NULL);
    return err ? err : store_writer__name(interned->writer, *ret_frame, &line, 1);
}

int interned__mark(struct interned *interned, const char *mark, uint32_t *ret_frame)
{
    uint64_t key = (uintptr_t)mark;
    if (id_map__get(&interned->marks, key, ret_frame))
        return 0;
    int err = name_mark(interned, mark, ret_frame);
    return err ? err : id_map__put(&interned->marks, key, *ret_frame);
}

int interned__stack(struct interned *interned, const uint32_t *frames, size_t count, uint32_t *ret_node)
{
    return store_writer__stack(interned->writer, frames, count, ret_node);
}
