#include "symbolizer/guests/guest_file.h"

#include <errno.h>
#include <string.h>

#include "store/base/cleanup.h"

static const struct unwind_section *find_table(const struct unwind_elf *elf, struct unwind_section *symbols,
                                               struct unwind_section *names)
{
    static const char *const tables[][2] = {{".dynsym", ".dynstr"}, {".symtab", ".strtab"}};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (unwind_elf__section(elf, tables[i][0], symbols) == 0 && symbols->data &&
            unwind_elf__section(elf, tables[i][1], names) == 0 && names->data)
            return symbols;
        unwind_section__free(symbols);
        unwind_section__free(names);
        *symbols = *names = (struct unwind_section){0};
    }
    return NULL;
}

// The name is compared with its NUL, and within the bytes that are there.
static bool is_named(const struct unwind_section *names, uint32_t at, const char *name)
{
    size_t bytes = strlen(name) + 1;
    return at < names->bytes && bytes <= names->bytes - at && memcmp(names->data + at, name, bytes) == 0;
}

int guest_symbols__read(const struct unwind_elf *elf, struct guest_symbol *symbols, size_t count)
{
    struct unwind_section table = {0}, names = {0};
    if (!find_table(elf, &table, &names))
        return -ENOENT;
    for (size_t at = 0; at + sizeof(Elf64_Sym) <= table.bytes; at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, table.data + at, sizeof(symbol));
        if (symbol.st_shndx == SHN_UNDEF)
            continue;
        for (size_t i = 0; i < count; i++)
            if (!symbols[i].address && is_named(&names, symbol.st_name, symbols[i].name)) {
                symbols[i].address = symbol.st_value;
                symbols[i].bytes = symbol.st_size;
            }
    }
    unwind_section__free(&table);
    unwind_section__free(&names);
    return 0;
}

int guest_file__read(const struct unwind_elf *elf, uint64_t address, void *bytes, size_t length)
{
    for (size_t i = 0; i < elf->program_header_count; i++) {
        const Elf64_Phdr *header = &elf->program_headers[i];
        if (header->p_type != PT_LOAD || address < header->p_vaddr || address - header->p_vaddr >= header->p_filesz)
            continue;
        if (length > header->p_filesz - (address - header->p_vaddr))
            return -EBADMSG;
        _cleanup_free_ uint8_t *data = NULL;
        int err = unwind_elf__read(elf, header->p_offset + (address - header->p_vaddr), length, &data);
        if (!err)
            memcpy(bytes, data, length);
        return err;
    }
    return -EBADMSG;
}

void guest_found__set(struct guest_found *ret_found, const struct wire_guest *guest, uint64_t loop, const char *refused)
{
    *ret_found = (struct guest_found){.loop = loop, .refused = refused};
    if (!refused)
        ret_found->guest = *guest;
}
