#include "symbolizer/elf/vdso.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

// The section headers come last in the kernel's image. One without any ends with a segment.
static size_t bytes_of(const uint8_t *image, const Elf64_Ehdr *header)
{
    size_t end = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
    for (size_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, image + header->e_phoff + i * header->e_phentsize, sizeof(segment));
        if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > end)
            end = segment.p_offset + segment.p_filesz;
    }
    return end;
}

int vdso__image(const uint8_t **ret_image, size_t *ret_bytes)
{
    const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
    Elf64_Ehdr header;
    if (!image)
        return -ENOENT;
    memcpy(&header, image, sizeof(header));
    *ret_image = image;
    *ret_bytes = bytes_of(image, &header);
    return 0;
}
