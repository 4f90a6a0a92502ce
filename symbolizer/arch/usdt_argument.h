// Where a USDT probe's argument is, from the words of its note, as the assembler has them:
//
//   8@%rbx              a register
//   -4@$-9              a constant, signed, of 4 bytes
//   4@-20(%rbp)         memory
//   8@16(%rdi,%rax,8)   memory, with an index
//
// Only the argument that is asked for is read: the others may be in forms that nobody knows.
#ifndef HEARTH_SYMBOLIZER_ARCH_USDT_ARGUMENT_H
#define HEARTH_SYMBOLIZER_ARCH_USDT_ARGUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USDT_NO_REGISTER (-1)

struct usdt_argument {
    int64_t offset;      // added to the registers' values, which is the constant, the register's value, or an address
    int16_t base, index; // where the register is in the kernel's struct pt_regs; USDT_NO_REGISTER: there is none
    uint8_t shift;       // of the index: scale 8 is 3
    uint8_t bytes;       // 1, 2, 4 or 8
    bool is_signed;
    bool is_memory;
};

// -ENOENT: there are fewer arguments. -EINVAL: its form is not known. In both cases what there is of it is in
// *ret_words, *ret_bytes long, which point into `arguments`.
int usdt_argument__parse(const char *arguments, unsigned number, struct usdt_argument *ret_argument,
                         const char **ret_words, size_t *ret_bytes);

#endif
