// Guests in ELF files: runtimes whose functions stand in stacks between the native frames (bpf/wire/guest.h). A guest
// is known by its symbols, never by the name of its file, since interpreters are embedded, renamed and put into
// containers. In the worker alone: the file is a stranger's.
//
//   struct guest_found found;
//   guests__find(fd, &found);                       // once a file; 1 ms for 30,000 symbols
//   if (found.guest.kind) ... found.loop            // the code whose native frames stand for guest frames
#ifndef HEARTH_SYMBOLIZER_GUESTS_GUESTS_H
#define HEARTH_SYMBOLIZER_GUESTS_GUESTS_H

#include "symbolizer/guests/guest_file.h"

// A file that cannot be read has no guest.
void guests__find(int fd, struct guest_found *ret_found);

#endif
