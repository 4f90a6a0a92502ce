#include "collector/daemon/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/limits.h"

static const char blanks[] = " \t\r";

// Without the blanks at both ends.
static char *trim(char *text)
{
    text += strspn(text, blanks);
    for (char *end = text + strlen(text); end > text && strchr(blanks, end[-1]); *end = '\0')
        end--;
    return text;
}

static int note_line(struct conf *conf, const char *value, unsigned number)
{
    if (RESIZE(conf->lines, conf->line_count + 1) != 0)
        return -ENOMEM;
    conf->lines[conf->line_count++] = (struct conf_line){.value = value, .number = number};
    return 0;
}

static int parse_line(struct conf *conf, char *line, unsigned number, const struct option_row *rows, void *values,
                      struct fault *fault)
{
    line = trim(line);
    if (!*line || *line == '#')
        return 0;
    char *equals = strchr(line, '=');
    if (!equals)
        return fault__set(fault, -EINVAL, "'%s' is not KEY = VALUE", line);
    *equals = '\0';
    char *key = trim(line), *value = trim(equals + 1);
    if (!*value)
        return fault__set(fault, -EINVAL, "%s has no value", key);
    int err = options__set(rows, values, key, value, fault);
    return err ? err : note_line(conf, value, number);
}

int conf__parse(struct conf *conf, const char *path, const struct option_row *rows, void *values, struct fault *fault)
{
    unsigned number = 1;
    for (char *line = (char *)conf->text.data, *next; line; line = next, number++) {
        struct fault why = {0};
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        int err = parse_line(conf, line, number, rows, values, &why);
        if (err)
            return fault__set_code(fault, EXIT_CODE_USAGE, err, "%s:%u: %s", path, number,
                                   why.text[0] ? why.text : strerror(-err));
    }
    return 0;
}

// The daemon runs as root: whoever can write its file decides what root probes.
static int check_owner(const char *path, const struct stat *stat, struct fault *fault)
{
    if (!S_ISREG(stat->st_mode))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "'%s' is not a regular file", path);
    if (stat->st_uid != 0 && stat->st_uid != geteuid())
        return fault__set(fault, -EPERM, "'%s' belongs to user %u; chown root '%s'", path, stat->st_uid, path);
    if (stat->st_mode & (S_IWGRP | S_IWOTH))
        return fault__set(fault, -EPERM, "others than its owner can write '%s'; chmod go-w '%s'", path, path);
    return 0;
}

static int read_text(int fd, const char *path, struct buf *text, struct fault *fault)
{
    int err = buf__append_file(text, fd, LIMIT_CONF_BYTES);
    if (err == -E2BIG)
        return fault__set_code(fault, EXIT_CODE_USAGE, err, "'%s' is longer than %d KiB", path,
                               LIMIT_CONF_BYTES / 1024);
    if (err)
        return fault__set(fault, err, "cannot read '%s': %s", path, strerror(-err));
    if (text->length_bytes && memchr(text->data, '\0', text->length_bytes))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "'%s' is no text: it holds a zero byte", path);
    buf__append_byte(text, '\0');
    return text->failed ? fault__set(fault, -ENOMEM, "out of memory") : 0;
}

unsigned conf__line(const struct conf *conf, const char *value)
{
    for (size_t i = 0; i < conf->line_count; i++)
        if (conf->lines[i].value == value)
            return conf->lines[i].number;
    return 0;
}

void conf__release(struct conf *conf)
{
    buf__release(&conf->text);
    free(conf->lines);
    *conf = (struct conf){0};
}

int conf__read(struct conf *conf, const char *path, const struct option_row *rows, void *values, struct fault *fault)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0)
        return fault__set_code(fault, EXIT_CODE_USAGE, -errno, "cannot read '%s': %s", path, strerror(errno));
    int err = check_owner(path, &stat, fault);
    if (!err)
        err = read_text(fd, path, &conf->text, fault);
    return err ? err : conf__parse(conf, path, rows, values, fault);
}
