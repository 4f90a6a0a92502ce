// The DWARF of one file: its sections, its units, its abbreviations. A reader of our own, for versions 2 to 5: libdw
// takes three times as long, allocates memory for every abbreviation and scope, loops on damaged siblings, and opens
// split files itself, which the worker may not. Any byte may be hostile: offsets are checked where they are followed,
// depths and chains capped. libdw reads the units that this reader refuses (libdw_reader.h).
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_FILE_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_FILE_H

#include "symbolizer/elf/dwarf_reader.h"
#include "symbolizer/index/string_pool.h"

enum dwarf_section {
    DWARF_INFO,
    DWARF_ABBREV,
    DWARF_STR,
    DWARF_LINE,
    DWARF_LINE_STR,
    DWARF_RANGES,
    DWARF_RNGLISTS,
    DWARF_ADDR,
    DWARF_STR_OFFSETS,
    DWARF_CU_INDEX,
    DWARF_SECTIONS,
};

struct dwarf_attribute {
    uint16_t name;
    uint16_t form;
    uint32_t bytes;   // the form takes; UINT32_MAX: it depends on its contents
    int64_t constant; // of DW_FORM_implicit_const
};

enum dwarf_interest { // what the walk over the tree does with an entry of this tag
    DWARF_SKIP,
    DWARF_DESCEND,
    DWARF_FUNCTION,
    DWARF_INLINED,
    DWARF_ABSTRACT, // a function without code
};

// Never DWARF_ABSTRACT, which depends on the attributes.
enum dwarf_interest dwarf_interest__of_tag(uint64_t tag);

struct dwarf_abbrev {
    uint64_t code;
    uint16_t tag;
    bool has_children;
    uint8_t interest;
    uint32_t first_attribute;
    uint32_t attribute_count;
    uint32_t fixed_bytes;  // all attributes together; UINT32_MAX: it depends
    uint32_t prefix_count; // attributes before the first one whose size depends, or is the sibling's
    uint32_t prefix_bytes; // of them together
    bool has_sibling;
};

struct dwarf_abbrevs { // one table of .debug_abbrev
    uint64_t offset;
    uint8_t version, address_bytes, offset_bytes; // the sizes depend on them
    struct buf abbrevs;                           // struct dwarf_abbrev, by code
    struct buf attributes;                        // struct dwarf_attribute
};

struct dwarf_file;

struct dwarf_unit {
    struct dwarf_file *file;
    uint64_t offset;    // of its header
    uint64_t first_die; // of its root
    uint64_t end;
    uint8_t version, address_bytes, offset_bytes, type;
    bool is_broken; // its header, abbreviations or root make no sense
    bool is_read;   // the fields below are filled in
    struct dwarf_abbrevs *abbrevs;
    uint64_t abbrev_offset;
    uint64_t dwo_id;
    uint64_t language;
    uint64_t low_pc;
    uint64_t line_offset;      // UINT64_MAX: none
    uint64_t str_offsets_base; // bases of indexed forms
    uint64_t addr_base;
    uint64_t rnglists_base;
    uint64_t ranges_base; // of GNU's split DWARF 4
    const char *folder;   // DW_AT_comp_dir
    const char *name;
    const char *dwo_name;              // NULL: not a skeleton
    const struct dwarf_unit *skeleton; // of a unit in a .dwo: where addresses, ranges of DWARF 4 and lines are
};

struct dwarf_file {
    struct elf_data sections[DWARF_SECTIONS];
    bool is_split;   // .dwo
    bool was_packed; // .debug_info is inflated as a whole, whatever is read of it
    bool is_cut;     // bytes stand behind the last unit that are no unit header
    struct dwarf_unit *units;
    size_t unit_count;
    struct dwarf_abbrevs **abbrevs;
    size_t abbrevs_count;
    struct dwarf_file *alternate; // dwz's; borrowed
    uint32_t number;              // among all files
};

// NULL: it has none.
const struct elf_section *dwarf_file__section(struct elf_file *elf, enum dwarf_section name, bool is_split);
bool dwarf_file__is_packed(const struct elf_section *section);

// Loads the sections of an ELF file that stays open; `is_split`: those named *.dwo. -ENOENT: there is no .debug_info.
int dwarf_file__open(struct elf_file *elf, bool is_split, struct dwarf_file **ret_file);
// Over sections that are given.
int dwarf_file__over(const struct elf_data sections[DWARF_SECTIONS], bool is_split, struct dwarf_file **ret_file);
void dwarf_file__free(struct dwarf_file *file);
DEFINE_CLEANUP(struct dwarf_file *, dwarf_file__free);

// The unit whose entries include an offset of .debug_info, or NULL.
struct dwarf_unit *dwarf_file__unit_at(struct dwarf_file *file, uint64_t offset);

// The abbreviations of a unit, parsed once. -EBADMSG.
int dwarf_unit__load_abbrevs(struct dwarf_unit *unit);
const struct dwarf_abbrev *dwarf_unit__abbrev(const struct dwarf_unit *unit, uint64_t code);

#endif
