#include "symbolizer/elf/mini_debug.h"

#include <errno.h>
#include <lzma.h>

#include "store/base/buf.h"
#include "store/base/limits.h"

// The dictionary of xz -9 is 64 MiB, and it uses one a half more.
#define DECODER_BYTES (100u << 20)

static int unpack(struct elf_data packed, struct buf *bytes)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    uint8_t block[64 << 10];
    lzma_ret result = lzma_stream_decoder(&stream, DECODER_BYTES, 0);
    stream.next_in = packed.bytes;
    stream.avail_in = packed.length_bytes;
    while (result == LZMA_OK && bytes->length_bytes <= LIMIT_MINI_DEBUG_BYTES && !bytes->failed) {
        stream.next_out = block;
        stream.avail_out = sizeof(block);
        result = lzma_code(&stream, LZMA_FINISH);
        buf__append(bytes, block, sizeof(block) - stream.avail_out);
    }
    lzma_end(&stream);
    if (bytes->failed)
        return -ENOMEM;
    return result == LZMA_STREAM_END ? 0 : result == LZMA_OK ? -E2BIG : -EBADMSG;
}

int mini_debug__open(struct elf_file *file, struct elf_file **ret_mini)
{
    const struct elf_section *section = elf_file__find(file, ".gnu_debugdata");
    _cleanup_(buf__release) struct buf bytes = {0};
    struct elf_data packed;
    if (!section || section->type == SHT_NOBITS)
        return -ENOENT;
    int err = elf_file__read(file, section, &packed);
    if (!err)
        err = unpack(packed, &bytes);
    if (err)
        return err;
    uint8_t *memory = take_pointer(bytes.data);
    return elf_file__open_memory(memory, bytes.length_bytes, elf_file__reader(file), ret_mini);
}
