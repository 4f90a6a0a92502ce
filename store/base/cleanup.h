// The one way to clean up: __attribute__((cleanup)) and early return.
//
//   _cleanup_(fd__close) int fd = open(path, O_RDONLY | O_CLOEXEC);
//   _cleanup_free_ char *text = NULL;
//   ...
//   *ret_fd = take_fd(&fd);
//
// NOUN__free takes NULL. DEFINE_CLEANUP(struct noun *, noun__free) makes noun__freep, for _cleanup_(noun__freep).
#ifndef HEARTH_STORE_BASE_CLEANUP_H
#define HEARTH_STORE_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

#define DEFINE_CLEANUP(type, function)                                                                                 \
    __attribute__((unused)) static inline void function##p(type *object)                                               \
    {                                                                                                                  \
        if (*object)                                                                                                   \
            function(*object);                                                                                         \
    }                                                                                                                  \
    struct function##_cleanup_needs_a_semicolon

static inline void cleanup__free(void *pointer)
{
    free(*(void **)pointer);
}
#define _cleanup_free_ _cleanup_(cleanup__free)

static inline void fd__close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define _cleanup_fd_ _cleanup_(fd__close)

static inline void cleanup__fclose(FILE **file)
{
    if (*file)
        fclose(*file);
}
#define _cleanup_file_ _cleanup_(cleanup__fclose)

static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define take_pointer(pointer)                                                                                          \
    ({                                                                                                                 \
        __typeof__(pointer) taken_ = (pointer);                                                                        \
        (pointer) = NULL;                                                                                              \
        taken_;                                                                                                        \
    })

#endif
