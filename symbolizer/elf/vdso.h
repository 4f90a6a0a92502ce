// The image of the vDSO, which the kernel maps into each process: it is the same for all 64-bit processes of a kernel,
// so our own is read. Its bytes are the kernel's, not a stranger's.
#ifndef HEARTH_SYMBOLIZER_ELF_VDSO_H
#define HEARTH_SYMBOLIZER_ELF_VDSO_H

#include <stddef.h>
#include <stdint.h>

// -ENOENT: this process has none.
int vdso__image(const uint8_t **ret_image, size_t *ret_bytes);

#endif
