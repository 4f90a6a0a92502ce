// How many instructions the verifier had to go through for each BPF program, and the program's stack: loads every
// program of the objects given, one by one, and prints
//
//   OBJECT PROGRAM INSTRUCTIONS STACK_BYTES    e.g. `source_perf sample_perf_event 8123 448`
//   OBJECT PROGRAM error NUMBER WORDS          when it does not load
//
// The stack is that of the deepest chain of calls, as the oldest kernels count it: each function's rounded up to 32
// bytes (check_max_stack_depth() of Linux 5.15 to 6.7). Later ones round to 16, and give some programs (sched_switch's)
// a stack of their own, so that a program may load here and not there.
//
// The verifier knows the configuration, and leaves out code that it turns off: each program is loaded with every filter
// off and with every filter on and stacks for histograms, and the larger numbers count. With -v the verifier's log goes
// to stderr.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire/wire.h"

static bool verbose;

static int print_log(enum libbpf_print_level level, const char *format, va_list arguments)
{
    return verbose && level <= LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

// Where a constant lies in the object's .rodata; SIZE_MAX when there is none.
static size_t offset_of(const struct btf *btf, const char *constant)
{
    int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
    const struct btf_type *section = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
    for (int i = 0; section && i < btf_vlen(section); i++) {
        const struct btf_var_secinfo *variable = btf_var_secinfos(section) + i;
        const char *name = btf__name_by_offset(btf, btf__type_by_id(btf, variable->type)->name_off);
        if (strcmp(name, constant) == 0)
            return variable->offset;
    }
    return SIZE_MAX;
}

static const struct wire_config everything_on = {
    .cgroup = 1,
    .cgroup_level = 1,
    .self_tgid = 1,
    .uid = 1,
    .by_tgid = 1,
    .by_tid = 1,
    .by_cpu = 1,
    .by_comm = 1,
    .comm.end = 1u << 15,
    .follow_forks = 1,
    .keep_tid = 1,
    .user_stacks = 1,
    .kernel_stacks = 1,
};

static const struct wire_hist_config histogram_on = {
    .by = WIRE_HIST_BY_ARGUMENT,
    .bytes = 8,
    .is_signed = 1,
    .by_key = 1,
    .stacks = 1,
    .is_on = 1,
    .all_groups = 1,
};

static void set(struct bpf_object *object, const char *constant, const void *value, size_t bytes)
{
    size_t offset = offset_of(bpf_object__btf(object), constant), size;
    struct bpf_map *map;
    bpf_object__for_each_map(map, object)
    {
        char *values = strstr(bpf_map__name(map), ".rodata") ? (char *)bpf_map__initial_value(map, &size) : NULL;
        if (values && offset != SIZE_MAX && offset + bytes <= size)
            memcpy(values + offset, value, bytes);
    }
}

static int count_instructions(const struct bpf_program *program, unsigned *ret_instructions)
{
    struct bpf_prog_info info = {0};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0)
        return -errno;
    *ret_instructions = info.verified_insns;
    return 0;
}

enum { FUNCTIONS_MAX = 64, INSTRUCTIONS_MAX = 64 << 10 };

// A loaded program, as the kernel has made it: without what its configuration turns off.
struct loaded {
    struct bpf_insn instructions[INSTRUCTIONS_MAX];
    struct bpf_func_info functions[FUNCTIONS_MAX]; // in the order in which they stand
    unsigned instruction_count, function_count;
    unsigned stacks_bytes[FUNCTIONS_MAX];
};

static int read_program(const struct bpf_program *program, struct loaded *ret_loaded)
{
    struct bpf_prog_info info = {.xlated_prog_len = sizeof(ret_loaded->instructions),
                                 .xlated_prog_insns = (uintptr_t)ret_loaded->instructions,
                                 .nr_func_info = FUNCTIONS_MAX,
                                 .func_info_rec_size = sizeof(*ret_loaded->functions),
                                 .func_info = (uintptr_t)ret_loaded->functions};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0)
        return -errno;
    if (info.xlated_prog_len > sizeof(ret_loaded->instructions) || info.nr_func_info > FUNCTIONS_MAX)
        return -E2BIG;
    ret_loaded->instruction_count = info.xlated_prog_len / sizeof(*ret_loaded->instructions);
    ret_loaded->function_count = info.nr_func_info;
    return 0;
}

// The log says "stack depth 216+0+56", a number a function.
static int read_stacks(struct loaded *loaded, const char *log)
{
    const char *at = strstr(log, "stack depth ");
    at = at ? at + strlen("stack depth ") : "";
    for (unsigned i = 0; i < loaded->function_count; i++, at++) {
        char *end;
        loaded->stacks_bytes[i] = (unsigned)strtoul(at, &end, 10);
        if (end == at || (*end == '+') != (i + 1 < loaded->function_count))
            return -EBADMSG;
        at = end;
    }
    return 0;
}

// In a program that was compiled to machine code, a call's `imm` is the function's number (jit_subprogs()).
static unsigned chain_bytes(const struct loaded *loaded, unsigned function)
{
    bool is_last = function + 1 == loaded->function_count;
    unsigned end = is_last ? loaded->instruction_count : loaded->functions[function + 1].insn_off, deepest_bytes = 0;
    for (unsigned i = loaded->functions[function].insn_off; i < end; i++) {
        const struct bpf_insn *call = &loaded->instructions[i];
        if (call->code != (BPF_JMP | BPF_CALL) || call->src_reg != BPF_PSEUDO_CALL)
            continue;
        unsigned bytes = chain_bytes(loaded, (unsigned)call->imm);
        if (bytes > deepest_bytes)
            deepest_bytes = bytes;
    }
    unsigned own_bytes = loaded->stacks_bytes[function] ? loaded->stacks_bytes[function] : 1;
    return (own_bytes + 31) / 32 * 32 + deepest_bytes;
}

struct cost {
    unsigned instructions, stack_bytes;
};

static int count_stack(const struct bpf_program *program, const char *log, unsigned *ret_bytes)
{
    static struct loaded loaded;
    int err = read_program(program, &loaded);
    if (!err)
        err = read_stacks(&loaded, log);
    if (!err)
        *ret_bytes = chain_bytes(&loaded, 0);
    return err;
}

// A program for functions of the kernel is told at run time which; any will do here.
static void give_target(struct bpf_program *program)
{
    enum bpf_attach_type type = bpf_program__expected_attach_type(program);
    if ((type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT) && !strchr(bpf_program__section_name(program), '/'))
        bpf_program__set_attach_target(program, 0, "vfs_read");
}

// Loads the program that stands at `index`, alone.
static int load_one(const char *path, int index, const struct wire_config *config, struct cost *ret_cost)
{
    static char log[64 << 10];
    struct bpf_object *object = bpf_object__open_file(path, NULL);
    if (!object)
        return -errno;
    struct bpf_program *program, *chosen = NULL;
    bpf_object__for_each_program(program, object)
    {
        bpf_program__set_autoload(program, index == 0);
        if (index-- == 0) {
            chosen = program;
            give_target(program);
            log[0] = '\0';
            if (!verbose) {
                bpf_program__set_log_buf(program, log, sizeof(log));
                bpf_program__set_log_level(program, 4); // its statistics alone
            }
        }
    }
    set(object, "config", config, sizeof(*config));
    if (config == &everything_on)
        set(object, "own_hist", &histogram_on, sizeof(histogram_on));
    int err = bpf_object__load(object);
    if (!err)
        err = count_instructions(chosen, &ret_cost->instructions);
    if (!err && !verbose)
        err = count_stack(chosen, log, &ret_cost->stack_bytes);
    bpf_object__close(object);
    return err;
}

static void print_one(const char *path, int index, const char *object_name, const char *name)
{
    static const struct wire_config everything_off = {.uid = WIRE_UID_ANY, .user_stacks = 1, .kernel_stacks = 1};
    struct cost off = {0}, on = {0};
    const char *filters = "off";
    int err = load_one(path, index, &everything_off, &off);
    if (!err) {
        filters = "on";
        err = load_one(path, index, &everything_on, &on);
    }
    if (err)
        printf("%s %s error %d %s, with filters %s\n", object_name, name, -err, strerror(-err), filters);
    else
        printf("%s %s %u %u\n", object_name, name,
               off.instructions > on.instructions ? off.instructions : on.instructions,
               off.stack_bytes > on.stack_bytes ? off.stack_bytes : on.stack_bytes);
}

static int print_object(const char *path)
{
    struct bpf_object *object = bpf_object__open_file(path, NULL);
    if (!object) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    const char *base = strrchr(path, '/');
    char name[64];
    snprintf(name, sizeof(name), "%s", base ? base + 1 : path);
    name[strcspn(name, ".")] = '\0';
    struct bpf_program *program;
    int index = 0;
    bpf_object__for_each_program(program, object) print_one(path, index++, name, bpf_program__name(program));
    bpf_object__close(object);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0, first = 1;
    if (argc > 1 && strcmp(argv[1], "-v") == 0) {
        verbose = true;
        first = 2;
    }
    libbpf_set_print(print_log);
    for (int i = first; i < argc; i++)
        failed |= print_object(argv[i]);
    return failed;
}
