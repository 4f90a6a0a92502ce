// The calls of libmicrohttpd, as `microhttpd.start_daemon(...)`. The library is opened when a server begins: with it
// come ten others (GnuTLS and its own), which would add 15 ms of CPU and 0.6 MiB to each start of any command.
#ifndef HEARTH_STORE_SYSTEM_MICROHTTPD_H
#define HEARTH_STORE_SYSTEM_MICROHTTPD_H

#include <microhttpd.h>

#include "store/base/fault.h"

#define MICROHTTPD_CALLS(CALL)                                                                                         \
    CALL(add_response_header)                                                                                          \
    CALL(create_response_from_buffer)                                                                                  \
    CALL(create_response_from_fd)                                                                                      \
    CALL(destroy_response)                                                                                             \
    CALL(get_connection_info)                                                                                          \
    CALL(get_connection_values)                                                                                        \
    CALL(get_daemon_info)                                                                                              \
    CALL(get_timeout)                                                                                                  \
    CALL(lookup_connection_value)                                                                                      \
    CALL(queue_response)                                                                                               \
    CALL(resume_connection)                                                                                            \
    CALL(run)                                                                                                          \
    CALL(start_daemon)                                                                                                 \
    CALL(stop_daemon)                                                                                                  \
    CALL(suspend_connection)

struct microhttpd {
#define CALL(name) __typeof__(MHD_##name) *name;
    MICROHTTPD_CALLS(CALL)
#undef CALL
};
extern struct microhttpd microhttpd;

// Before any other call. -ENOENT with a fault: the library is not installed, or lacks a call.
int microhttpd__load(struct fault *fault);

#endif
