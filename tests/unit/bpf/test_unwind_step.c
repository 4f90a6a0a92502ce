// The pure step of the kernel side, run here on this very process: every profiling signal unwinds the code it
// interrupted twice, by hearth's rows and by libunwind, which must agree frame by frame.
#define UNW_LOCAL_ONLY
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libunwind.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static inline long unwind_read(void *to, uint32_t bytes, uint64_t address)
{
    struct iovec local = {.iov_base = to, .iov_len = bytes};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = bytes};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)bytes ? 0 : -1;
}

#include "bpf/unwind/unwind_step.h"
#include "store/system/proc_maps.h"
#include "symbolizer/elf/vdso.h"
#include "symbolizer/unwind/unwind_rows.h"

#define DEPTH_MAX    400
#define MAPPINGS_MAX 256

struct mapping {
    uint64_t start, end, offset;
    struct unwind_table *table;
};

static struct mapping mappings[MAPPINGS_MAX];
static size_t mapping_count;

struct stack {
    uint64_t ip[DEPTH_MAX];
    size_t depth;
    int outcome;
};

static struct {
    size_t stacks, whole, same, deepest, libunwind_shorter;
    size_t outcomes[8];
    struct stack mine, theirs; // of the first stack that differed
    bool differed;
} result;

static struct unwind_table *table_of(const char *path)
{
    struct unwind_table *table = NULL;
    const uint8_t *image;
    size_t bytes;
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (strcmp(path, "[vdso]") == 0 && vdso__image(&image, &bytes) == 0)
        unwind_table__compile_memory(image, bytes, NULL, &table);
    if (fd >= 0)
        unwind_table__compile(fd, NULL, &table);
    return table;
}

static int add_mapping(const struct proc_mapping *mapping, void *context)
{
    (void)context;
    if (mapping->is_executable && mapping_count < MAPPINGS_MAX)
        mappings[mapping_count++] = (struct mapping){.start = mapping->start,
                                                     .end = mapping->end,
                                                     .offset = mapping->file_offset,
                                                     .table = table_of(mapping->path)};
    return 0;
}

static bool find_rule(uint64_t pc, struct unwind_rule *ret_rule)
{
    for (size_t i = 0; i < mapping_count; i++)
        if (pc >= mappings[i].start && pc < mappings[i].end && mappings[i].table) {
            *ret_rule = unwind_table__find(mappings[i].table, pc - mappings[i].start + mappings[i].offset);
            return true;
        }
    return false;
}

static void unwind_by_rows(const ucontext_t *context, struct stack *stack)
{
    struct unwind_registers registers = {.ip = (uint64_t)context->uc_mcontext.gregs[REG_RIP],
                                         .sp = (uint64_t)context->uc_mcontext.gregs[REG_RSP],
                                         .bp = (uint64_t)context->uc_mcontext.gregs[REG_RBP],
                                         .bx = (uint64_t)context->uc_mcontext.gregs[REG_RBX]};
    uint64_t before_call = 0;
    stack->depth = 0;
    stack->outcome = UNWIND_STEPPED;
    while (stack->depth < DEPTH_MAX) {
        stack->ip[stack->depth++] = registers.ip;
        struct unwind_rule rule;
        if (!find_rule(registers.ip - before_call, &rule)) {
            stack->outcome = UNWIND_NO_RULE;
            return;
        }
        stack->outcome = unwind_step__apply(&registers, rule);
        if (stack->outcome > UNWIND_INTERRUPTED)
            return;
        before_call = stack->outcome == UNWIND_STEPPED;
    }
}

static void unwind_by_libunwind(ucontext_t *context, struct stack *stack)
{
    unw_cursor_t cursor;
    unw_word_t ip;
    stack->depth = 0;
    if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) != 0)
        return;
    do {
        if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 || ip == 0)
            return;
        stack->ip[stack->depth++] = ip;
    } while (stack->depth < DEPTH_MAX && unw_step(&cursor) > 0);
}

static volatile bool watching;

static void on_profile(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    static struct stack mine, theirs;
    if (!watching)
        return;
    unwind_by_rows(context, &mine);
    unwind_by_libunwind(context, &theirs);
    result.stacks++;
    result.outcomes[mine.outcome]++;
    result.whole += mine.outcome == UNWIND_OUTERMOST;
    if (mine.depth > result.deepest)
        result.deepest = mine.depth;
    size_t common = theirs.depth < mine.depth ? theirs.depth : mine.depth;
    bool same = memcmp(mine.ip, theirs.ip, common * sizeof(mine.ip[0])) == 0 && theirs.depth <= mine.depth;
    result.libunwind_shorter += same && theirs.depth < mine.depth;
    result.same += same;
    if (!same && !result.differed) {
        result.differed = true;
        result.mine = mine;
        result.theirs = theirs;
    }
}

static int compare(const void *a, const void *b)
{
    int one = *(const int *)a, other = *(const int *)b;
    return one < other ? -1 : one > other;
}

static __attribute__((noinline)) void sort(void)
{
    static int numbers[20000];
    for (size_t i = 0; i < 20000; i++)
        numbers[i] = (int)(i * 2654435761u);
    qsort(numbers, 20000, sizeof(numbers[0]), compare);
}

static __attribute__((noinline)) uint64_t recurse(uint64_t depth)
{
    volatile char kept[40] = {0};
    if (depth == 0) {
        sort();
        return 1;
    }
    return recurse(depth - 1) + (uint64_t)kept[depth % 40];
}

static __attribute__((noinline)) uint64_t with_alloca(size_t bytes)
{
    char *kept = __builtin_alloca(bytes);
    memset(kept, 1, bytes);
    sort();
    return (uint64_t)kept[bytes / 2];
}

static __attribute__((noinline)) void realigned(void)
{
    volatile char kept[64] __attribute__((aligned(64))) = {0};
    with_alloca(1000 + (size_t)kept[3]);
}

static void on_user_signal(int number)
{
    (void)number;
    sort();
}

static __attribute__((noinline)) void ask_the_clock(void)
{
    struct timespec now;
    char text[64];
    for (int i = 0; i < 20000; i++)
        clock_gettime(CLOCK_MONOTONIC, &now);
    for (int i = 0; i < 500; i++)
        snprintf(text, sizeof(text), "%f %d", (double)now.tv_nsec / 7, i);
}

static void run_workload(void)
{
    sort();
    recurse(100);
    realigned();
    raise(SIGUSR1);
    ask_the_clock();
    free(malloc(100));
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_stack(const char *name, const struct stack *stack)
{
    for (size_t i = 0; i < stack->depth && i < 12; i++)
        print_message("# %s %zu %lx\n", name, i, stack->ip[i]);
}

static void agrees_with_libunwind(void **state)
{
    (void)state;
    assert_int_equal(proc_maps__each(getpid(), add_mapping, NULL), 0);
    struct sigaction profile = {.sa_sigaction = on_profile, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction user = {.sa_handler = on_user_signal};
    assert_int_equal(sigaction(SIGPROF, &profile, NULL), 0);
    assert_int_equal(sigaction(SIGUSR1, &user, NULL), 0);
    struct itimerval every = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}};
    run_workload(); // lazy binding is done before the watch begins
    ucontext_t here;
    struct stack *warm = malloc(sizeof(*warm));
    getcontext(&here);
    unwind_by_libunwind(&here, warm);
    unwind_by_rows(&here, warm);
    free(warm);
    watching = true;
    setitimer(ITIMER_PROF, &every, NULL);
    for (double end = cpu_seconds() + 1; cpu_seconds() < end;)
        run_workload();
    watching = false;
    every = (struct itimerval){0};
    setitimer(ITIMER_PROF, &every, NULL);
    print_message("# %zu stacks: %zu whole, %zu the same (%zu where libunwind gave up earlier), deepest %zu\n",
                  result.stacks, result.whole, result.same, result.libunwind_shorter, result.deepest);
    if (result.differed) {
        print_stack("rows", &result.mine);
        print_stack("libunwind", &result.theirs);
    }
    assert_true(result.stacks > 20);
    assert_true(result.deepest > 100);
    assert_int_equal(result.same, result.stacks);
    assert_true(result.whole * 100 >= result.stacks * 99);
}

// A process image of 64 words at 0x1000, for the rules that real code seldom shows at the instant of a signal.
static void steps_through_each_kind(void **state)
{
    (void)state;
    uint64_t stack[64] = {0};
    uint64_t base = (uint64_t)(uintptr_t)stack;
    stack[3] = 0xabc; // rbp
    stack[4] = 0x1111;
    struct unwind_registers registers = {.ip = 0x4005, .sp = base};
    struct unwind_rule rule = {.kind = UNWIND_SP | UNWIND_BP_AT_CFA << 4, .cfa_offset = 40, .bp_offset = -16};
    assert_int_equal(unwind_step__apply(&registers, rule), UNWIND_STEPPED);
    assert_int_equal(registers.ip, 0x1111);
    assert_int_equal(registers.sp, base + 40);
    assert_int_equal(registers.bp, 0xabc);

    // rbp saved elsewhere is read only when it is needed, and then from there
    stack[10] = base + 20 * 8;
    stack[12] = 0x2222;
    stack[21] = 0x3333;
    rule = (struct unwind_rule){.kind = UNWIND_SP | UNWIND_BP_AT_CFA << 4, .cfa_offset = 64, .bp_offset = -24};
    assert_int_equal(unwind_step__apply(&registers, rule), UNWIND_STEPPED);
    assert_int_equal(registers.ip, 0x2222);
    assert_int_equal(registers.bp_at, base + 80);
    rule = (struct unwind_rule){.kind = UNWIND_BP, .cfa_offset = 16};
    assert_int_equal(unwind_step__apply(&registers, rule), UNWIND_STEPPED);
    assert_int_equal(registers.ip, 0x3333);
    assert_int_equal(registers.sp, base + 22 * 8);

    // a PLT entry, before and behind its push
    struct unwind_rule plt = {.kind = UNWIND_PLT, .cfa_offset = 8, .bp_offset = 11};
    struct unwind_registers entry = {.ip = 0x500a, .sp = base + 12 * 8};
    assert_int_equal(unwind_step__apply(&entry, plt), UNWIND_STEPPED);
    assert_int_equal(entry.ip, 0x2222);
    entry = (struct unwind_registers){.ip = 0x500b, .sp = base + 11 * 8};
    assert_int_equal(unwind_step__apply(&entry, plt), UNWIND_STEPPED);
    assert_int_equal(entry.ip, 0x2222);

    // OpenSSL's: CFA = *(rsp + 8) + 8
    stack[30] = base + 40 * 8;
    stack[40] = 0x4444;
    struct unwind_registers assembler = {.sp = base + 29 * 8};
    rule = (struct unwind_rule){.kind = UNWIND_SP_DEREF_8, .cfa_offset = 8};
    assert_int_equal(unwind_step__apply(&assembler, rule), UNWIND_STEPPED);
    assert_int_equal(assembler.ip, 0x4444);

    // a realigned stack: CFA = *(rbp - 8), rbp at *(rbp)
    struct unwind_registers realigned_frame = {.sp = base, .bp = base + 31 * 8};
    stack[31] = 0x5555;
    rule = (struct unwind_rule){.kind = UNWIND_BP_DEREF | UNWIND_BP_AT_BP << 4, .cfa_offset = -8};
    stack[39] = 0x6666;
    assert_int_equal(unwind_step__apply(&realigned_frame, rule), UNWIND_STEPPED);
    assert_int_equal(realigned_frame.ip, 0x6666);
    assert_int_equal(unwind_step__saved(&realigned_frame.bp, &realigned_frame.bp_at), UNWIND_STEPPED);
    assert_int_equal(realigned_frame.bp, 0x5555);
}

// ld.so's resolver: its caller is found by rbx, which a callee further in has saved, and its own callee has lost.
static void follows_rbx_where_it_is_kept(void **state)
{
    (void)state;
    uint64_t stack[32] = {0};
    uint64_t base = (uint64_t)(uintptr_t)stack;
    stack[2] = base + 10 * 8; // rbx, pushed by the function that is running
    stack[3] = 0x1111;
    stack[11] = 0x2222;
    struct unwind_registers registers = {.sp = base, .bx = 0xbad};
    struct unwind_rule saves = {.kind = UNWIND_SP, .cfa_offset = 32, .bx_slot = -2};
    struct unwind_rule resolver = {.kind = UNWIND_BX, .cfa_offset = 16, .bx_slot = UNWIND_BX_SAME};
    assert_int_equal(unwind_step__apply(&registers, saves), UNWIND_STEPPED);
    assert_int_equal(registers.ip, 0x1111);
    assert_int_equal(unwind_step__apply(&registers, resolver), UNWIND_STEPPED);
    assert_int_equal(registers.ip, 0x2222);
    assert_int_equal(registers.sp, base + 12 * 8);
    registers = (struct unwind_registers){.sp = base, .bx = base + 10 * 8};
    saves.bx_slot = UNWIND_BX_LOST;
    assert_int_equal(unwind_step__apply(&registers, saves), UNWIND_STEPPED);
    assert_int_equal(unwind_step__apply(&registers, resolver), UNWIND_CANNOT);
}

static void refuses_to_guess(void **state)
{
    (void)state;
    uint64_t stack[8] = {0, 0x1111, 0, 0x2222};
    uint64_t base = (uint64_t)(uintptr_t)stack;
    struct unwind_registers registers = {.sp = base};
    assert_int_equal(unwind_step__apply(&registers, (struct unwind_rule){.kind = UNWIND_GAP}), UNWIND_NO_RULE);
    assert_int_equal(unwind_step__apply(&registers, (struct unwind_rule){.kind = UNWIND_END}), UNWIND_OUTERMOST);
    assert_int_equal(unwind_step__apply(&registers, (struct unwind_rule){.kind = UNWIND_UNSUPPORTED}), UNWIND_CANNOT);
    // the stack does not grow
    assert_int_equal(unwind_step__apply(&registers, (struct unwind_rule){.kind = UNWIND_SP}), UNWIND_UNREADABLE);
    // rbp is lost, and needed
    struct unwind_rule loses = {.kind = UNWIND_SP | UNWIND_BP_LOST << 4, .cfa_offset = 16};
    assert_int_equal(unwind_step__apply(&registers, loses), UNWIND_STEPPED);
    assert_int_equal(unwind_step__apply(&registers, (struct unwind_rule){.kind = UNWIND_BP, .cfa_offset = 16}),
                     UNWIND_CANNOT);
    // memory that is not there
    registers = (struct unwind_registers){.sp = 0x10};
    assert_int_equal(unwind_step__apply(&registers, (struct unwind_rule){.kind = UNWIND_SP, .cfa_offset = 16}),
                     UNWIND_UNREADABLE);
    // frame pointers: below the stack pointer, unaligned, and the end
    registers = (struct unwind_registers){.sp = base + 8, .bp = base};
    assert_int_equal(unwind_step__frame_pointer(&registers, true), UNWIND_NO_RULE);
    registers = (struct unwind_registers){.sp = base, .bp = base + 4};
    assert_int_equal(unwind_step__frame_pointer(&registers, true), UNWIND_NO_RULE);
    registers = (struct unwind_registers){.sp = base + 8, .bp = base}; // but in a chain, on another stack
    assert_int_equal(unwind_step__frame_pointer(&registers, false), UNWIND_STEPPED);
    registers = (struct unwind_registers){.sp = base, .bp = 0};
    assert_int_equal(unwind_step__frame_pointer(&registers, true), UNWIND_OUTERMOST);
    registers = (struct unwind_registers){.sp = base, .bp = base};
    assert_int_equal(unwind_step__frame_pointer(&registers, true), UNWIND_STEPPED);
    assert_int_equal(registers.ip, 0x1111);
}

// The search of the kernel side over packed words finds what the table's own look-up finds, at every row's edge.
static void finds_rows_as_the_table_does(void **state)
{
    (void)state;
    _cleanup_fd_ int fd = open("/lib64/ld-linux-x86-64.so.2", O_RDONLY | O_CLOEXEC);
    struct unwind_table *table;
    assert_int_equal(unwind_table__compile(fd, NULL, &table), 0);
    struct unwind_head head;
    memcpy(&head, table->words, sizeof(head));
    for (uint32_t offset = head.base; offset < head.base + (head.granules << head.shift); offset += 3) {
        uint32_t at = table->words[UNWIND_HEAD_WORDS + ((offset - head.base) >> head.shift)];
        uint32_t place = (offset - head.base) & ((1u << head.shift) - 1);
        uint32_t count = UNWIND_ROW_PLACE(table->words[at]);
        uint32_t cell, found = unwind_step__search(table->words + at, 0, count, place, &cell);
        struct unwind_rule rule = table->rules[UNWIND_ROW_RULE(table->words[at + found])];
        struct unwind_rule expected = unwind_table__find(table, offset);
        assert_memory_equal(&rule, &expected, sizeof(rule));
    }
    unwind_table__free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_through_each_kind), cmocka_unit_test(follows_rbx_where_it_is_kept),
        cmocka_unit_test(refuses_to_guess),        cmocka_unit_test(finds_rows_as_the_table_does),
        cmocka_unit_test(agrees_with_libunwind),
    };
    return cmocka_run_group_tests_name("unwind_step", tests, NULL, NULL);
}
