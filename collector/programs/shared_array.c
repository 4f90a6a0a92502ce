#include "collector/programs/shared_array.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int shared_array__map(int map_fd, size_t bytes, void **ret_array)
{
    void *array = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (array == MAP_FAILED)
        return -errno;
    *ret_array = array;
    return 0;
}

void shared_array__unmap(void *array, size_t bytes)
{
    if (array)
        munmap(array, bytes);
}

int shared_array__control(const struct loader *loader, struct fault *fault, struct wire_control **ret_control)
{
    void *control = NULL;
    int err = shared_array__map(loader__map_fd(loader, "control"), sizeof(struct wire_control), &control);
    if (err)
        return fault__set(fault, err, "cannot map the control word shared with the kernel: %s", strerror(-err));
    *ret_control = control;
    return 0;
}
