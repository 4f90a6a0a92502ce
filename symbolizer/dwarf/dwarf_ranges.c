#include "symbolizer/dwarf/dwarf_ranges.h"

#include <dwarf.h>
#include <errno.h>

#include "store/base/limits.h"

static bool give(uint64_t low, uint64_t high, dwarf_range_fn *take, void *context)
{
    return low >= high || take(low, high, context);
}

static void each_old(const struct dwarf_unit *unit, uint64_t offset, uint64_t *read, dwarf_range_fn *take,
                     void *context)
{
    // In split DWARF 4 they stay in the binary, from a base the skeleton gives.
    const struct dwarf_unit *owner = unit->skeleton ? unit->skeleton : unit;
    if (unit->skeleton)
        offset += owner->ranges_base;
    struct byte_reader reader = dwarf_reader__over(owner->file->sections[DWARF_RANGES], offset);
    uint64_t base = owner->low_pc, highest = unit->address_bytes == 4 ? UINT32_MAX : UINT64_MAX;
    while ((*read)++ < LIMIT_RANGES) {
        uint64_t low = byte_reader__fixed(&reader, unit->address_bytes);
        uint64_t high = byte_reader__fixed(&reader, unit->address_bytes);
        if (reader.failed || (low == 0 && high == 0))
            return;
        if (low == highest)
            base = high;
        else if (!give(base + low, base + high, take, context))
            return;
    }
}

static void each_list(const struct dwarf_unit *unit, uint64_t offset, uint64_t *read, dwarf_range_fn *take,
                      void *context)
{
    struct byte_reader reader = dwarf_reader__over(unit->file->sections[DWARF_RNGLISTS], offset);
    const struct dwarf_unit *owner = unit->skeleton ? unit->skeleton : unit;
    uint64_t base = owner->low_pc;
    while ((*read)++ < LIMIT_RANGES && !reader.failed) {
        uint64_t low = 0, high = 0;
        switch (byte_reader__u8(&reader)) {
        case DW_RLE_base_addressx:
            if (!dwarf_unit__indexed_address(unit, byte_reader__uleb(&reader), &base))
                return;
            break;
        case DW_RLE_startx_endx:
            if (!dwarf_unit__indexed_address(unit, byte_reader__uleb(&reader), &low) ||
                !dwarf_unit__indexed_address(unit, byte_reader__uleb(&reader), &high))
                return;
            break;
        case DW_RLE_startx_length:
            if (!dwarf_unit__indexed_address(unit, byte_reader__uleb(&reader), &low))
                return;
            high = low + byte_reader__uleb(&reader);
            break;
        case DW_RLE_offset_pair:
            low = base + byte_reader__uleb(&reader);
            high = base + byte_reader__uleb(&reader);
            break;
        case DW_RLE_base_address:
            base = byte_reader__fixed(&reader, unit->address_bytes);
            break;
        case DW_RLE_start_end:
            low = byte_reader__fixed(&reader, unit->address_bytes);
            high = byte_reader__fixed(&reader, unit->address_bytes);
            break;
        case DW_RLE_start_length:
            low = byte_reader__fixed(&reader, unit->address_bytes);
            high = low + byte_reader__uleb(&reader);
            break;
        default: // DW_RLE_end_of_list, and what is not known
            return;
        }
        if (reader.failed || !give(low, high, take, context))
            return;
    }
}

// The place of list `index` in the table of offsets at the unit's base.
static bool list_offset(const struct dwarf_unit *unit, uint64_t index, uint64_t *ret_offset)
{
    struct elf_data section = unit->file->sections[DWARF_RNGLISTS];
    if (unit->rnglists_base > section.length_bytes || index > section.length_bytes / unit->offset_bytes)
        return false;
    struct byte_reader reader = dwarf_reader__over(section, unit->rnglists_base + index * unit->offset_bytes);
    *ret_offset = unit->rnglists_base + byte_reader__fixed(&reader, unit->offset_bytes);
    return !reader.failed;
}

void dwarf_ranges__each(const struct dwarf_unit *unit, const struct dwarf_bounds *bounds, uint64_t *read,
                        dwarf_range_fn *take, void *context)
{
    uint64_t low, high, offset;
    if (bounds->ranges.form) {
        if (unit->version < 5)
            each_old(unit, bounds->ranges.number, read, take, context);
        else if (bounds->ranges.form != DW_FORM_rnglistx)
            each_list(unit, bounds->ranges.number, read, take, context);
        else if (list_offset(unit, bounds->ranges.number, &offset))
            each_list(unit, offset, read, take, context);
        return;
    }
    if (!dwarf_value__address(unit, &bounds->low, &low) || !bounds->high.form)
        return;
    if (!dwarf_value__address(unit, &bounds->high, &high)) // since DWARF 4 it may be the length
        high = low + bounds->high.number;
    give(low, high, take, context);
}

struct root {
    struct dwarf_value low, high, ranges, name, folder, dwo_name, language, lines, str_offsets, addr, rnglists,
        gnu_ranges, dwo_id;
};

static struct dwarf_value *root_field(struct root *root, uint16_t name)
{
    switch (name) {
    case DW_AT_low_pc:
        return &root->low;
    case DW_AT_high_pc:
        return &root->high;
    case DW_AT_ranges:
        return &root->ranges;
    case DW_AT_name:
        return &root->name;
    case DW_AT_comp_dir:
        return &root->folder;
    case DW_AT_dwo_name:
    case DW_AT_GNU_dwo_name:
        return &root->dwo_name;
    case DW_AT_GNU_dwo_id:
        return &root->dwo_id;
    case DW_AT_language:
        return &root->language;
    case DW_AT_stmt_list:
        return &root->lines;
    case DW_AT_str_offsets_base:
        return &root->str_offsets;
    case DW_AT_addr_base:
    case DW_AT_GNU_addr_base:
        return &root->addr;
    case DW_AT_rnglists_base:
        return &root->rnglists;
    case DW_AT_GNU_ranges_base:
        return &root->gnu_ranges;
    default:
        return NULL;
    }
}

// A split unit has no *_base attributes: its tables begin behind the header of the section.
static uint64_t default_base(const struct dwarf_unit *unit, uint64_t header_bytes)
{
    if (unit->version < 5)
        return 0;
    return unit->offset_bytes == 8 ? header_bytes + 8 : header_bytes;
}

static void take_root(struct dwarf_unit *unit, const struct root *root)
{
    unit->language = root->language.number;
    unit->line_offset = root->lines.form ? root->lines.number : UINT64_MAX;
    unit->str_offsets_base = root->str_offsets.form ? root->str_offsets.number : default_base(unit, 8);
    unit->addr_base = root->addr.form ? root->addr.number : default_base(unit, 8);
    unit->rnglists_base = root->rnglists.form ? root->rnglists.number : default_base(unit, 12);
    unit->ranges_base = root->gnu_ranges.number;
    if (root->dwo_id.form)
        unit->dwo_id = root->dwo_id.number;
    // The bases come first: these need them.
    if (!dwarf_value__address(unit, &root->low, &unit->low_pc))
        unit->low_pc = 0;
    unit->name = unit->folder = "";
    dwarf_value__string(unit, &root->name, &unit->name);
    dwarf_value__string(unit, &root->folder, &unit->folder);
    dwarf_value__string(unit, &root->dwo_name, &unit->dwo_name);
    unit->is_read = true;
}

int dwarf_unit__read_root(struct dwarf_unit *unit, struct dwarf_bounds *ret_bounds)
{
    int err = dwarf_unit__load_abbrevs(unit);
    if (err)
        return err;
    struct byte_reader reader = dwarf_reader__over(unit->file->sections[DWARF_INFO], unit->first_die);
    const struct dwarf_abbrev *abbrev = dwarf_unit__abbrev(unit, byte_reader__uleb(&reader));
    struct root root = {0};
    if (!abbrev)
        return -EBADMSG;
    const struct dwarf_attribute *attributes = (const struct dwarf_attribute *)unit->abbrevs->attributes.data;
    for (uint32_t i = 0; i < abbrev->attribute_count; i++) {
        const struct dwarf_attribute *attribute = &attributes[abbrev->first_attribute + i];
        struct dwarf_value *field = root_field(&root, attribute->name);
        if (field)
            dwarf_value__read(unit, &reader, attribute, field);
        else
            dwarf_value__skip(unit, &reader, attribute);
    }
    if (reader.failed)
        return -EBADMSG;
    take_root(unit, &root);
    *ret_bounds = (struct dwarf_bounds){root.low, root.high, root.ranges};
    return 0;
}
