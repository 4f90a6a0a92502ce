// ELF files to unwind rows: the tables that bpf/wire/unwind_rows.h describes, made from .eh_frame, and from
// .debug_frame where .eh_frame says nothing.
//
//   struct unwind_table *table;
//   int err = unwind_table__compile(fd, &fault, &table);       // libLLVM-14: 60 ms, 3.2 MiB
//   struct unwind_rule rule = unwind_table__find(table, file_offset, &row_start);
//
// The file is hostile input, read with pread into memory of our own (a file that others truncate is an error, not
// a SIGBUS), every offset in it is checked, and a damaged part loses its own rows only: code without a rule that was
// understood reads UNWIND_GAP or UNWIND_UNSUPPORTED.
//
// Beyond what the file says itself, there are rows for: the entry point of a file without CFI there (the end of the
// stack), procedure linkage tables without CFI, and signal trampolines without CFI, both known by their instructions.
//
// Rows are keyed by file offset, not by address: that is what a mapping gives without knowing the program headers.
// All functions may be called from any thread; a table does not change once it is made.
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_ROWS_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/guest.h"
#include "bpf/wire/unwind_rows.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct unwind_table {
    struct unwind_rule *rules; // rule 0 is UNWIND_GAP; rows name them by their index
    size_t rule_count;
    uint32_t *words; // the table itself; the first words are a struct unwind_head
    size_t word_count;
    bool is_borrowed;        // rules and words are somebody else's memory
    struct wire_guest guest; // kind 0: the file holds none. Its loop's rules are marked UNWIND_GUEST.
};

// -ENOEXEC: no ELF of a kind that runs here (64 bits, x86-64, not relocatable); -EBADMSG: an ELF whose headers lie
// (-EIO and the like where it cannot be read); -E2BIG: above the bounds of bpf/wire/unwind_rows.h. A file without any
// CFI gives a table all the same, of gaps and end marks.
int unwind_table__compile(int fd, struct fault *fault, struct unwind_table **ret_table);
// The same, with marked rules for the function at that address and its cold parts.
int unwind_table__compile_marked(int fd, uint64_t guest_loop, struct fault *fault, struct unwind_table **ret_table);
int unwind_table__compile_memory(const void *image, size_t bytes, struct fault *fault, struct unwind_table **ret_table);

void unwind_table__free(struct unwind_table *table);
DEFINE_CLEANUP(struct unwind_table *, unwind_table__free);

// Every word checked: what a table from disk must pass before anything else reads it. -EBADMSG.
int unwind_table__check(const struct unwind_table *table);

// As bytes, and back, checked in full: for a table that comes from a worker. -EBADMSG.
int unwind_table__pack(const struct unwind_table *table, struct buf *ret_bytes);
int unwind_table__unpack(const void *bytes, size_t length, struct unwind_table **ret_table);

// The rule in force at an offset in the file (UNWIND_GAP outside the table). 10 to 100 ns.
struct unwind_rule unwind_table__find(const struct unwind_table *table, uint64_t file_offset);

// Calls `take` for each row in order; a row reaches to the next one. Neighbours with equal rules are one row.
typedef void unwind_row_fn(uint64_t file_offset, const struct unwind_rule *rule, void *context);
void unwind_table__each(const struct unwind_table *table, unwind_row_fn *take, void *context);

// A part of the same table, numbered by the rules of all binaries: rule_ids[i] is the number of rules[i]. Writes
// `count` words from the word `first` on; behind the table's end they are 0.
void unwind_table__renumber(const struct unwind_table *table, const uint16_t *rule_ids, size_t first, size_t count,
                            uint32_t *ret_words);

// The executable parts of a file: how offsets become the addresses that its own sections speak of.
struct unwind_segment {
    uint64_t file_offset, address, bytes;
};
#define UNWIND_SEGMENTS_MAX 16 // of executable PT_LOADs; linkers make one or two. Above: the file is refused, -E2BIG.
int unwind_segments__read(int fd, struct fault *fault, struct unwind_segment ret_segments[UNWIND_SEGMENTS_MAX],
                          size_t *ret_count);

#endif
