// Stacks of this very process, copied, and unwound from the copy: what is on them is known.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/symbolizer/copied.h"

#define APART          __attribute__((noinline, noclone, no_sanitize("address", "undefined")))
#define NO_TAIL_CALL() __asm__ volatile("")

enum { BELOW = 128, MOST = 65536 };

static struct copied_process process;
static struct copy_unwind *unwinder;
static uint64_t registers[ARCH_REGISTERS];
static uint8_t *stack;
static size_t stack_bytes;
static size_t bytes_wanted; // 0: all of it, up to MOST
static struct copy_result result;

// Byte by byte: what lies on a stack is not all ours to read for the sanitizers' memcpy.
static APART void copy_stack(uint64_t sp)
{
    const volatile uint8_t *from = (const volatile uint8_t *)(sp - BELOW);
    stack_bytes = process.stack_end - (sp - BELOW);
    stack_bytes = stack_bytes < MOST ? stack_bytes : MOST;
    for (size_t i = 0; i < stack_bytes; i++)
        stack[i] = from[i];
}

static APART void copy_here(const ucontext_t *context)
{
    copied__registers(context, registers);
    copy_stack(registers[7]);
}

static APART void innermost(void)
{
    ucontext_t context;
    getcontext(&context);
    copy_here(&context);
}

static APART void middle(unsigned depth)
{
    if (depth)
        middle(depth - 1);
    else
        innermost();
    NO_TAIL_CALL();
}

static APART void outer(unsigned depth)
{
    middle(depth);
    NO_TAIL_CALL();
}

static void unwind(void)
{
    struct copied_stack copied = {
        .registers = registers,
        .stack_address = registers[7] - BELOW,
        .stack = stack,
        .stack_bytes = bytes_wanted ? bytes_wanted : stack_bytes,
        .is_cut = bytes_wanted != 0,
        .find = copied__find,
        .context = &process,
    };
    assert_int_equal(copy_unwind__run(unwinder, &copied, &result), 0);
}

// Functions follow each other in the order they are written in: what lies between two belongs to the first.
static bool is_in(size_t frame, void (*function)(void))
{
    uint64_t address = copied__address(&process, &result.frames[frame]), start = (uint64_t)function;
    return frame < result.count && address >= start && address < start + 400;
}

static void test_chain(void **state)
{
    (void)state;
    outer(0);
    unwind();
    assert_int_equal(result.status, COPY_STACK_WHOLE);
    assert_true(result.count > 5);
    assert_true(is_in(0, innermost));
    assert_true(is_in(1, (void (*)(void))middle));
    assert_true(is_in(2, (void (*)(void))outer));
}

static void test_recursion(void **state)
{
    (void)state;
    outer(100);
    unwind();
    assert_int_equal(result.status, COPY_STACK_WHOLE);
    for (size_t i = 1; i <= 101; i++)
        assert_true(is_in(i, (void (*)(void))middle));
    assert_true(is_in(102, (void (*)(void))outer));
}

// A copy that ends in the middle of a stack gives the frames it holds, and says so.
static void test_cut(void **state)
{
    (void)state;
    outer(100);
    unwind();
    size_t whole = result.count;
    bytes_wanted = stack_bytes / 4 & ~(size_t)7;
    unwind();
    bytes_wanted = 0;
    assert_int_equal(result.status, COPY_STACK_CUT);
    assert_in_range(result.count, 2, whole - 1);
}

static void test_too_deep(void **state)
{
    (void)state;
    outer(COPY_FRAMES_MAX);
    unwind();
    assert_int_equal(result.status, COPY_STACK_CUT);
    assert_in_range(result.count, 2, COPY_FRAMES_MAX);
}

static void test_nowhere(void **state)
{
    (void)state;
    outer(0);
    registers[16] = 0x10;
    unwind();
    assert_int_equal(result.status, COPY_STACK_NO_MAPPING);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.frames[0].binary, 0);
    assert_int_equal(result.frames[0].offset, 0x10);
}

static uint64_t interrupted_at;

static APART void handle(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    interrupted_at = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    outer(1);
    NO_TAIL_CALL();
}

static APART void trap(void)
{
    __asm__ volatile("int3" ::: "memory");
    NO_TAIL_CALL();
}

// The frame above a signal's is where it was interrupted, to the byte, and the stack goes on behind it.
static void test_signal(void **state)
{
    (void)state;
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO}, before;
    sigaction(SIGTRAP, &action, &before);
    trap();
    sigaction(SIGTRAP, &before, NULL);
    unwind();
    assert_int_equal(result.status, COPY_STACK_WHOLE);
    assert_true(is_in(4, (void (*)(void))handle));
    assert_int_equal(copied__address(&process, &result.frames[6]), interrupted_at);
    assert_true(is_in(6, trap));
    assert_true(is_in(7, (void (*)(void))test_signal));
}

// Whatever bytes a stack holds: no crash, and no claim to be whole with frames outside the code.
static void test_garbage(void **state)
{
    (void)state;
    srand(1);
    for (int turn = 0; turn < 300; turn++) {
        outer(4);
        for (int i = 0; i < 40; i++)
            stack[(size_t)rand() % stack_bytes] = (uint8_t)rand();
        if (turn % 2)
            for (size_t i = 0; i + 8 <= stack_bytes && i < 1024; i += 8)
                memcpy(stack + i, &registers[7 + turn % 2 * 9], 8);
        unwind();
        assert_in_range(result.count, 1, COPY_FRAMES_MAX);
    }
}

static int set_up(void **state)
{
    (void)state;
    copied__read_mappings(&process);
    stack = malloc(MOST);
    return !stack || copy_unwind__new(&unwinder) != 0;
}

static int tear_down(void **state)
{
    (void)state;
    copy_unwind__free(unwinder);
    copied__close(&process);
    free(stack);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),    cmocka_unit_test(test_recursion), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_too_deep), cmocka_unit_test(test_nowhere),   cmocka_unit_test(test_signal),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
