#include "symbolizer/arch/elf_machine.h"

#include <elf.h>
#include <string.h>

static uint32_t read_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

// "adrp x16, PAGE; ldr x17, [x16, #OFFSET]", behind a "bti c" perhaps.
static struct elf_stub read_stub(const uint8_t *stub, size_t length, uint64_t address)
{
    for (size_t i = 0; i + 8 <= length && i <= 4; i += 4) {
        uint32_t adrp = read_u32(stub + i), ldr = read_u32(stub + i + 4);
        if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
            continue;
        uint64_t pages = ((uint64_t)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3)) << 43;
        uint64_t page = ((address + i) & ~0xfffull) + (uint64_t)((int64_t)pages >> 31);
        return (struct elf_stub){ELF_STUB_SLOT, page + (uint64_t)(ldr >> 10 & 0xfff) * 8};
    }
    return (struct elf_stub){0};
}

const struct elf_machine elf_machine_aarch64 = {.name = "aarch64",
                                                .number = EM_AARCH64,
                                                .jump_slot = R_AARCH64_JUMP_SLOT,
                                                .data_slot = R_AARCH64_GLOB_DAT,
                                                .chosen = R_AARCH64_IRELATIVE,
                                                .word_8 = R_AARCH64_ABS64,
                                                .word_4 = R_AARCH64_ABS32,
                                                .other_word_4 = ELF_NO_TYPE,
                                                .read_stub = read_stub};
