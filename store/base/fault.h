// Why something failed, in words fit for the user: filled in where the failure is understood, said by the command.
//
//   struct fault fault = {0};
//   int err = store__open(path, &fault, &store);
//   if (err)
//       return fault__say(&fault, err);        // "hearth: cannot open the store 'x.db': not a SQLite file; ..."
//
// A function that takes a `struct fault *` accepts NULL, sets it only when it fails, and never prints. Text from
// outside (paths, names) may hold anything: fault__say and fault__warn print it through store/base/safe_text.h.
#ifndef HEARTH_STORE_BASE_FAULT_H
#define HEARTH_STORE_BASE_FAULT_H

#include <stddef.h>

#include "store/base/exit_code.h"

struct fault {
    char text[512];      // the failed step, on 'its object', why; the next step. Empty: only errno is known.
    enum exit_code code; // EXIT_CODE_DONE stands for EXIT_CODE_FAILED
};

// Sets the text (cut where it is too long) and returns err, so that `return fault__set(fault, -ENOENT, ...)` reads
// well.
int fault__set(struct fault *fault, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

// As fault__set, and decides the exit code too.
int fault__set_code(struct fault *fault, enum exit_code code, int err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// One line on stderr, "hearth: TEXT"; strerror(-err) where there is no text. For -EMFILE and -ENFILE the text is
// followed by the limit to raise. Returns the exit code of the command.
enum exit_code fault__say(const struct fault *fault, int err);

// One line on stderr, "hearth: ...", for commands that go on: a warning, a note.
void fault__warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
