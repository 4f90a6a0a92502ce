#include "report/text/gzip.h"

#include <errno.h>
#include <zlib.h>

#define CHUNK_BYTES (1u << 30) // zlib counts its input in 32 bits

static int deflate_chunk(z_stream *stream, int flush, FILE *file)
{
    unsigned char out[16384];
    do {
        stream->next_out = out;
        stream->avail_out = sizeof(out);
        if (deflate(stream, flush) == Z_STREAM_ERROR)
            return -EINVAL;
        fwrite(out, 1, sizeof(out) - stream->avail_out, file);
    } while (stream->avail_out == 0);
    return 0;
}

int gzip__write(const void *bytes, size_t length_bytes, enum gzip_effort effort, FILE *file)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, (int)effort, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    const unsigned char *at = bytes;
    int err = 0;
    do {
        size_t chunk = length_bytes < CHUNK_BYTES ? length_bytes : CHUNK_BYTES;
        stream.next_in = (unsigned char *)at;
        stream.avail_in = (unsigned)chunk;
        at += chunk;
        length_bytes -= chunk;
        err = deflate_chunk(&stream, length_bytes ? Z_NO_FLUSH : Z_FINISH, file);
    } while (!err && length_bytes);
    deflateEnd(&stream);
    return err;
}
