// Frames with their names: read once, when first asked for; of the files that are joined bit by bit (reader_trie.c),
// when the first stack of a file is.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/hash.h"
#include "store/base/limits.h"
#include "store/reader/reader_insides.h"

#include "store/base/grow.h"

static const char damaged[] = "[damaged]";

static int reserve_frames(struct store_reader *reader, uint64_t count)
{
    if (count <= reader->frame_capacity)
        return 0;
    uint64_t capacity = 2 * (uint64_t)reader->frame_capacity;
    if (capacity < count)
        capacity = count;
    if (capacity > UINT32_MAX)
        return -ENOMEM;
    if (RESIZE(reader->frames, capacity) != 0)
        return -ENOMEM;
    memset(reader->frames + reader->frame_capacity, 0, (capacity - reader->frame_capacity) * sizeof(*reader->frames));
    reader->frame_capacity = (uint32_t)capacity;
    return 0;
}

static int reserve_line(struct store_reader *reader)
{
    return GROW(reader->lines, reader->line_capacity, reader->line_count + 1);
}

static int take_name(struct texts *texts, struct id_list *list, const struct reader_file *file, sqlite3_stmt *statement)
{
    uint64_t id = (uint64_t)sqlite3_column_int64(statement, 0);
    uint32_t mine;
    int err = id_list__reserve(list, file, id);
    if (!err)
        err = reader__text(texts, statement, 1, &mine);
    if (!err)
        list->ids[id] = mine;
    return err;
}

static int take_function(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    return take_name(&reader->functions, &file->functions, file, statement);
}

static int take_source(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    return take_name(&reader->sources, &file->files, file, statement);
}

// The lines of one frame, gathered while the frames pass by: frame_line is sorted by frame, too.
struct line_walk {
    sqlite3_stmt *statement;
    bool has_row;
};

static int add_line(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement, uint64_t *hash)
{
    uint32_t function = id_list__at(&file->functions, (uint64_t)sqlite3_column_int64(statement, 1));
    uint32_t source = id_list__at(&file->files, (uint64_t)sqlite3_column_int64(statement, 2));
    uint32_t line = (uint32_t)sqlite3_column_int64(statement, 3);
    int err = reserve_line(reader);
    if (err)
        return err;
    const char *name = texts__text(&reader->functions, function), *path = texts__text(&reader->sources, source);
    reader->lines[reader->line_count++] =
        (struct store_line){.function = name ? name : damaged, .file = path ? path : "", .line = line};
    *hash = hash__pair(hash__pair(*hash, function), (uint64_t)source << 32 | line);
    return 0;
}

static int take_lines(struct store_reader *reader, struct reader_file *file, struct line_walk *walk, uint64_t frame,
                      uint64_t *ret_hash)
{
    *ret_hash = 0;
    while (walk->has_row && (uint64_t)sqlite3_column_int64(walk->statement, 0) <= frame) {
        int err = 0;
        if ((uint64_t)sqlite3_column_int64(walk->statement, 0) == frame)
            err = add_line(reader, file, walk->statement, ret_hash);
        if (!err)
            err = database__step(walk->statement, &walk->has_row);
        if (err)
            return err;
    }
    return 0;
}

// Until all are read, a frame's chain is an index into lines: those still move.
static int add_frame(struct store_reader *reader, struct reader_file *file, uint64_t id, struct reader_frame_key key,
                     size_t first_line)
{
    uint32_t mine = (uint32_t)id;
    bool is_new = true;
    int err = id_list__reserve(&file->frames, file, id);
    if (!err && reader__joins(reader))
        err = dictionary__intern(&reader->frame_keys, &key, &mine, &is_new);
    if (!err)
        err = reserve_frames(reader, mine);
    if (err)
        return err;
    file->frames.ids[id] = mine;
    if (!is_new) {
        reader->line_count = first_line;
        return 0;
    }
    reader->frames[mine - 1] = (struct store_frame){.binary = key.binary,
                                                    .offset = key.offset,
                                                    .chain = (const struct store_line *)first_line,
                                                    .chain_length = reader->line_count - first_line};
    if (mine > reader->frame_count)
        reader->frame_count = mine;
    return 0;
}

static int take_frames(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *frames,
                       struct line_walk *walk)
{
    for (bool has_row = true;;) {
        int err = database__step(frames, &has_row);
        if (err || !has_row)
            return err;
        uint64_t id = (uint64_t)sqlite3_column_int64(frames, 0);
        struct reader_frame_key key = {.binary =
                                           id_list__at(&file->binaries, (uint64_t)sqlite3_column_int64(frames, 1)),
                                       .offset = (uint64_t)sqlite3_column_int64(frames, 2)};
        size_t first_line = reader->line_count;
        if (take_lines(reader, file, walk, id, &key.chain_hash) == -EBADMSG) {
            reader__note_damage(reader, file, "the table frame_line", 0);
            walk->has_row = false;
        }
        err = add_frame(reader, file, id, key, first_line);
        if (err)
            return err;
    }
}

static int load_frames_of(struct store_reader *reader, struct reader_file *file, struct fault *fault)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *frames = NULL, *lines = NULL;
    int err =
        reader_file__each(reader, file, "SELECT id, name FROM function", "the table function", take_function, fault);
    if (!err)
        err = reader_file__each(reader, file, "SELECT id, path FROM file", "the table file", take_source, fault);
    if (err)
        return err;
    struct line_walk walk = {0};
    err = database__prepare(file->database, "SELECT id, binary, offset FROM frame ORDER BY id", &frames);
    if (!err)
        err = database__prepare(file->database,
                                "SELECT frame, function, file, line FROM frame_line ORDER BY frame, depth", &lines);
    if (!err)
        err = database__step(lines, &walk.has_row);
    if (!err) {
        walk.statement = lines;
        err = take_frames(reader, file, frames, &walk);
    }
    if (err == -EBADMSG) {
        reader__note_damage(reader, file, "the table frame", 0);
        return 0;
    }
    return err ? fault__set(fault, err, "cannot read the store '%s': %s", file->path, strerror(-err)) : 0;
}

static void forget_frames(struct store_reader *reader)
{
    for (size_t i = 0; i < reader->file_count; i++)
        reader->files[i].has_frames = false;
    reader->frame_count = 0;
    reader->line_count = 0;
    dictionary__release(&reader->frame_keys);
}

// Room for what stands for damage, before anybody borrows what would move.
static int reserve_damaged(struct store_reader *reader)
{
    int err = reserve_frames(reader, (uint64_t)reader->frame_count + 1);
    return err ? err : reserve_line(reader);
}

// The binary of frames whose own cannot be read; dictionaries have room for one more of it.
static uint32_t damaged_binary(struct store_reader *reader)
{
    if (!reader->damaged_binary) {
        reader->binaries[reader->binary_count++] = (struct store_binary){.kind = STORE_BINARY_MARK, .path = damaged};
        reader->damaged_binary = reader->binary_count;
    }
    return reader->damaged_binary;
}

// The frame of nodes whose own cannot be read. Where frames are joined, it takes one of their numbers; without memory
// for that there is no frame: 0.
uint32_t reader_frames__damaged(struct store_reader *reader)
{
    static const struct reader_frame_key key = {.offset = UINT64_MAX, .binary = UINT32_MAX};
    uint32_t mine = reader->frame_count + 1;
    bool is_new;
    if (reader->damaged_frame ||
        (reader__joins(reader) && dictionary__intern(&reader->frame_keys, &key, &mine, &is_new)))
        return reader->damaged_frame;
    struct store_line *line = &reader->lines[reader->line_count++];
    *line = (struct store_line){.function = damaged, .file = ""};
    reader->frames[mine - 1] = (struct store_frame){.binary = damaged_binary(reader), .chain = line, .chain_length = 1};
    reader->frame_count = mine;
    return reader->damaged_frame = mine;
}

// While frames are read, their chains are indexes into lines, which move.
static void unsettle(struct store_reader *reader)
{
    for (uint32_t i = 0; i < reader->frame_count; i++)
        reader->frames[i].chain = (const struct store_line *)(reader->frames[i].chain - reader->lines);
}

static void settle(struct store_reader *reader)
{
    for (uint32_t i = 0; i < reader->frame_count; i++) {
        reader->frames[i].chain = reader->lines + (size_t)reader->frames[i].chain;
        if (!reader->frames[i].binary)
            reader->frames[i].binary = damaged_binary(reader);
    }
}

static int load_files(struct store_reader *reader, struct reader_file *first, size_t count, struct fault *fault)
{
    int err = 0;
    unsettle(reader);
    for (size_t i = 0; i < count && !err; i++) {
        if (first[i].has_frames)
            continue;
        err = reader_file__in_transaction(reader, &first[i], fault, load_frames_of);
        first[i].has_frames = true;
    }
    if (!err)
        err = reserve_damaged(reader);
    if (err)
        forget_frames(reader);
    else
        settle(reader);
    return err;
}

int reader_frames__load_of(struct store_reader *reader, struct reader_file *file, struct fault *fault)
{
    return file->has_frames ? 0 : load_files(reader, file, 1, fault);
}

int reader_frames__load(struct store_reader *reader, struct fault *fault)
{
    if (reader->has_frames)
        return 0;
    int err = load_files(reader, reader->files, reader->file_count, fault);
    reader->has_frames = !err;
    return err;
}

// Before a frame is given: reads those of all files. Where stacks are joined bit by bit, the files that gave values
// have been read, and the others are not asked for.
static int load_missing(struct store_reader *reader)
{
    return reader->has_twins && reader->frame_count ? 0 : reader_frames__load(reader, NULL);
}

uint32_t store_reader__frame_count(struct store_reader *reader)
{
    return load_missing(reader) ? 0 : reader->frame_count;
}

const struct store_frame *store_reader__frame(struct store_reader *reader, uint32_t frame)
{
    if (load_missing(reader) || frame < 1 || frame > reader->frame_count)
        return NULL;
    return &reader->frames[frame - 1];
}
