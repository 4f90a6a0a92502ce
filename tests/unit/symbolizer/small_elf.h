// An ELF file in memory, made of the sections a test gives it:
//
//   struct small_elf elf = {0};
//   small_elf__add(&elf, ".note.stapsdt", SHT_NOTE, notes, sizeof(notes), 0);
//   struct elf_file *file = small_elf__open(&elf);
//
// One segment of code: address 0x1000 stands at file offset 0x400, 0x800 bytes; one of data: 0x4000 at 0xc00, 0x100.
#ifndef HEARTH_TESTS_UNIT_SYMBOLIZER_SMALL_ELF_H
#define HEARTH_TESTS_UNIT_SYMBOLIZER_SMALL_ELF_H

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/elf/elf_file.h"

enum { SMALL_ELF_SECTIONS = 16, SMALL_ELF_DATA_AT = 0x1000, SMALL_ELF_BYTES = 0x8000 };

struct small_elf {
    size_t count;
    struct {
        const char *name;
        const void *bytes;
        size_t length_bytes;
        uint32_t type, link; // link: number of a section as small_elf__add() gave it
        uint64_t address;
    } sections[SMALL_ELF_SECTIONS];
};

static inline uint32_t small_elf__add(struct small_elf *elf, const char *name, uint32_t type, const void *bytes,
                                      size_t length_bytes, uint32_t link)
{
    size_t i = elf->count++;
    elf->sections[i].name = name;
    elf->sections[i].type = type;
    elf->sections[i].bytes = bytes;
    elf->sections[i].length_bytes = length_bytes;
    elf->sections[i].link = link;
    return (uint32_t)i + 1;
}

// NULL: it was not taken for an ELF file.
static inline struct elf_file *small_elf__open(const struct small_elf *elf)
{
    uint8_t *image = calloc(1, SMALL_ELF_BYTES);
    char *names = (char *)image + 0x2000;
    size_t at = 0x3000, names_bytes = 1;
    Elf64_Ehdr head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                       .e_type = ET_DYN,
                       .e_machine = EM_X86_64,
                       .e_version = EV_CURRENT,
                       .e_phoff = sizeof(head),
                       .e_shoff = SMALL_ELF_DATA_AT,
                       .e_ehsize = sizeof(head),
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = 2,
                       .e_shentsize = sizeof(Elf64_Shdr),
                       .e_shnum = (uint16_t)(elf->count + 2),
                       .e_shstrndx = (uint16_t)(elf->count + 1)};
    Elf64_Phdr segments[2] = {
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_X,
         .p_offset = 0x400,
         .p_vaddr = 0x1000,
         .p_filesz = 0x800,
         .p_memsz = 0x800},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_W,
         .p_offset = 0xc00,
         .p_vaddr = 0x4000,
         .p_filesz = 0x100,
         .p_memsz = 0x100},
    };
    memcpy(image, &head, sizeof(head));
    memcpy(image + sizeof(head), segments, sizeof(segments));
    Elf64_Shdr *headers = (Elf64_Shdr *)(image + SMALL_ELF_DATA_AT);
    for (size_t i = 0; i < elf->count; i++) {
        memcpy(names + names_bytes, elf->sections[i].name, strlen(elf->sections[i].name));
        memcpy(image + at, elf->sections[i].bytes, elf->sections[i].length_bytes);
        headers[i + 1] = (Elf64_Shdr){.sh_name = (uint32_t)names_bytes,
                                      .sh_type = elf->sections[i].type,
                                      .sh_addr = elf->sections[i].address,
                                      .sh_offset = at,
                                      .sh_size = elf->sections[i].length_bytes,
                                      .sh_link = elf->sections[i].link,
                                      .sh_addralign = 8};
        names_bytes += strlen(elf->sections[i].name) + 1;
        at += (elf->sections[i].length_bytes + 15) & ~15ull;
    }
    headers[elf->count + 1] = (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = 0x2000, .sh_size = names_bytes};
    struct elf_file *file = NULL;
    return elf_file__open_memory(image, SMALL_ELF_BYTES, ELF_BOUNDED, &file) == 0 ? file : NULL;
}

#endif
