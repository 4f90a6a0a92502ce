// The index of a binary: what its addresses are called, in one run of bytes that is searched as it lies. Made by
// naming_job from hostile input in a child without privileges, so a reader checks every byte it will follow before
// the first look-up (index__check), once.
//
//   header    | magic, version, sizes, checksum, base, where the tables lie
//   segments  | file offset -> address, from the program headers
//   units     | ranges of the compilation units; value: 1 where ranges, scopes and lines of the unit are in here
//   symbols   | ranges; value: name               (the symbol table's word on an address)
//   ranges    | ranges; value: innermost scope    (DWARF's word on it)
//   scopes    | name, the scope it is inlined into, and where it is called there
//   lines     | from this address on: file, line
//   strings   | NUL-terminated; mangled names as they stand in the binary
//
// All addresses are relative to `base` and fit 32 bits. Numbers are in the machine's order: an index never leaves it.
#ifndef HEARTH_SYMBOLIZER_INDEX_H
#define HEARTH_SYMBOLIZER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/limits.h"
#include "symbolizer/range.h"

#define INDEX_MAGIC   "hearthix"
#define INDEX_VERSION 2u         // raised with each change of what a binary's index holds
#define INDEX_NONE    UINT32_MAX // as scope.parent: the function the code belongs to

enum index_table_name {
    INDEX_SEGMENTS,
    INDEX_UNITS,
    INDEX_SYMBOLS,
    INDEX_RANGES,
    INDEX_SCOPES,
    INDEX_LINES,
    INDEX_STRINGS,
    INDEX_TABLES,
};

struct index_segment {
    uint64_t file_offset;
    uint64_t address;
    uint64_t bytes;
};

struct index_scope {
    uint32_t name;
    uint32_t parent; // an earlier scope, or INDEX_NONE
    uint32_t call_file;
    uint32_t call_line; // of a function (parent INDEX_NONE): flags
};

// The name is the source's, without its namespaces: static functions of GCC's C++ have no other in DWARF. The symbol
// table's is better.
#define INDEX_SCOPE_BARE 1u

struct index_line {
    uint32_t start;
    uint32_t file;
    uint32_t line; // 0: code of no line; file 0 too: nothing is known from here on
};

struct index_table {
    uint64_t offset_bytes; // from the header's start, a multiple of 8
    uint64_t count;
};

struct index_header {
    char magic[8];
    uint32_t version;
    uint32_t header_bytes;
    uint64_t total_bytes;
    uint64_t checksum; // of everything, with 0 in its place
    uint64_t base;
    uint32_t build_id_bytes;
    uint8_t build_id[20];
    uint32_t complete;  // 1: every unit with ranges is in here
    uint32_t has_dwarf; // 1: there was debug information; 0: its files may be installed one day
    struct index_table tables[INDEX_TABLES];
};

struct index { // a checked view of bytes owned by someone else
    const struct index_header *header;
    const struct index_segment *segments;
    const struct range *units;
    const struct range *symbols;
    const struct range *ranges;
    const struct index_scope *scopes;
    const struct index_line *lines;
    const char *strings;
};

// What the maker of an index hands over; the pieces are written one after the other.
struct index_parts {
    uint64_t base;
    uint8_t build_id[20];
    size_t build_id_bytes;
    bool complete;
    bool has_dwarf;
    struct buf tables[INDEX_TABLES];
};

void index_parts__release(struct index_parts *parts);
// Appends header and tables to `out`. -ENOMEM when an append to a part or to `out` had failed.
int index__write(const struct index_parts *parts, struct buf *out);

#define INDEX_CHECKSUM 1u // the checksum too: the bytes were on a disk
#define INDEX_MAPPED   2u // they are a mapping of a file that does not change: pages looked at are let go again

// Checks every count, offset and order of the bytes. -EBADMSG: damaged; -EPROTONOSUPPORT: of another version.
int index__check(const void *bytes, size_t length_bytes, unsigned how, struct index *ret_index);

struct index_frame { // offsets of strings
    uint32_t function;
    uint32_t file;
    uint32_t line;
};

enum index_answer {
    INDEX_ANSWER_NONE,     // nothing is known of the address
    INDEX_ANSWER_SYMBOL,   // from the symbol table
    INDEX_ANSWER_DWARF,    // functions and lines
    INDEX_ANSWER_NOT_HERE, // a symbol at best, but the address lies in a unit that is not in this index
};

// The chain of a file offset, innermost first; length 0 where there is no name (the answer is then NONE or NOT_HERE).
enum index_answer index__find(const struct index *index, uint64_t file_offset, bool no_inline,
                              struct index_frame ret_chain[LIMIT_CHAIN], size_t *ret_length);

#endif
