#include "symbolizer/symbols/plt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/base/limits.h"
#include "symbolizer/arch/elf_machine.h"
#include "symbolizer/elf/elf_rows.h"

struct slot { // a word of the global offset table, and what address it gets
    uint64_t address;
    uint32_t symbol;   // that of a symbol; 0: none
    uint64_t resolver; // what this function says (IFUNC), which has the name of the one it chooses; 0: none
};

// The rows that only add where the file was loaded to (R_*_RELATIVE) come first, and DT_RELACOUNT says how many they
// are: all but some thousands of the 350,000 of a large library.
static uint64_t count_relative(const struct elf_file *file)
{
    const struct elf_section *section = elf_file__find_type(file, SHT_DYNAMIC);
    _cleanup_(elf_rows__release) struct elf_rows rows = {0};
    GElf_Dyn row;
    if (!section || elf_rows__open(file, section, 0, &rows) != 0)
        return 0;
    for (size_t i = 0; i < rows.count && gelf_getdyn(rows.data, (int)i, &row) && row.d_tag != DT_NULL; i++)
        if (row.d_tag == DT_RELACOUNT)
            return row.d_un.d_val;
    return 0;
}

static void add_slot(const struct elf_file *file, const GElf_Rela *row, bool in_order, struct buf *slots)
{
    uint32_t type = (uint32_t)ELF64_R_TYPE(row->r_info);
    const struct elf_machine *machine = elf_machine__of(elf_file__machine(file));
    bool is_function = type == machine->jump_slot || type == machine->data_slot;
    bool is_chosen = type == machine->chosen;
    struct slot slot = {.address = row->r_offset,
                        .symbol = is_function ? (uint32_t)ELF64_R_SYM(row->r_info) : 0,
                        .resolver = is_chosen ? (uint64_t)row->r_addend : 0};
    if (slot.symbol || slot.resolver || in_order)
        buf__append(slots, &slot, sizeof(slot));
}

// `in_order`: all rows, for a stub may name one by its index.
static void add_slots(const struct elf_file *file, const char *name, bool in_order, struct buf *slots)
{
    const struct elf_section *section = elf_file__find(file, name);
    _cleanup_(elf_rows__release) struct elf_rows rows = {0};
    GElf_Rela row;
    if (!section || section->type != SHT_RELA || !elf_file__is_64(file))
        return;
    int err = elf_rows__open(file, section, in_order ? 0 : count_relative(file), &rows);
    if (err == -EBADMSG) // a count that cannot be
        err = elf_rows__open(file, section, 0, &rows);
    for (size_t i = 0; !err && i < rows.count && gelf_getrela(rows.data, (int)i, &row); i++)
        add_slot(file, &row, in_order, slots);
}

struct plt {
    struct elf_file *file;
    const struct elf_machine *machine;
    struct symbol_table *table;
    const struct elf_section *names; // NULL: none
    struct elf_data symbols;
    struct buf in_order;   // of .rela.plt
    struct buf by_address; // sorted, of both
};

static int compare(const void *left, const void *right)
{
    const struct slot *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static const struct slot *find_slot(const struct plt *plt, uint64_t address)
{
    struct slot key = {.address = address};
    return bsearch(&key, plt->by_address.data, plt->by_address.length_bytes / sizeof(key), sizeof(key), compare);
}

// The slot that a stub jumps by.
static const struct slot *slot_of(const struct plt *plt, const uint8_t *code, size_t length, uint64_t address)
{
    struct elf_stub stub = plt->machine->read_stub(code, length, address);
    if (stub.kind == ELF_STUB_SLOT)
        return find_slot(plt, stub.place);
    if (stub.kind == ELF_STUB_INDEX && stub.place < plt->in_order.length_bytes / sizeof(struct slot))
        return &((const struct slot *)plt->in_order.data)[stub.place];
    return NULL;
}

// The name of a slot's function, into `name`. False: it has none, or one too long.
static bool find_name(const struct plt *plt, const struct slot *slot, char name[LIMIT_SOURCE_PATH_BYTES])
{
    if (slot->resolver) {
        const char *chooser = symbol_table__name_at(plt->table, slot->resolver);
        int length = chooser ? snprintf(name, LIMIT_SOURCE_PATH_BYTES, "%s", chooser) : 0;
        return length > 0 && length < LIMIT_SOURCE_PATH_BYTES;
    }
    if (!slot->symbol || !plt->names)
        return false;
    uint32_t start = elf_file__symbol(plt->file, plt->symbols, slot->symbol).name;
    for (size_t bytes = 128; bytes <= LIMIT_SOURCE_PATH_BYTES; bytes *= 32) { // most are short
        size_t got = elf_file__read_part(plt->file, plt->names, start, name, bytes);
        if (memchr(name, 0, got))
            return name[0];
    }
    return false;
}

static int add_stub(const struct plt *plt, const struct slot *slot, uint64_t address, uint64_t bytes)
{
    char name[LIMIT_SOURCE_PATH_BYTES], stub[LIMIT_SOURCE_PATH_BYTES + sizeof("@plt")];
    if (!slot || !find_name(plt, slot, name))
        return 0;
    snprintf(stub, sizeof(stub), "%s@plt", name);
    return symbol_table__add(plt->table, address, bytes, stub);
}

static int add_stubs(const struct plt *plt, const char *name)
{
    const struct elf_section *section = elf_file__find(plt->file, name);
    struct elf_data data;
    if (!section || elf_file__read(plt->file, section, &data) != 0)
        return 0;
    size_t step = section->entry_bytes == 8 || section->entry_bytes == 24 ? section->entry_bytes : 16;
    int err = 0;
    for (size_t at = 0; at < data.length_bytes && !err; at += step) {
        size_t length = data.length_bytes - at < step ? data.length_bytes - at : step;
        uint64_t address = section->address + at;
        err = add_stub(plt, slot_of(plt, data.bytes + at, length, address), address, length);
    }
    elf_file__forget(plt->file, section);
    return err;
}

int plt__add(struct elf_file *file, struct symbol_table *table)
{
    static const char *const sections[] = {".plt", ".plt.sec", ".plt.got", ".iplt"};
    _cleanup_(buf__release) struct buf in_order = {0}, by_address = {0};
    _cleanup_(elf_rows__release) struct elf_rows symbols = {0};
    const struct elf_section *dynsym = elf_file__find_type(file, SHT_DYNSYM);
    const struct elf_machine *machine = elf_machine__of(elf_file__machine(file));
    // Static programs have no symbols there, and only functions that are chosen when they start.
    struct plt plt = {.file = file,
                      .machine = machine,
                      .table = table,
                      .names = dynsym ? elf_file__section(file, dynsym->link) : NULL};
    int err = 0;
    if (!machine || !elf_file__is_64(file))
        return 0;
    add_slots(file, ".rela.plt", true, &in_order);
    buf__append(&by_address, in_order.data, in_order.length_bytes);
    add_slots(file, ".rela.dyn", false, &by_address);
    if (in_order.failed || by_address.failed)
        return -ENOMEM;
    if (by_address.length_bytes == 0)
        return 0;
    qsort(by_address.data, by_address.length_bytes / sizeof(struct slot), sizeof(struct slot), compare);
    if (dynsym && elf_rows__open(file, dynsym, 0, &symbols) != 0)
        plt.names = NULL;
    plt.symbols = elf_rows__bytes(&symbols);
    plt.in_order = in_order;
    plt.by_address = by_address;
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]) && !err; i++)
        err = add_stubs(&plt, sections[i]);
    return err;
}
