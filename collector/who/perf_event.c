#include "collector/who/perf_event.h"

#include <unistd.h>

bool perf_event__is_dead(int fd, uint64_t *enabled_ns)
{
    struct {
        uint64_t count, enabled_ns;
    } now;
    if (read(fd, &now, sizeof(now)) != (ssize_t)sizeof(now))
        return false;
    bool is_dead = now.enabled_ns == *enabled_ns;
    *enabled_ns = now.enabled_ns;
    return is_dead;
}
