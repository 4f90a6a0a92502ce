// Compresses bytes as a gzip file (RFC 1952).
#ifndef HEARTH_REPORT_TEXT_GZIP_H
#define HEARTH_REPORT_TEXT_GZIP_H

#include <stddef.h>
#include <stdio.h>

// -ENOMEM; write errors are the file's (ferror).
enum gzip_effort {
    GZIP_FAST = 1, // a sixth of the time, and a seventh more bytes, of a report as JSON
    GZIP_USUAL = 6,
};
int gzip__write(const void *bytes, size_t length_bytes, enum gzip_effort effort, FILE *file);

#endif
