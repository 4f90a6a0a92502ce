#include "symbolizer/symbols/symbol_versions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void symbol_versions__release(struct symbol_versions *versions)
{
    free(versions->names);
    *versions = (struct symbol_versions){0};
}

// Copies a structure out of the bytes, if all of it is there.
static bool take(struct elf_data data, size_t at, void *ret_row, size_t bytes)
{
    if (at > data.length_bytes || bytes > data.length_bytes - at)
        return false;
    memcpy(ret_row, data.bytes + at, bytes);
    return true;
}

static void read_names(struct elf_data definitions, struct elf_data strings, const char **names)
{
    Elf64_Verdef definition;
    Elf64_Verdaux word;
    size_t at = 0;
    for (size_t i = 0; i < SYMBOL_VERSIONS_MAX && take(definitions, at, &definition, sizeof(definition)); i++) {
        if (take(definitions, at + definition.vd_aux, &word, sizeof(word)) && word.vda_name < strings.length_bytes &&
            memchr(strings.bytes + word.vda_name, 0, strings.length_bytes - word.vda_name))
            names[definition.vd_ndx % SYMBOL_VERSIONS_MAX] = (const char *)strings.bytes + word.vda_name;
        if (definition.vd_next < sizeof(definition)) // 0 in the last one
            break;
        at += definition.vd_next;
    }
}

int symbol_versions__open(struct elf_file *file, struct symbol_versions *ret_versions)
{
    const struct elf_section *numbers = elf_file__find_type(file, SHT_GNU_versym),
                             *definitions = elf_file__find_type(file, SHT_GNU_verdef),
                             *strings = definitions ? elf_file__section(file, definitions->link) : NULL;
    struct elf_data rows[3] = {0};
    if (!numbers || !strings)
        return 0;
    int err = elf_file__read(file, numbers, &rows[0]);
    if (!err)
        err = elf_file__read(file, definitions, &rows[1]);
    if (!err)
        err = elf_file__read(file, strings, &rows[2]);
    if (err)
        return err;
    const char **names = calloc(SYMBOL_VERSIONS_MAX, sizeof(*names));
    if (!names)
        return -ENOMEM;
    read_names(rows[1], rows[2], names);
    *ret_versions = (struct symbol_versions){.numbers = rows[0], .names = names};
    return 0;
}

void symbol_versions__of(const struct symbol_versions *versions, size_t index, char *ret_text, size_t bytes)
{
    enum { HIDDEN = 0x8000, FIRST = 2 }; // 0 and 1: local and global, of no version
    uint16_t number;
    ret_text[0] = '\0';
    if (!versions->names || !take(versions->numbers, index * sizeof(number), &number, sizeof(number)) ||
        (number & ~HIDDEN) < FIRST)
        return;
    const char *name = versions->names[number & ~HIDDEN];
    if (name)
        snprintf(ret_text, bytes, "%s%s", number & HIDDEN ? "@" : "@@", name);
}
