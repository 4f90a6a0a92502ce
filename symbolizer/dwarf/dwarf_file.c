#include "symbolizer/dwarf/dwarf_file.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "store/base/grow.h"
#include "store/base/limits.h"
#include "symbolizer/dwarf/dwarf_form.h"

static const char *const section_names[DWARF_SECTIONS] = {
    [DWARF_INFO] = "info",         [DWARF_ABBREV] = "abbrev",     [DWARF_STR] = "str",
    [DWARF_LINE] = "line",         [DWARF_LINE_STR] = "line_str", [DWARF_RANGES] = "ranges",
    [DWARF_RNGLISTS] = "rnglists", [DWARF_ADDR] = "addr",         [DWARF_STR_OFFSETS] = "str_offsets",
    [DWARF_CU_INDEX] = "cu_index",
};

const struct elf_section *dwarf_file__section(struct elf_file *elf, enum dwarf_section name, bool is_split)
{
    static const char *const prefixes[] = {".debug_", ".zdebug_"};
    char whole[64];
    for (size_t i = 0; i < 2; i++) {
        // The index of a .dwp has no ".dwo" at its end.
        bool suffix = is_split && name != DWARF_CU_INDEX;
        snprintf(whole, sizeof(whole), "%s%s%s", prefixes[i], section_names[name], suffix ? ".dwo" : "");
        const struct elf_section *section = elf_file__find(elf, whole);
        if (section)
            return section;
    }
    return NULL;
}

bool dwarf_file__is_packed(const struct elf_section *section)
{
    return (section->flags & SHF_COMPRESSED) || section->name[1] == 'z';
}

// The sizes of units are their own: the table of them is one pass over their headers.
static int read_units(struct dwarf_file *file)
{
    struct elf_data info = file->sections[DWARF_INFO];
    size_t capacity = 0;
    uint64_t offset = 0;
    while (offset < info.length_bytes) {
        struct byte_reader reader = dwarf_reader__over(info, offset);
        struct dwarf_unit unit = {.file = file, .offset = offset, .line_offset = UINT64_MAX, .type = DW_UT_compile};
        if (!dwarf_reader__unit(&reader, &unit.offset_bytes) || file->unit_count >= LIMIT_UNITS)
            break;
        unit.end = (uint64_t)(reader.end - reader.start);
        offset = unit.end;
        unit.version = (uint8_t)byte_reader__fixed(&reader, 2);
        if (unit.version >= 5) {
            unit.type = (uint8_t)byte_reader__u8(&reader);
            unit.address_bytes = (uint8_t)byte_reader__u8(&reader);
            unit.abbrev_offset = byte_reader__fixed(&reader, unit.offset_bytes);
            if (unit.type == DW_UT_skeleton || unit.type == DW_UT_split_compile)
                unit.dwo_id = byte_reader__fixed(&reader, 8);
            else if (unit.type == DW_UT_type || unit.type == DW_UT_split_type)
                byte_reader__skip(&reader, 8 + unit.offset_bytes);
        } else {
            unit.abbrev_offset = byte_reader__fixed(&reader, unit.offset_bytes);
            unit.address_bytes = (uint8_t)byte_reader__u8(&reader);
        }
        unit.first_die = byte_reader__offset(&reader);
        unit.is_broken = reader.failed || unit.version < 2 || unit.version > 5 ||
                         (unit.address_bytes != 4 && unit.address_bytes != 8);
        if (GROW(file->units, capacity, file->unit_count + 1) != 0)
            return -ENOMEM;
        file->units[file->unit_count++] = unit;
    }
    file->is_cut = offset < info.length_bytes;
    return 0;
}

int dwarf_file__over(const struct elf_data sections[DWARF_SECTIONS], bool is_split, struct dwarf_file **ret_file)
{
    _cleanup_(dwarf_file__freep) struct dwarf_file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    memcpy(file->sections, sections, sizeof(file->sections));
    static uint32_t files;
    file->is_split = is_split;
    file->number = ++files;
    int err = read_units(file);
    if (err)
        return err;
    *ret_file = take_pointer(file);
    return 0;
}

int dwarf_file__open(struct elf_file *elf, bool is_split, struct dwarf_file **ret_file)
{
    struct elf_data sections[DWARF_SECTIONS];
    bool was_packed = false;
    for (size_t i = 0; i < DWARF_SECTIONS; i++) {
        const struct elf_section *section = dwarf_file__section(elf, (enum dwarf_section)i, is_split);
        sections[i] = (struct elf_data){(const uint8_t *)"", 0};
        if (!section && i == DWARF_INFO)
            return -ENOENT;
        int err = section ? elf_file__read(elf, section, &sections[i]) : 0;
        if (err == -ENOMEM || (err && (i == DWARF_INFO || i == DWARF_ABBREV)))
            return err; // the others only cost what they hold
        if (section && i == DWARF_INFO)
            was_packed = dwarf_file__is_packed(section);
    }
    int err = dwarf_file__over(sections, is_split, ret_file);
    if (!err)
        (*ret_file)->was_packed = was_packed;
    return err;
}

void dwarf_file__free(struct dwarf_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->abbrevs_count; i++) {
        buf__release(&file->abbrevs[i]->abbrevs);
        buf__release(&file->abbrevs[i]->attributes);
        free(file->abbrevs[i]);
    }
    free(file->abbrevs);
    free(file->units);
    free(file);
}

struct dwarf_unit *dwarf_file__unit_at(struct dwarf_file *file, uint64_t offset)
{
    size_t low = 0, high = file->unit_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->units[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    struct dwarf_unit *unit = low > 0 ? &file->units[low - 1] : NULL;
    return unit && offset >= unit->first_die && offset < unit->end ? unit : NULL;
}

enum dwarf_interest dwarf_interest__of_tag(uint64_t tag)
{
    switch (tag) {
    case DW_TAG_subprogram:
        return DWARF_FUNCTION;
    case DW_TAG_inlined_subroutine:
        return DWARF_INLINED;
    case DW_TAG_compile_unit:
    case DW_TAG_partial_unit:
    case DW_TAG_skeleton_unit:
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_interface_type:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_with_stmt:
    case DW_TAG_common_block:
    case DW_TAG_entry_point:
        return DWARF_DESCEND;
    default:
        return DWARF_SKIP;
    }
}

static int read_abbrev(struct byte_reader *reader, struct dwarf_abbrevs *table, uint64_t code)
{
    struct dwarf_abbrev abbrev = {.code = code};
    uint64_t tag = byte_reader__uleb(reader);
    abbrev.tag = tag > UINT16_MAX ? 0 : (uint16_t)tag;
    abbrev.interest = (uint8_t)dwarf_interest__of_tag(tag);
    abbrev.has_children = byte_reader__u8(reader) != 0;
    abbrev.first_attribute = (uint32_t)(table->attributes.length_bytes / sizeof(struct dwarf_attribute));
    bool has_code = false, is_declared = false;
    for (;;) {
        uint64_t name = byte_reader__uleb(reader), form = byte_reader__uleb(reader);
        struct dwarf_attribute attribute = {.name = (uint16_t)name, .form = (uint16_t)form};
        if (form == DW_FORM_implicit_const)
            attribute.constant = byte_reader__sleb(reader);
        if (reader->failed)
            return -EBADMSG;
        if (name == 0 && form == 0)
            break;
        if (name > UINT16_MAX || form > UINT16_MAX || abbrev.attribute_count >= LIMIT_ATTRIBUTES)
            return -EBADMSG;
        uint32_t bytes = dwarf_form__bytes(attribute.form, table->version, table->address_bytes, table->offset_bytes);
        if (bytes == UINT32_MAX || abbrev.fixed_bytes == UINT32_MAX)
            abbrev.fixed_bytes = UINT32_MAX;
        else
            abbrev.fixed_bytes += bytes;
        attribute.bytes = bytes;
        has_code = has_code || name == DW_AT_low_pc || name == DW_AT_ranges;
        is_declared = is_declared || (name == DW_AT_declaration && form == DW_FORM_flag_present);
        abbrev.has_sibling = abbrev.has_sibling || name == DW_AT_sibling;
        if (abbrev.fixed_bytes != UINT32_MAX && !abbrev.has_sibling) {
            abbrev.prefix_count = abbrev.attribute_count + 1;
            abbrev.prefix_bytes = abbrev.fixed_bytes;
        }
        abbrev.attribute_count++;
        buf__append(&table->attributes, &attribute, sizeof(attribute));
    }
    // Most functions of C++ are declared in each unit that knows their class: their attributes need not be looked at.
    if (!has_code && abbrev.interest == DWARF_FUNCTION)
        abbrev.interest = is_declared ? DWARF_SKIP : DWARF_ABSTRACT;
    else if (!has_code && abbrev.interest == DWARF_INLINED)
        abbrev.interest = DWARF_DESCEND;
    buf__append(&table->abbrevs, &abbrev, sizeof(abbrev));
    return 0;
}

static int compare_abbrevs(const void *left, const void *right)
{
    const struct dwarf_abbrev *a = left, *b = right;
    return a->code < b->code ? -1 : a->code > b->code;
}

static int read_abbrevs(const struct dwarf_file *file, struct dwarf_abbrevs *table)
{
    struct byte_reader reader = dwarf_reader__over(file->sections[DWARF_ABBREV], table->offset);
    bool in_order = true;
    uint64_t code, last = 0;
    while ((code = byte_reader__uleb(&reader)) != 0) {
        int err = read_abbrev(&reader, table, code);
        if (err)
            return err;
        if (table->abbrevs.length_bytes > LIMIT_ABBREVS * sizeof(struct dwarf_abbrev))
            return -EBADMSG;
        in_order = in_order && code > last;
        last = code;
    }
    if (table->abbrevs.failed || table->attributes.failed)
        return -ENOMEM;
    if (!in_order)
        qsort(table->abbrevs.data, table->abbrevs.length_bytes / sizeof(struct dwarf_abbrev),
              sizeof(struct dwarf_abbrev), compare_abbrevs);
    return reader.failed ? -EBADMSG : 0;
}

static struct dwarf_abbrevs *find_abbrevs(struct dwarf_file *file, const struct dwarf_unit *unit)
{
    // Units come in the order of their tables, or all share one: the last ones are nearest.
    for (size_t i = file->abbrevs_count, tries = 0; i > 0 && tries < 64; i--, tries++) {
        struct dwarf_abbrevs *table = file->abbrevs[i - 1];
        if (table->offset == unit->abbrev_offset && table->version == unit->version &&
            table->address_bytes == unit->address_bytes && table->offset_bytes == unit->offset_bytes)
            return table;
    }
    return NULL;
}

int dwarf_unit__load_abbrevs(struct dwarf_unit *unit)
{
    struct dwarf_file *file = unit->file;
    if (unit->is_broken)
        return -EBADMSG;
    if (!unit->abbrevs)
        unit->abbrevs = find_abbrevs(file, unit);
    if (unit->abbrevs)
        return 0;
    struct dwarf_abbrevs *table = calloc(1, sizeof(*table));
    if (!table || RESIZE(file->abbrevs, file->abbrevs_count + 1) != 0) {
        free(table);
        return -ENOMEM;
    }
    file->abbrevs[file->abbrevs_count++] = table;
    table->offset = unit->abbrev_offset;
    table->version = unit->version;
    table->address_bytes = unit->address_bytes;
    table->offset_bytes = unit->offset_bytes;
    int err = read_abbrevs(file, table);
    if (err) {
        unit->is_broken = true;
        return err;
    }
    unit->abbrevs = table;
    return 0;
}

const struct dwarf_abbrev *dwarf_unit__abbrev(const struct dwarf_unit *unit, uint64_t code)
{
    const struct dwarf_abbrev *all = (const struct dwarf_abbrev *)unit->abbrevs->abbrevs.data;
    size_t count = unit->abbrevs->abbrevs.length_bytes / sizeof(*all);
    if (code - 1 < count && all[code - 1].code == code)
        return &all[code - 1];
    struct dwarf_abbrev key = {.code = code};
    return count ? bsearch(&key, all, count, sizeof(*all), compare_abbrevs) : NULL;
}
