#include "symbolizer/function_list.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"
#include "symbolizer/symbol_name.h"

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

static bool is_function(const struct elf_symbol *symbol)
{
    unsigned type = ELF64_ST_TYPE(symbol->info);
    return symbol->section != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC);
}

static int append(struct function_list *list, const struct function *row)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct function *rows = reallocarray(list->rows, capacity, sizeof(*rows));
        if (!rows)
            return -ENOMEM;
        list->rows = rows;
        list->capacity = capacity;
    }
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
    if (!names_section || section->type == SHT_NOBITS)
        return 0;
    int err = elf_file__read(symbols, section, &table);
    if (!err)
        err = elf_file__read(symbols, names_section, &names);
    size_t count = err ? 0 : table.length_bytes / elf_file__symbol_bytes(symbols);
    for (size_t i = 1; i < count && !err; i++) {
        struct elf_symbol symbol = elf_file__symbol(symbols, table, i);
        const char *text = symbol.name < names.length_bytes ? (const char *)names.bytes + symbol.name : "";
        size_t length = strnlen(text, LIMIT_MANGLED_BYTES);
        if (!is_function(&symbol) || length == 0 || length == LIMIT_MANGLED_BYTES)
            continue;
        _cleanup_free_ char *name = strndup(text, strcspn(text, "@")); // memcpy@@GLIBC_2.14
        if (!name)
            return -ENOMEM;
        if (fnmatch(pattern, name, 0) == 0 || fits_demangled(name, pattern))
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
        if (kept && list->rows[kept - 1].file_offset == list->rows[i].file_offset)
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
