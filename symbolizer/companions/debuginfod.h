// Debug files from debuginfod servers ($DEBUGINFOD_URLS), by build id. Only when it is asked for: it goes to the
// network and waits for it. libdebuginfod is loaded then, and not needed otherwise.
#ifndef HEARTH_SYMBOLIZER_COMPANIONS_DEBUGINFOD_H
#define HEARTH_SYMBOLIZER_COMPANIONS_DEBUGINFOD_H

#include <stddef.h>
#include <stdint.h>

// -ENOENT: no server has it; -ENOSYS: there is no libdebuginfod here.
int debuginfod__open(const uint8_t *build_id, size_t build_id_bytes, int *ret_fd);

#endif
