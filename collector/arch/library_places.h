// Where the libraries of this instruction set are.
//
//   LIBRARY_FOLDER        Debian's folder below /lib and /usr/lib
//   LIBRARY_CACHE_FLAGS   how ldconfig marks them in /etc/ld.so.cache (sysdeps/generic/ldconfig.h of glibc)
#ifndef HEARTH_COLLECTOR_ARCH_LIBRARY_PLACES_H
#define HEARTH_COLLECTOR_ARCH_LIBRARY_PLACES_H

#ifdef __x86_64__
#include "collector/arch/x86_64/library_places.h"
#else
#error "collector/arch/ has no folder for this instruction set"
#endif

#endif
