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

// Reads the file into `values`, by the table. They borrow from `text`, which must live as long. -EINVAL with a fault
// that names file, line and reason (EXIT_CODE_USAGE); -EPERM for a file that others than its owner, and root, can
// write.
int conf__read(const char *path, const struct option_row *rows, void *values, struct buf *text, struct fault *fault);

// The same of text in memory, ended by a NUL; the text is taken apart. `path` is what a fault calls it.
int conf__parse(const char *path, char *text, const struct option_row *rows, void *values, struct fault *fault);

#endif
