// The loop of the opener's process (opener.h).
#ifndef HEARTH_SYMBOLIZER_OPENING_OPENER_PROCESS_H
#define HEARTH_SYMBOLIZER_OPENING_OPENER_PROCESS_H

#include <stdint.h>

struct opener_reply { // with the file and its place
    int32_t err;      // -EINPROGRESS: the copy is being made, the answer comes later
    int32_t has_fd;   // else the only descriptor is the place
};

// Called in the child, with its end of the socket. Exits when the other end is closed.
void opener_process__run(int socket) __attribute__((noreturn));

#endif
