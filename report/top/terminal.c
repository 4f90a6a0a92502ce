#include "report/top/terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT, SIGTRAP, SIGSYS, SIGXCPU};
#define SIGNAL_COUNT (sizeof(signals) / sizeof(signals[0]))

static struct termios modes;
static char restoring[256];
static size_t restoring_bytes;

int terminal__keep(void)
{
    return tcgetattr(STDIN_FILENO, &modes) == 0 ? 0 : -errno;
}

// write(), tcsetattr() and raise() may be called here (signal-safety(7)).
static void restore_and_end(int signal)
{
    ssize_t written = write(STDOUT_FILENO, restoring, restoring_bytes);
    (void)written;
    tcsetattr(STDIN_FILENO, TCSANOW, &modes);
    raise(signal); // SA_RESETHAND: ends the process now
}

static void set_handlers(void (*handler)(int signal), unsigned flags)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = (int)flags};
        sigaction(signals[i], &action, NULL);
    }
}

void terminal__watch(const char *bytes)
{
    restoring_bytes = strnlen(bytes, sizeof(restoring));
    memcpy(restoring, bytes, restoring_bytes);
    set_handlers(restore_and_end, SA_RESETHAND);
}

void terminal__leave(void)
{
    set_handlers(SIG_DFL, 0);
}
