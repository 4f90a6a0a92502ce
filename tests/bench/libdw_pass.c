// The measure of the index builder: what the same information costs when it is read with libdw in the plainest way that
// is not slow, one pass over the entries of every unit. Leaves the tables an index has (disjoint ranges, a tree of
// inlined calls, line rows, one pool of strings) in memory, and prints
//
//   FILE: CPU 1.08 s, peak 156.0 MiB, 1600000 entries, 210000 scopes, 400000 ranges, 510000 rows, 18.5 MiB
//
// hearth's own builder does all of that, checks what it follows, and writes the file. tests/bench/symbols.py prints the
// ratio of both.
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "symbolizer/index/index_parts.h"
#include "symbolizer/index/range.h"
#include "symbolizer/index/string_pool.h"

struct pass {
    struct string_pool pool;
    struct buf layers; // struct layer
    struct buf scopes; // struct index_scope
    struct buf rows;   // struct index_line
    uint64_t entries;
    Dwarf_Files *files; // of the unit in hand
};

static uint32_t intern(struct pass *pass, const char *text)
{
    return text ? string_pool__add(&pass->pool, text, strlen(text)) : 0;
}

// The linkage name, else the name, of an entry or of what it refers to.
static const char *name_of(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
        dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
        return dwarf_formstring(&attribute);
    return dwarf_attr_integrate(die, DW_AT_name, &attribute) ? dwarf_formstring(&attribute) : NULL;
}

static uint64_t number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (dwarf_attr(die, name, &attribute))
        dwarf_formudata(&attribute, &value);
    return value;
}

static uint32_t add_scope(struct pass *pass, Dwarf_Die *die, uint32_t parent, uint32_t depth)
{
    uint32_t number = (uint32_t)(pass->scopes.length_bytes / sizeof(struct index_scope));
    size_t before = pass->layers.length_bytes;
    Dwarf_Addr base, low, high;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &low, &high)) > 0;) {
        struct layer layer = {(uint32_t)low, (uint32_t)high, number, depth};
        if (low && low < high && high < UINT32_MAX)
            buf__append(&pass->layers, &layer, sizeof(layer));
    }
    if (pass->layers.length_bytes == before)
        return parent;
    struct index_scope scope = {.name = intern(pass, name_of(die)), .parent = parent};
    if (parent != INDEX_NONE) {
        scope.call_file = intern(pass, dwarf_filesrc(pass->files, number_of(die, DW_AT_call_file), NULL, NULL));
        scope.call_line = (uint32_t)number_of(die, DW_AT_call_line);
    }
    buf__append(&pass->scopes, &scope, sizeof(scope));
    return number;
}

static void walk(struct pass *pass, Dwarf_Die *die, uint32_t parent, uint32_t depth)
{
    Dwarf_Die at;
    if (dwarf_child(die, &at) != 0)
        return;
    do {
        pass->entries++;
        switch (dwarf_tag(&at)) {
        case DW_TAG_subprogram:
            walk(pass, &at, add_scope(pass, &at, INDEX_NONE, depth), depth + 1);
            break;
        case DW_TAG_inlined_subroutine:
            walk(pass, &at, add_scope(pass, &at, parent, depth), depth + 1);
            break;
        case DW_TAG_lexical_block:
        case DW_TAG_namespace:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
            walk(pass, &at, parent, depth + 1);
            break;
        default:
            break;
        }
    } while (dwarf_siblingof(&at, &at) == 0);
}

static void read_lines(struct pass *pass, Dwarf_Die *unit)
{
    Dwarf_Lines *lines;
    size_t count;
    const char *last = NULL;
    uint32_t file = 0;
    if (dwarf_getsrclines(unit, &lines, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        Dwarf_Line *line = dwarf_onesrcline(lines, i);
        Dwarf_Addr address;
        int number;
        const char *source = dwarf_linesrc(line, NULL, NULL);
        if (dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0 || address > UINT32_MAX)
            continue;
        if (source != last)
            file = intern(pass, source);
        last = source;
        struct index_line row = {(uint32_t)address, file, (uint32_t)number};
        buf__append(&pass->rows, &row, sizeof(row));
    }
}

static int compare_rows(const void *left, const void *right)
{
    const struct index_line *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static int read_all(Dwarf *dwarf, struct pass *pass)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
        if (dwarf_getsrcfiles(&die, &pass->files, NULL) != 0)
            pass->files = NULL;
        walk(pass, &die, INDEX_NONE, 0);
        read_lines(pass, &die);
    }
    qsort(pass->rows.data, pass->rows.length_bytes / sizeof(struct index_line), sizeof(struct index_line),
          compare_rows);
    return pass->rows.failed || pass->layers.failed || pass->scopes.failed ? -ENOMEM : 0;
}

// Not ru_maxrss, which begins with what the process had before exec.
static double peak_mib(void)
{
    char line[256];
    double kib = 0;
    _cleanup_file_ FILE *stream = fopen("/proc/self/status", "re");
    while (stream && fgets(line, sizeof(line), stream))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtod(line + 6, NULL);
    return kib / 1024;
}

int main(int argc, char **argv)
{
    struct pass pass = {0};
    struct buf ranges = {0};
    struct rusage usage;
    _cleanup_fd_ int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    Dwarf *dwarf = fd >= 0 ? dwarf_begin(fd, DWARF_C_READ) : NULL;
    if (!dwarf) {
        fprintf(stderr, "usage: libdw_pass FILE, with debug information\n");
        return 1;
    }
    int err = read_all(dwarf, &pass);
    if (!err)
        err =
            range__flatten((struct layer *)pass.layers.data, pass.layers.length_bytes / sizeof(struct layer), &ranges);
    if (err) {
        fprintf(stderr, "libdw_pass: %s\n", strerror(-err));
        return 1;
    }
    getrusage(RUSAGE_SELF, &usage);
    size_t bytes =
        ranges.length_bytes + pass.scopes.length_bytes + pass.rows.length_bytes + pass.pool.bytes.length_bytes;
    printf("%s: CPU %.2f s, peak %.1f MiB, %lu entries, %zu scopes, %zu ranges, %zu rows, %.1f MiB\n", argv[1],
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
           peak_mib(), (unsigned long)pass.entries, pass.scopes.length_bytes / sizeof(struct index_scope),
           ranges.length_bytes / sizeof(struct range), pass.rows.length_bytes / sizeof(struct index_line),
           (double)bytes / (1 << 20));
    dwarf_end(dwarf);
    string_pool__release(&pass.pool);
    buf__release(&pass.layers);
    buf__release(&pass.scopes);
    buf__release(&pass.rows);
    buf__release(&ranges);
    return 0;
}
