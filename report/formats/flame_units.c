#include "report/formats/flame_units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/text.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

struct unit {
    const struct label *label; // of a thread's root (report/profile/thread_split.h)
    uint32_t root;             // a row
    uint64_t weight;
};

struct share {
    uint32_t unit, row;
    uint64_t weight;
};

struct units {
    const struct picture *picture;
    const struct layout *layout;
    bool by_thread;
    uint32_t *rows;    // of the layout, by node of the picture's profile
    uint32_t *of_node; // by node of the profile by thread
    struct unit *items;
    uint32_t count;
    struct share *shares;
    size_t share_count;
    struct buf bytes;
};

static void units__release(struct units *units)
{
    free(units->rows);
    free(units->of_node);
    free(units->items);
    free(units->shares);
    buf__release(&units->bytes);
}

static bool is_one(const struct units *units, const struct label *a, const struct label *b)
{
    return strcmp(a->module, b->module) == 0 && strcmp(a->file, b->file) == 0 &&
           (!units->by_thread || strcmp(a->name, b->name) == 0);
}

struct root {
    const struct label *label;
    uint32_t node;
};

static int by_process(const void *a, const void *b)
{
    const struct label *left = ((const struct root *)a)->label, *right = ((const struct root *)b)->label;
    int order = strcmp(left->module, right->module);
    if (!order)
        order = strcmp(left->file, right->file);
    return order ? order : strcmp(left->name, right->name);
}

// The units, sorted by process, and of each root which it is.
static int list_units(struct units *units)
{
    const struct profile *profile = units->picture->threads->profile;
    uint32_t count = 0, nodes = profile__node_count(profile);
    _cleanup_free_ struct root *roots = calloc(nodes, sizeof(*roots));
    units->items = calloc(nodes, sizeof(*units->items));
    if (!roots || !units->items)
        return -ENOMEM;
    for (uint32_t node = 1; node < nodes; node++)
        if (profile__parent(profile, node) == 0)
            roots[count++] = (struct root){profile__label(profile, profile__label_of(profile, node)), node};
    qsort(roots, count, sizeof(*roots), by_process);
    for (uint32_t i = 0; i < count; i++) {
        if (!i || !is_one(units, roots[i].label, roots[i - 1].label))
            units->items[units->count++] = (struct unit){
                .label = roots[i].label, .root = units->rows[units->picture->threads->places[roots[i].node]]};
        units->of_node[roots[i].node] = units->count - 1;
    }
    return 0;
}

static int by_unit_and_row(const void *a, const void *b)
{
    const struct share *left = a, *right = b;
    if (left->unit != right->unit)
        return left->unit < right->unit ? -1 : 1;
    return left->row < right->row ? -1 : left->row > right->row;
}

// Sorted; of each unit and row there is one.
static int list_shares(struct units *units)
{
    const struct picture_threads *threads = units->picture->threads;
    size_t count = 0, kept = 0;
    units->shares = calloc(profile__node_count(threads->profile), sizeof(*units->shares));
    if (!units->shares)
        return -ENOMEM;
    for (uint32_t node = 1; node < profile__node_count(threads->profile); node++) {
        uint32_t parent = profile__parent(threads->profile, node);
        uint64_t weight = format__weight(units->picture, profile__self(threads->profile, 0, node));
        if (parent)
            units->of_node[node] = units->of_node[parent];
        if (weight)
            units->shares[count++] = (struct share){units->of_node[node], units->rows[threads->places[node]], weight};
        units->items[units->of_node[node]].weight += weight;
    }
    qsort(units->shares, count, sizeof(*units->shares), by_unit_and_row);
    for (size_t i = 0; i < count; i++)
        if (kept && by_unit_and_row(&units->shares[kept - 1], &units->shares[i]) == 0)
            units->shares[kept - 1].weight += units->shares[i].weight;
        else
            units->shares[kept++] = units->shares[i];
    units->share_count = kept;
    return 0;
}

static void append_shares(struct units *units)
{
    const struct share *share = units->shares, *end = units->shares + units->share_count;
    for (uint32_t i = 0; i < units->count; i++) {
        const struct unit *unit = &units->items[i];
        const struct share *first = share;
        uint32_t row = unit->root;
        while (share < end && share->unit == i)
            share++;
        bool is_whole = unit->weight == units->layout->rows[unit->root].total;
        buf__append_varint(&units->bytes, unit->root);
        buf__append_varint(&units->bytes, is_whole ? 0 : 1 + (uint64_t)(share - first));
        for (; !is_whole && first < share; first++) {
            buf__append_varint(&units->bytes, first->row - row);
            buf__append_varint(&units->bytes, first->weight);
            row = first->row;
        }
    }
}

static int make(const struct picture *picture, const struct layout *layout, bool by_thread, struct units *units)
{
    *units = (struct units){
        .picture = picture,
        .layout = layout,
        .by_thread = by_thread,
        .rows = calloc(profile__node_count(picture->profile), sizeof(*units->rows)),
        .of_node = calloc(profile__node_count(picture->threads->profile), sizeof(*units->of_node)),
    };
    if (!units->rows || !units->of_node)
        return -ENOMEM;
    for (uint32_t i = 0; i < layout->count; i++)
        units->rows[layout->rows[i].node] = i;
    int err = list_units(units);
    if (!err)
        err = list_shares(units);
    if (!err)
        append_shares(units);
    return err ? err : units->bytes.failed ? -ENOMEM : 0;
}

static size_t bytes_of(const struct units *units)
{
    size_t bytes = units->bytes.length_bytes * 4 / 3;
    for (uint32_t i = 0; i < units->count; i++)
        bytes += strlen(units->items[i].label->name) + strlen(units->items[i].label->module) + 8;
    return bytes;
}

static bool begins_process(const struct units *units, uint32_t i)
{
    return !i || strcmp(units->items[i].label->module, units->items[i - 1].label->module) != 0;
}

static void put_units(const struct units *units, FILE *file)
{
    uint32_t process = 0;
    fprintf(file, "\"units\":{\"level\":\"%s\",\"threads\":[", units->by_thread ? "tid" : "pid");
    for (uint32_t i = 0; units->by_thread && i < units->count; i++) {
        fputs(i ? ",\n" : "", file);
        text__put_json(file, units->items[i].label->name);
    }
    fputs("],\n\"processes\":[", file);
    for (uint32_t i = 0; i < units->count; i++) {
        if (!begins_process(units, i))
            continue;
        fputs(i ? ",\n" : "", file);
        text__put_json(file, units->items[i].label->module);
    }
    fputs("],\n\"process\":[", file);
    for (uint32_t i = 0; i < units->count; i++) {
        process += i && begins_process(units, i);
        fprintf(file, "%s%" PRIu32, i ? "," : "", process);
    }
    fputs("],\n\"shares\":\"", file);
    text__put_base64(file, units->bytes.data, units->bytes.length_bytes);
    fputs("\"},\n", file);
}

int flame_units__put(const struct picture *picture, const struct layout *layout, size_t most_bytes, FILE *file)
{
    for (unsigned by_process_only = 0; picture->threads && by_process_only < 2; by_process_only++) {
        _cleanup_(units__release) struct units units = {0};
        int err = make(picture, layout, !by_process_only, &units);
        if (err)
            return err;
        if (bytes_of(&units) <= most_bytes) {
            put_units(&units, file);
            return 0;
        }
    }
    fputs("\"units\":{\"level\":\"\"},\n", file);
    return 0;
}
