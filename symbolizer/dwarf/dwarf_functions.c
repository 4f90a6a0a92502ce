#include "symbolizer/dwarf/dwarf_functions.h"

#include <dwarf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "store/base/limits.h"
#include "symbolizer/dwarf/dwarf_ranges.h"

struct entry { // the attributes of a function, inlined or not
    struct dwarf_bounds bounds;
    struct dwarf_value name, linkage_name, origin, specification, call_file, call_line, declaration;
};

struct walk {
    struct dwarf_unit *unit;
    struct dwarf_files *files;
    struct dwarf_sink *sink;
    struct buf layers; // struct layer, of this unit
    uint32_t scope;    // the ranges in hand belong to it
    uint32_t depth;
    bool has_range;
};

// Where the value of an attribute goes, in multiples of a value and counted from 1: looked up for every attribute of
// every function there is.
#define FIELD(member) (uint8_t)(offsetof(struct entry, member) / sizeof(struct dwarf_value) + 1)
static const uint8_t entry_fields[] = {
    [DW_AT_low_pc] = FIELD(bounds.low),           [DW_AT_high_pc] = FIELD(bounds.high),
    [DW_AT_ranges] = FIELD(bounds.ranges),        [DW_AT_name] = FIELD(name),
    [DW_AT_linkage_name] = FIELD(linkage_name),   [DW_AT_abstract_origin] = FIELD(origin),
    [DW_AT_specification] = FIELD(specification), [DW_AT_call_file] = FIELD(call_file),
    [DW_AT_call_line] = FIELD(call_line),         [DW_AT_declaration] = FIELD(declaration),
};
_Static_assert(sizeof(struct entry) % sizeof(struct dwarf_value) == 0, "an entry is values and nothing else");

static struct dwarf_value *entry_field(struct entry *entry, uint16_t name)
{
    if (name < sizeof(entry_fields))
        return entry_fields[name] ? (struct dwarf_value *)entry + (entry_fields[name] - 1) : NULL;
    return name == DW_AT_MIPS_linkage_name ? &entry->linkage_name : NULL;
}

static void read_entry(const struct dwarf_unit *unit, struct byte_reader *reader, const struct dwarf_abbrev *abbrev,
                       struct entry *ret_entry)
{
    const struct dwarf_attribute *attributes = (const struct dwarf_attribute *)unit->abbrevs->attributes.data;
    *ret_entry = (struct entry){0};
    for (uint32_t i = 0; i < abbrev->attribute_count; i++) {
        const struct dwarf_attribute *attribute = &attributes[abbrev->first_attribute + i];
        struct dwarf_value *field = entry_field(ret_entry, attribute->name);
        if (!field && attribute->bytes != UINT32_MAX)
            byte_reader__skip(reader, attribute->bytes);
        else if (!field)
            dwarf_value__skip(unit, reader, attribute);
        else if (attribute->bytes - 1 < 8)
            *field =
                (struct dwarf_value){.form = attribute->form, .number = byte_reader__fixed(reader, attribute->bytes)};
        else
            dwarf_value__read(unit, reader, attribute, field);
    }
}

static void skip_entry(const struct dwarf_unit *unit, struct byte_reader *reader, const struct dwarf_abbrev *abbrev,
                       uint64_t *ret_sibling)
{
    *ret_sibling = 0;
    byte_reader__skip(reader, abbrev->prefix_bytes);
    const struct dwarf_attribute *attributes = (const struct dwarf_attribute *)unit->abbrevs->attributes.data;
    for (uint32_t i = abbrev->prefix_count; i < abbrev->attribute_count; i++) {
        const struct dwarf_attribute *attribute = &attributes[abbrev->first_attribute + i];
        struct dwarf_value value;
        struct dwarf_file *file;
        if (attribute->name != DW_AT_sibling) {
            if (attribute->bytes != UINT32_MAX)
                byte_reader__skip(reader, attribute->bytes);
            else
                dwarf_value__skip(unit, reader, attribute);
            continue;
        }
        dwarf_value__read(unit, reader, attribute, &value);
        if (!dwarf_value__reference(unit, &value, &file, ret_sibling) || file != unit->file)
            *ret_sibling = 0;
    }
}

bool dwarf_functions__are_labels(uint64_t language)
{
    return language == DW_LANG_Mips_Assembler;
}

// C's linkage names are glibc's __GI_* and the like; people know the name. Other languages mangle.
static bool are_named_plainly(uint64_t language)
{
    switch (language) {
    case DW_LANG_C89:
    case DW_LANG_C:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case 0x002c: // DW_LANG_C17
    case DW_LANG_Mips_Assembler:
        return true;
    default:
        return false;
    }
}

const char *dwarf_functions__choose_name(uint64_t language, const char *name, const char *linkage_name,
                                         const char **fallback)
{
    bool is_plain = are_named_plainly(language);
    const char *wanted = is_plain ? name : linkage_name, *other = is_plain ? linkage_name : name;
    if (wanted && wanted[0])
        return wanted;
    if (!*fallback && other && other[0])
        *fallback = other;
    return NULL;
}

static const char *own_name(const struct dwarf_unit *unit, const struct entry *entry, const char **fallback)
{
    const char *name = NULL, *linkage_name = NULL;
    dwarf_value__string(unit, &entry->name, &name);
    dwarf_value__string(unit, &entry->linkage_name, &linkage_name);
    return dwarf_functions__choose_name(unit->language, name, linkage_name, fallback);
}

static struct dwarf_unit *readable_unit(struct dwarf_file *file, uint64_t offset)
{
    struct dwarf_unit *unit = dwarf_file__unit_at(file, offset);
    struct dwarf_bounds bounds;
    if (!unit || unit->is_broken)
        return NULL;
    if (!unit->is_read && dwarf_unit__read_root(unit, &bounds) != 0) {
        unit->is_broken = true;
        return NULL;
    }
    return unit;
}

// Follows the origin or the specification of an entry, to whom the name belongs. Cycles end at the cap.
static const char *find_name(const struct dwarf_unit *unit, const struct entry *entry, bool *ret_bare)
{
    const char *fallback = NULL, *name = own_name(unit, entry, &fallback);
    struct entry at = *entry;
    for (size_t steps = 0; !name && steps < LIMIT_REFERENCES; steps++) {
        struct dwarf_file *file;
        uint64_t offset;
        if (!dwarf_value__reference(unit, at.origin.form ? &at.origin : &at.specification, &file, &offset))
            break;
        unit = readable_unit(file, offset);
        if (!unit)
            break;
        struct byte_reader reader = dwarf_reader__over(file->sections[DWARF_INFO], offset);
        reader.end = reader.start + unit->end;
        const struct dwarf_abbrev *abbrev = dwarf_unit__abbrev(unit, byte_reader__uleb(&reader));
        if (!abbrev)
            break;
        read_entry(unit, &reader, abbrev, &at);
        if (reader.failed)
            break;
        name = own_name(unit, &at, &fallback);
    }
    *ret_bare = !name;
    return name ? name : fallback;
}

static uint32_t name_entry(struct walk *walk, const struct entry *entry, bool *ret_bare)
{
    const struct dwarf_value *reference = entry->origin.form ? &entry->origin : &entry->specification;
    struct dwarf_file *file;
    uint64_t offset;
    bool is_elsewhere =
        !entry->name.form && !entry->linkage_name.form && dwarf_value__reference(walk->unit, reference, &file, &offset);
    uint64_t key = is_elsewhere && offset <= UINT32_MAX ? (uint64_t)file->number << 32 | offset : 0;
    struct dwarf_name *slot = key ? dwarf_sink__name(walk->sink, key) : NULL;
    if (slot && slot->entry) {
        *ret_bare = slot->is_bare;
        return slot->name;
    }
    const char *name = find_name(walk->unit, entry, ret_bare);
    uint32_t text = name ? string_pool__add(walk->sink->pool, name, strnlen(name, LIMIT_MANGLED_BYTES)) : 0;
    if (slot) {
        walk->sink->names_used++;
        *slot = (struct dwarf_name){key, text, *ret_bare};
    }
    return text;
}

static bool take_range(uint64_t low, uint64_t high, void *context)
{
    struct walk *walk = context;
    struct layer layer = {.value = walk->scope, .rank = walk->depth};
    if (!dwarf_sink__relative(walk->sink, low, high, &layer.start, &layer.end))
        return true;
    walk->has_range = true;
    buf__append(&walk->layers, &layer, sizeof(layer));
    return walk->layers.length_bytes < LIMIT_RANGES * sizeof(layer);
}

// Adds a scope for an entry that has code; INDEX_NONE for one that has none.
static uint32_t add_scope(struct walk *walk, const struct entry *entry, uint32_t parent, uint32_t depth)
{
    struct dwarf_sink *sink = walk->sink;
    walk->scope = (uint32_t)(sink->scopes.length_bytes / sizeof(struct index_scope));
    walk->depth = depth;
    walk->has_range = false;
    dwarf_ranges__each(walk->unit, &entry->bounds, &sink->ranges_read, take_range, walk);
    if (!walk->has_range)
        return INDEX_NONE;
    bool is_bare;
    struct index_scope scope = {.name = name_entry(walk, entry, &is_bare), .parent = parent};
    if (parent == INDEX_NONE) {
        scope.call_line = is_bare || dwarf_functions__are_labels(walk->unit->language) ? INDEX_SCOPE_BARE : 0;
    } else {
        scope.call_file = dwarf_files__path(walk->files, sink->pool, entry->call_file.number);
        scope.call_line = (uint32_t)entry->call_line.number;
    }
    buf__append(&sink->scopes, &scope, sizeof(scope));
    return walk->scope;
}

static int walk_entries(struct walk *walk)
{
    struct dwarf_unit *unit = walk->unit;
    uint32_t scopes[LIMIT_DIE_DEPTH]; // of the entries that are open
    bool skipped[LIMIT_DIE_DEPTH];    // nothing below is looked at
    uint32_t depth = 0;
    struct byte_reader reader = dwarf_reader__over(unit->file->sections[DWARF_INFO], unit->first_die);
    reader.end = reader.start + unit->end;
    scopes[0] = INDEX_NONE;
    skipped[0] = false;
    while (reader.at < reader.end) {
        uint64_t code = byte_reader__uleb(&reader), sibling = 0;
        if (code == 0) {
            if (depth <= 1)
                break;
            depth--;
            continue;
        }
        const struct dwarf_abbrev *abbrev = dwarf_unit__abbrev(unit, code);
        if (!abbrev)
            return -EBADMSG;
        uint32_t scope = scopes[depth];
        bool skip = skipped[depth] || abbrev->interest == DWARF_SKIP;
        if (skip || abbrev->interest == DWARF_DESCEND || abbrev->interest == DWARF_ABSTRACT ||
            (abbrev->interest == DWARF_INLINED && scope == INDEX_NONE)) {
            skip_entry(unit, &reader, abbrev, &sibling);
            if (abbrev->interest == DWARF_ABSTRACT)
                scope = INDEX_NONE;
        } else {
            struct entry entry;
            read_entry(unit, &reader, abbrev, &entry);
            // A function in a function (of Ada, Pascal, GNU C) is not inlined into it.
            scope = add_scope(walk, &entry, abbrev->interest == DWARF_INLINED ? scope : INDEX_NONE, depth);
            if (abbrev->interest == DWARF_INLINED && scope == INDEX_NONE)
                scope = scopes[depth];
            skip = entry.declaration.form != 0 && entry.declaration.number;
        }
        if (reader.failed)
            return -EBADMSG;
        if (!abbrev->has_children)
            continue;
        if (skip && sibling > byte_reader__offset(&reader) && sibling < unit->end) {
            reader.at = reader.start + sibling; // always onwards
            continue;
        }
        if (++depth >= LIMIT_DIE_DEPTH)
            return -EBADMSG;
        scopes[depth] = scope;
        skipped[depth] = skip;
    }
    return reader.failed ? -EBADMSG : 0;
}

int dwarf_functions__walk(struct dwarf_unit *unit, struct dwarf_files *files, struct dwarf_sink *sink)
{
    struct walk walk = {.unit = unit, .files = files, .sink = sink};
    int err = walk_entries(&walk);
    int flatten_err = walk.layers.failed
                          ? -ENOMEM
                          : range__flatten((struct layer *)walk.layers.data,
                                           walk.layers.length_bytes / sizeof(struct layer), &sink->ranges);
    buf__release(&walk.layers);
    if (sink->scopes.length_bytes > LIMIT_SCOPES * sizeof(struct index_scope))
        return -E2BIG;
    return flatten_err ? flatten_err : err;
}
