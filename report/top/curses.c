#include "report/top/curses.h"

#include <dlfcn.h>
#include <errno.h>

#define LIBRARY "libncursesw.so.6"

struct curses curses;

int curses__load(struct fault *fault)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); // stays open
    if (!library)
        return fault__set_code(fault, EXIT_CODE_LACKS, -ENOENT, "cannot draw: %s; install libncursesw6", dlerror());
#define CALL(name)                                                                                                     \
    if (!(curses.name = (__typeof__(curses.name))dlsym(library, #name)))                                               \
        return fault__set_code(fault, EXIT_CODE_LACKS, -ENOENT, "cannot draw: %s", dlerror());
    CURSES_CALLS(CALL)
#undef CALL
    return 0;
}
