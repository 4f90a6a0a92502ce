#include "symbolizer/arch/usdt_argument.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// The names of a register's lower parts, and its place in struct pt_regs (arch/x86/include/asm/ptrace.h).
static const struct {
    const char *names[4];
    int16_t place;
} registers[] = {
    {{"rax", "eax", "ax", "al"}, 80},      {{"rbx", "ebx", "bx", "bl"}, 40},      {{"rcx", "ecx", "cx", "cl"}, 88},
    {{"rdx", "edx", "dx", "dl"}, 96},      {{"rsi", "esi", "si", "sil"}, 104},    {{"rdi", "edi", "di", "dil"}, 112},
    {{"rbp", "ebp", "bp", "bpl"}, 32},     {{"rsp", "esp", "sp", "spl"}, 152},    {{"r8", "r8d", "r8w", "r8b"}, 72},
    {{"r9", "r9d", "r9w", "r9b"}, 64},     {{"r10", "r10d", "r10w", "r10b"}, 56}, {{"r11", "r11d", "r11w", "r11b"}, 48},
    {{"r12", "r12d", "r12w", "r12b"}, 24}, {{"r13", "r13d", "r13w", "r13b"}, 16}, {{"r14", "r14d", "r14w", "r14b"}, 8},
    {{"r15", "r15d", "r15w", "r15b"}, 0},
};

// "%NAME" at *words, which is moved on.
static int take_register(const char **words, int16_t *ret_place)
{
    if (**words != '%')
        return -EINVAL;
    const char *name = *words + 1;
    size_t bytes = strcspn(name, " ,)");
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        for (size_t width = 0; width < 4; width++)
            if (strlen(registers[i].names[width]) == bytes && strncmp(registers[i].names[width], name, bytes) == 0) {
                *ret_place = registers[i].place;
                *words = name + bytes;
                return 0;
            }
    return -EINVAL;
}

static int take_number(const char **words, int64_t *ret_number)
{
    char *end;
    const char *digit = *words + (**words == '-');
    if (*digit < '0' || *digit > '9')
        return -EINVAL;
    errno = 0;
    // A 64-bit constant without a sign may be above what a signed number holds.
    *ret_number = **words == '-' ? strtoll(*words, &end, 0) : (int64_t)strtoull(*words, &end, 0);
    *words = end;
    return errno ? -EINVAL : 0;
}

// ",SCALE" or nothing.
static int take_scale(const char **words, uint8_t *ret_shift)
{
    int64_t scale = 1;
    if (**words == ',') {
        ++*words;
        int err = take_number(words, &scale);
        if (err)
            return err;
    }
    *ret_shift = scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0;
    return 1 << *ret_shift == scale ? 0 : -EINVAL;
}

// "(%BASE)", "(%BASE,%INDEX)", "(%BASE,%INDEX,SCALE)" or "(,%INDEX,SCALE)".
static int take_address(const char **words, struct usdt_argument *argument)
{
    int err = 0;
    if (**words != '(')
        return -EINVAL;
    ++*words;
    argument->is_memory = true;
    if (**words != ',')
        err = take_register(words, &argument->base);
    if (!err && **words == ',') {
        ++*words;
        err = take_register(words, &argument->index);
        if (!err)
            err = take_scale(words, &argument->shift);
    }
    if (err || **words != ')')
        return -EINVAL;
    ++*words;
    return 0;
}

static int take_place(const char **words, struct usdt_argument *argument)
{
    if (**words == '%')
        return take_register(words, &argument->base);
    if (**words == '$') {
        ++*words;
        return take_number(words, &argument->offset);
    }
    if (**words != '(') {
        int err = take_number(words, &argument->offset);
        if (err)
            return err;
    }
    return take_address(words, argument);
}

static int parse_one(const char *words, struct usdt_argument *ret_argument)
{
    struct usdt_argument argument = {.base = USDT_NO_REGISTER, .index = USDT_NO_REGISTER};
    int64_t bytes = 0;
    int err = take_number(&words, &bytes);
    argument.is_signed = bytes < 0;
    bytes = bytes < 0 ? -bytes : bytes;
    if (err || (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) || *words != '@')
        return -EINVAL;
    argument.bytes = (uint8_t)bytes;
    words++;
    err = take_place(&words, &argument);
    if (err || (*words && *words != ' '))
        return -EINVAL;
    *ret_argument = argument;
    return 0;
}

int usdt_argument__parse(const char *arguments, unsigned number, struct usdt_argument *ret_argument,
                         const char **ret_words, size_t *ret_bytes)
{
    const char *words = arguments + strspn(arguments, " ");
    for (unsigned i = 0; i < number && *words; i++) {
        words += strcspn(words, " ");
        words += strspn(words, " ");
    }
    *ret_words = words;
    *ret_bytes = strcspn(words, " ");
    return *ret_bytes ? parse_one(words, ret_argument) : -ENOENT;
}
