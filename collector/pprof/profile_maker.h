// The process that makes the profiles of /debug/pprof/profile: `hearth report -f pprof` of a range of the daemon's
// directory, one after another, each in a child with bounds (report/serve/child.h). The maker has given up all that
// `hearth serve` gives up: it reads the directory, and nothing else.
#ifndef HEARTH_COLLECTOR_PPROF_PROFILE_MAKER_H
#define HEARTH_COLLECTOR_PPROF_PROFILE_MAKER_H

// Takes orders (profile_order.h) from the socket, until the parent ends. `directory`: a const char *, which is there.
void profile_maker__serve(int fd, void *directory);

#endif
