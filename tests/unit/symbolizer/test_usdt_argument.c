// Where arguments of USDT probes are: the forms that compilers write (System V x86-64), and such as nobody does.
#include "symbolizer/arch/usdt_argument.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/user.h>

#include <cmocka.h>

static int parse(const char *arguments, unsigned number, struct usdt_argument *ret_argument)
{
    const char *words;
    size_t bytes;
    return usdt_argument__parse(arguments, number, ret_argument, &words, &bytes);
}

static void is(const char *words, struct usdt_argument want)
{
    struct usdt_argument have = {0};
    assert_int_equal(parse(words, 0, &have), 0);
    assert_int_equal(have.offset, want.offset);
    assert_int_equal(have.base, want.base);
    assert_int_equal(have.index, want.index);
    assert_int_equal(have.shift, want.shift);
    assert_int_equal(have.bytes, want.bytes);
    assert_int_equal(have.is_signed, want.is_signed);
    assert_int_equal(have.is_memory, want.is_memory);
}

#define PLACE(name) ((int16_t)offsetof(struct user_regs_struct, name)) // laid out as pt_regs

static void forms_are_read(void **state)
{
    (void)state;
    is("8@%rbx", (struct usdt_argument){.bytes = 8, .base = PLACE(rbx), .index = -1});
    is("-4@%r13d", (struct usdt_argument){.bytes = 4, .is_signed = true, .base = PLACE(r13), .index = -1});
    is("1@%sil", (struct usdt_argument){.bytes = 1, .base = PLACE(rsi), .index = -1});
    is("-2@%ax", (struct usdt_argument){.bytes = 2, .is_signed = true, .base = PLACE(rax), .index = -1});
    is("-4@$-9", (struct usdt_argument){.bytes = 4, .is_signed = true, .offset = -9, .base = -1, .index = -1});
    is("8@$0x10", (struct usdt_argument){.bytes = 8, .offset = 16, .base = -1, .index = -1});
    is("8@$18446744073709551615", (struct usdt_argument){.bytes = 8, .offset = -1, .base = -1, .index = -1});
    is("4@-20(%rbp)",
       (struct usdt_argument){.bytes = 4, .offset = -20, .base = PLACE(rbp), .index = -1, .is_memory = true});
    is("8@(%rsp)", (struct usdt_argument){.bytes = 8, .base = PLACE(rsp), .index = -1, .is_memory = true});
    is("8@16(%rdi,%rax,8)",
       (struct usdt_argument){
           .bytes = 8, .offset = 16, .base = PLACE(rdi), .index = PLACE(rax), .shift = 3, .is_memory = true});
    is("1@(%r8,%r9)", (struct usdt_argument){.bytes = 1, .base = PLACE(r8), .index = PLACE(r9), .is_memory = true});
    is("2@6(,%rcx,2)",
       (struct usdt_argument){.bytes = 2, .offset = 6, .base = -1, .index = PLACE(rcx), .shift = 1, .is_memory = true});
}

// Each register by the name of its whole, of which the tracer's own struct knows the place.
static void registers_are_where_the_kernel_has_them(void **state)
{
    static const struct {
        const char *words;
        size_t place;
    } rows[] = {
#define ROW(name) {"8@%" #name, offsetof(struct user_regs_struct, name)}
        ROW(rax), ROW(rbx), ROW(rcx), ROW(rdx), ROW(rsi), ROW(rdi), ROW(rbp), ROW(rsp),
        ROW(r8),  ROW(r9),  ROW(r10), ROW(r11), ROW(r12), ROW(r13), ROW(r14), ROW(r15),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct usdt_argument argument;
        assert_int_equal(parse(rows[i].words, 0, &argument), 0);
        assert_int_equal(argument.base, rows[i].place);
    }
}

static void others_do_not_matter(void **state)
{
    struct usdt_argument argument;
    const char *words;
    size_t bytes;
    (void)state;
    assert_int_equal(parse("8@%nosuch  -4@%edi 4f@%xmm0", 1, &argument), 0);
    assert_int_equal(argument.base, PLACE(rdi));
    assert_int_equal(usdt_argument__parse("8@%nosuch -4@%edi", 0, &argument, &words, &bytes), -EINVAL);
    assert_int_equal(bytes, strlen("8@%nosuch"));
    assert_memory_equal(words, "8@%nosuch", bytes);
    assert_int_equal(parse("8@%rax", 1, &argument), -ENOENT);
    assert_int_equal(parse("", 0, &argument), -ENOENT);
    assert_int_equal(parse("8@%rax ", 7, &argument), -ENOENT);
}

static void nonsense_is_refused(void **state)
{
    static const char *const rows[] = {
        "@",
        "8",
        "8@",
        "3@%rax",
        "16@%rax",
        "8@%ra",
        "8@%rax)",
        "8@rax",
        "8@name",
        "8@(%rax",
        "8@4%rax",
        "8@(%rax,4)",
        "8@(%rax,%rbx,",
        "8@(%rax,%rbx,3)",
        "8@()",
        "8@8(%rip)",
        "4f@%xmm0",
        "8@$",
        "8@$x",
        "-@%rax",
        "8@name(%rip)",
        "8@%",
        "8@-(%rax)",
        "8@%ah",
        "--8@%rax",
        "8@(%rax,%rbx,99999999999999999999)",
        "8@$99999999999999999999999",
    };
    struct usdt_argument argument;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(parse(rows[i], 0, &argument), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_read),
        cmocka_unit_test(registers_are_where_the_kernel_has_them),
        cmocka_unit_test(others_do_not_matter),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests_name("usdt_argument", tests, NULL, NULL);
}
