// Values of attributes: every form of DWARF 2 to 5 and GNU's, read or skipped, and made into numbers, strings,
// addresses and references with the bases of their unit.
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_VALUE_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_VALUE_H

#include "symbolizer/dwarf/dwarf_file.h"

struct dwarf_value {
    uint16_t form;       // 0: the attribute is not there
    uint64_t number;     // as it stands: an offset, an index, a constant
    const uint8_t *text; // of DW_FORM_string
};

void dwarf_value__read(const struct dwarf_unit *unit, struct byte_reader *reader,
                       const struct dwarf_attribute *attribute, struct dwarf_value *ret_value);
void dwarf_value__skip(const struct dwarf_unit *unit, struct byte_reader *reader,
                       const struct dwarf_attribute *attribute);

// False where there is none or the offset is out of its section.
bool dwarf_value__string(const struct dwarf_unit *unit, const struct dwarf_value *value, const char **ret_text);
bool dwarf_value__address(const struct dwarf_unit *unit, const struct dwarf_value *value, uint64_t *ret_address);
bool dwarf_unit__indexed_address(const struct dwarf_unit *unit, uint64_t index, uint64_t *ret_address);
// The entry a reference names: which file, and where in its .debug_info.
bool dwarf_value__reference(const struct dwarf_unit *unit, const struct dwarf_value *value,
                            struct dwarf_file **ret_file, uint64_t *ret_offset);

#endif
