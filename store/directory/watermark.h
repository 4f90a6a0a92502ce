// How far each reader that must see every full interval has come: it is in the directory, so that a reader that was
// restarted, and one that is another process, is waited for as well. Full intervals are not retired before all of these
// readers have read them, unless the directory has no room left.
#ifndef HEARTH_STORE_DIRECTORY_WATERMARK_H
#define HEARTH_STORE_DIRECTORY_WATERMARK_H

#include <stdint.h>

#include "store/base/fault.h"

// All that ended before `read_ns` has been read by this reader.
int watermark__set(const char *directory, const char *reader, uint64_t read_ns, struct fault *fault);
// Nobody waits for it any more.
int watermark__forget(const char *directory, const char *reader, struct fault *fault);
// Of the reader that has come least far; UINT64_MAX: there are none.
int watermark__lowest(const char *directory, struct fault *fault, uint64_t *ret_read_ns);

#endif
