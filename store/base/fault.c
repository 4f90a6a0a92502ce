#include "store/base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/base/safe_text.h"

// As long as the longest path and what is said of it.
#define SAID_BYTES 8192

static void say(const char *text)
{
    // One write a line, so that lines of several threads do not mix; without malloc(), which may be what has failed.
    char line[SAID_BYTES] = "hearth: ";
    size_t length = strlen(line);
    length += safe_text__copy(text, line + length, sizeof(line) - length - 1);
    line[length++] = '\n';
    fwrite(line, 1, length, stderr);
}

static void fault__vset(struct fault *fault, enum exit_code code, const char *format, va_list arguments)
{
    if (!fault)
        return;
    fault->code = code;
    vsnprintf(fault->text, sizeof(fault->text), format, arguments);
}

int fault__set(struct fault *fault, int err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault__vset(fault, EXIT_CODE_FAILED, format, arguments);
    va_end(arguments);
    return err;
}

int fault__set_code(struct fault *fault, enum exit_code code, int err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault__vset(fault, code, format, arguments);
    va_end(arguments);
    return err;
}

// What to do where a descriptor cannot be had, whatever it was for.
static const char *descriptor_advice(int err)
{
    return err == -EMFILE   ? " (EMFILE); raise `ulimit -n`"
           : err == -ENFILE ? " (ENFILE); raise the sysctl fs.file-max"
                            : "";
}

enum exit_code fault__say(const struct fault *fault, int err)
{
    const char *why = fault && fault->text[0] ? fault->text : strerror(err < 0 ? -err : err);
    const char *advice = descriptor_advice(err);
    char text[SAID_BYTES];
    snprintf(text, sizeof(text), "%s%s", why, advice);
    say(text);
    if (*advice)
        return EXIT_CODE_FAILED; // no privilege is missing, and nothing in the kernel
    return fault && fault->code != EXIT_CODE_DONE ? fault->code : EXIT_CODE_FAILED;
}

void fault__warn(const char *format, ...)
{
    char text[SAID_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    say(text);
}
