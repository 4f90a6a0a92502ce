#include "symbolizer/plt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/base/limits.h"

struct slot { // a word of the global offset table, and what address it gets
    uint64_t address;
    uint32_t symbol;   // that of a symbol; 0: none
    uint64_t resolver; // what this function says (IFUNC), which has the name of the one it chooses; 0: none
};

static void add_slots(struct elf_file *file, const char *name, struct buf *slots)
{
    const struct elf_section *section = elf_file__find(file, name);
    struct elf_data data;
    if (!section || section->type != SHT_RELA || !elf_file__is_64(file) || elf_file__read(file, section, &data) != 0)
        return;
    for (size_t at = 0; at + sizeof(Elf64_Rela) <= data.length_bytes; at += sizeof(Elf64_Rela)) {
        Elf64_Rela row;
        memcpy(&row, data.bytes + at, sizeof(row));
        uint32_t type = (uint32_t)ELF64_R_TYPE(row.r_info);
        bool is_function = elf_file__machine(file) == EM_X86_64
                               ? type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT
                               : type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
        bool is_chosen = type == (elf_file__machine(file) == EM_X86_64 ? R_X86_64_IRELATIVE : R_AARCH64_IRELATIVE);
        struct slot slot = {.address = row.r_offset,
                            .symbol = is_function ? (uint32_t)ELF64_R_SYM(row.r_info) : 0,
                            .resolver = is_chosen ? (uint64_t)row.r_addend : 0};
        // Rows of .rela.plt keep their places: a stub may name one by its index.
        if (slot.symbol || slot.resolver || strcmp(name, ".rela.plt") == 0)
            buf__append(slots, &slot, sizeof(slot));
    }
    elf_file__forget(file, section);
}

struct plt {
    struct elf_file *file;
    struct symbol_table *table;
    struct elf_data symbols, names;
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

static uint32_t read_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

// "jmp *SLOT(%rip)", behind an endbr64 or a bnd prefix; or, in a lazy .plt whose jumps stand in .plt.sec, "push
// $INDEX".
static const struct slot *x86_slot(const struct plt *plt, const uint8_t *stub, size_t length, uint64_t address)
{
    if (length >= 2 && stub[0] == 0xff && stub[1] == 0x35)
        return NULL; // the first one, which calls the loader
    for (size_t i = 0; i + 6 <= length && i <= 6; i++)
        if (stub[i] == 0xff && stub[i + 1] == 0x25)
            return find_slot(plt, address + i + 6 + (uint64_t)(int32_t)read_u32(stub + i + 2));
    for (size_t i = 0; i + 5 <= length && i <= 4; i += 4) {
        uint32_t index = read_u32(stub + i + 1);
        if (stub[i] == 0x68 && index < plt->in_order.length_bytes / sizeof(struct slot))
            return &((const struct slot *)plt->in_order.data)[index];
    }
    return NULL;
}

// "adrp x16, PAGE; ldr x17, [x16, #OFFSET]", behind a "bti c" perhaps.
static const struct slot *arm_slot(const struct plt *plt, const uint8_t *stub, size_t length, uint64_t address)
{
    for (size_t i = 0; i + 8 <= length && i <= 4; i += 4) {
        uint32_t adrp = read_u32(stub + i), ldr = read_u32(stub + i + 4);
        if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
            continue;
        uint64_t pages = ((uint64_t)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3)) << 43;
        uint64_t page = ((address + i) & ~0xfffull) + (uint64_t)((int64_t)pages >> 31);
        return find_slot(plt, page + (uint64_t)(ldr >> 10 & 0xfff) * 8);
    }
    return NULL;
}

static const char *name_of(const struct plt *plt, const struct slot *slot)
{
    struct elf_symbol symbol = elf_file__symbol(plt->file, plt->symbols, slot->symbol);
    if (slot->resolver)
        return symbol_table__name_at(plt->table, slot->resolver);
    return slot->symbol && symbol.name < plt->names.length_bytes ? (const char *)plt->names.bytes + symbol.name : NULL;
}

static int add_stub(const struct plt *plt, const struct slot *slot, uint64_t address, uint64_t bytes)
{
    char stub[LIMIT_SOURCE_PATH_BYTES];
    const char *name = slot ? name_of(plt, slot) : NULL;
    int length = name ? snprintf(stub, sizeof(stub), "%s@plt", name) : 0;
    return length > 4 && (size_t)length < sizeof(stub) ? symbol_table__add(plt->table, address, bytes, stub) : 0;
}

static int add_stubs(const struct plt *plt, const char *name)
{
    const struct elf_section *section = elf_file__find(plt->file, name);
    struct elf_data data;
    if (!section || elf_file__read(plt->file, section, &data) != 0)
        return 0;
    bool is_x86 = elf_file__machine(plt->file) == EM_X86_64;
    size_t step = section->entry_bytes == 8 || section->entry_bytes == 24 ? section->entry_bytes : 16;
    int err = 0;
    for (size_t at = 0; at < data.length_bytes && !err; at += step) {
        size_t length = data.length_bytes - at < step ? data.length_bytes - at : step;
        uint64_t address = section->address + at;
        const struct slot *slot =
            is_x86 ? x86_slot(plt, data.bytes + at, length, address) : arm_slot(plt, data.bytes + at, length, address);
        err = add_stub(plt, slot, address, length);
    }
    elf_file__forget(plt->file, section);
    return err;
}

int plt__add(struct elf_file *file, struct symbol_table *table)
{
    static const char *const sections[] = {".plt", ".plt.sec", ".plt.got", ".iplt"};
    _cleanup_(buf__release) struct buf in_order = {0}, by_address = {0};
    const struct elf_section *dynsym = elf_file__find_type(file, SHT_DYNSYM);
    const struct elf_section *dynstr = dynsym ? elf_file__section(file, dynsym->link) : NULL;
    uint16_t machine = elf_file__machine(file);
    struct plt plt = {.file = file, .table = table};
    int err = 0;
    if (machine != EM_X86_64 && machine != EM_AARCH64)
        return 0;
    if (dynstr) // static programs have none, and only functions that are chosen when they start
        err = elf_file__read(file, dynsym, &plt.symbols);
    if (dynstr && !err)
        err = elf_file__read(file, dynstr, &plt.names);
    if (err)
        return err;
    add_slots(file, ".rela.plt", &in_order);
    buf__append(&by_address, in_order.data, in_order.length_bytes);
    add_slots(file, ".rela.dyn", &by_address);
    if (in_order.failed || by_address.failed)
        return -ENOMEM;
    if (by_address.length_bytes == 0)
        return 0;
    qsort(by_address.data, by_address.length_bytes / sizeof(struct slot), sizeof(struct slot), compare);
    plt.in_order = in_order;
    plt.by_address = by_address;
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]) && !err; i++)
        err = add_stubs(&plt, sections[i]);
    return err;
}
