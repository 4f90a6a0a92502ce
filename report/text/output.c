#include "report/text/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"

struct output {
    FILE *file;
    char *path;  // NULL: stdout
    char *aside; // NULL: written in place
};

void output__free(struct output *output)
{
    if (!output)
        return;
    if (output->file && output->file != stdout)
        fclose(output->file);
    if (output->aside)
        unlink(output->aside);
    free(output->aside);
    free(output->path);
    free(output);
}
DEFINE_CLEANUP(struct output *, output__free);

static int open_aside(struct output *output)
{
    if (asprintf(&output->aside, "%s.XXXXXX", output->path) < 0) {
        output->aside = NULL;
        return -ENOMEM;
    }
    int fd = mkostemp(output->aside, O_CLOEXEC);
    if (fd < 0) {
        int err = -errno;
        free(output->aside);
        output->aside = NULL;
        return err;
    }
    // mkostemp makes it private; a report is as readable as any new file.
    mode_t mask = umask(0);
    umask(mask);
    output->file = fchmod(fd, 0666 & ~mask) == 0 ? fdopen(fd, "w") : NULL;
    int err = output->file ? 0 : -errno;
    if (err)
        close(fd);
    return err;
}

static int open_in_place(struct output *output)
{
    output->file = fopen(output->path, "we");
    return output->file ? 0 : -errno;
}

int output__open(const char *path, struct fault *fault, struct output **ret_output)
{
    _cleanup_(output__freep) struct output *output = calloc(1, sizeof(*output));
    if (!output)
        return -ENOMEM;
    if (strcmp(path, "-") == 0) {
        output->file = stdout;
        *ret_output = take_pointer(output);
        return 0;
    }
    struct stat status;
    bool in_place = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
    output->path = strdup(path);
    if (!output->path)
        return -ENOMEM;
    int err = in_place ? open_in_place(output) : open_aside(output);
    if (err)
        return fault__set(fault, err, "cannot write '%s': %s", path, strerror(-err));
    *ret_output = take_pointer(output);
    return 0;
}

FILE *output__file(struct output *output)
{
    return output->file;
}

// Of an earlier write the errno is gone: a pipe that nobody reads says so, and all else at one more write. The output
// is broken, so that a byte more does no harm.
static int error_of_earlier_write(int fd)
{
    struct pollfd pipe = {.fd = fd, .events = POLLOUT};
    if (poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR))
        return -EPIPE;
    return write(fd, "\n", 1) < 0 ? -errno : -EIO;
}

int output__flush(FILE *file)
{
    errno = 0;
    if (fflush(file) == 0 && !ferror(file))
        return 0;
    return errno ? -errno : error_of_earlier_write(fileno(file));
}

static int finish(struct output *output)
{
    int err = output__flush(output->file);
    if (err)
        return err;
    if (output->file == stdout)
        return 0;
    FILE *file = take_pointer(output->file);
    if (fclose(file) != 0)
        return -errno;
    if (output->aside && rename(output->aside, output->path) != 0)
        return -errno;
    free(output->aside);
    output->aside = NULL;
    return 0;
}

int output__commit(struct output *output, struct fault *fault)
{
    _cleanup_(output__freep) struct output *owned = output;
    int err = finish(owned);
    if (err && owned->file == stdout) { // said here, so that nobody says so again
        __fpurge(stdout);
        clearerr(stdout);
    }
    if (err && owned->path)
        return fault__set(fault, err, "cannot write '%s': %s", owned->path, strerror(-err));
    return err ? fault__set(fault, err, "cannot write the output: %s", strerror(-err)) : 0;
}
