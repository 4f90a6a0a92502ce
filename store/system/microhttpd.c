#include "store/system/microhttpd.h"

#include <dlfcn.h>
#include <errno.h>

#define LIBRARY "libmicrohttpd.so.12"

struct microhttpd microhttpd;

int microhttpd__load(struct fault *fault)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); // stays open
    if (!library)
        return fault__set_code(fault, EXIT_CODE_LACKS, -ENOENT, "cannot serve: %s; install libmicrohttpd12", dlerror());
#define CALL(name)                                                                                                     \
    if (!(microhttpd.name = (__typeof__(microhttpd.name))dlsym(library, "MHD_" #name)))                                \
        return fault__set_code(fault, EXIT_CODE_LACKS, -ENOENT, "cannot serve: %s", dlerror());
    MICROHTTPD_CALLS(CALL)
#undef CALL
    return 0;
}
