#include "symbolizer/dwarf/libdw_lines.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/base/limits.h"

struct sequence { // in the making
    uint32_t first_row;
    uint64_t low;
    uint64_t last_end; // of the sequence before
    Dwarf_Die *unit;
    const char *folder; // of the compilation
    const char *source; // libdw returns one pointer for each file of a unit
    uint32_t file;      // its path in the pool
};

const char *libdw_lines__folder(Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    return dwarf_attr(unit, DW_AT_comp_dir, &attribute) ? dwarf_formstring(&attribute) : NULL;
}

uint32_t libdw_lines__path(const char *folder, const char *path, struct string_pool *pool)
{
    char whole[LIMIT_SOURCE_PATH_BYTES];
    size_t length = folder ? strlen(folder) : 0;
    if (!path)
        return 0;
    // libdw has put the folder before paths of DWARF 2 to 4, and before those that lie right in it.
    bool is_whole = path[0] == '/' || length == 0 || (strncmp(path, folder, length) == 0 && path[length] == '/');
    int bytes = snprintf(whole, sizeof(whole), "%s%s%s", is_whole ? "" : folder,
                         is_whole || folder[length - 1] == '/' ? "" : "/", path);
    return bytes > 0 && (size_t)bytes < sizeof(whole) ? string_pool__add(pool, whole, (size_t)bytes) : 0;
}

static uint32_t row_count(const struct dwarf_sink *sink)
{
    return (uint32_t)(sink->rows.length_bytes / sizeof(struct index_line));
}

static void end_sequence(struct dwarf_sink *sink, struct sequence *sequence, uint64_t end)
{
    dwarf_sink__end_sequence(sink, sequence->first_row, sequence->low, end);
    sequence->first_row = row_count(sink);
    sequence->last_end = end;
}

// dwarf_getsrclines() sorts the rows of all sequences by address, and at one address the end of a sequence before other
// rows. So the last row of a sequence comes after its end when both have the same address.
static bool is_behind_its_end(const struct dwarf_sink *sink, const struct sequence *sequence, uint64_t address)
{
    return row_count(sink) == sequence->first_row && address == sequence->last_end &&
           dwarf_haspc(sequence->unit, address) == 0;
}

static void take_line(Dwarf_Line *line, struct dwarf_sink *sink, struct sequence *sequence)
{
    Dwarf_Addr address;
    int number = 0;
    bool is_end = false;
    if (dwarf_lineaddr(line, &address) != 0 || dwarf_lineendsequence(line, &is_end) != 0)
        return;
    if (is_end) {
        end_sequence(sink, sequence, address);
        return;
    }
    if (is_behind_its_end(sink, sequence, address))
        return;
    if (row_count(sink) == sequence->first_row)
        sequence->low = address;
    if (address < sink->base || address - sink->base >= UINT32_MAX - 1)
        return;
    const char *source = dwarf_linesrc(line, NULL, NULL);
    if (source != sequence->source)
        sequence->file = libdw_lines__path(sequence->folder, source, sink->pool);
    sequence->source = source;
    dwarf_lineno(line, &number);
    struct index_line row = {
        .start = (uint32_t)(address - sink->base), .file = sequence->file, .line = (uint32_t)number};
    dwarf_sink__add_row(sink, sequence->first_row, row);
}

int libdw_lines__read(Dwarf_Die *unit, struct dwarf_sink *sink)
{
    struct sequence sequence = {
        .first_row = row_count(sink), .last_end = UINT64_MAX, .unit = unit, .folder = libdw_lines__folder(unit)};
    Dwarf_Lines *lines;
    size_t count;
    if (!dwarf_hasattr(unit, DW_AT_stmt_list))
        return 0;
    if (dwarf_getsrclines(unit, &lines, &count) != 0)
        return -EBADMSG;
    for (size_t i = 0; i < count && !sink->rows.failed; i++) {
        take_line(dwarf_onesrcline(lines, i), sink, &sequence);
        if (sink->rows.length_bytes > LIMIT_LINE_ROWS * sizeof(struct index_line))
            return -E2BIG;
    }
    sink->rows.length_bytes = sequence.first_row * sizeof(struct index_line); // a sequence without an end
    return sink->rows.failed ? -ENOMEM : 0;
}
