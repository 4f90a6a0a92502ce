// Compresses bytes as a gzip file (RFC 1952).
#ifndef HEARTH_REPORT_TEXT_GZIP_H
#define HEARTH_REPORT_TEXT_GZIP_H

#include <stddef.h>
#include <stdio.h>

// -ENOMEM; write errors are the file's (ferror).
int gzip__write(const void *bytes, size_t length_bytes, FILE *file);

#endif
