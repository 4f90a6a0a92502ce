#include "symbolizer/symbol_versions.h"

#include <stdio.h>
#include <string.h>

int symbol_versions__open(struct elf_file *file, struct symbol_versions *ret_versions)
{
    struct symbol_versions versions = {0};
    const struct elf_section *numbers = elf_file__find_type(file, SHT_GNU_versym),
                             *definitions = elf_file__find_type(file, SHT_GNU_verdef),
                             *names = definitions ? elf_file__section(file, definitions->link) : NULL;
    if (!numbers || !names)
        return 0;
    int err = elf_file__read(file, numbers, &versions.numbers);
    if (!err)
        err = elf_file__read(file, definitions, &versions.definitions);
    if (!err)
        err = elf_file__read(file, names, &versions.names);
    if (!err)
        *ret_versions = versions;
    return err;
}

// Copies a structure out of the bytes, if all of it is there.
static bool take(struct elf_data data, size_t at, void *ret_row, size_t bytes)
{
    if (at > data.length_bytes || bytes > data.length_bytes - at)
        return false;
    memcpy(ret_row, data.bytes + at, bytes);
    return true;
}

// The name of the definition of that number; NULL: there is none.
static const char *name_of(const struct symbol_versions *versions, uint16_t number)
{
    Elf64_Verdef definition;
    Elf64_Verdaux word;
    for (size_t at = 0; take(versions->definitions, at, &definition, sizeof(definition)); at += definition.vd_next) {
        if (definition.vd_ndx == number && take(versions->definitions, at + definition.vd_aux, &word, sizeof(word)) &&
            word.vda_name < versions->names.length_bytes &&
            memchr(versions->names.bytes + word.vda_name, 0, versions->names.length_bytes - word.vda_name))
            return (const char *)versions->names.bytes + word.vda_name;
        if (definition.vd_next < sizeof(definition)) // 0 in the last one
            break;
    }
    return NULL;
}

void symbol_versions__of(const struct symbol_versions *versions, size_t index, char *ret_text, size_t bytes)
{
    enum { HIDDEN = 0x8000, FIRST = 2 }; // 0 and 1: local and global, of no version
    uint16_t number;
    ret_text[0] = '\0';
    if (index > SIZE_MAX / 2 || !take(versions->numbers, index * sizeof(number), &number, sizeof(number)) ||
        (number & ~HIDDEN) < FIRST)
        return;
    const char *name = name_of(versions, number & 0x7fff);
    if (name)
        snprintf(ret_text, bytes, "%s%s", number & HIDDEN ? "@" : "@@", name);
}
