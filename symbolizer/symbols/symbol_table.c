#include "symbolizer/symbols/symbol_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"
#include "symbolizer/elf/elf_rows.h"
#include "symbolizer/index/range.h"
#include "symbolizer/symbols/symbol_name.h"

struct symbol_entry {
    uint32_t start;
    uint32_t end;   // 0: no size
    uint32_t limit; // of one without size: the end of its section
    uint32_t name;  // in its source
    uint8_t source; // 0: contents; else one of the table's sources
    uint8_t binding;
    uint8_t made_up;
};

static const char *name_of(const struct symbol_table *table, const struct symbol_entry *entry)
{
    const uint8_t *names = entry->source ? table->sources[entry->source].bytes : table->contents.data;
    return (const char *)names + entry->name;
}

void symbol_table__release(struct symbol_table *table)
{
    buf__release(&table->symbols);
    buf__release(&table->contents);
}

static int append_copied(struct symbol_table *table, struct symbol_entry entry, const char *name, size_t length)
{
    if (table->contents.length_bytes + length + 1 > UINT32_MAX)
        return -E2BIG;
    entry.source = 0;
    entry.name = (uint32_t)table->contents.length_bytes;
    buf__append(&table->contents, name, length);
    buf__append_byte(&table->contents, 0);
    buf__append(&table->symbols, &entry, sizeof(entry));
    return table->contents.failed || table->symbols.failed ? -ENOMEM : 0;
}

int symbol_table__add(struct symbol_table *table, uint64_t address, uint64_t bytes, const char *name)
{
    uint64_t start = address - table->base;
    if (address < table->base || start >= UINT32_MAX || bytes == 0 || !name[0])
        return 0;
    uint64_t end = bytes < UINT32_MAX - start ? start + bytes : UINT32_MAX;
    struct symbol_entry entry = {.start = (uint32_t)start, .end = (uint32_t)end, .binding = STB_LOCAL, .made_up = 1};
    return append_copied(table, entry, name, strlen(name));
}

static bool names_code(const struct elf_symbol *symbol, const char *name)
{
    unsigned type = ELF64_ST_TYPE(symbol->info);
    if (symbol->section == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE))
        return false;
    if (!name[0] || (name[0] == '.' && name[1] == 'L'))
        return false;
    // The mapping symbols of ARM and RISC-V: $x, $d, $a.123
    return !(name[0] == '$' && name[1] && strchr("adtx", name[1]) && (!name[2] || name[2] == '.'));
}

// Functions that are returned to without having called: the return address is their first byte, and the address a
// caller is looked up at, the byte before it, lies in the padding (an x86-64 handler's return, arm64's in the vDSO, the
// end of a makecontext() coroutine).
static bool is_trampoline(const char *name)
{
    static const char *const names[] = {"__restore_rt", "__start_context", "__kernel_rt_sigreturn"};
    if (name[0] != '_' || name[1] != '_') // as most
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static int add_symbol(struct symbol_table *table, const struct elf_file *file, const struct elf_symbol *symbol,
                      const char *name, size_t name_length, bool is_dynamic)
{
    const struct elf_section *section = elf_file__section(file, symbol->section);
    if (!section || symbol->section >= SHN_LORESERVE || !(section->flags & SHF_EXECINSTR))
        section = elf_file__code_at(file, symbol->value);
    if (!section || symbol->value < section->address || symbol->value - section->address >= section->bytes ||
        symbol->value < table->base)
        return 0;
    uint64_t start = symbol->value - table->base, limit = section->address + section->bytes - table->base;
    if (limit >= UINT32_MAX || start >= limit)
        return 0;
    if (symbol->bytes == 0 && is_dynamic)
        limit = start + 1;
    uint64_t bytes = symbol->bytes;
    struct symbol_entry entry = {.start = (uint32_t)start,
                                 .limit = (uint32_t)limit,
                                 .end = (uint32_t)(bytes == 0              ? 0
                                                   : bytes < limit - start ? start + bytes
                                                                           : limit),
                                 .name = symbol->name,
                                 .source = (uint8_t)(table->source_count - 1),
                                 .binding = ELF64_ST_BIND(symbol->info)};
    if (start > 0 && is_trampoline(name))
        entry.start--;
    // "memcpy@@GLIBC_2.14": the version is not part of the name.
    const char *version = name[0] == '@' ? NULL : memchr(name, '@', name_length);
    if (version)
        return append_copied(table, entry, name, (size_t)(version - name));
    buf__append(&table->symbols, &entry, sizeof(entry));
    return table->symbols.failed ? -ENOMEM : 0;
}

static int add_symbols(struct symbol_table *table, const struct elf_file *file, struct elf_data symbols,
                       struct elf_data names, bool is_dynamic)
{
    size_t count = symbols.length_bytes / elf_file__symbol_bytes(file);
    int err = 0;
    for (size_t i = 1; i < count && !err; i++) {
        struct elf_symbol symbol = elf_file__symbol(file, symbols, i);
        const char *name = symbol.name < names.length_bytes ? (const char *)names.bytes + symbol.name : "";
        if (!names_code(&symbol, name))
            continue;
        size_t length = strnlen(name, LIMIT_MANGLED_BYTES);
        if (length < LIMIT_MANGLED_BYTES) // a million symbols may share one endless name
            err = add_symbol(table, file, &symbol, name, length, is_dynamic);
    }
    return err;
}

int symbol_table__add_elf(struct symbol_table *table, struct elf_file *file)
{
    const struct elf_section *section = elf_file__find_type(file, SHT_SYMTAB);
    if (!section || section->bytes == 0)
        section = elf_file__find_type(file, SHT_DYNSYM);
    const struct elf_section *names_section = section ? elf_file__section(file, section->link) : NULL;
    if (!section || !names_section || section->type == SHT_NOBITS)
        return 0;
    _cleanup_(elf_rows__release) struct elf_rows symbols = {0};
    struct elf_data names;
    int err = elf_rows__open(file, section, 0, &symbols);
    if (!err)
        err = elf_file__read(file, names_section, &names);
    if (err)
        return err;
    if (table->source_count == 0)
        table->source_count = 1; // the first are the contents
    if (table->source_count == SYMBOL_SOURCES)
        return -E2BIG;
    table->sources[table->source_count++] = names;
    elf_file__keep(file, names_section);
    bool is_dynamic = section->type == SHT_DYNSYM;
    return add_symbols(table, file, elf_rows__bytes(&symbols), names, is_dynamic);
}

const char *symbol_table__name_at(const struct symbol_table *table, uint64_t address)
{
    const struct symbol_entry *entries = (const struct symbol_entry *)table->symbols.data, *best = NULL;
    for (size_t i = 0; i < table->symbols.length_bytes / sizeof(*entries); i++) {
        const struct symbol_entry *entry = &entries[i];
        if (entry->start + table->base == address && !entry->made_up &&
            (!best ||
             symbol_name__is_better(entry->binding, name_of(table, entry), best->binding, name_of(table, best))))
            best = entry;
    }
    return best ? name_of(table, best) : NULL;
}

// By start; at one start those with a size first, then the better name first.
static int compare(const void *left, const void *right, void *table)
{
    const struct symbol_entry *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (!a->end != !b->end)
        return a->end ? -1 : 1;
    if (a->made_up != b->made_up)
        return a->made_up ? 1 : -1;
    return symbol_name__is_better(a->binding, name_of(table, a), b->binding, name_of(table, b)) ? -1 : 1;
}

static int sort_entries(struct symbol_table *table, struct symbol_entry *entries, size_t count)
{
    int err = range__sort(entries, sizeof(*entries), count);
    for (size_t i = 0, next; i < count && !err; i = next) {
        for (next = i + 1; next < count && entries[next].start == entries[i].start;)
            next++;
        if (next - i > 1)
            qsort_r(entries + i, next - i, sizeof(*entries), compare, table);
    }
    return err;
}

// The size of one without: to the next start, its section's end, or nothing when it lies inside one with a size (a
// label in a function).
static void settle_sizes(struct symbol_entry *entries, size_t count)
{
    uint32_t covered = 0;
    for (size_t i = 0; i < count; i++) {
        struct symbol_entry *entry = &entries[i];
        if (!entry->end && entry->start >= covered) {
            size_t next = i + 1;
            while (next < count && entries[next].start == entry->start)
                next++;
            entry->end = next < count && entries[next].start < entry->limit ? entries[next].start : entry->limit;
            covered = entry->start + 1; // the worse aliases at this start have no say
        } else if (entry->end > covered) {
            covered = entry->end;
        }
    }
}

// Puts whole string tables into the pool, where little else is in it: most of their strings are names of code.
static bool take_sources(struct symbol_table *table, struct string_pool *pool, uint32_t ret_starts[SYMBOL_SOURCES])
{
    struct elf_data contents = {table->contents.data, table->contents.length_bytes};
    table->sources[0] = contents;
    for (size_t i = 0; i < SYMBOL_SOURCES; i++) {
        if (table->sources[i].length_bytes > 0)
            ret_starts[i] =
                string_pool__append(pool, (const char *)table->sources[i].bytes, table->sources[i].length_bytes);
    }
    return !pool->bytes.failed;
}

int symbol_table__flatten(struct symbol_table *table, struct string_pool *pool, struct buf *ranges)
{
    struct symbol_entry *entries = (struct symbol_entry *)table->symbols.data;
    size_t count = table->symbols.length_bytes / sizeof(*entries);
    uint32_t starts[SYMBOL_SOURCES] = {0};
    _cleanup_free_ struct layer *layers = reallocarray(NULL, count + 1, sizeof(*layers));
    if (!layers)
        return -ENOMEM;
    if (count == 0)
        return 0;
    // Names of DWARF are the same ones, and looked for; without many of them a name seldom stands for two addresses.
    bool is_whole = pool->used < count / 4;
    if (sort_entries(table, entries, count) != 0 || (is_whole && !take_sources(table, pool, starts)))
        return -ENOMEM;
    settle_sizes(entries, count);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].end <= entries[i].start ||
            (used > 0 && layers[used - 1].start == entries[i].start && layers[used - 1].end == entries[i].end))
            continue; // an alias of the last one, which is the better
        layers[used] = (struct layer){.start = entries[i].start, .end = entries[i].end};
        layers[used].rank = entries[i].made_up ? 0 : 1;
        layers[used++].value = is_whole ? starts[entries[i].source] + entries[i].name
                                        : string_pool__add(pool, name_of(table, &entries[i]), LIMIT_MANGLED_BYTES);
    }
    return range__flatten(layers, used, ranges);
}
