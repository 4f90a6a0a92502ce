// Whether a file's tables are such as a store has. A store may come from anybody: what else SQLite would run for a
// SELECT (a view, a column that is computed, a virtual table) is refused before the first one.
#ifndef HEARTH_STORE_SHAPE_H
#define HEARTH_STORE_SHAPE_H

#include <sqlite3.h>

#include "store/base/fault.h"

// 0, and from then on the connection reads tables alone. -EBADMSG: something else stands in it; `fault` says which.
int shape__check(sqlite3 *database, const char *path, struct fault *fault);

#endif
