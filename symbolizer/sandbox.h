// What a process gives up before it touches bytes of strangers. In two steps, since the second cannot fork.
#ifndef HEARTH_SYMBOLIZER_SANDBOX_H
#define HEARTH_SYMBOLIZER_SANDBOX_H

// Every descriptor but `keep_fd`, which becomes *ret_fd; every capability; root's uid and groups (for nobody's); the
// terminal's signals. Prepares the filter of the second step.
int sandbox__shed(int keep_fd, int *ret_fd);

// Opening, sockets, processes, signals: everything but reading what is given, memory, and answering. Memory, CPU time
// and the size of files are limited.
int sandbox__enter(void);

#endif
