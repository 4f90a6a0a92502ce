// The writer's dictionaries: everything that gets an id.
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"
#include "store/writer/writer_insides.h"

#include "store/base/grow.h"

void writer_words__init(struct store_writer *writer)
{
    writer->processes = (struct dictionary)DICTIONARY(
        struct writer_process, offsetof(struct writer_process, parent_pid), LIMIT_STORE_PROCESSES);
    writer->threads =
        (struct dictionary)DICTIONARY(struct writer_thread, sizeof(struct writer_thread), LIMIT_STORE_THREADS);
    writer->binaries =
        (struct dictionary)DICTIONARY(struct writer_binary, offsetof(struct writer_binary, kind), LIMIT_STORE_BINARIES);
    writer->frames =
        (struct dictionary)DICTIONARY(struct writer_frame, offsetof(struct writer_frame, is_named), LIMIT_STORE_FRAMES);
    writer->nodes = (struct dictionary)DICTIONARY(struct pack_node, sizeof(struct pack_node), LIMIT_STORE_NODES);
    writer->functions_written = writer->files_written = 1;
}

void writer_words__release(struct store_writer *writer)
{
    for (uint32_t i = 0; i < writer->event_count; i++) {
        free(writer->events[i].name);
        free(writer->events[i].unit);
        free(writer->events[i].detail);
    }
    free(writer->events);
    texts__release(&writer->words);
    texts__release(&writer->paths);
    texts__release(&writer->functions);
    texts__release(&writer->files);
    dictionary__release(&writer->processes);
    dictionary__release(&writer->threads);
    dictionary__release(&writer->binaries);
    dictionary__release(&writer->frames);
    dictionary__release(&writer->nodes);
    buf__release(&writer->lines);
}

static int intern(struct texts *texts, const char *text, uint32_t *ret_id)
{
    if (texts->bytes > 2 * LIMIT_STORE_TEXT_BYTES)
        return -ENOBUFS;
    return texts__intern(texts, text ? text : "", SIZE_MAX, ret_id);
}

static int add_event(struct store_writer *writer, const struct store_event *event, uint32_t *ret_event)
{
    if (writer->event_count >= LIMIT_STORE_EVENTS)
        return -E2BIG;
    if (RESIZE(writer->events, writer->event_count + 1) != 0)
        return -ENOMEM;
    struct writer_event *mine = &writer->events[writer->event_count];
    *mine = (struct writer_event){.name = strdup(event->name),
                                  .unit = strdup(event->unit),
                                  .detail = strdup(event->detail ? event->detail : ""),
                                  .period = event->period,
                                  .is_histogram = event->is_histogram,
                                  .is_doubled = event->is_doubled};
    if (!mine->name || !mine->unit || !mine->detail) {
        free(mine->name);
        free(mine->unit);
        free(mine->detail);
        return -ENOMEM;
    }
    *ret_event = ++writer->event_count;
    return 0;
}

int store_writer__event(struct store_writer *writer, const struct store_event *event, uint32_t *ret_event)
{
    for (uint32_t i = 0; i < writer->event_count; i++) {
        if (strcmp(writer->events[i].name, event->name) == 0 && strcmp(writer->events[i].unit, event->unit) == 0 &&
            writer->events[i].period == event->period && writer->events[i].is_histogram == event->is_histogram &&
            writer->events[i].is_doubled == event->is_doubled) {
            *ret_event = i + 1;
            return 0;
        }
    }
    return add_event(writer, event, ret_event);
}

static bool update(uint32_t *known, uint32_t given, bool is_word)
{
    if (*known == given || !is_word)
        return false;
    *known = given;
    return true;
}

static bool has_word(const char *text)
{
    return text && *text;
}

int store_writer__process(struct store_writer *writer, const struct store_process *process, uint32_t *ret_process)
{
    struct writer_process given = {
        .start_ns = process->start_ns, .pid = process->pid, .parent_pid = process->parent_pid, .uid = process->uid};
    int err = intern(&writer->words, process->comm, &given.comm);
    if (!err)
        err = intern(&writer->words, process->exe, &given.exe);
    if (!err)
        err = intern(&writer->words, process->cgroup, &given.cgroup);
    if (!err)
        err = intern(&writer->words, process->container, &given.container);
    uint32_t id;
    bool is_new;
    if (!err)
        err = dictionary__intern(&writer->processes, &given, &id, &is_new);
    if (err)
        return err;
    struct writer_process *known = dictionary__record(&writer->processes, id);
    bool changed = update(&known->parent_pid, given.parent_pid, true);
    changed |= update(&known->uid, given.uid, true);
    changed |= update(&known->comm, given.comm, has_word(process->comm));
    changed |= update(&known->exe, given.exe, has_word(process->exe));
    changed |= update(&known->cgroup, given.cgroup, has_word(process->cgroup));
    changed |= update(&known->container, given.container, has_word(process->container));
    if (changed && id < writer->processes.written) {
        known->is_dirty = true;
        writer->has_dirty_processes = true;
    }
    *ret_process = id;
    return 0;
}

int store_writer__thread(struct store_writer *writer, uint32_t process, uint32_t tid, const char *comm,
                         uint32_t *ret_thread)
{
    struct writer_thread thread = {.process = process, .tid = tid};
    bool is_new;
    if (process == 0 || process >= dictionary__end(&writer->processes))
        return -EINVAL;
    int err = intern(&writer->words, comm, &thread.comm);
    return err ? err : dictionary__intern(&writer->threads, &thread, ret_thread, &is_new);
}

int store_writer__binary(struct store_writer *writer, const struct store_binary *binary, uint32_t *ret_binary)
{
    struct writer_binary given = {.kind = binary->kind};
    bool is_new;
    if (binary->build_id_bytes > sizeof(given.build_id))
        return -EINVAL;
    int err = intern(&writer->paths, binary->path, &given.path);
    if (err)
        return err;
    if (binary->build_id && binary->build_id_bytes) {
        memcpy(given.build_id, binary->build_id, binary->build_id_bytes);
        given.build_id_bytes = (uint32_t)binary->build_id_bytes;
        given.digest = binary->digest;
    } else {
        given.key_kind = given.kind;
        given.key_path = given.path;
    }
    return dictionary__intern(&writer->binaries, &given, ret_binary, &is_new);
}

// Once for each frame; and again for what had no name when the writer that it was told to was gone.
static bool wants_name(struct store_writer *writer, uint32_t id, bool is_new)
{
    struct writer_frame *known = dictionary__record(&writer->frames, id);
    if (!known)
        return is_new;
    bool is_wanted = !known->is_wanted;
    known->is_wanted = true;
    return is_wanted;
}

int store_writer__frame(struct store_writer *writer, uint32_t binary, uint64_t offset, uint32_t *ret_frame,
                        bool *ret_is_new)
{
    struct writer_frame frame = {
        .offset_low = (uint32_t)offset, .offset_high = (uint32_t)(offset >> 32), .binary = binary};
    bool is_new;
    if (binary == 0 || binary >= dictionary__end(&writer->binaries))
        return -EINVAL;
    int err = dictionary__intern(&writer->frames, &frame, ret_frame, &is_new);
    if (!err && ret_is_new)
        *ret_is_new = wants_name(writer, *ret_frame, is_new);
    return err;
}

int store_writer__node(struct store_writer *writer, uint32_t parent, uint32_t frame, uint32_t *ret_node)
{
    struct pack_node node = {.parent = parent, .frame = frame};
    bool is_new;
    if (frame == 0 || frame >= dictionary__end(&writer->frames) || parent >= dictionary__end(&writer->nodes))
        return -EINVAL;
    return dictionary__intern(&writer->nodes, &node, ret_node, &is_new);
}

int store_writer__stack(struct store_writer *writer, const uint32_t *frames, size_t frame_count, uint32_t *ret_node)
{
    uint32_t node = 0;
    int err = 0;
    for (size_t i = 0; i < frame_count && !err; i++)
        err = store_writer__node(writer, node, frames[i], &node);
    if (!err)
        *ret_node = node;
    return err;
}

int store_writer__name(struct store_writer *writer, uint32_t frame, const struct store_line *chain, size_t length)
{
    if (frame == 0 || frame >= dictionary__end(&writer->frames))
        return -EINVAL;
    struct writer_frame *known = dictionary__record(&writer->frames, frame);
    if (known && known->is_named)
        return 0;
    if (length > LIMIT_CHAIN) {
        chain += length - LIMIT_CHAIN;
        length = LIMIT_CHAIN;
    }
    size_t before = writer->lines.length_bytes;
    if (before / sizeof(struct writer_line) > 2 * LIMIT_STORE_FRAMES)
        return -ENOBUFS;
    for (size_t i = 0; i < length; i++) {
        struct writer_line line = {.frame = frame, .depth = (uint32_t)i, .line = chain[i].line};
        int err = intern(&writer->functions, chain[i].function, &line.function);
        if (!err && has_word(chain[i].file))
            err = intern(&writer->files, chain[i].file, &line.file);
        if (!err) {
            buf__append(&writer->lines, &line, sizeof(line));
            err = writer->lines.failed ? -ENOMEM : 0;
        }
        if (err) {
            writer->lines.length_bytes = before;
            writer->lines.failed = false;
            return err;
        }
    }
    if (known)
        known->is_named = true;
    return 0;
}

static bool restart_past_limit(struct texts *texts)
{
    if (texts->bytes <= LIMIT_STORE_TEXT_BYTES)
        return false;
    texts__restart(texts);
    return true;
}

static void clear_dirty(struct store_writer *writer)
{
    const struct dictionary *processes = &writer->processes;
    for (uint32_t id = processes->base; id < processes->written && writer->has_dirty_processes; id++)
        ((struct writer_process *)dictionary__record(processes, id))->is_dirty = false;
    writer->has_dirty_processes = false;
}

void writer_words__wrote(struct store_writer *writer)
{
    bool restarted = false;
    clear_dirty(writer);
    // The ids of words stand in processes and threads, those of paths in binaries: they begin anew together.
    if (restart_past_limit(&writer->words)) {
        dictionary__wrote(&writer->processes);
        dictionary__wrote(&writer->threads);
        dictionary__restart(&writer->processes);
        dictionary__restart(&writer->threads);
        restarted = true;
    }
    if (restart_past_limit(&writer->paths)) {
        dictionary__wrote(&writer->binaries);
        dictionary__restart(&writer->binaries);
        restarted = true;
    }
    restarted |= restart_past_limit(&writer->functions);
    restarted |= restart_past_limit(&writer->files);
    restarted |= dictionary__wrote(&writer->processes);
    restarted |= dictionary__wrote(&writer->threads);
    restarted |= dictionary__wrote(&writer->binaries);
    restarted |= dictionary__wrote(&writer->frames);
    restarted |= dictionary__wrote(&writer->nodes);
    writer->restarts += restarted;
    writer->functions_written = texts__end(&writer->functions);
    writer->files_written = texts__end(&writer->files);
    writer->events_written = writer->event_count;
    buf__clear(&writer->lines);
}
