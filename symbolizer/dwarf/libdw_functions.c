#include "symbolizer/dwarf/libdw_functions.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "store/base/limits.h"
#include "symbolizer/dwarf/dwarf_file.h"
#include "symbolizer/dwarf/dwarf_form.h"
#include "symbolizer/dwarf/dwarf_functions.h"
#include "symbolizer/dwarf/dwarf_ranges.h"
#include "symbolizer/dwarf/libdw_lines.h"

// Entries that are open at once. Our own reader allows fewer, since it keeps them on the stack; these are on the heap.
#define DEPTH_MAX (1u << 16)

struct open_entry {
    Dwarf_Die die; // the child in hand
    uint32_t scope;
    bool is_skipped; // nothing below is looked at
};

struct walk {
    struct dwarf_sink *sink;
    const struct libdw_half *half; // NULL: a whole unit
    Dwarf_Files *files;            // NULL: none
    const char *folder;
    struct buf open;   // struct open_entry
    struct buf layers; // struct layer
    uint32_t depth;    // of the ranges in hand
    Dwarf_Off last;    // the entry in hand; one that follows lies behind it, or the file is damaged and has a loop
};

static const char *string_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    return dwarf_attr(die, name, &attribute) ? dwarf_formstring(&attribute) : NULL;
}

static uint64_t number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    return dwarf_attr(die, name, &attribute) && dwarf_formudata(&attribute, &value) == 0 ? value : 0;
}

static uint64_t language_of(Dwarf_Die *die)
{
    Dwarf_Die unit;
    return dwarf_diecu(die, &unit, NULL, NULL) ? number_of(&unit, DW_AT_language) : 0;
}

static const char *own_name(Dwarf_Die *die, const char **fallback)
{
    const char *name = string_of(die, DW_AT_name), *linkage_name = string_of(die, DW_AT_linkage_name);
    if (!linkage_name)
        linkage_name = string_of(die, DW_AT_MIPS_linkage_name);
    return dwarf_functions__choose_name(language_of(die), name, linkage_name, fallback);
}

static const char *find_name(Dwarf_Die *die, bool *ret_bare)
{
    const char *fallback = NULL, *name = own_name(die, &fallback);
    Dwarf_Die at = *die;
    for (size_t steps = 0; !name && steps < LIMIT_REFERENCES; steps++) {
        Dwarf_Attribute reference;
        if (!dwarf_attr(&at, DW_AT_abstract_origin, &reference) && !dwarf_attr(&at, DW_AT_specification, &reference))
            break;
        if (!dwarf_formref_die(&reference, &at))
            break;
        name = own_name(&at, &fallback);
    }
    *ret_bare = !name;
    return name ? name : fallback;
}

static bool take_range(uint64_t low, uint64_t high, void *context)
{
    struct walk *walk = context;
    struct dwarf_sink *sink = walk->sink;
    struct layer layer = {.value = (uint32_t)(sink->scopes.length_bytes / sizeof(struct index_scope)),
                          .rank = walk->depth};
    if (dwarf_sink__relative(sink, low, high, &layer.start, &layer.end))
        buf__append(&walk->layers, &layer, sizeof(layer));
    return !walk->layers.failed;
}

// An attribute of a split half, by our own reader, which knows the skeleton.
static struct dwarf_value own_value(const struct libdw_half *half, Dwarf_Die *die, unsigned name)
{
    struct dwarf_value value = {0};
    Dwarf_Attribute attribute;
    if (!dwarf_attr(die, name, &attribute) || (uintptr_t)attribute.valp < (uintptr_t)half->info)
        return value;
    const struct dwarf_unit *unit = half->unit;
    struct dwarf_attribute own = {
        .name = (uint16_t)name,
        .form = (uint16_t)attribute.form,
        .bytes = dwarf_form__bytes((uint16_t)attribute.form, unit->version, unit->address_bytes, unit->offset_bytes)};
    if (attribute.form == DW_FORM_implicit_const)
        return (struct dwarf_value){.form = DW_FORM_udata, .number = number_of(die, name)};
    struct byte_reader reader =
        dwarf_reader__over(unit->file->sections[DWARF_INFO], (uintptr_t)attribute.valp - (uintptr_t)half->info);
    dwarf_value__read(unit, &reader, &own, &value);
    return reader.failed ? (struct dwarf_value){0} : value;
}

static void each_range(struct walk *walk, Dwarf_Die *die)
{
    struct dwarf_sink *sink = walk->sink;
    Dwarf_Addr base, low, high;
    if (walk->half) {
        struct dwarf_bounds bounds = {own_value(walk->half, die, DW_AT_low_pc),
                                      own_value(walk->half, die, DW_AT_high_pc),
                                      own_value(walk->half, die, DW_AT_ranges)};
        dwarf_ranges__each(walk->half->unit, &bounds, &sink->ranges_read, take_range, walk);
        return;
    }
    for (ptrdiff_t at = 0; sink->ranges_read++ < LIMIT_RANGES && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0;)
        take_range(low, high, walk);
}

// Adds the ranges of an entry as layers of the scope that comes next. False: it has none.
static bool add_ranges(struct walk *walk, Dwarf_Die *die, uint32_t depth)
{
    size_t before = walk->layers.length_bytes;
    walk->depth = depth;
    each_range(walk, die);
    return walk->layers.length_bytes > before;
}

// The file of a call, in the pool.
static uint32_t call_file(const struct walk *walk, Dwarf_Die *die)
{
    uint64_t file = number_of(die, DW_AT_call_file);
    if (walk->half)
        return dwarf_files__path(walk->half->files, walk->sink->pool, file);
    const char *path = walk->files ? dwarf_filesrc(walk->files, file, NULL, NULL) : NULL;
    return libdw_lines__path(walk->folder, path, walk->sink->pool);
}

// INDEX_NONE: it has no code.
static uint32_t add_scope(struct walk *walk, Dwarf_Die *die, uint32_t parent, uint32_t depth)
{
    struct dwarf_sink *sink = walk->sink;
    bool is_bare;
    if (!add_ranges(walk, die, depth))
        return INDEX_NONE;
    const char *name = find_name(die, &is_bare);
    struct index_scope scope = {.parent = parent};
    scope.name = name ? string_pool__add(sink->pool, name, strnlen(name, LIMIT_MANGLED_BYTES)) : 0;
    if (parent == INDEX_NONE) {
        scope.call_line = is_bare || dwarf_functions__are_labels(language_of(die)) ? INDEX_SCOPE_BARE : 0;
    } else {
        scope.call_file = call_file(walk, die);
        scope.call_line = (uint32_t)number_of(die, DW_AT_call_line);
    }
    buf__append(&sink->scopes, &scope, sizeof(scope));
    return (uint32_t)(sink->scopes.length_bytes / sizeof(scope)) - 1;
}

// How the entries below this one are walked: as in walk_entries of dwarf_functions.c.
static struct open_entry look_at(struct walk *walk, Dwarf_Die *die, const struct open_entry *above, uint32_t depth)
{
    struct open_entry inner = {.scope = above->scope, .is_skipped = above->is_skipped};
    int tag = dwarf_tag(die);
    enum dwarf_interest interest = dwarf_interest__of_tag(tag < 0 ? 0 : (uint64_t)tag);
    bool has_code = dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges);
    inner.is_skipped = inner.is_skipped || interest == DWARF_SKIP;
    if (inner.is_skipped || interest == DWARF_DESCEND)
        return inner;
    if (interest == DWARF_FUNCTION) {
        inner.is_skipped = dwarf_hasattr(die, DW_AT_declaration);
        inner.scope = has_code ? add_scope(walk, die, INDEX_NONE, depth) : INDEX_NONE;
    } else if (has_code && above->scope != INDEX_NONE) {
        uint32_t scope = add_scope(walk, die, above->scope, depth);
        inner.scope = scope == INDEX_NONE ? above->scope : scope;
    }
    return inner;
}

// 0: `die` is the next one; 1: there is none; -EBADMSG.
static int go_on(struct walk *walk, int answer, Dwarf_Die *die)
{
    if (answer != 0)
        return answer < 0 ? -EBADMSG : 1;
    if (dwarf_dieoffset(die) <= walk->last)
        return -EBADMSG;
    walk->last = dwarf_dieoffset(die);
    return 0;
}

static int descend(struct walk *walk, Dwarf_Die *die, struct open_entry inner)
{
    if (inner.is_skipped || !dwarf_haschildren(die))
        return 0;
    int err = go_on(walk, dwarf_child(die, &inner.die), &inner.die);
    if (err == 0)
        buf__append(&walk->open, &inner, sizeof(inner));
    return err > 0 ? 0 : err;
}

// Moves on to the next child of the innermost open entry that has one, and closes those that have none.
static int next_entry(struct walk *walk)
{
    while (walk->open.length_bytes > 0) {
        struct open_entry *top = (struct open_entry *)(walk->open.data + walk->open.length_bytes) - 1;
        int err = go_on(walk, dwarf_siblingof(&top->die, &top->die), &top->die);
        if (err <= 0)
            return err;
        walk->open.length_bytes -= sizeof(*top);
    }
    return 0;
}

static int walk_entries(struct walk *walk, Dwarf_Die *unit)
{
    int err = descend(walk, unit, (struct open_entry){.scope = INDEX_NONE});
    while (!err && walk->open.length_bytes > 0 && !walk->open.failed) {
        uint32_t depth = (uint32_t)(walk->open.length_bytes / sizeof(struct open_entry));
        struct open_entry *top = (struct open_entry *)walk->open.data + (depth - 1);
        Dwarf_Die die = top->die;
        if (depth > DEPTH_MAX || walk->sink->scopes.length_bytes > LIMIT_SCOPES * sizeof(struct index_scope))
            return -E2BIG;
        size_t below = walk->open.length_bytes;
        err = descend(walk, &die, look_at(walk, &die, top, depth));
        if (!err && walk->open.length_bytes == below)
            err = next_entry(walk);
    }
    return walk->open.failed ? -ENOMEM : err;
}

int libdw_functions__walk(Dwarf_Die *unit, const struct libdw_half *half, struct dwarf_sink *sink)
{
    struct walk walk = {.sink = sink, .half = half, .folder = libdw_lines__folder(unit)};
    if (half || dwarf_getsrcfiles(unit, &walk.files, NULL) != 0)
        walk.files = NULL;
    int err = walk_entries(&walk, unit);
    int flatten_err = walk.layers.failed
                          ? -ENOMEM
                          : range__flatten((struct layer *)walk.layers.data,
                                           walk.layers.length_bytes / sizeof(struct layer), &sink->ranges);
    buf__release(&walk.layers);
    buf__release(&walk.open);
    return flatten_err ? flatten_err : err;
}
