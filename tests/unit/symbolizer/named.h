// A symbolizer, and what it answers of one offset of a file.
#ifndef HEARTH_TESTS_UNIT_SYMBOLIZER_NAMED_H
#define HEARTH_TESTS_UNIT_SYMBOLIZER_NAMED_H

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/system/proc_maps.h"
#include "symbolizer/symbolizer.h"

static struct symbolizer *symbolizer;

static inline int start(void **state)
{
    (void)state;
    struct symbolizer_options options = {0};
    return symbolizer__new(&options, NULL, &symbolizer);
}

static inline int stop(void **state)
{
    (void)state;
    symbolizer__free(symbolizer);
    symbolizer = NULL;
    return 0;
}

struct answer {
    size_t calls;
    size_t length;
    char function[256];
};

static inline void take(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct answer *answer = context;
    answer->calls++;
    if (index != 0)
        return;
    answer->length = length;
    snprintf(answer->function, sizeof(answer->function), "%s",
             length > 0 && chain[length - 1].function ? chain[length - 1].function : "");
}

static inline int resolve(int fd, uint64_t offset, struct answer *ret_answer)
{
    struct symbol_file file = {.fd = fd, .root_fd = -1, .path = "/nowhere/file"};
    *ret_answer = (struct answer){0};
    return symbolizer__resolve_file(symbolizer, &file, &offset, 1, take, ret_answer);
}

struct place {
    uint64_t address, offset;
};

static inline int find_place(const struct proc_mapping *mapping, void *context)
{
    struct place *place = context;
    if (place->address >= mapping->start && place->address < mapping->end)
        place->offset = place->address - mapping->start + mapping->file_offset;
    return 0;
}

// The offset of a function of ours in our own file.
static inline uint64_t own_offset(const void *function)
{
    struct place place = {.address = (uint64_t)(uintptr_t)function};
    assert_int_equal(proc_maps__each(getpid(), find_place, &place), 0);
    return place.offset;
}

static inline void names_itself(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct answer answer;
    assert_int_equal(resolve(fd, own_offset((const void *)resolve) + 4, &answer), 0);
    assert_string_equal(answer.function, "resolve");
    close(fd);
}

static inline int file_of(const struct buf *bytes)
{
    int fd = memfd_create("hostile", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes->data, bytes->length_bytes), bytes->length_bytes);
    return fd;
}

// An ELF file with code at 0x1000 of file and memory, and the DWARF given.
static inline void wrap(const char *const names[], const struct buf *sections, size_t count, struct buf *out)
{
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_DYN,
                         .e_phoff = sizeof(header),
                         .e_phnum = 1,
                         .e_shnum = (Elf64_Half)(count + 3),
                         .e_shstrndx = (Elf64_Half)(count + 2)};
    Elf64_Phdr code = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000, .p_vaddr = 0x1000};
    Elf64_Shdr rows[16] = {{0}, {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR}};
    struct buf strings = {0};
    code.p_filesz = code.p_memsz = rows[1].sh_size = 0x1000;
    rows[1].sh_addr = rows[1].sh_offset = 0x1000;
    buf__append(&strings, "\0.text", 7);
    buf__append(out, &header, sizeof(header));
    buf__append(out, &code, sizeof(code));
    while (out->length_bytes < 0x2000)
        buf__append_byte(out, 0xcc);
    for (size_t i = 0; i < count; i++) {
        rows[i + 2] = (Elf64_Shdr){.sh_name = (Elf64_Word)strings.length_bytes,
                                   .sh_type = SHT_PROGBITS,
                                   .sh_offset = out->length_bytes,
                                   .sh_size = sections[i].length_bytes};
        if (strcmp(names[i], ".debug_str") == 0 && sections[i].length_bytes > sizeof(Elf64_Chdr) &&
            ((const Elf64_Chdr *)sections[i].data)->ch_type == ELFCOMPRESS_ZLIB)
            rows[i + 2].sh_flags = SHF_COMPRESSED;
        buf__append(&strings, names[i], strlen(names[i]) + 1);
        buf__append(out, sections[i].data, sections[i].length_bytes);
    }
    rows[count + 2] =
        (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = out->length_bytes, .sh_size = strings.length_bytes};
    buf__append(out, strings.data, strings.length_bytes);
    while (out->length_bytes % 8)
        buf__append_byte(out, 0);
    header.e_shoff = out->length_bytes;
    header.e_ehsize = sizeof(header);
    header.e_phentsize = sizeof(code);
    header.e_shentsize = sizeof(*rows);
    buf__append(out, rows, (count + 3) * sizeof(*rows));
    memcpy(out->data, &header, sizeof(header));
    buf__release(&strings);
}

#endif
