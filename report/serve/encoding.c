#include "report/serve/encoding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/text/gzip.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"

#define BLANKS " \t"

static bool is_name(const char *text, size_t length, const char *name)
{
    return length == strlen(name) && strncasecmp(text, name, length) == 0;
}

// "gzip ; q=0.5": the weight is above 0, as it is where none is said.
static bool is_wanted(const char *item, size_t length)
{
    const char *end = item + length, *at = memchr(item, ';', length);
    if (!at)
        return true;
    at += 1 + strspn(at + 1, BLANKS);
    if (end - at < 2 || strncasecmp(at, "q=", 2) != 0)
        return true;
    for (at += 2; at < end; at++)
        if (*at >= '1' && *at <= '9')
            return true;
    return false;
}

bool encoding__takes_gzip(const char *accepted)
{
    bool takes_any = false;
    for (const char *item = accepted; item && *item;) {
        item += strspn(item, BLANKS ",");
        size_t length = strcspn(item, ","), name = strcspn(item, BLANKS ";,");
        if (is_name(item, name, "gzip") || is_name(item, name, "x-gzip"))
            return is_wanted(item, length);
        takes_any |= is_name(item, name, "*") && is_wanted(item, length);
        item += length;
    }
    return takes_any;
}

void *encoding__pack(const void *bytes, size_t length_bytes, size_t *ret_packed_bytes)
{
    char *packed = NULL;
    size_t packed_bytes = 0;
    if (length_bytes < LIMIT_SERVE_GZIP_LEAST_BYTES || length_bytes > LIMIT_SERVE_GZIP_MOST_BYTES)
        return NULL;
    FILE *file = open_memstream(&packed, &packed_bytes);
    if (!file)
        return NULL;
    int err = gzip__write(bytes, length_bytes, GZIP_FAST, file);
    bool is_whole = !ferror(file);
    is_whole &= fclose(file) == 0;
    if (err || !is_whole || packed_bytes >= length_bytes) {
        free(packed);
        return NULL;
    }
    *ret_packed_bytes = packed_bytes;
    return packed;
}

static int replace(int fd, const char *bytes, size_t length_bytes)
{
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        return -errno;
    for (size_t done = 0; done < length_bytes;) {
        ssize_t count = write(fd, bytes + done, length_bytes - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        done += (size_t)count;
    }
    return 0;
}

int encoding__pack_file(int fd, bool *ret_is_packed)
{
    struct stat status;
    *ret_is_packed = false;
    if (fstat(fd, &status) != 0 || status.st_size < (off_t)LIMIT_SERVE_GZIP_LEAST_BYTES)
        return 0;
    size_t length = (size_t)status.st_size, packed_bytes = 0;
    void *bytes = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return 0;
    _cleanup_free_ void *packed = encoding__pack(bytes, length, &packed_bytes);
    munmap(bytes, length);
    if (!packed)
        return 0;
    *ret_is_packed = true;
    return replace(fd, packed, packed_bytes);
}
