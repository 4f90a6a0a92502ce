// Runs a BPF iterator over all its objects, and hands over the records that its program writes with bpf_seq_write().
//
//   iterator__run(link, sizeof(uint64_t), hold_stack, drain);
#ifndef HEARTH_COLLECTOR_PROGRAMS_ITERATOR_H
#define HEARTH_COLLECTOR_PROGRAMS_ITERATOR_H

#include <stddef.h>

struct bpf_link;
struct bpf_program;

enum { ITERATOR_RECORD_BYTES_MAX = 512 };

// The record is aligned to 8 bytes where all records are as long as a multiple of that. Not 0: ends the run with this
// error.
typedef int iterator_take_fn(void *context, const void *record);

// take NULL: the program is run for what it does, and writes nothing of interest.
int iterator__run(const struct bpf_link *link, size_t record_bytes, iterator_take_fn *take, void *context);

// The same, of a program that is attached for this one run.
int iterator__run_program(const struct bpf_program *program, size_t record_bytes, iterator_take_fn *take,
                          void *context);

#endif
