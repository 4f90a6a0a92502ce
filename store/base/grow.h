// Arrays that grow. Each is 0, or -ENOMEM with the array as it was.
//
//   RESIZE(rows, count)               room for exactly so many
//   GROW(rows, capacity, count + 1)   room for at least so many; the capacity doubles, so that n additions cost n
//   copies
#ifndef HEARTH_STORE_BASE_GROW_H
#define HEARTH_STORE_BASE_GROW_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define GROW_LEAST 16 // the first capacity

// For arrays that share a capacity: what it becomes.
static inline size_t grow__capacity(size_t capacity, size_t wanted)
{
    if (wanted <= capacity)
        return capacity;
    size_t least = capacity ? capacity * 2 : GROW_LEAST;
    return wanted > least ? wanted : least;
}

#define RESIZE(array, count)                                                                                           \
    ({                                                                                                                 \
        size_t resized_count = (count);                                                                                \
        __typeof__(array) resized = reallocarray((array), resized_count ? resized_count : 1, sizeof(*(array)));        \
        if (resized)                                                                                                   \
            (array) = resized;                                                                                         \
        resized ? 0 : -ENOMEM;                                                                                         \
    })

#define GROW(array, capacity, wanted)                                                                                  \
    ({                                                                                                                 \
        size_t grown_capacity = grow__capacity((capacity), (wanted));                                                  \
        int grow_err = grown_capacity == (capacity) ? 0 : RESIZE(array, grown_capacity);                               \
        if (!grow_err)                                                                                                 \
            (capacity) = grown_capacity;                                                                               \
        grow_err;                                                                                                      \
    })

#endif
