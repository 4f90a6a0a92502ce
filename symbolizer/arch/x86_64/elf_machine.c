#include "symbolizer/arch/elf_machine.h"

#include <elf.h>
#include <string.h>

static uint32_t read_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

// "jmp *SLOT(%rip)", behind an endbr64 or a bnd prefix; or, in a lazy .plt whose jumps stand in .plt.sec, "push
// $INDEX".
static struct elf_stub read_stub(const uint8_t *stub, size_t length, uint64_t address)
{
    if (length >= 2 && stub[0] == 0xff && stub[1] == 0x35)
        return (struct elf_stub){0}; // the first one, which calls the loader
    for (size_t i = 0; i + 6 <= length && i <= 6; i++)
        if (stub[i] == 0xff && stub[i + 1] == 0x25)
            return (struct elf_stub){ELF_STUB_SLOT, address + i + 6 + (uint64_t)(int32_t)read_u32(stub + i + 2)};
    for (size_t i = 0; i + 5 <= length && i <= 4; i += 4)
        if (stub[i] == 0x68)
            return (struct elf_stub){ELF_STUB_INDEX, read_u32(stub + i + 1)};
    return (struct elf_stub){0};
}

const struct elf_machine elf_machine_x86_64 = {.name = "x86-64",
                                               .number = EM_X86_64,
                                               .jump_slot = R_X86_64_JUMP_SLOT,
                                               .data_slot = R_X86_64_GLOB_DAT,
                                               .chosen = R_X86_64_IRELATIVE,
                                               .word_8 = R_X86_64_64,
                                               .word_4 = R_X86_64_32,
                                               .other_word_4 = R_X86_64_32S,
                                               .read_stub = read_stub};
