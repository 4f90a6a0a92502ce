// Functions without a symbol, by their call frame information: a stripped file still says where each function begins
// and ends, since its exceptions need that.
//
//   FDE pc=9f80..a010    ->   [9f80 a010) "[+0x9f80]"       the offset in the file; the file's name is put before the
//   plus
//                             where the name is given out, since copies of the file have names of their own
#ifndef HEARTH_SYMBOLIZER_WORKER_FRAME_FUNCTIONS_H
#define HEARTH_SYMBOLIZER_WORKER_FRAME_FUNCTIONS_H

#include "store/base/buf.h"
#include "symbolizer/index/string_pool.h"

#define FRAME_FUNCTIONS_PREFIX "[+0x"

// Adds what no range covers yet to `ranges` (struct range, disjoint and in order, relative to base), which stay so. The
// rest of a function whose first byte has a name is that function too. -ENOENT: no call frame information.
int frame_functions__add(int fd, uint64_t base, struct string_pool *pool, struct buf *ranges);

#endif
