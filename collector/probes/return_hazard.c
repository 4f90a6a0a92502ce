#include "collector/probes/return_hazard.h"

#include <string.h>

// Whether a table of strings has that one, with its end.
static bool has_name(struct elf_file *file, const char *section_name, const char *name)
{
    const struct elf_section *section = elf_file__find(file, section_name);
    struct elf_data names = {0};
    if (!section || elf_file__read(file, section, &names) != 0)
        return false;
    bool has = memmem(names.bytes, names.length_bytes, name, strlen(name) + 1) != NULL;
    elf_file__forget(file, section);
    return has;
}

enum return_hazard return_hazard__of(struct elf_file *file)
{
    static const char *const unwinders[] = {"__gxx_personality_v0", "rust_eh_personality"};
    if (elf_file__find(file, ".gopclntab") || elf_file__find(file, ".data.rel.ro.gopclntab"))
        return RETURN_GO;
    for (size_t i = 0; i < sizeof(unwinders) / sizeof(unwinders[0]); i++)
        if (has_name(file, ".dynstr", unwinders[i]) || has_name(file, ".strtab", unwinders[i]))
            return RETURN_THROWS;
    return RETURN_SAFE;
}
