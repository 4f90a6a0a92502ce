#include "symbolizer/dwarf/dwarf_lines.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/base/limits.h"
#include "symbolizer/dwarf/dwarf_form.h"
#include "symbolizer/dwarf/dwarf_sink.h"
#include "symbolizer/dwarf/dwarf_value.h"

struct dwarf_file_name {
    const char *name;
    uint64_t folder;
    uint32_t path; // UINT32_MAX: not yet in the pool
};

struct program {
    const struct dwarf_unit *unit; // of the sizes and sections
    struct byte_reader reader;
    uint8_t offset_bytes;
    uint8_t address_bytes;
    uint16_t version;
    uint8_t minimum_bytes;
    uint8_t operations_max;
    int8_t line_base;
    uint8_t line_range;
    uint8_t opcode_base;
    uint8_t operand_counts[256];
    struct dwarf_sink *sink;
    struct dwarf_files *files;
    // The state machine.
    uint64_t address;
    uint64_t operation;
    uint64_t file;
    uint32_t line; // wraps, as the format has it
    // The sequence in the making.
    uint32_t first_row;
    uint64_t last_address;
    uint64_t low;
};

void dwarf_files__release(struct dwarf_files *files)
{
    buf__release(&files->folders);
    buf__release(&files->files);
}

int dwarf_files__copy(const struct dwarf_files *files, struct dwarf_files *ret_copy)
{
    *ret_copy = (struct dwarf_files){.unit = files->unit, .version = files->version};
    buf__append(&ret_copy->folders, files->folders.data, files->folders.length_bytes);
    buf__append(&ret_copy->files, files->files.data, files->files.length_bytes);
    if (ret_copy->folders.failed || ret_copy->files.failed)
        return -ENOMEM;
    struct dwarf_file_name *all = (struct dwarf_file_name *)ret_copy->files.data;
    for (size_t i = 0; i < ret_copy->files.length_bytes / sizeof(*all); i++)
        all[i].path = UINT32_MAX;
    return 0;
}

static bool is_absolute(const char *path)
{
    return path[0] == '/';
}

static const char *slash_after(const char *folder)
{
    size_t length = strlen(folder);
    return length > 0 && folder[length - 1] != '/' ? "/" : "";
}

uint32_t dwarf_files__path(struct dwarf_files *files, struct string_pool *pool, uint64_t index)
{
    size_t count = files->files.length_bytes / sizeof(struct dwarf_file_name);
    size_t folder_count = files->folders.length_bytes / sizeof(const char *);
    if (files->version < 5 && index-- == 0) // counted from 1
        return 0;
    if (index >= count || files->files.failed || files->folders.failed)
        return 0;
    struct dwarf_file_name *file = &((struct dwarf_file_name *)files->files.data)[index];
    if (file->path != UINT32_MAX)
        return file->path;
    // Before DWARF 5, folder 0 is the compilation's and does not stand in the table.
    uint64_t at = files->version < 5 ? file->folder - 1 : file->folder;
    const char *const *folders = (const char *const *)files->folders.data;
    const char *root = files->unit->folder ? files->unit->folder : "", *folder = "";
    if (files->version >= 5 && !root[0] && folder_count > 0)
        root = folders[0]; // the same, where the unit is not known
    if ((files->version >= 5 || file->folder > 0) && at < folder_count)
        folder = folders[at];
    char path[LIMIT_SOURCE_PATH_BYTES];
    if (is_absolute(file->name))
        root = folder = "";
    else if (is_absolute(folder) || (files->version >= 5 && file->folder == 0)) // folder 0 is the compilation's
        root = "";
    int length =
        snprintf(path, sizeof(path), "%s%s%s%s%s", root, slash_after(root), folder, slash_after(folder), file->name);
    if (length < 0 || (size_t)length >= sizeof(path))
        length = 0;
    file->path = string_pool__add(pool, path, (size_t)length);
    return file->path;
}

static void add_file(struct program *program, const char *name, uint64_t folder)
{
    struct dwarf_file_name file = {name, folder, UINT32_MAX};
    if (program->files->files.length_bytes < LIMIT_SOURCE_FILES * sizeof(file))
        buf__append(&program->files->files, &file, sizeof(file));
}

static void read_old_tables(struct program *program)
{
    struct byte_reader *reader = &program->reader;
    while (!reader->failed) {
        const char *folder = byte_reader__string(reader);
        if (!folder[0])
            break;
        buf__append(&program->files->folders, &folder, sizeof(folder));
    }
    while (!reader->failed) {
        const char *name = byte_reader__string(reader);
        if (!name[0])
            break;
        uint64_t folder = byte_reader__uleb(reader);
        byte_reader__uleb(reader); // time
        byte_reader__uleb(reader); // length
        add_file(program, name, folder);
    }
}

// DWARF 5 describes each table by pairs of a content type and a form.
static void read_table(struct program *program, bool is_files)
{
    struct byte_reader *reader = &program->reader;
    struct dwarf_attribute formats[255];
    struct dwarf_unit shape = *program->unit; // the program may have sizes of its own
    shape.offset_bytes = program->offset_bytes;
    shape.address_bytes = program->address_bytes;
    size_t format_count = byte_reader__u8(reader);
    for (size_t i = 0; i < format_count; i++) {
        uint64_t content = byte_reader__uleb(reader), form = byte_reader__uleb(reader);
        formats[i] = (struct dwarf_attribute){.name = content > UINT16_MAX ? 0 : (uint16_t)content,
                                              .form = form > UINT16_MAX ? 0 : (uint16_t)form};
        formats[i].bytes = dwarf_form__bytes(formats[i].form, shape.version, shape.address_bytes, shape.offset_bytes);
    }
    uint64_t count = byte_reader__uleb(reader);
    for (uint64_t i = 0; i < count && !reader->failed && i < LIMIT_SOURCE_FILES; i++) {
        const char *name = "";
        uint64_t folder = 0;
        for (size_t j = 0; j < format_count; j++) {
            struct dwarf_value value;
            dwarf_value__read(&shape, reader, &formats[j], &value);
            if (formats[j].name == DW_LNCT_path)
                dwarf_value__string(&shape, &value, &name);
            else if (formats[j].name == DW_LNCT_directory_index)
                folder = value.number;
        }
        if (format_count == 0)
            break; // entries of no bytes: the count is as long as it likes
        if (is_files)
            add_file(program, name, folder);
        else
            buf__append(&program->files->folders, &name, sizeof(name));
    }
}

static int read_header(struct program *program)
{
    struct byte_reader *reader = &program->reader;
    if (!dwarf_reader__unit(reader, &program->offset_bytes))
        return -EBADMSG;
    program->version = (uint16_t)byte_reader__fixed(reader, 2);
    program->files->version = program->version;
    program->address_bytes = program->unit->address_bytes;
    if (program->version < 2 || program->version > 5)
        return -EBADMSG;
    if (program->version >= 5) {
        program->address_bytes = (uint8_t)byte_reader__u8(reader);
        byte_reader__u8(reader); // segment selector
    }
    uint64_t header_bytes = byte_reader__fixed(reader, program->offset_bytes);
    if (header_bytes > byte_reader__left(reader) || (program->address_bytes != 4 && program->address_bytes != 8))
        return -EBADMSG;
    const uint8_t *code = reader->at + header_bytes;
    program->minimum_bytes = (uint8_t)byte_reader__u8(reader);
    program->operations_max = program->version >= 4 ? (uint8_t)byte_reader__u8(reader) : 1;
    byte_reader__u8(reader); // default_is_stmt
    program->line_base = (int8_t)byte_reader__u8(reader);
    program->line_range = (uint8_t)byte_reader__u8(reader);
    program->opcode_base = (uint8_t)byte_reader__u8(reader);
    for (unsigned i = 1; i < program->opcode_base; i++)
        program->operand_counts[i] = (uint8_t)byte_reader__u8(reader);
    if (program->version >= 5) {
        read_table(program, false);
        read_table(program, true);
    } else {
        read_old_tables(program);
    }
    if (reader->failed || program->files->folders.failed || program->files->files.failed)
        return reader->failed ? -EBADMSG : -ENOMEM;
    reader->at = code;
    return 0;
}

static void reset(struct program *program)
{
    program->address = program->operation = 0;
    program->file = program->line = 1;
    program->first_row = (uint32_t)(program->sink->rows.length_bytes / sizeof(struct index_line));
    program->last_address = 0;
}

static void advance(struct program *program, uint64_t operations)
{
    if (program->operations_max <= 1) {
        program->address += operations * program->minimum_bytes;
        return;
    }
    uint64_t all = program->operation + operations; // VLIW
    program->address += program->minimum_bytes * (all / program->operations_max);
    program->operation = all % program->operations_max;
}

static size_t rows_of(const struct program *program)
{
    return program->sink->rows.length_bytes / sizeof(struct index_line) - program->first_row;
}

static void add_row(struct program *program)
{
    struct dwarf_sink *sink = program->sink;
    uint64_t relative = program->address - sink->base;
    if (rows_of(program) == 0)
        program->low = program->address;
    if (program->address < program->last_address || program->address < sink->base || relative >= UINT32_MAX - 1)
        return; // a sequence only climbs
    program->last_address = program->address;
    uint32_t file = dwarf_files__path(program->files, sink->pool, program->file);
    struct index_line row = {.start = (uint32_t)relative, .file = file, .line = program->line};
    dwarf_sink__add_row(sink, program->first_row, row);
}

static void end_sequence(struct program *program)
{
    dwarf_sink__end_sequence(program->sink, program->first_row, program->low, program->address);
    reset(program);
}

static void run_extended(struct program *program)
{
    struct byte_reader *reader = &program->reader;
    uint64_t length = byte_reader__uleb(reader);
    if (length == 0 || length > byte_reader__left(reader)) {
        byte_reader__fail(reader);
        return;
    }
    const uint8_t *end = reader->at + length;
    switch (byte_reader__u8(reader)) {
    case DW_LNE_end_sequence:
        end_sequence(program);
        break;
    case DW_LNE_set_address:
        program->address = byte_reader__fixed(reader, length - 1 < 8 ? length - 1 : 8);
        program->operation = 0;
        break;
    case DW_LNE_define_file: {
        const char *name = byte_reader__string(reader);
        add_file(program, name, byte_reader__uleb(reader));
        break;
    }
    default: // DW_LNE_set_discriminator, and what is not known
        break;
    }
    if (!reader->failed)
        reader->at = end;
}

static void run_standard(struct program *program, uint8_t opcode)
{
    struct byte_reader *reader = &program->reader;
    switch (opcode) {
    case DW_LNS_copy:
        add_row(program);
        break;
    case DW_LNS_advance_pc:
        advance(program, byte_reader__uleb(reader));
        break;
    case DW_LNS_advance_line:
        program->line += (uint32_t)byte_reader__sleb(reader);
        break;
    case DW_LNS_set_file:
        program->file = byte_reader__uleb(reader);
        break;
    case DW_LNS_const_add_pc:
        advance(program, (255u - program->opcode_base) / program->line_range);
        break;
    case DW_LNS_fixed_advance_pc:
        program->address += byte_reader__fixed(reader, 2);
        program->operation = 0;
        break;
    default:
        for (unsigned i = 0; i < program->operand_counts[opcode]; i++)
            byte_reader__uleb(reader);
    }
}

int dwarf_lines__run(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_sink *sink,
                     struct dwarf_files *ret_files)
{
    *ret_files = (struct dwarf_files){.unit = unit};
    struct program program = {.unit = unit, .sink = sink, .files = ret_files};
    program.reader = dwarf_reader__over(unit->file->sections[DWARF_LINE], offset);
    int err = read_header(&program);
    if (err)
        return err;
    // Each unit has a program of its own; one that is shared by all of a million units would be run a million times.
    sink->line_bytes_run += byte_reader__left(&program.reader);
    if (sink->line_bytes_run > LIMIT_LINE_RUNS * unit->file->sections[DWARF_LINE].length_bytes)
        return -E2BIG;
    reset(&program);
    while (program.reader.at < program.reader.end && !sink->rows.failed) {
        uint8_t opcode = (uint8_t)byte_reader__u8(&program.reader);
        if (opcode == 0) {
            run_extended(&program);
        } else if (opcode < program.opcode_base || program.line_range == 0) {
            if (program.line_range == 0 && (opcode >= program.opcode_base || opcode == DW_LNS_const_add_pc))
                break;
            run_standard(&program, opcode);
        } else {
            uint8_t special = (uint8_t)(opcode - program.opcode_base);
            advance(&program, special / program.line_range);
            program.line += (uint32_t)(program.line_base + special % program.line_range);
            add_row(&program);
        }
        if (sink->rows.length_bytes > LIMIT_LINE_ROWS * sizeof(struct index_line))
            return -E2BIG;
    }
    sink->rows.length_bytes = program.first_row * sizeof(struct index_line); // a sequence without an end
    return sink->rows.failed ? -ENOMEM : program.reader.failed ? -EBADMSG : 0;
}
