// Gives the terminal back as it was, whatever ends the process: a signal of the processor or abort() too.
#ifndef HEARTH_REPORT_TOP_TERMINAL_H
#define HEARTH_REPORT_TOP_TERMINAL_H

#include <stddef.h>

// Keeps the modes of the terminal on stdin. -errno.
int terminal__keep(void);
// From here on a signal that would end the process at once (SIGSEGV, SIGABRT, SIGQUIT ...) first writes these bytes to
// stdout, and sets the modes that were kept.
void terminal__watch(const char *restoring_bytes);
void terminal__leave(void);

#endif
