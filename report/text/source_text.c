#include "report/text/source_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"

#define SECOND_NS 1000000000ull

static int check(const struct stat *status, bool is_trusted)
{
    if (!S_ISREG(status->st_mode))
        return -EINVAL;
    bool is_own = geteuid() != 0 && status->st_uid == geteuid();
    if (!is_trusted && !is_own && !(status->st_mode & S_IROTH))
        return -EACCES;
    return status->st_size > (off_t)LIMIT_SOURCE_TEXT_BYTES ? -EFBIG : 0;
}

// Looked at before it is opened, since to open a device may do something.
static int open_regular(int folder_fd, const char *name, bool is_trusted, int *ret_fd)
{
    struct stat status;
    int no_link = is_trusted ? AT_SYMLINK_NOFOLLOW : 0;
    if (fstatat(folder_fd, name, &status, no_link) != 0)
        return -errno;
    int err = check(&status, is_trusted);
    if (err)
        return err;
    int flags = O_NOCTTY | O_NONBLOCK | (is_trusted ? O_NOFOLLOW : 0);
    _cleanup_fd_ int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0 || fstat(fd, &status) != 0)
        return -errno;
    err = check(&status, is_trusted);
    if (!err)
        *ret_fd = take_fd(&fd);
    return err;
}

#define PARTS_MAX 64u

// "/a/./b/../c.c": a, c.c. Without symbolic links, ".." can be taken literally.
static size_t part_path(char *path, const char *ret_parts[PARTS_MAX])
{
    size_t count = 0;
    for (char *rest = path, *part; (part = strsep(&rest, "/")) && count < PARTS_MAX;) {
        if (strcmp(part, "..") == 0)
            count -= count > 0;
        else if (*part && strcmp(part, ".") != 0)
            ret_parts[count++] = part;
    }
    return count;
}

static int open_parts(int folder_fd, const char *const *parts, size_t count, int *ret_fd)
{
    _cleanup_fd_ int at = dup(folder_fd);
    for (size_t i = 0; i + 1 < count && at >= 0; i++) {
        int next = openat(at, parts[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int err = next < 0 ? -errno : 0;
        close(at);
        at = next;
        if (err)
            return err;
    }
    return at < 0 ? -errno : open_regular(at, parts[count - 1], true, ret_fd);
}

// The longest end of the path that is there: /build/x/src/a.c is FOLDER/build/x/src/a.c, or FOLDER/x/src/a.c ...
static int open_below(const char *folder, const char *path, int *ret_fd)
{
    _cleanup_free_ char *copy = strdup(path);
    const char *parts[PARTS_MAX];
    _cleanup_fd_ int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!copy || folder_fd < 0)
        return -errno;
    size_t count = part_path(copy, parts);
    int err = -ENOENT;
    for (size_t from = 0; from < count && (err == -ENOENT || err == -ENOTDIR); from++)
        err = open_parts(folder_fd, parts + from, count - from, ret_fd);
    return err;
}

static int split(struct source_text *text)
{
    char *at = (char *)text->bytes.data, *end = at + text->bytes.length_bytes - 1; // the NUL behind it
    uint32_t count = 1;
    for (const char *byte = at; byte < end; byte++)
        count += *byte == '\n';
    text->lines = calloc(count, sizeof(*text->lines));
    if (!text->lines)
        return -ENOMEM;
    for (char *line; at && (line = strsep(&at, "\n"));)
        text->lines[text->count++] = line;
    if (text->count && !*text->lines[text->count - 1])
        text->count--; // behind the last newline
    return 0;
}

static int read_text(int fd, struct source_text *text)
{
    struct stat status;
    int err = buf__append_file(&text->bytes, fd, LIMIT_SOURCE_TEXT_BYTES);
    if (!err && fstat(fd, &status) != 0)
        err = -errno;
    if (err)
        return err;
    if (!text->bytes.length_bytes || memchr(text->bytes.data, '\0', text->bytes.length_bytes))
        return -EBADMSG;
    text->changed_ns = (uint64_t)status.st_mtim.tv_sec * SECOND_NS + (uint64_t)status.st_mtim.tv_nsec;
    buf__append_byte(&text->bytes, '\0');
    return text->bytes.failed ? -ENOMEM : split(text);
}

static const char *reason_of(int err)
{
    switch (err) {
    case -EINVAL:
        return "not a regular file";
    case -EBADMSG:
        return "not a text";
    case -EACCES:
        return "not readable by all users; --source DIR says where sources are";
    default:
        return strerror(-err);
    }
}

int source_text__open(const char *folder, const char *path, struct source_text *ret_text, struct fault *fault)
{
    _cleanup_(source_text__release) struct source_text text = {0};
    _cleanup_fd_ int fd = -1;
    int err = folder         ? open_below(folder, path, &fd)
              : *path == '/' ? open_regular(AT_FDCWD, path, false, &fd)
                             : -ENOENT;
    if (!err)
        err = read_text(fd, &text);
    if (err)
        return fault__set(fault, err, "cannot read '%s'%s%s: %s", path, folder ? " below " : "", folder ? folder : "",
                          reason_of(err));
    *ret_text = text;
    text = (struct source_text){0};
    return 0;
}

const char *source_text__line(const struct source_text *text, uint32_t line)
{
    return line && line <= text->count ? text->lines[line - 1] : NULL;
}

void source_text__release(struct source_text *text)
{
    buf__release(&text->bytes);
    free(text->lines);
}
