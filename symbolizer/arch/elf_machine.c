#include "symbolizer/arch/elf_machine.h"

static const struct elf_machine *const machines[] = {&elf_machine_x86_64, &elf_machine_aarch64};

const struct elf_machine *elf_machine__of(uint16_t number)
{
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (machines[i]->number == number)
            return machines[i];
    return NULL;
}

const struct elf_machine *elf_machine__own(void)
{
#ifdef __x86_64__
    return &elf_machine_x86_64;
#else
    return &elf_machine_aarch64;
#endif
}
