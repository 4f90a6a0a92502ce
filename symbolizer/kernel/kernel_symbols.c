#include "symbolizer/kernel/kernel_symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "store/base/buf.h"
#include "store/base/limits.h"
#include "symbolizer/symbols/symbol_name.h"

// kallsyms gives no sizes: a symbol reaches to the next one, but code of a module or a BPF program not beyond the page
// it would end in when it is the last one. 1 MiB is more than any function has.
#define LAST_SYMBOL_BYTES (1u << 20)
#define NAMES_A_BLOCK     16u // every 16th name's place is kept, the others are walked to

struct kernel_symbols {
    uint64_t text, text_end; // of the kernel itself: _text, _etext
    uint64_t base;
    uint32_t count;
    uint32_t *starts; // relative to base, sorted
    uint32_t *blocks; // where each 16th name begins
    char *names;      // in order of starts
    size_t names_bytes;
    void *file; // that they are mapped from; NULL: they are ours
    size_t file_bytes;
};

struct entry { // while reading
    uint64_t address;
    uint32_t name;
    uint8_t binding;
    bool is_code; // false: only ends the one before it
};

void kernel_symbols__free(struct kernel_symbols *symbols)
{
    if (!symbols)
        return;
    if (symbols->file) {
        munmap(symbols->file, symbols->file_bytes);
    } else {
        free(symbols->starts);
        free(symbols->blocks);
        free(symbols->names);
    }
    free(symbols);
}

// "ADDRESS TYPE NAME[\t[MODULE]]\n"; a name with its module is kept as "NAME [MODULE]".
static void read_line(char *line, struct buf *entries, struct buf *names, struct kernel_symbols *symbols)
{
    char *end;
    uint64_t address = strtoull(line, &end, 16);
    if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
        return;
    char type = end[1], *name = end + 3;
    name[strcspn(name, "\n")] = '\0';
    char *module = strchr(name, '\t');
    if (module)
        *module = ' ';
    struct entry entry = {.address = address, .is_code = strchr("tTwW", type) != NULL};
    if (strcmp(name, "_text") == 0)
        symbols->text = address;
    if (strcmp(name, "_etext") == 0)
        symbols->text_end = address;
    if (!name[0] || (!entry.is_code && strcmp(name, "_etext") != 0))
        return;
    // _etext is code of no one, and ends the core's last function.
    entry.is_code = entry.is_code && strcmp(name, "_etext") != 0;
    entry.binding = type == 'T' ? STB_GLOBAL : type == 't' ? STB_LOCAL : STB_WEAK;
    entry.name = (uint32_t)names->length_bytes;
    buf__append(names, name, strlen(name) + 1);
    buf__append(entries, &entry, sizeof(entry));
}

static int compare(const void *left, const void *right, void *names)
{
    const struct entry *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    if (a->is_code != b->is_code)
        return a->is_code ? -1 : 1;
    const char *a_name = (const char *)names + a->name, *b_name = (const char *)names + b->name;
    if (strcmp(a_name, b_name) == 0)
        return 0;
    return symbol_name__is_better(a->binding, a_name, b->binding, b_name) ? -1 : 1;
}

static int pack(struct entry *entries, size_t count, const char *names, struct kernel_symbols *symbols)
{
    struct buf packed = {0};
    symbols->starts = calloc(count + 1, sizeof(*symbols->starts));
    symbols->blocks = calloc(count / NAMES_A_BLOCK + 1, sizeof(*symbols->blocks));
    if (!symbols->starts || !symbols->blocks)
        return -ENOMEM;
    symbols->base = count > 0 ? entries[0].address : 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t relative = entries[i].address - symbols->base;
        if (relative > UINT32_MAX)
            break; // sorted: so are all that follow
        if (symbols->count > 0 && symbols->starts[symbols->count - 1] == relative)
            continue; // the better alias came first
        if (symbols->count % NAMES_A_BLOCK == 0)
            symbols->blocks[symbols->count / NAMES_A_BLOCK] = (uint32_t)packed.length_bytes;
        symbols->starts[symbols->count++] = (uint32_t)relative;
        const char *name = entries[i].is_code ? names + entries[i].name : "";
        buf__append(&packed, name, strlen(name) + 1);
    }
    char *exact = packed.failed ? NULL : realloc(packed.data, packed.length_bytes + 1);
    if (!exact) {
        buf__release(&packed);
        return -ENOMEM;
    }
    symbols->names = exact;
    symbols->names_bytes = packed.length_bytes;
    return 0;
}

static bool is_sorted(const struct entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (entries[i].address <= entries[i - 1].address)
            return false;
    return true;
}

bool kernel_symbols__is_own(const struct kernel_symbols *symbols, uint64_t address)
{
    return address >= symbols->text && address < symbols->text_end;
}

static int read_lines(FILE *stream, const struct kernel_symbols *known, struct kernel_symbols **ret_symbols)
{
    _cleanup_(kernel_symbols__freep) struct kernel_symbols *symbols = calloc(1, sizeof(*symbols));
    _cleanup_(buf__release) struct buf entries = {0}, names = {0};
    _cleanup_free_ char *line = NULL;
    size_t capacity = 0;
    if (!symbols)
        return -ENOMEM;
    while (getline(&line, &capacity, stream) > 0 && names.length_bytes < LIMIT_KALLSYMS_BYTES)
        if (!known || !kernel_symbols__is_own(known, strtoull(line, NULL, 16)))
            read_line(line, &entries, &names, symbols);
    if (ferror(stream))
        return -EIO;
    if (entries.failed || names.failed)
        return -ENOMEM;
    struct entry *all = (struct entry *)entries.data;
    size_t count = entries.length_bytes / sizeof(*all), hidden = 0;
    while (hidden < count && all[hidden].address == 0)
        hidden++;
    if (hidden == count)
        return -EACCES;
    if (!is_sorted(all, count))
        qsort_r(all, count, sizeof(*all), compare, names.data);
    // Below the upper half lie only the offsets of per-CPU variables.
    size_t first = 0;
    while (first < count && all[first].address < 1ull << 63)
        first++;
    int err = pack(all + first, count - first, (const char *)names.data, symbols);
    if (err)
        return err;
    *ret_symbols = take_pointer(symbols);
    return 0;
}

int kernel_symbols__read(FILE *stream, struct kernel_symbols **ret_symbols)
{
    return read_lines(stream, NULL, ret_symbols);
}

int kernel_symbols__read_late(FILE *stream, const struct kernel_symbols *known, struct kernel_symbols **ret_late)
{
    return read_lines(stream, known, ret_late);
}

// The last function that begins at or before an address; -ENOENT: none does.
static int find_index(const struct kernel_symbols *symbols, uint64_t address, uint32_t *ret_index)
{
    if (address < symbols->base || address - symbols->base > UINT32_MAX)
        return -ENOENT;
    uint32_t relative = (uint32_t)(address - symbols->base), low = 0, high = symbols->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (symbols->starts[middle] <= relative)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || relative - symbols->starts[low - 1] >= LAST_SYMBOL_BYTES)
        return -ENOENT;
    *ret_index = low - 1;
    return 0;
}

// Names read from a damaged file may end too early: the last byte is a NUL, nothing is looked at behind it.
static const char *name_at(const struct kernel_symbols *symbols, uint32_t index)
{
    const char *name = symbols->names + symbols->blocks[index / NAMES_A_BLOCK];
    const char *end = symbols->names + symbols->names_bytes;
    for (uint32_t i = index % NAMES_A_BLOCK; i > 0 && name < end; i--)
        name += strlen(name) + 1;
    return name < end ? name : "";
}

int kernel_symbols__find(const struct kernel_symbols *symbols, uint64_t address, char *out, size_t out_bytes)
{
    uint32_t index;
    int err = find_index(symbols, address, &index);
    if (err)
        return err;
    const char *name = name_at(symbols, index);
    if (!name[0])
        return -ENOENT;
    snprintf(out, out_bytes, "%s", name);
    return 0;
}

uint64_t kernel_symbols__text(const struct kernel_symbols *symbols)
{
    return symbols->text;
}

// "[ext4]" of "map_blocks [ext4]"; NULL: of none, or of what the kernel makes at run time and names like a module
// (kernel/kallsyms.c: BPF programs, trampolines of ftrace, slots of kprobes).
static const char *module_of(const char *name)
{
    const char *module = strrchr(name, '[');
    return module && strcmp(module, "[bpf]") != 0 && strncmp(module, "[__builtin__", 12) != 0 ? module : NULL;
}

bool kernel_symbols__is_lasting(const struct kernel_symbols *symbols, uint64_t address)
{
    uint32_t index;
    if (symbols->text_end == 0 || kernel_symbols__is_own(symbols, address))
        return true;
    if (find_index(symbols, address, &index) != 0 || index + 1 == symbols->count)
        return false;
    const char *module = module_of(name_at(symbols, index)), *next = module_of(name_at(symbols, index + 1));
    return module && next && strcmp(module, next) == 0;
}

int kernel_symbols__address_of(const struct kernel_symbols *symbols, const char *name, uint64_t *ret_address)
{
    const char *at = symbols->names;
    const char *end = at + symbols->names_bytes;
    size_t length = strlen(name);
    for (uint32_t i = 0; i < symbols->count && at < end; i++, at += strlen(at) + 1) {
        if (strncmp(at, name, length) != 0 || (at[length] && strncmp(at + length, " [", 2) != 0) || length == 0)
            continue;
        *ret_address = symbols->base + symbols->starts[i];
        return 0;
    }
    return -ENOENT;
}

// --- As a file: the header, starts, blocks, names

#define FILE_VERSION 1

struct file_header {
    char magic[8];
    uint32_t version, count;
    uint64_t key, text, text_end, base, names_bytes;
};

static const char magic[8] = "hearthKS";

static size_t block_count(uint32_t count)
{
    return count / NAMES_A_BLOCK + 1;
}

int kernel_symbols__write(const struct kernel_symbols *symbols, uint64_t key, int fd)
{
    struct file_header header = {.version = FILE_VERSION,
                                 .count = symbols->count,
                                 .key = key,
                                 .text = symbols->text,
                                 .text_end = symbols->text_end,
                                 .base = symbols->base,
                                 .names_bytes = symbols->names_bytes};
    memcpy(header.magic, magic, sizeof(magic));
    struct iovec parts[] = {{&header, sizeof(header)},
                            {symbols->starts, symbols->count * sizeof(*symbols->starts)},
                            {symbols->blocks, block_count(symbols->count) * sizeof(*symbols->blocks)},
                            {symbols->names, symbols->names_bytes}};
    ssize_t all = 0;
    for (size_t i = 0; i < 4; i++)
        all += (ssize_t)parts[i].iov_len;
    ssize_t written = writev(fd, parts, 4);
    return written == all ? 0 : written < 0 ? -errno : -ENOSPC;
}

static bool is_sound(const struct kernel_symbols *symbols)
{
    if (symbols->count && (!symbols->names_bytes || symbols->names[symbols->names_bytes - 1] != '\0'))
        return false;
    for (size_t i = 0; i * NAMES_A_BLOCK < symbols->count; i++)
        if (symbols->blocks[i] >= symbols->names_bytes)
            return false;
    return true;
}

// The parts of a mapped file; the header's sizes must be the file's.
static int take_file(struct kernel_symbols *symbols, uint64_t key)
{
    const struct file_header *header = symbols->file;
    if (symbols->file_bytes < sizeof(*header) || memcmp(header->magic, magic, sizeof(magic)) != 0 ||
        header->version != FILE_VERSION || header->names_bytes > LIMIT_KALLSYMS_BYTES)
        return -EBADMSG;
    if (header->key != key)
        return -ESTALE;
    size_t starts_bytes = (size_t)header->count * sizeof(*symbols->starts);
    size_t blocks_bytes = block_count(header->count) * sizeof(*symbols->blocks);
    if (symbols->file_bytes != sizeof(*header) + starts_bytes + blocks_bytes + header->names_bytes)
        return -EBADMSG;
    symbols->text = header->text;
    symbols->text_end = header->text_end;
    symbols->base = header->base;
    symbols->count = header->count;
    symbols->starts = (uint32_t *)((char *)symbols->file + sizeof(*header));
    symbols->blocks = (uint32_t *)((char *)symbols->starts + starts_bytes);
    symbols->names = (char *)symbols->blocks + blocks_bytes;
    symbols->names_bytes = header->names_bytes;
    return is_sound(symbols) ? 0 : -EBADMSG;
}

int kernel_symbols__map(int fd, uint64_t key, struct kernel_symbols **ret_symbols)
{
    struct stat status;
    _cleanup_(kernel_symbols__freep) struct kernel_symbols *symbols = calloc(1, sizeof(*symbols));
    if (!symbols)
        return -ENOMEM;
    if (fstat(fd, &status) != 0)
        return -errno;
    if (status.st_size <= 0 || (uint64_t)status.st_size > 2ull * LIMIT_KALLSYMS_BYTES)
        return -EBADMSG;
    void *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED)
        return -errno;
    symbols->file = file;
    symbols->file_bytes = (size_t)status.st_size;
    int err = take_file(symbols, key);
    if (!err)
        *ret_symbols = take_pointer(symbols);
    return err;
}
