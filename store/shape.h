// Whether a file has plain tables alone, as a store does. A store may come from anybody: a file with anything that
// SQLite would run for a SELECT (a view, a computed column, a virtual table) is refused before the first SELECT.
#ifndef HEARTH_STORE_SHAPE_H
#define HEARTH_STORE_SHAPE_H

#include <sqlite3.h>

#include "store/base/fault.h"

// 0, and from then on the connection reads tables alone. -EBADMSG: the file has something else, which `fault` names.
int shape__check(sqlite3 *database, const char *path, struct fault *fault);

#endif
