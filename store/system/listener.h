// A socket that a server of HTTP listens on.
#ifndef HEARTH_STORE_SYSTEM_LISTENER_H
#define HEARTH_STORE_SYSTEM_LISTENER_H

#include <stdbool.h>

#include "store/base/fault.h"

struct listener {
    int fd;
    bool is_loopback;
    char url[96]; // "http://127.0.0.1:8680/"; with the port that the kernel chose, where 0 was asked for
};

// "ADDRESS:PORT", "[ADDRESS]:PORT": numbers, no names. `option` is for the words of a fault. -EINVAL with
// EXIT_CODE_USAGE, or why bind() or listen() failed.
int listener__open(const char *option, const char *text, struct fault *fault, struct listener *ret_listener);

// The words alone.
int listener__check(const char *option, const char *text, struct fault *fault);

#endif
