#include "symbolizer/dwarf/dwarf_ahead.h"

#include <errno.h>

#include "symbolizer/jail/helper.h"

struct dwarf_program {
    uint64_t offset; // in .debug_line, ascending
    struct dwarf_files files;
};

static void drop_lines(struct dwarf_ahead *ahead)
{
    struct dwarf_program *programs = (struct dwarf_program *)ahead->programs.data;
    for (size_t i = 0; i < ahead->programs.length_bytes / sizeof(*programs); i++)
        dwarf_files__release(&programs[i].files);
    buf__release(&ahead->programs);
    dwarf_sink__release(&ahead->sink);
    string_pool__release(&ahead->pool);
    ahead->sink = (struct dwarf_sink){0};
}

void dwarf_ahead__release(struct dwarf_ahead *ahead)
{
    drop_lines(ahead);
}

static int run_program(struct dwarf_ahead *ahead, uint64_t offset)
{
    struct dwarf_program program = {.offset = offset};
    int err = dwarf_lines__run(&ahead->unit, offset, &ahead->sink, &program.files);
    if (!err)
        buf__append(&ahead->programs, &program, sizeof(program));
    if (err || ahead->programs.failed)
        dwarf_files__release(&program.files); // the unit comes to it again, and to its fault
    return ahead->programs.failed ? -ENOMEM : err;
}

static int run_programs(struct dwarf_ahead *ahead)
{
    struct elf_data lines = ahead->file.sections[DWARF_LINE];
    string_pool__add(&ahead->pool, "", 0);
    for (uint64_t offset = 0, next; offset < lines.length_bytes; offset = next) {
        struct byte_reader reader = dwarf_reader__over(lines, offset);
        uint8_t offset_bytes;
        if (!dwarf_reader__unit(&reader, &offset_bytes))
            break;
        next = (uint64_t)(reader.end - lines.bytes);
        bool is_whole = byte_reader__fixed(&reader, 2) == 5; // before, the folder of the compilation stands in the unit
        int err = is_whole ? run_program(ahead, offset) : 0;
        if (err == -ENOMEM || err == -E2BIG)
            return err;
    }
    return ahead->pool.bytes.failed ? -ENOMEM : 0;
}

static void read_others(void *context)
{
    struct dwarf_ahead *ahead = context;
    for (int i = 0; i < DWARF_SECTIONS; i++) {
        const struct elf_section *section = dwarf_file__section(ahead->elf, (enum dwarf_section)i, false);
        ahead->file.sections[i] = (struct elf_data){(const uint8_t *)"", 0};
        if (i != DWARF_INFO && section) // what fails, fails again when it is opened
            elf_file__read(ahead->elf, section, &ahead->file.sections[i]);
    }
    if (ahead->sink.elf && run_programs(ahead) != 0)
        drop_lines(ahead); // each unit has its own run then
}

void dwarf_ahead__read(struct dwarf_ahead *ahead, struct elf_file *elf, struct elf_file *code, uint64_t base,
                       struct helper *helper)
{
    const struct elf_section *info = dwarf_file__section(elf, DWARF_INFO, false);
    struct elf_data ignored;
    if (!info || !helper__is_worth(helper, info->bytes) || elf_file__is_relocatable(elf))
        return;
    ahead->elf = elf;
    ahead->unit = (struct dwarf_unit){.file = &ahead->file, .version = 5, .address_bytes = 8, .offset_bytes = 4};
    if (dwarf_file__is_packed(info)) // or units are read as they are wanted, with their lines
        ahead->sink = (struct dwarf_sink){.elf = code, .base = base, .pool = &ahead->pool};
    helper__begin(helper, read_others, ahead);
    elf_file__read(elf, info, &ignored);
    helper__wait(helper);
}

int dwarf_ahead__files(const struct dwarf_ahead *ahead, uint64_t offset, struct dwarf_files *ret_files)
{
    const struct dwarf_program *programs = (const struct dwarf_program *)ahead->programs.data;
    size_t low = 0, high = ahead->programs.length_bytes / sizeof(*programs);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (programs[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == ahead->programs.length_bytes / sizeof(*programs) || programs[low].offset != offset)
        return -ENOENT;
    return dwarf_files__copy(&programs[low].files, ret_files);
}
