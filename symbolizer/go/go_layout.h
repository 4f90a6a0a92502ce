// The parts of Go's table, for its two readers (go_table.c and go_inlines.c); and the programs in it: each tells how a
// value changes along the code.
#ifndef HEARTH_SYMBOLIZER_GO_GO_LAYOUT_H
#define HEARTH_SYMBOLIZER_GO_GO_LAYOUT_H

#include "symbolizer/dwarf/dwarf_sink.h"
#include "symbolizer/elf/dwarf_reader.h"

enum go_version { GO_1_16, GO_1_18, GO_1_20 }; // from which on the layout is this

struct go_table {
    struct elf_file *file;
    struct elf_data data;
    uint64_t address; // of the section
    struct dwarf_sink *sink;
    enum go_version version;
    uint8_t quantum; // bytes an instruction has at least
    uint8_t pointer_bytes;
    uint64_t function_count;
    uint64_t text; // where offsets of functions begin; 0 in 1.16, which has addresses
    uint64_t names, units, files, programs, functions;
    uint64_t function_data; // address that offsets of functions' data count from; 0: not known
    uint64_t steps_left;    // of programs, for inlined calls: a damaged file may name a long one again and again
};

struct go_function {
    uint64_t start;
    uint64_t end;
    const char *name;
    uint64_t file_program, line_program; // in `programs`
    uint64_t inline_program;             // 0: nothing was inlined
    uint64_t inline_tree;                // its address
    uint64_t unit;                       // in `units`
};

struct go_steps { // a value that changes along the code: pairs of a signed step of it and an unsigned one of the
                  // address
    struct byte_reader reader;
    uint64_t address; // where `value` ends
    int64_t value;
    bool has_begun;
};

struct go_steps go_steps__of(const struct go_table *table, uint64_t program, uint64_t start);
bool go_steps__next(const struct go_table *table, struct go_steps *steps);

// A string of the table, in the pool of the sink: the name of a function, the path of file number `file` of its unit.
const char *go_table__string(const struct go_table *table, uint64_t base, uint64_t offset);
uint32_t go_table__path(const struct go_table *table, const struct go_function *function, int64_t file);

#endif
