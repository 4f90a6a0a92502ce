// The tables `stack` (one row a stack) and `stack_frame` (one row a function of a stack, inlined ones included).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/file_name.h"
#include "store/sql/sql_table.h"

struct stack_cursor {
    struct sql_cursor cursor;
    const struct store_trie *trie;
    uint64_t node, last; // the stack
    uint32_t at;         // the node on the way to the root; stack_frame only
    size_t line;         // of at's chain
    uint64_t position;   // 0: the leaf's innermost function
};

static struct stack_cursor *of(struct sql_cursor *base)
{
    return (struct stack_cursor *)base;
}

static int begin(struct sql_cursor *base, struct fault *fault)
{
    struct stack_cursor *cursor = of(base);
    int err = store_reader__trie(base->reader, fault, &cursor->trie);
    if (err)
        return err;
    cursor->node = base->ask.has_id ? base->ask.id : 1;
    cursor->last = cursor->trie->count ? cursor->trie->count - 1 : 0;
    if (base->ask.has_id && base->ask.id < cursor->last)
        cursor->last = base->ask.id;
    base->at_end = cursor->node == 0 || cursor->node > cursor->last;
    cursor->at = base->at_end ? 0 : (uint32_t)cursor->node;
    return 0;
}

static const struct store_frame *frame_of(const struct stack_cursor *cursor, uint32_t node)
{
    return store_reader__frame(cursor->cursor.reader, cursor->trie->frames[node]);
}

static const struct store_binary *binary_of(const struct stack_cursor *cursor, const struct store_frame *frame)
{
    static const struct store_binary none = {.kind = STORE_BINARY_MARK, .path = "[damaged]"};
    const struct store_binary *binary = store_reader__binary(cursor->cursor.reader, frame->binary);
    return binary ? binary : &none;
}

// The functions a frame stands for: at least one, named or not.
static size_t line_count(const struct store_frame *frame)
{
    return frame->chain_length ? frame->chain_length : 1;
}

// The name of a function; for code without one "[FILE+0xOFFSET]", for a mark the mark.
static void append_name(struct buf *buf, const struct stack_cursor *cursor, const struct store_frame *frame,
                        size_t line)
{
    const struct store_binary *binary = binary_of(cursor, frame);
    if (frame->chain_length) {
        buf__append_string(buf, frame->chain[line].function);
    } else if (binary->kind == STORE_BINARY_MARK) {
        buf__append_string(buf, binary->path);
    } else {
        buf__append_format(buf, "[%s+0x%llx]", file_name__of(binary->path), (unsigned long long)frame->offset);
    }
}

static void give(sqlite3_context *result, const struct buf *buf)
{
    if (buf->failed)
        sqlite3_result_error_nomem(result);
    else
        sqlite3_result_text64(result, (const char *)buf->data, buf->length_bytes, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void give_name(sqlite3_context *result, const struct stack_cursor *cursor, const struct store_frame *frame,
                      size_t line)
{
    _cleanup_(buf__release) struct buf buf = {0};
    append_name(&buf, cursor, frame, line);
    give(result, &buf);
}

static const struct sql_column stack_columns[] = {
    {"node", "INTEGER", SQL_ID}, {"parent", "INTEGER"}, {"frame", "INTEGER"}, {"depth", "INTEGER"},
    {"status", "TEXT"},          {"leaf", "TEXT"},      {"folded", "TEXT"},   {0},
};

static int stack_next(struct sql_cursor *base, struct fault *fault)
{
    (void)fault;
    base->at_end = ++of(base)->node > of(base)->last;
    return 0;
}

static void give_depth(sqlite3_context *result, const struct stack_cursor *cursor)
{
    uint64_t depth = 0;
    for (uint32_t node = (uint32_t)cursor->node; node; node = cursor->trie->parents[node])
        depth++;
    sql_result__u64(result, depth);
}

// How the stack ended: the mark at its root; "" where it is whole.
static void give_status(sqlite3_context *result, const struct stack_cursor *cursor)
{
    uint32_t root = (uint32_t)cursor->node;
    while (cursor->trie->parents[root])
        root = cursor->trie->parents[root];
    const struct store_binary *binary = binary_of(cursor, frame_of(cursor, root));
    sql_result__text(result, binary->kind == STORE_BINARY_MARK ? binary->path : "");
}

// Root first, parted by semicolons; those inside of names become colons.
static void give_folded(sqlite3_context *result, const struct stack_cursor *cursor)
{
    _cleanup_(buf__release) struct buf path = {0}, folded = {0};
    for (uint32_t node = (uint32_t)cursor->node; node; node = cursor->trie->parents[node])
        buf__append(&path, &node, sizeof(node));
    const uint32_t *nodes = (const uint32_t *)path.data;
    for (size_t i = path.failed ? 0 : path.length_bytes / sizeof(*nodes); i-- > 0;) {
        const struct store_frame *frame = frame_of(cursor, nodes[i]);
        for (size_t line = line_count(frame); line-- > 0;) {
            if (folded.length_bytes)
                buf__append_byte(&folded, ';');
            size_t begin_of_name = folded.length_bytes;
            append_name(&folded, cursor, frame, line);
            for (size_t j = begin_of_name; j < folded.length_bytes; j++)
                if (folded.data[j] == ';')
                    folded.data[j] = ':';
        }
    }
    folded.failed |= path.failed;
    give(result, &folded);
}

static void stack_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct stack_cursor *cursor = of(base);
    uint32_t node = (uint32_t)cursor->node;
    const uint64_t numbers[] = {node, cursor->trie->parents[node], cursor->trie->frames[node]};
    if (column < 3)
        sql_result__u64(result, numbers[column]);
    else if (column == 3)
        give_depth(result, cursor);
    else if (column == 4)
        give_status(result, cursor);
    else if (column == 5)
        give_name(result, cursor, frame_of(cursor, node), 0);
    else
        give_folded(result, cursor);
}

const struct sql_table sql_stack = {
    .name = "stack",
    .columns = stack_columns,
    .rows = 1e6,
    .rows_of_id = 1,
    .cursor_bytes = sizeof(struct stack_cursor),
    .begin = begin,
    .next = stack_next,
    .column = stack_column,
};

static const struct sql_column stack_frame_columns[] = {
    {"node", "INTEGER", SQL_ID}, {"position", "INTEGER"}, {"function", "TEXT"},    {"file", "TEXT"},
    {"line", "INTEGER"},         {"inlined", "INTEGER"},  {"repeated", "INTEGER"}, {"kind", "TEXT"},
    {"binary", "TEXT"},          {"offset", "INTEGER"},   {"frame", "INTEGER"},    {0},
};

static int stack_frame_next(struct sql_cursor *base, struct fault *fault)
{
    struct stack_cursor *cursor = of(base);
    (void)fault;
    cursor->position++;
    if (++cursor->line < line_count(frame_of(cursor, cursor->at)))
        return 0;
    cursor->line = 0;
    cursor->at = cursor->trie->parents[cursor->at];
    if (!cursor->at) {
        cursor->position = 0;
        base->at_end = ++cursor->node > cursor->last;
        cursor->at = base->at_end ? 0 : (uint32_t)cursor->node;
    }
    return 0;
}

// Functions that are the same are the same pointer; code without a name is its frame.
static bool is_same(const struct store_frame *a, size_t a_line, const struct store_frame *b, size_t b_line)
{
    if (a->chain_length && b->chain_length)
        return a->chain[a_line].function == b->chain[b_line].function;
    return a == b && !a->chain_length;
}

// Whether the function stands nearer to the leaf already: a sum over stacks must count it once.
static bool is_repeated(const struct stack_cursor *cursor)
{
    const struct store_frame *frame = frame_of(cursor, cursor->at);
    for (uint32_t node = (uint32_t)cursor->node;; node = cursor->trie->parents[node]) {
        const struct store_frame *other = frame_of(cursor, node);
        size_t lines = node == cursor->at ? cursor->line : line_count(other);
        for (size_t line = 0; line < lines; line++)
            if (is_same(frame, cursor->line, other, line))
                return true;
        if (node == cursor->at)
            return false;
    }
}

static const char *kind_of(const struct store_binary *binary)
{
    static const char *const kinds[] = {
#define FRAME_KIND(name, number, word, ...) [STORE_BINARY_##name] = word,
#include "store/frame_kinds.def"
#undef FRAME_KIND
    };
    return kinds[binary->kind];
}

static void stack_frame_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct stack_cursor *cursor = of(base);
    const struct store_frame *frame = frame_of(cursor, cursor->at);
    const struct store_line *line = frame->chain_length ? &frame->chain[cursor->line] : NULL;
    const uint64_t numbers[] = {cursor->node,
                                cursor->position,
                                0,
                                0,
                                line ? line->line : 0,
                                cursor->line + 1 < frame->chain_length,
                                0,
                                0,
                                0,
                                frame->offset,
                                cursor->trie->frames[cursor->at]};
    if (column == 2)
        give_name(result, cursor, frame, cursor->line);
    else if (column == 3)
        sql_result__text(result, line ? line->file : "");
    else if (column == 6)
        sql_result__u64(result, is_repeated(cursor));
    else if (column == 7)
        sql_result__text(result, kind_of(binary_of(cursor, frame)));
    else if (column == 8)
        sql_result__text(result, binary_of(cursor, frame)->path);
    else
        sql_result__u64(result, numbers[column]);
}

const struct sql_table sql_stack_frame = {
    .name = "stack_frame",
    .columns = stack_frame_columns,
    .rows = 3e7,
    .rows_of_id = 30,
    .cursor_bytes = sizeof(struct stack_cursor),
    .begin = begin,
    .next = stack_frame_next,
    .column = stack_frame_column,
};
