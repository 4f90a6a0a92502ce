// Loads programs of iterators ("iter/task") without the kernel's whole BTF: libbpf reads it for the number of one
// function, bpf_iter_task(), which says what the program is for. kernel_types.h keeps these numbers.
//
// libbpf calls back for each such program, wherever its number comes from. Main thread: libbpf's handlers have no lock.
#ifndef HEARTH_COLLECTOR_PROGRAMS_ITERATOR_IDS_H
#define HEARTH_COLLECTOR_PROGRAMS_ITERATOR_IDS_H

#include <stdint.h>

struct bpf_object;

enum { ITERATOR_IDS_MAX = 16 }; // programs of an object; libbpf looks up the numbers of those behind

// Before an object is opened.
void iterator_ids__begin(void);

// The kernel's name for the iterator of a program's section: "bpf_iter_task"; -ENOENT: the section is of another kind.
int iterator_ids__name(const char *section, char *ret_name, uint32_t bytes);

// The numbers for an object that is to be loaded next, by the order of its programs; 0: unknown.
void iterator_ids__give(struct bpf_object *object, const uint32_t ids[ITERATOR_IDS_MAX]);

#endif
