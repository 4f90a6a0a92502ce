// The processor that an ELF file is for, as far as names of its code need it. Files of each one here are read on any.
#ifndef HEARTH_SYMBOLIZER_ARCH_ELF_MACHINE_H
#define HEARTH_SYMBOLIZER_ARCH_ELF_MACHINE_H

#include <stddef.h>
#include <stdint.h>

struct elf_stub { // the target of an entry of a procedure linkage table
    enum { ELF_STUB_NONE, ELF_STUB_SLOT, ELF_STUB_INDEX } kind;
    uint64_t place; // the address of its slot in the global offset table, or the index of its row in .rela.plt
};

struct elf_machine {
    const char *name;
    uint16_t number; // EM_*
    // Relocations: of a slot for a function, for data that may be one, for a function that is chosen at the start
    // (IFUNC); and an address in 8 and in 4 bytes, ELF_NO_TYPE where there is no second such type.
    uint32_t jump_slot, data_slot, chosen, word_8, word_4, other_word_4;
    struct elf_stub (*read_stub)(const uint8_t *stub, size_t length, uint64_t address);
};
#define ELF_NO_TYPE UINT32_MAX

// NULL: of another processor.
const struct elf_machine *elf_machine__of(uint16_t number);
// The machine that hearth runs on, whose unwind rows and probes it can make.
const struct elf_machine *elf_machine__own(void);

extern const struct elf_machine elf_machine_x86_64, elf_machine_aarch64;

#endif
