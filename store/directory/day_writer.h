// The writer of a day and tier: the file that is there goes on, or another one begins.
#ifndef HEARTH_STORE_DIRECTORY_DAY_WRITER_H
#define HEARTH_STORE_DIRECTORY_DAY_WRITER_H

#include "store/day_file.h"
#include "store/writer/writer.h"

// file->day and ->tier are given, the number is found. A file that is damaged is set aside: ret_aside (may be NULL)
// names it, else is "".
int day_writer__open(const char *directory, struct day_file *file, const struct store_meta *meta, struct fault *fault,
                     struct store_writer **ret_writer, char ret_aside[DAY_FILE_NAME_BYTES]);
// The same, in a new file whatever is there.
int day_writer__create(const char *directory, struct day_file *file, const struct store_meta *meta, struct fault *fault,
                       struct store_writer **ret_writer);

#endif
