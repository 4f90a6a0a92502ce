// Any bytes as the file of a probe, which is read as root: its functions by name and by pattern, its USDT probes, its
// build id and its segments.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/companions/debug_files.h"
#include "symbolizer/elf/mini_debug.h"
#include "symbolizer/jail/sealed.h"
#include "symbolizer/symbolizer.h"
#include "symbolizer/symbols/function_list.h"
#include "symbolizer/symbols/usdt_notes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int open_itself(void *context, const struct companion *companion, int *ret_fd)
{
    (void)companion;
    *ret_fd = dup(*(const int *)context); // NOLINT: closed by the reader at once
    return *ret_fd < 0 ? -errno : 0;
}

static int take_note(const struct usdt_note *note, void *context)
{
    *(size_t *)context += strlen(note->provider) + strlen(note->name) + strlen(note->arguments);
    return 0;
}

static void list(struct elf_file *symbols, const struct elf_file *file)
{
    static const char *const patterns[] = {"*", "main", "leaf*", "memcpy@GLIBC_2.14", "ns::*"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct function_list found = {0};
        function_list__find(&found, symbols, file, patterns[i]);
        function_list__release(&found);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    _cleanup_fd_ int fd = -1;
    _cleanup_(elf_file__freep) struct elf_file *elf = NULL, *mini = NULL;
    _cleanup_(debug_file__release) struct debug_file debug = {.fd = -1};
    struct companion_opener companions = {open_itself, &fd};
    uint64_t addresses[] = {0, 0x1000, 0x1010}, offsets[3];
    size_t length = 0;
    if (sealed__make("fuzz", data, bytes, &fd) != 0)
        return 0;
    symbolizer__identify(&(struct symbol_file){.fd = fd});
    symbolizer__file_offsets(fd, addresses, 3, offsets);
    if (elf_file__open(fd, ELF_BOUNDED, &elf) != 0)
        return 0;
    list(elf, elf);
    if (debug_file__find(&companions, elf, &debug) == 0)
        list(debug.elf, elf);
    if (mini_debug__open(elf, &mini) == 0)
        list(mini, elf);
    usdt_notes__each(elf, take_note, &length);
    return 0;
}
