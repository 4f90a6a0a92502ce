#include "store/base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/base/safe_text.h"

// Room for the longest path (PATH_MAX) and the words around it.
#define SAID_BYTES 8192

static void say(const char *text)
{
    // One write a line, so that lines of several threads do not mix; no malloc(), since that may just have failed.
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

// The limit to raise where the kernel gives no more descriptors; "" for other errors.
static const char *descriptor_advice(int err)
{
    return err == -EMFILE   ? " (EMFILE); raise `ulimit -n`"
           : err == -ENFILE ? " (ENFILE); raise the sysctl fs.file-max"
                            : "";
}

enum exit_code fault__say(const struct fault *fault, int err)
{
    const char *advice = descriptor_advice(err);
    fault__warn("%s%s", fault && fault->text[0] ? fault->text : strerror(err < 0 ? -err : err), advice);
    if (*advice)
        return EXIT_CODE_FAILED; // neither a privilege nor a feature of the kernel is missing
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
