#include "store/base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(const char *text)
{
    // One write a line, so that lines of several threads do not mix.
    char line[1024];
    size_t length = (size_t)snprintf(line, sizeof(line), "hearth: ");
    for (; *text && length < sizeof(line) - 5; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f)
            length += (size_t)snprintf(line + length, sizeof(line) - length, "\\x%02x", byte);
        else
            line[length++] = (char)byte;
    }
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

enum exit_code fault__say(const struct fault *fault, int err)
{
    say(fault && fault->text[0] ? fault->text : strerror(err < 0 ? -err : err));
    return fault && fault->code != EXIT_CODE_DONE ? fault->code : EXIT_CODE_FAILED;
}

void fault__warn(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    say(text);
}
