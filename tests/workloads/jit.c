// Code made at run time, in anonymous memory, with frame pointers, and named in /tmp/perf-PID.map:
// main > call_jit > jit_outer > jit_inner.
//
// jit [SECONDS of CPU time, 2] [map|nomap|late|fork]
//
// nomap: leaves no map; late: writes it when it ends; fork: a child runs the code, and its parent, which has written
// the map, waits for it.
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

#ifdef __x86_64__
#define INNER_OFFSET 32
// clang-format off
static const uint8_t outer_code[] = {
    0x55,                         // push %rbp
    0x48, 0x89, 0xe5,             // mov %rsp,%rbp
    0xe8, INNER_OFFSET - 9, 0, 0, 0, // call jit_inner
    0x5d,                         // pop %rbp
    0xc3,                         // ret
};
static const uint8_t inner_code[] = {
    0x55,                         // push %rbp
    0x48, 0x89, 0xe5,             // mov %rsp,%rbp
    0x48, 0x83, 0xef, 0x01,       // 1: sub $1,%rdi
    0x75, 0xfa,                   // jne 1b
    0x5d,                         // pop %rbp
    0xc3,                         // ret
};
// clang-format on

static void write_map(const uint8_t *code)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
    FILE *map = fopen(path, "we");
    if (!map)
        return;
    fprintf(map, "%lx %zx jit_outer\n", (unsigned long)code, sizeof(outer_code));
    fprintf(map, "%lx %zx jit_inner\n", (unsigned long)(code + INNER_OFFSET), sizeof(inner_code));
    fclose(map);
}

FRAME static uint64_t call_jit(void (*code)(uint64_t), uint64_t end_ns)
{
    uint64_t used_ns = 0;
    while (thread_cpu_ns() < end_ns) {
        uint64_t start_ns = thread_cpu_ns();
        code(1000000);
        used_ns += thread_cpu_ns() - start_ns;
    }
    return used_ns;
}

int main(int argc, char **argv)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return 1;
    memcpy(code, outer_code, sizeof(outer_code));
    memcpy(code + INNER_OFFSET, inner_code, sizeof(inner_code));
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) != 0)
        return 1;
    const char *mode = argc < 3 ? "map" : argv[2];
    if (strcmp(mode, "map") == 0 || strcmp(mode, "fork") == 0)
        write_map(code);
    truth("pid", (uint64_t)getpid());
    fflush(stdout);
    if (strcmp(mode, "fork") == 0 && fork() != 0)
        return wait(NULL) < 0;
    uint64_t end_ns = (uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND);
    truth("jit_inner", call_jit((void (*)(uint64_t))code, end_ns));
    truth("cpu_ns", thread_cpu_ns());
    if (strcmp(mode, "late") == 0)
        write_map(code);
    return 0;
}
#else
int main(void)
{
    fprintf(stderr, "jit: has code for x86-64 only\n");
    return 77;
}
#endif
