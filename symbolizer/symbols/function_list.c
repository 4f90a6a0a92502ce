#include "symbolizer/symbols/function_list.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/limits.h"
#include "symbolizer/symbols/symbol_name.h"
#include "symbolizer/symbols/symbol_versions.h"

void function_list__release(struct function_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->rows[i].name);
    free(list->rows);
    *list = (struct function_list){0};
}

int function_list__file_offset(const struct elf_file *file, uint64_t address, uint64_t *ret_offset)
{
    for (size_t i = 0; i < elf_file__segment_count(file); i++) {
        const struct elf_segment *segment = elf_file__segment(file, i);
        if (segment->type != PT_LOAD || !(segment->flags & PF_X) || address < segment->address ||
            address - segment->address >= segment->file_bytes)
            continue;
        *ret_offset = address - segment->address + segment->file_offset;
        return 0;
    }
    return -ENOENT;
}

// gcc's copy of a function for callers in its own file is that function too: "run.constprop.0" stands for "run".
// Other parts of it (.cold, .part) do not begin where it does.
static size_t plain_length(const char *name)
{
    static const char *const clones[] = {".isra.", ".constprop."};
    for (size_t i = 0; i < sizeof(clones) / sizeof(clones[0]); i++) {
        const char *clone = strstr(name, clones[i]);
        if (clone && clone > name)
            return (size_t)(clone - name);
    }
    return strlen(name);
}

// A demangled name also fits without its parameters: "ns::run" stands for "ns::run(int)".
static bool fits_demangled(const char *name, const char *pattern)
{
    _cleanup_free_ char *readable = NULL;
    if (!symbol_name__is_mangled(name) || symbol_name__demangle(name, &readable) != 0)
        return false;
    if (fnmatch(pattern, readable, 0) == 0)
        return true;
    char *parameters = strchr(readable, '(');
    if (!parameters || strchr(pattern, '('))
        return false;
    *parameters = '\0';
    return fnmatch(pattern, readable, 0) == 0;
}

static bool fits(const char *name, const char *pattern)
{
    if (fnmatch(pattern, name, 0) == 0 || fits_demangled(name, pattern))
        return true;
    size_t length = plain_length(name);
    _cleanup_free_ char *plain = name[length] ? strndup(name, length) : NULL;
    return plain && (fnmatch(pattern, plain, 0) == 0 || fits_demangled(plain, pattern));
}

// A version is matched where the pattern has one: memcpy@GLIBC_2.14 is memcpy@@GLIBC_2.14 too.
static bool fits_version(const char *name, const char *version, const char *pattern)
{
    char text[512];
    if (!*version || !strchr(pattern, '@'))
        return false;
    snprintf(text, sizeof(text), "%s%s", name, version);
    if (fnmatch(pattern, text, 0) == 0)
        return true;
    snprintf(text, sizeof(text), "%s@%s", name, version + strspn(version, "@"));
    return fnmatch(pattern, text, 0) == 0;
}

// Assembler's labels have no type: they are taken where one is asked for by its name.
static bool is_function(const struct elf_symbol *symbol, bool by_name)
{
    unsigned type = ELF64_ST_TYPE(symbol->info);
    return symbol->section != SHN_UNDEF &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || (by_name && type == STT_NOTYPE));
}

static int append(struct function_list *list, const struct function *row)
{
    if (GROW(list->rows, list->capacity, list->count + 1) != 0)
        return -ENOMEM;
    list->rows[list->count++] = *row;
    return 0;
}

static int add(struct function_list *list, const struct elf_file *file, const struct elf_symbol *symbol, char **name)
{
    struct function row = {.name = *name,
                           .address = symbol->value,
                           .bytes = symbol->bytes,
                           .is_resolver = ELF64_ST_TYPE(symbol->info) == STT_GNU_IFUNC};
    if (function_list__file_offset(file, symbol->value, &row.file_offset) != 0)
        return 0;
    int err = append(list, &row);
    if (!err)
        *name = NULL;
    return err;
}

static int find_in(struct function_list *list, struct elf_file *symbols, const struct elf_file *file,
                   const struct elf_section *section, const char *pattern)
{
    const struct elf_section *names_section = elf_file__section(symbols, section->link);
    struct elf_data table = {0}, names = {0};
    _cleanup_(symbol_versions__release) struct symbol_versions versions = {0};
    if (!names_section || section->type == SHT_NOBITS)
        return 0;
    int err = elf_file__read(symbols, section, &table);
    if (!err)
        err = elf_file__read(symbols, names_section, &names);
    if (!err && section->type == SHT_DYNSYM && strchr(pattern, '@'))
        err = symbol_versions__open(symbols, &versions);
    bool by_name = !strpbrk(pattern, "*?[");
    size_t count = err ? 0 : table.length_bytes / elf_file__symbol_bytes(symbols);
    for (size_t i = 1; i < count && !err; i++) {
        struct elf_symbol symbol = elf_file__symbol(symbols, table, i);
        const char *text = symbol.name < names.length_bytes ? (const char *)names.bytes + symbol.name : "";
        size_t length = strnlen(text, LIMIT_MANGLED_BYTES);
        if (!is_function(&symbol, by_name) || length == 0 || length == LIMIT_MANGLED_BYTES)
            continue;
        size_t name_length = strcspn(text, "@"); // .symtab has memcpy@@GLIBC_2.14 as one word
        char version[128];
        snprintf(version, sizeof(version), "%s", text + name_length);
        if (!*version)
            symbol_versions__of(&versions, i, version, sizeof(version));
        _cleanup_free_ char *name = strndup(text, name_length);
        if (!name)
            return -ENOMEM;
        if (fits(name, pattern) || fits_version(name, version, pattern))
            err = add(list, file, &symbol, &name);
    }
    elf_file__forget(symbols, section);
    elf_file__forget(symbols, names_section);
    return err;
}

static int compare(const void *left, const void *right)
{
    const struct function *a = left, *b = right;
    if (a->file_offset != b->file_offset)
        return a->file_offset < b->file_offset ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void join_equal(struct function_list *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->rows, list->count, sizeof(*list->rows), compare);
    for (size_t i = 0; i < list->count; i++) {
        if (kept && compare(&list->rows[kept - 1], &list->rows[i]) == 0)
            free(list->rows[i].name);
        else
            list->rows[kept++] = list->rows[i];
    }
    list->count = kept;
}

int function_list__find(struct function_list *list, struct elf_file *symbols, const struct elf_file *file,
                        const char *pattern)
{
    const struct elf_section *all = elf_file__find_type(symbols, SHT_SYMTAB);
    const struct elf_section *exported = elf_file__find_type(symbols, SHT_DYNSYM);
    list->is_stripped = !all || all->type == SHT_NOBITS;
    int err = all ? find_in(list, symbols, file, all, pattern) : 0;
    if (!err && exported)
        err = find_in(list, symbols, file, exported, pattern);
    if (!err)
        join_equal(list);
    return err;
}
