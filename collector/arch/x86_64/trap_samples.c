#include "collector/arch/trap_samples.h"

#include <string.h>

void trap__plain(void);
void trap__nop5(void);
void trap__nop(void);
void trap__push(void);
void trap__jump(void);

__asm__(".pushsection .text\n"
        ".p2align 6\n.type trap__nop5, @function\ntrap__nop5: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n ret\n"
        ".p2align 6\n.type trap__nop, @function\ntrap__nop: nop\n ret\n"
        ".p2align 6\n.type trap__push, @function\ntrap__push: push %rbx\n pop %rbx\n ret\n"
        ".p2align 6\n.type trap__jump, @function\ntrap__jump: jmp 1f\n1: ret\n"
        ".p2align 6\n.type trap__plain, @function\ntrap__plain: mov %edi, %eax\n ret\n"
        ".popsection\n");

static bool is_nop5(const uint8_t *code)
{
    static const uint8_t nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
    return memcmp(code, nop5, sizeof(nop5)) == 0;
}

static bool is_nop(const uint8_t *code)
{
    code += code[0] == 0x66;
    return code[0] == 0x90 || (code[0] == 0x0f && code[1] == 0x1f);
}

static bool is_push(const uint8_t *code)
{
    code += code[0] == 0x41;
    return (code[0] & 0xf8) == 0x50;
}

static bool is_jump(const uint8_t *code)
{
    return code[0] == 0xeb || code[0] == 0xe8 || code[0] == 0xe9 || (code[0] & 0xf0) == 0x70 ||
           (code[0] == 0x0f && (code[1] & 0xf0) == 0x80);
}

const struct trap_sample trap_samples[TRAP_SAMPLES] = {
    {is_nop5, trap__nop5}, {is_nop, trap__nop}, {is_push, trap__push}, {is_jump, trap__jump}, {NULL, trap__plain},
};
