// Lengths of instructions: by example, and by the law that every function of a real library ends where its last
// instruction does. Which of them the kernel mistakes for others.
#include "symbolizer/arch/instruction.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbolizer/symbols/function_list.h"

#define CODE(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
    const char *words;
    const uint8_t *code;
    size_t bytes;
    bool is_unfit;
    bool is_vector; // and may be passed over
} examples[] = {
    {"push %rbp", CODE("\x55")},
    {"push %r15", CODE("\x41\x57")},
    {"endbr64", CODE("\xf3\x0f\x1e\xfa")},
    {"nopl 0(%rax,%rax)", CODE("\x0f\x1f\x44\x00\x00")},
    {"cs nopw 0(%rax,%rax)", CODE("\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00")},
    {"mov $1, %eax", CODE("\xb8\x01\x00\x00\x00")},
    {"mov $1, %ax", CODE("\x66\xb8\x01\x00")},
    {"movabs $1, %rax", CODE("\x48\xb8\x01\x00\x00\x00\x00\x00\x00\x00")},
    {"movabs 1, %al", CODE("\xa0\x01\x00\x00\x00\x00\x00\x00\x00")},
    {"mov 8(%rip), %rax", CODE("\x48\x8b\x05\x08\x00\x00\x00")},
    {"mov (%rsp), %rax", CODE("\x48\x8b\x04\x24")},
    {"mov 0x100(,%rax,8), %rax", CODE("\x48\x8b\x04\xc5\x00\x01\x00\x00")},
    {"movl $1, 8(%rbp)", CODE("\xc7\x45\x08\x01\x00\x00\x00")},
    {"test $1, %al by f6", CODE("\xf6\xc0\x01")},
    {"not %al", CODE("\xf6\xd0")},
    {"testl $1, (%rax)", CODE("\xf7\x00\x01\x00\x00\x00")},
    {"enter", CODE("\xc8\x10\x00\x00")},
    {"ret $8", CODE("\xc2\x08\x00")},
    {"int $0x80", CODE("\xcd\x80")},
    {"je near", CODE("\x0f\x84\x00\x01\x00\x00")},
    {"jp short", CODE("\x7a\x05")},
    {"call", CODE("\xe8\x00\x00\x00\x00")},
    {"syscall", CODE("\x0f\x05")},
    {"pshufb", CODE("\x66\x0f\x38\x00\xc1")},
    {"palignr $1", CODE("\x66\x0f\x3a\x0f\xc1\x01")},
    {"pshufd $1", CODE("\x66\x0f\x70\xc1\x01")},
    {"lock cmpxchg", CODE("\xf0\x48\x0f\xb1\x0a")},
    {"vzeroupper", CODE("\xc5\xf8\x77"), true, true},
    {"vpor", CODE("\xc5\xf9\xeb\xc0"), true, true},
    {"vpshufd $1", CODE("\xc5\xf9\x70\xc1\x01"), true, true},
    {"vmovd %esi, %xmm0", CODE("\xc5\xf9\x6e\xc6"), true, true},
    {"vmovd %xmm0, %eax", CODE("\xc5\xf9\x7e\xc0"), true, false},
    {"vcmpltps", CODE("\xc5\xf8\xc2\xc1\x01"), true, true},
    {"vxorps", CODE("\xc5\xf8\x57\xc0"), false, true},
    {"vpbroadcastb %esi, %zmm16", CODE("\x62\xe2\x7d\x48\x7a\xc6"), true, true},
    {"vpxorq %xmm16, %xmm16, %xmm16", CODE("\x62\xa1\xfd\x00\xef\xc0"), true, true},
    {"vmovdqu64 (%rsi), %zmm16", CODE("\x62\xe1\xfe\x48\x6f\x06"), true, true},
    {"vpternlogd $1", CODE("\x62\xf3\x75\x48\x25\xc2\x01"), false, true},
    {"andn", CODE("\xc4\xe2\x70\xf2\xc2"), false, false},
    {"rorx $1", CODE("\xc4\xe3\x7b\xf0\xc0\x01"), false, false},
};

static void knows_the_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        uint8_t code[32];
        memset(code, 0xff, sizeof(code));
        memcpy(code, examples[i].code, examples[i].bytes);
        if (instruction__bytes(code, sizeof(code)) != examples[i].bytes)
            fail_msg("%s: %zu bytes, not %zu", examples[i].words, instruction__bytes(code, sizeof(code)),
                     examples[i].bytes);
        if (instruction__is_probeable(code, sizeof(code)) == examples[i].is_unfit)
            fail_msg("%s: can be probed: %d", examples[i].words, examples[i].is_unfit);
        if (instruction__vector_bytes(code, sizeof(code)) != (examples[i].is_vector ? examples[i].bytes : 0))
            fail_msg("%s: to be passed over", examples[i].words);
        for (size_t cut = 0; cut < examples[i].bytes; cut++) { // on the heap, so that a sanitizer sees a read too far
            uint8_t *part = malloc(cut + 1);
            memcpy(part, examples[i].code, cut);
            assert_int_equal(instruction__bytes(part, cut), 0);
            instruction__is_probeable(part, cut);
            free(part);
        }
    }
}

static void random_bytes_are_no_harm(void **state)
{
    uint32_t random = 1;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint8_t code[INSTRUCTION_BYTES_MAX];
        for (size_t j = 0; j < sizeof(code); j++)
            code[j] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
        size_t available = random % sizeof(code);
        assert_true(instruction__bytes(code, available) <= available);
        assert_true(instruction__vector_bytes(code, available) <= available);
    }
}

static void real_functions_end_with_an_instruction(void **state)
{
    int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
    struct elf_file *elf = NULL;
    struct function_list list = {0};
    size_t good = 0, bad = 0;
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(elf_file__open(fd, ELF_BOUNDED, &elf), 0);
    assert_int_equal(function_list__find(&list, elf, elf, "*"), 0);
    for (size_t i = 0; i < list.count; i++) {
        const struct function *function = &list.rows[i];
        uint8_t *code = malloc(function->bytes + 1);
        ssize_t bytes = pread(fd, code, function->bytes, (off_t)function->file_offset), at = 0;
        size_t more = 1;
        while (at < bytes && (more = instruction__bytes(code + at, (size_t)(bytes - at))) > 0)
            at += (ssize_t)more;
        good += at == bytes && more > 0;
        bad += at != bytes || more == 0;
        free(code);
    }
    // A handful of functions in assembler have a size that is not theirs.
    assert_true(good > 1000);
    if (bad * 200 > good)
        fail_msg("%zu functions end within an instruction, %zu do not", bad, good);
    function_list__release(&list);
    elf_file__free(elf);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_examples),
        cmocka_unit_test(random_bytes_are_no_harm),
        cmocka_unit_test(real_functions_end_with_an_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
