// Any bytes as Go's table of functions, in an ELF file whose code lies at 0x1000..0x2000.
#include <stdlib.h>
#include <string.h>

#include "symbolizer/go/go_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct image {
    Elf64_Ehdr header;
    Elf64_Shdr sections[4];
    char names[32];
};

static struct elf_file *wrap(const uint8_t *data, size_t bytes)
{
    static const char names[] = "\0.text\0.gopclntab\0.shstrtab";
    struct image image = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_machine = EM_X86_64,
                   .e_shoff = offsetof(struct image, sections),
                   .e_shnum = 4,
                   .e_shstrndx = 3},
        .sections = {{0},
                     {.sh_name = 1,
                      .sh_type = SHT_PROGBITS,
                      .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                      .sh_addr = 0x1000,
                      .sh_size = 0x1000},
                     {.sh_name = 7, .sh_type = SHT_PROGBITS, .sh_offset = sizeof(image), .sh_size = bytes},
                     {.sh_name = 18,
                      .sh_type = SHT_STRTAB,
                      .sh_offset = offsetof(struct image, names),
                      .sh_size = sizeof(names)}},
    };
    struct elf_file *file;
    uint8_t *memory = malloc(sizeof(image) + bytes);
    if (!memory)
        return NULL;
    memcpy(image.names, names, sizeof(names));
    memcpy(memory, &image, sizeof(image));
    memcpy(memory + sizeof(image), data, bytes);
    return elf_file__open_memory(memory, sizeof(image) + bytes, ELF_BY_LIBELF, &file) == 0 ? file : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct elf_file *file = wrap(data, bytes);
    struct string_pool pool = {0};
    struct symbol_table table = {.base = 0x1000};
    struct dwarf_sink sink = {.elf = file, .base = 0x1000, .pool = &pool};
    struct index_parts parts = {0};
    if (!file)
        return 0;
    string_pool__add(&pool, "", 0);
    go_table__add(file, &table, &sink);
    if (symbol_table__flatten(&table, &pool, &parts.symbols) != 0 || dwarf_sink__finish(&sink, &parts) != 0)
        abort();
    const struct index_line *lines = (const struct index_line *)parts.lines.data;
    for (size_t i = 1; i < parts.lines.length_bytes / sizeof(*lines); i++)
        if (lines[i].start < lines[i - 1].start)
            abort();
    index_parts__release(&parts);
    dwarf_sink__release(&sink);
    symbol_table__release(&table);
    string_pool__release(&pool);
    elf_file__free(file);
    return 0;
}
