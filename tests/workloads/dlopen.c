// A library that comes and goes: dlopen, half of the time in it, dlclose, again; it lies elsewhere each time.
// main > turns > one_turn > plugin_work > plugin_leaf (plugin.so, from the folder of this program).
//
// dlopen [SECONDS of CPU time, 2]
#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

static uint64_t plugin_ns;

FRAME static int one_turn(const char *path)
{
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    void (*work)(uint64_t) = (void (*)(uint64_t))dlsym(plugin, "plugin_work");
    uint64_t start_ns = thread_cpu_ns();
    work(20 * NS_PER_MS);
    plugin_ns += thread_cpu_ns() - start_ns;
    dlclose(plugin);
    return 0;
}

// Something of a page more lies in the way each time, so that the library cannot have its old address.
FRAME static int turns(const char *path, uint64_t end_ns, uint64_t *ret_turns)
{
    for (*ret_turns = 0; thread_cpu_ns() < end_ns; ++*ret_turns) {
        if (one_turn(path))
            return 1;
        if (mmap(NULL, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
            return 1;
        BURN_UNTIL_CPU_NS(thread_cpu_ns() + 20 * NS_PER_MS);
    }
    return 0;
}

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof("plugin.so"));
    if (length < 0)
        return 1;
    path[length] = '\0';
    snprintf(strrchr(path, '/') + 1, sizeof("plugin.so"), "plugin.so");
    uint64_t count;
    if (turns(path, (uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND), &count))
        return 1;
    truth("turns", count);
    truth("plugin_leaf", plugin_ns);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
