#include "report/query/format_choice.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "report/formats/formats.h"

int format_choice__make(const struct report_request *request, const char *output, struct fault *fault,
                        const struct format **ret_format)
{
    const struct format *format = request->format ? formats__named(request->format) : formats__of_file(output);
    if (!format && request->format)
        return formats__unknown(request->format, fault);
    if (!format && strcmp(output, "-") != 0)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "cannot tell the format from the name '%s'; name one with -f (`hearth report -h`)",
                               output);
    if (format && format->is_binary && strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "%s is nothing for a terminal; name a file with -o",
                               format->name);
    *ret_format = format ? format : &format_top;
    if (request->by && (*ret_format)->subject != FORMAT_HISTOGRAMS)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--by is for histograms: -f hist; --group-by makes roots");
    if (request->group && format__has_buckets(*ret_format))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--threads and --group-by are for stacks; of histograms, --by makes one for each");
    if (stack_filter__is_set(&request->stacks) && format__has_buckets(*ret_format))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--focus, --ignore and --hide are for stacks; %s shows values by bucket",
                               (*ret_format)->name);
    if (request->collapse && (format__has_buckets(*ret_format) || (*ret_format)->by_line))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--collapse makes one frame of several functions; %s shows %s", (*ret_format)->name,
                               (*ret_format)->by_line ? "the lines of one" : "values by bucket");
    if (request->stacks.hide && (*ret_format)->subject == FORMAT_FRAMES)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--hide: %s keeps frames with the functions inlined there; its own tools hide functions",
                               (*ret_format)->name);
    return 0;
}
