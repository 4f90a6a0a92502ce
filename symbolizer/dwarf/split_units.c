#include "symbolizer/dwarf/split_units.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/base/limits.h"
#include "symbolizer/dwarf/dwarf_ranges.h"

struct split_file {
    struct elf_file *elf; // NULL: of the package
    struct dwarf_file *dwarf;
};

void split_units__release(struct split_units *split)
{
    struct split_file *opened = (struct split_file *)split->opened.data;
    for (size_t i = 0; i < split->opened.length_bytes / sizeof(*opened); i++) {
        dwarf_file__free(opened[i].dwarf);
        elf_file__free(opened[i].elf);
    }
    buf__release(&split->opened);
    dwarf_file__free(split->package_dwarf);
    elf_file__free(split->package);
}

// Sections of a package by the number its index has for them. The numbers of GNU's and of DWARF 5 agree in these,
// but 5 (.debug_loc, .debug_loclists), which is not read, and 8 (.debug_macro, .debug_rnglists).
static bool section_of_id(uint64_t id, uint64_t version, enum dwarf_section *ret_section)
{
    static const uint8_t sections[] = {
        [1] = DWARF_INFO, [3] = DWARF_ABBREV, [4] = DWARF_LINE, [6] = DWARF_STR_OFFSETS, [8] = DWARF_RNGLISTS};
    if (id >= sizeof(sections) || (!sections[id] && id != 1) || (id == 8 && version < 5))
        return false;
    *ret_section = sections[id];
    return true;
}

// .debug_cu_index: header, a hash table of ids, one of rows, then two tables of a column a section: offsets, sizes.
static int slice_package(const struct dwarf_file *whole, uint64_t dwo_id, struct elf_data sections[DWARF_SECTIONS])
{
    struct elf_data index = whole->sections[DWARF_CU_INDEX];
    struct byte_reader reader = dwarf_reader__over(index, 0);
    uint64_t version = byte_reader__fixed(&reader, 4) & 0xffff; // 4 bytes in GNU's, 2 and padding in DWARF 5
    uint64_t columns = byte_reader__fixed(&reader, 4), rows = byte_reader__fixed(&reader, 4);
    uint64_t slots = byte_reader__fixed(&reader, 4);
    if (reader.failed || columns > 16 || slots > index.length_bytes / 12 || rows > index.length_bytes / 4)
        return -EBADMSG;
    uint64_t row = 0;
    for (uint64_t i = 0; i < slots && row == 0; i++) { // few enough to look at all
        struct byte_reader id = dwarf_reader__over(index, 16 + i * 8);
        struct byte_reader place = dwarf_reader__over(index, 16 + slots * 8 + i * 4);
        if (byte_reader__fixed(&id, 8) == dwo_id)
            row = byte_reader__fixed(&place, 4);
    }
    if (row == 0 || row > rows)
        return -ENOENT;
    uint64_t ids = 16 + slots * 12, offsets = ids + columns * 4, sizes = offsets + rows * columns * 4;
    memcpy(sections, whole->sections, sizeof(whole->sections));
    for (uint64_t i = 0; i < columns; i++) {
        struct byte_reader id = dwarf_reader__over(index, ids + i * 4);
        struct byte_reader offset = dwarf_reader__over(index, offsets + ((row - 1) * columns + i) * 4);
        struct byte_reader size = dwarf_reader__over(index, sizes + ((row - 1) * columns + i) * 4);
        uint64_t start = byte_reader__fixed(&offset, 4), bytes = byte_reader__fixed(&size, 4);
        enum dwarf_section name;
        if (!section_of_id(byte_reader__fixed(&id, 4), version, &name))
            continue;
        struct elf_data *section = &sections[name];
        if (size.failed || start > section->length_bytes || bytes > section->length_bytes - start)
            return -EBADMSG;
        *section = (struct elf_data){section->bytes + start, bytes};
    }
    return 0;
}

static int open_elf(const struct companion_opener *companions, const struct companion *companion,
                    struct elf_file **ret_elf)
{
    _cleanup_fd_ int fd = -1;
    int err = companions->open(companions->context, companion, &fd);
    // The file is read before its descriptor is closed: dwarf_file__open loads every section it will ever need.
    return err ? err : elf_file__open_whole(fd, ELF_BY_LIBELF, ret_elf);
}

static int open_package(struct split_units *split)
{
    if (!split->asked_for_package) {
        struct companion companion = {.kind = COMPANION_DWP};
        split->asked_for_package = true;
        if (open_elf(split->companions, &companion, &split->package) == 0)
            dwarf_file__open(split->package, true, &split->package_dwarf);
    }
    return split->package_dwarf ? 0 : -ENOENT;
}

static int open_in_package(struct split_units *split, const struct dwarf_unit *skeleton, struct split_file *ret_file)
{
    struct elf_data sections[DWARF_SECTIONS];
    int err = open_package(split);
    if (!err)
        err = slice_package(split->package_dwarf, skeleton->dwo_id, sections);
    return err ? err : dwarf_file__over(sections, true, &ret_file->dwarf);
}

static int open_alone(struct split_units *split, const struct dwarf_unit *skeleton, struct split_file *ret_file)
{
    struct companion companion = {.kind = COMPANION_DWO};
    if (strlen(skeleton->dwo_name) >= sizeof(companion.name) || strlen(skeleton->folder) >= sizeof(companion.folder))
        return -ENAMETOOLONG;
    snprintf(companion.name, sizeof(companion.name), "%s", skeleton->dwo_name);
    snprintf(companion.folder, sizeof(companion.folder), "%s", skeleton->folder);
    int err = open_elf(split->companions, &companion, &ret_file->elf);
    return err ? err : dwarf_file__open(ret_file->elf, true, &ret_file->dwarf);
}

// The unit that has the skeleton's id; in a file of DWARF 4 the id is an attribute of the root.
static int find_unit(struct dwarf_file *dwarf, const struct dwarf_unit *skeleton, struct dwarf_unit **ret_unit)
{
    for (size_t i = 0; i < dwarf->unit_count; i++) {
        struct dwarf_unit *unit = &dwarf->units[i];
        struct dwarf_bounds bounds;
        if (unit->type != DW_UT_split_compile && unit->type != DW_UT_compile)
            continue;
        unit->skeleton = skeleton;
        if (dwarf_unit__read_root(unit, &bounds) != 0 || unit->dwo_id != skeleton->dwo_id)
            continue;
        // References between entries lead to this unit only through its file: all of them must know the skeleton.
        for (size_t j = 0; j < dwarf->unit_count; j++)
            dwarf->units[j].skeleton = skeleton;
        *ret_unit = unit;
        return 0;
    }
    return -ESTALE;
}

int split_units__open(struct split_units *split, const struct dwarf_unit *skeleton, struct dwarf_unit **ret_unit)
{
    struct split_file file = {0};
    int err = open_in_package(split, skeleton, &file);
    if (err && err != -ENOMEM)
        err = open_alone(split, skeleton, &file);
    if (!err)
        err = find_unit(file.dwarf, skeleton, ret_unit);
    if (!err)
        buf__append(&split->opened, &file, sizeof(file));
    if (!err && !split->opened.failed)
        return 0;
    dwarf_file__free(file.dwarf);
    elf_file__free(file.elf);
    return err ? err : -ENOMEM;
}
