// Which start of the system this is: what is kept of the running kernel holds until the next.
#ifndef HEARTH_STORE_SYSTEM_BOOT_ID_H
#define HEARTH_STORE_SYSTEM_BOOT_ID_H

#include <stdint.h>

// -ENOENT: /proc does not tell.
int boot_id__hash(uint64_t *ret_hash);

#endif
