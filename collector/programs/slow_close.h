// Closing descriptors that the kernel takes its time over, 20 to 50 ms each: all entries of system calls took 16 s.
#ifndef HEARTH_COLLECTOR_PROGRAMS_SLOW_CLOSE_H
#define HEARTH_COLLECTOR_PROGRAMS_SLOW_CLOSE_H

#include <stddef.h>

// Links: the close of one on an event of perf takes the program off and waits for a grace period
// (kernel/trace/bpf_trace.c, perf_event_detach_bpf_prog(); 6.18). Many are closed at the same time, so that they wait
// for the same ones. When this returns, no program runs any more.
void slow_close__links(const int *fds, size_t count);

// Events of tracepoints, whose links have been closed: the last close of one waits for two grace periods, with all
// others shut out (kernel/trace/trace_event_perf.c, perf_trace_destroy() and perf_trace_event_unreg(); 6.18). Many are
// left to a child that has nothing else open and ends when they are closed. Sorts the descriptors.
void slow_close__events(int *fds, size_t count);

#endif
