// The daemon's file: a `KEY = VALUE` a line, each key the long name of an option. One table of options reads it and the
// command line.
//
//   # what to sample
//   event = cpu
//   hist = syscall:read
//   freq = 49
//   no-inline = yes
//
// A line that begins with `#` is a comment; blanks around key and value do not count; a value is the rest of its line.
#ifndef HEARTH_COLLECTOR_DAEMON_CONF_H
#define HEARTH_COLLECTOR_DAEMON_CONF_H

#include "store/base/buf.h"
#include "store/base/fault.h"
#include "store/base/options.h"

struct conf_line {
    const char *value; // as the values have it
    unsigned number;
};

struct conf {
    struct buf text; // taken apart: the values borrow from it
    struct conf_line *lines;
    size_t line_count;
};

// Reads the file into `values`, by the table. They borrow from `conf`, which must live as long, and is released by the
// caller, on failure too. -EINVAL with a fault that names file, line and reason (EXIT_CODE_USAGE); -EPERM for a file
// that others than its owner, and root, can write.
int conf__read(struct conf *conf, const char *path, const struct option_row *rows, void *values, struct fault *fault);

// The same of conf->text, ended by a NUL. `path` is what a fault calls it.
int conf__parse(struct conf *conf, const char *path, const struct option_row *rows, void *values, struct fault *fault);

// The number of the line that a value came from; 0: it came from no line.
unsigned conf__line(const struct conf *conf, const char *value);

void conf__release(struct conf *conf);

#endif
