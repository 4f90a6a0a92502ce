// The resolvers of all kinds of code, as store/frame_kinds.def names them.
#ifndef HEARTH_COLLECTOR_NAMING_RESOLVERS_H
#define HEARTH_COLLECTOR_NAMING_RESOLVERS_H

#include "collector/naming/resolver.h"

const struct resolver *resolvers__of(enum store_binary_kind kind);

#endif
