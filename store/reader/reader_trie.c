// The trie of stacks: read once, when first asked for. Of several files whose values come before the trie is asked for
// (store_reader__allow_twins), only the files that give values are read, and only the stacks that values have are
// joined: an hour of a directory refers to few of the stacks of its day, and to one of its three files.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"
#include "store/reader/reader_insides.h"

// The nodes of one file, with its own ids, while they are read.
struct file_nodes {
    uint32_t *parents, *frames;
};

static void file_nodes__release(struct file_nodes *nodes)
{
    free(nodes->parents);
    free(nodes->frames);
}

static int unpack(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement,
                  const struct file_nodes *nodes)
{
    uint64_t first = (uint64_t)sqlite3_column_int64(statement, 0);
    uint64_t count = (uint64_t)sqlite3_column_int64(statement, 1);
    if (first == 0 || count > LIMIT_STORE_PACK_ROWS || first >= file->node_end || first + count > file->node_end)
        return -EBADMSG;
    const void *blob = sqlite3_column_blob(statement, 2);
    int err = packer__unpack_nodes(reader->packer, blob, (size_t)sqlite3_column_bytes(statement, 2), (uint32_t)first,
                                   count, nodes->parents + first, nodes->frames + first);
    if (err == -EBADMSG) { // unpacked half, perhaps
        memset(nodes->parents + first, 0, count * sizeof(*nodes->parents));
        memset(nodes->frames + first, 0, count * sizeof(*nodes->frames));
    }
    return err;
}

static int unpack_all(struct store_reader *reader, struct reader_file *file, const struct file_nodes *nodes)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    int err = database__prepare(file->database, "SELECT id, node_count, data FROM node_pack WHERE id < ? ORDER BY id",
                                &statement);
    if (err)
        return err;
    sqlite3_bind_int64(statement, 1, file->node_end);
    for (bool has_row = true;;) {
        err = database__step(statement, &has_row);
        if (err || !has_row)
            return err;
        err = unpack(reader, file, statement, nodes);
        if (err == -EBADMSG)
            reader__note_damage(reader, file, "a block of stacks", 0);
        else if (err)
            return err;
    }
}

// Cuts stacks that no recording can make: a chain of a million frames packs to a few bytes.
static int cut_deep(struct store_reader *reader, struct reader_file *file, struct file_nodes *nodes)
{
    _cleanup_free_ uint16_t *depths = calloc(file->node_end, sizeof(*depths));
    bool is_cut = false;
    if (!depths)
        return -ENOMEM;
    for (uint32_t i = 1; i < file->node_end; i++) {
        depths[i] = depths[nodes->parents[i]] + 1;
        if (depths[i] <= LIMIT_STORE_STACK_FRAMES)
            continue;
        depths[i] = 1;
        nodes->parents[i] = nodes->frames[i] = 0; // shown as damaged
        is_cut = true;
    }
    if (is_cut)
        reader__note_damage(reader, file, "stacks deeper than any", 0);
    return 0;
}

// Gives a node the reader's id; its parent has its own.
static int join_one(struct store_reader *reader, struct reader_file *file, uint32_t id)
{
    struct pack_node node = {.parent = id_list__at(&file->nodes, file->own_parents[id]),
                             .frame = id_list__at(&file->frames, file->own_frames[id])};
    bool is_new;
    if (!node.frame)
        node.frame = reader_frames__damaged(reader);
    return dictionary__intern(&reader->nodes, &node, &file->nodes.ids[id], &is_new);
}

static int join_all(struct store_reader *reader, struct reader_file *file)
{
    int err = 0;
    for (uint32_t i = 1; i < file->node_end && !err; i++)
        err = file->nodes.ids[i] ? 0 : join_one(reader, file, i);
    return err;
}

// A parent has a smaller number than its child, and cut_deep() has bounded the chains.
int reader_trie__join(struct store_reader *reader, struct reader_file *file, uint32_t node, uint32_t *ret_node)
{
    uint32_t above[LIMIT_STORE_STACK_FRAMES], count = 0;
    int err = 0;
    for (uint32_t at = node; at && !file->nodes.ids[at]; at = file->own_parents[at])
        above[count++] = at;
    while (count > 0 && !err)
        err = join_one(reader, file, above[--count]);
    *ret_node = id_list__at(&file->nodes, node);
    return err;
}

// The nodes with the file's own ids, none of them joined.
static int hold(struct reader_file *file, struct file_nodes *nodes)
{
    free(file->nodes.ids);
    file->nodes.ids = calloc(file->node_end, sizeof(*file->nodes.ids));
    if (!file->nodes.ids)
        return -ENOMEM;
    file->nodes.count = file->node_end;
    file->own_parents = take_pointer(nodes->parents);
    file->own_frames = take_pointer(nodes->frames);
    return 0;
}

static int keep(struct store_reader *reader, struct reader_file *file, struct file_nodes *nodes)
{
    for (uint32_t i = 1; i < file->node_end; i++) {
        nodes->frames[i] = id_list__at(&file->frames, nodes->frames[i]);
        if (!nodes->frames[i])
            nodes->frames[i] = reader_frames__damaged(reader);
    }
    reader->parents = take_pointer(nodes->parents);
    reader->node_frames = take_pointer(nodes->frames);
    reader->trie.count = file->node_end;
    return 0;
}

static int load_nodes_of(struct store_reader *reader, struct reader_file *file, struct fault *fault)
{
    _cleanup_(file_nodes__release) struct file_nodes nodes = {0};
    nodes.parents = calloc(file->node_end, sizeof(*nodes.parents));
    nodes.frames = calloc(file->node_end, sizeof(*nodes.frames));
    int err = nodes.parents && nodes.frames ? unpack_all(reader, file, &nodes) : -ENOMEM;
    if (err == -EBADMSG) {
        reader__note_damage(reader, file, "the table node_pack", 0);
        err = 0;
    }
    if (!err)
        err = cut_deep(reader, file, &nodes);
    if (!err)
        err = reader__joins_stacks(reader) ? hold(file, &nodes) : keep(reader, file, &nodes);
    return err ? fault__set(fault, err, "cannot read the store '%s': %s", file->path, strerror(-err)) : 0;
}

static void let_go(struct reader_file *file)
{
    free(take_pointer(file->own_parents));
    free(take_pointer(file->own_frames));
}

// The joined nodes, as arrays.
static int spread(struct store_reader *reader)
{
    uint32_t end = dictionary__end(&reader->nodes);
    free(reader->parents);
    free(reader->node_frames);
    reader->parents = calloc(end, sizeof(*reader->parents));
    reader->node_frames = calloc(end, sizeof(*reader->node_frames));
    if (!reader->parents || !reader->node_frames)
        return -ENOMEM;
    for (uint32_t i = 1; i < end; i++) {
        const struct pack_node *node = dictionary__record(&reader->nodes, i);
        reader->parents[i] = node->parent;
        reader->node_frames[i] = node->frame;
    }
    reader->trie.count = end;
    return 0;
}

// Makes the nodes that were joined or kept so far the reader's trie.
static int show(struct store_reader *reader, struct fault *fault)
{
    if (reader__joins_stacks(reader) && spread(reader) != 0)
        return fault__set(fault, -ENOMEM, "out of memory");
    reader->trie.parents = reader->parents;
    reader->trie.frames = reader->node_frames;
    return 0;
}

int reader_trie__load(struct store_reader *reader, struct fault *fault)
{
    if (reader->has_trie)
        return 0;
    int err = reader_frames__load(reader, fault);
    for (size_t i = 0; i < reader->file_count && !err; i++) {
        err = reader_trie__load_of(reader, &reader->files[i], fault);
        if (!err && reader__joins_stacks(reader) && join_all(reader, &reader->files[i]) != 0)
            err = fault__set(fault, -ENOMEM, "out of memory");
        let_go(&reader->files[i]);
    }
    if (!err)
        err = show(reader, fault);
    dictionary__release(&reader->nodes);
    reader->has_trie = !err;
    return err;
}

int reader_trie__load_of(struct store_reader *reader, struct reader_file *file, struct fault *fault)
{
    if (file->own_parents)
        return 0;
    int err = reader_frames__load_of(reader, file, fault);
    return err ? err : reader_file__in_transaction(reader, file, fault, load_nodes_of);
}

void store_reader__allow_twins(struct store_reader *reader)
{
    reader->has_twins = !reader->has_trie;
}

int store_reader__trie(struct store_reader *reader, struct fault *fault, const struct store_trie **ret_trie)
{
    bool is_joined_in_part = !reader->has_trie && dictionary__end(&reader->nodes) > 1;
    int err = is_joined_in_part ? show(reader, fault) : reader_trie__load(reader, fault);
    if (!err)
        *ret_trie = &reader->trie;
    return err;
}
