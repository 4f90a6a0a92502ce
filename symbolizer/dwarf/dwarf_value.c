#include "symbolizer/dwarf/dwarf_value.h"

#include <dwarf.h>

#include "symbolizer/dwarf/dwarf_form.h"

static uint64_t block_length(struct byte_reader *reader, uint16_t form)
{
    switch (form) {
    case DW_FORM_block1:
        return byte_reader__u8(reader);
    case DW_FORM_block2:
        return byte_reader__fixed(reader, 2);
    case DW_FORM_block4:
        return byte_reader__fixed(reader, 4);
    default: // DW_FORM_block, DW_FORM_exprloc
        return byte_reader__uleb(reader);
    }
}

static void read_variable(const struct dwarf_unit *unit, struct byte_reader *reader, struct dwarf_value *value)
{
    switch (value->form) {
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
    case DW_FORM_strx:
    case DW_FORM_addrx:
    case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
    case DW_FORM_GNU_addr_index:
    case DW_FORM_GNU_str_index:
        value->number = byte_reader__uleb(reader);
        return;
    case DW_FORM_sdata:
        value->number = (uint64_t)byte_reader__sleb(reader);
        return;
    case DW_FORM_string:
        value->text = (const uint8_t *)byte_reader__string(reader);
        return;
    case DW_FORM_block:
    case DW_FORM_block1:
    case DW_FORM_block2:
    case DW_FORM_block4:
    case DW_FORM_exprloc:
        byte_reader__skip(reader, block_length(reader, value->form));
        return;
    case DW_FORM_indirect: {
        uint64_t form = byte_reader__uleb(reader);
        // An indirect form that names itself, or a constant that stands nowhere, is nonsense.
        if (form == DW_FORM_indirect || form == DW_FORM_implicit_const || form > UINT16_MAX) {
            byte_reader__fail(reader);
            return;
        }
        struct dwarf_attribute inner = {.form = (uint16_t)form};
        inner.bytes = dwarf_form__bytes(inner.form, unit->version, unit->address_bytes, unit->offset_bytes);
        dwarf_value__read(unit, reader, &inner, value);
        return;
    }
    default: // a form from the future has no known end
        byte_reader__fail(reader);
    }
}

void dwarf_value__read(const struct dwarf_unit *unit, struct byte_reader *reader,
                       const struct dwarf_attribute *attribute, struct dwarf_value *ret_value)
{
    uint32_t bytes = attribute->bytes;
    *ret_value = (struct dwarf_value){.form = attribute->form};
    if (attribute->form == DW_FORM_implicit_const)
        ret_value->number = (uint64_t)attribute->constant;
    else if (attribute->form == DW_FORM_flag_present)
        ret_value->number = 1;
    else if (bytes <= 8)
        ret_value->number = byte_reader__fixed(reader, bytes);
    else if (bytes != UINT32_MAX)
        byte_reader__skip(reader, bytes);
    else
        read_variable(unit, reader, ret_value);
}

void dwarf_value__skip(const struct dwarf_unit *unit, struct byte_reader *reader,
                       const struct dwarf_attribute *attribute)
{
    if (attribute->bytes != UINT32_MAX) {
        byte_reader__skip(reader, attribute->bytes);
        return;
    }
    struct dwarf_value value = {.form = attribute->form};
    read_variable(unit, reader, &value);
}

static bool string_at(struct elf_data section, uint64_t offset, const char **ret_text)
{
    if (offset >= section.length_bytes || !memchr(section.bytes + offset, 0, section.length_bytes - offset))
        return false;
    *ret_text = (const char *)section.bytes + offset;
    return true;
}

static bool indexed_string(const struct dwarf_unit *unit, uint64_t index, const char **ret_text)
{
    struct elf_data table = unit->file->sections[DWARF_STR_OFFSETS];
    if (index > table.length_bytes / unit->offset_bytes || unit->str_offsets_base > table.length_bytes)
        return false;
    struct byte_reader reader = dwarf_reader__over(table, unit->str_offsets_base + index * unit->offset_bytes);
    uint64_t offset = byte_reader__fixed(&reader, unit->offset_bytes);
    return !reader.failed && string_at(unit->file->sections[DWARF_STR], offset, ret_text);
}

bool dwarf_value__string(const struct dwarf_unit *unit, const struct dwarf_value *value, const char **ret_text)
{
    switch (value->form) {
    case DW_FORM_string:
        *ret_text = (const char *)value->text;
        return true;
    case DW_FORM_strp:
        return string_at(unit->file->sections[DWARF_STR], value->number, ret_text);
    case DW_FORM_line_strp:
        return string_at(unit->file->sections[DWARF_LINE_STR], value->number, ret_text);
    case DW_FORM_strp_sup:
    case DW_FORM_GNU_strp_alt:
        return unit->file->alternate && string_at(unit->file->alternate->sections[DWARF_STR], value->number, ret_text);
    case DW_FORM_strx:
    case DW_FORM_strx1:
    case DW_FORM_strx2:
    case DW_FORM_strx3:
    case DW_FORM_strx4:
    case DW_FORM_GNU_str_index:
        return indexed_string(unit, value->number, ret_text);
    default:
        return false;
    }
}

bool dwarf_unit__indexed_address(const struct dwarf_unit *unit, uint64_t index, uint64_t *ret_address)
{
    const struct dwarf_unit *owner = unit->skeleton ? unit->skeleton : unit;
    struct elf_data table = owner->file->sections[DWARF_ADDR];
    if (index > table.length_bytes / unit->address_bytes || owner->addr_base > table.length_bytes)
        return false;
    struct byte_reader reader = dwarf_reader__over(table, owner->addr_base + index * unit->address_bytes);
    *ret_address = byte_reader__fixed(&reader, unit->address_bytes);
    return !reader.failed;
}

bool dwarf_value__address(const struct dwarf_unit *unit, const struct dwarf_value *value, uint64_t *ret_address)
{
    switch (value->form) {
    case DW_FORM_addr:
        *ret_address = value->number;
        return true;
    case DW_FORM_addrx:
    case DW_FORM_addrx1:
    case DW_FORM_addrx2:
    case DW_FORM_addrx3:
    case DW_FORM_addrx4:
    case DW_FORM_GNU_addr_index:
        return dwarf_unit__indexed_address(unit, value->number, ret_address);
    default:
        return false;
    }
}

bool dwarf_value__reference(const struct dwarf_unit *unit, const struct dwarf_value *value,
                            struct dwarf_file **ret_file, uint64_t *ret_offset)
{
    *ret_file = unit->file;
    switch (value->form) {
    case DW_FORM_ref1:
    case DW_FORM_ref2:
    case DW_FORM_ref4:
    case DW_FORM_ref8:
    case DW_FORM_ref_udata:
        *ret_offset = unit->offset + value->number;
        return value->number < unit->end - unit->offset;
    case DW_FORM_ref_addr:
        *ret_offset = value->number;
        return true;
    case DW_FORM_ref_sup4:
    case DW_FORM_ref_sup8:
    case DW_FORM_GNU_ref_alt:
        *ret_file = unit->file->alternate;
        *ret_offset = value->number;
        return *ret_file != NULL;
    default: // type signatures name no function
        return false;
    }
}
