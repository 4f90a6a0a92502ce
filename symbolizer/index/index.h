// The index of a binary: what its addresses are called, in one run of bytes that is searched as it lies. Made by
// naming_job from hostile input in a child without privileges, so a reader checks every byte it will follow before
// the first look-up (index__check), once.
//
//   header       | magic, version, sizes, checksum, base, where the tables lie
//   segments     | file offset -> address, from the program headers
//   units        | ranges of the compilation units; value: 1 where scopes and rows of the unit are in here
//   symbols      | ranges; value: name                         (the symbol table's word on an address)
//   rows         | from this address on: innermost scope, file, line   (DWARF's word on it)
//   scopes       | name, the scope it is inlined into, and where it is called there
//   symbol pages | where the symbols of each page of code begin
//   row pages    | where the rows of each page of code begin
//   strings      | NUL-terminated; mangled names as they stand in the binary
//
// A page is as much code as has some four rows: a look-up reads one word of the pages and one or two cache lines of the
// rows, however large the index is. All addresses are relative to `base` and fit 32 bits. Numbers are in the machine's
// order: an index never leaves it.
#ifndef HEARTH_SYMBOLIZER_INDEX_INDEX_H
#define HEARTH_SYMBOLIZER_INDEX_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/limits.h"
#include "symbolizer/index/range.h"

#define INDEX_MAGIC     "hearthix"
#define INDEX_VERSION   8u         // raised with each change of what a binary's index holds
#define INDEX_ALIGNMENT 64u        // of tables: a row never lies in two cache lines
#define INDEX_NONE      UINT32_MAX // as scope.parent: the function the code belongs to

enum index_table_name {
    INDEX_SEGMENTS,
    INDEX_UNITS,
    INDEX_SYMBOLS,
    INDEX_ROWS,
    INDEX_SCOPES,
    INDEX_SYMBOL_PAGES,
    INDEX_ROW_PAGES,
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

// The symbol table's name is better than this one. This one is the source's, without its namespaces: DWARF has no other
// for static functions of GCC's C++. Or this one is a label of an assembler: since binutils 2.35 gas writes a function
// for each label, aliases too.
#define INDEX_SCOPE_BARE 1u

struct index_row {
    uint32_t start;
    uint32_t scope; // INDEX_NONE: no function of the debug information is here
    uint32_t file;
    uint32_t line; // 0: code of no line; file 0 too: no place is known from here on
};

struct index_table {
    uint64_t offset_bytes; // from the header's start, a multiple of INDEX_ALIGNMENT
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
    uint32_t complete;          // 1: every unit with ranges is in here
    uint32_t has_dwarf;         // 1: there was debug information; 0: its files may be installed one day
    uint32_t symbol_page_shift; // of the addresses of a page all but these bits are the same
    uint32_t row_page_shift;
    uint32_t refused; // units of the debug information that no reader could read whole
    uint32_t padding;
    struct index_table tables[INDEX_TABLES];
};

struct index { // a checked view of bytes owned by someone else
    const struct index_header *header;
    const struct index_segment *segments;
    const struct range *units;
    const struct range *symbols;
    const struct index_row *rows;
    const struct index_scope *scopes;
    const uint32_t
        *symbol_pages; // for each page the number of items that start before it; at the end the number of all
    const uint32_t *row_pages;
    const char *strings;
};

extern const size_t index__item_bytes[INDEX_TABLES];
uint64_t index__checksum(const struct index_header *header, size_t length_bytes, bool is_mapped);

#define INDEX_CHECKSUM 1u // the checksum too: the bytes were on a disk
#define INDEX_MAPPED   2u // they are a mapping of a file that does not change: pages looked at are let go again

// Gives pages of a mapping that were looked at back to the kernel, so that to go through a large index does not make
// the process as large; they come again when they are touched. Does nothing for other memory.
void index__forget(bool is_mapped, const uint8_t *start, const uint8_t *end);

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
