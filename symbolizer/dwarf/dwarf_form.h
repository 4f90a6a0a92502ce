// Forms: how an attribute's value is written in .debug_info.
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_FORM_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_FORM_H

#include <stdint.h>

// The bytes a form takes; UINT32_MAX where that depends on its contents.
uint32_t dwarf_form__bytes(uint16_t form, uint8_t version, uint8_t address_bytes, uint8_t offset_bytes);

#endif
