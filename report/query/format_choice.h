// The format of a report: the one that the request names, else that of the output's name, else top.
#ifndef HEARTH_REPORT_QUERY_FORMAT_CHOICE_H
#define HEARTH_REPORT_QUERY_FORMAT_CHOICE_H

#include "report/formats/format.h"
#include "report/query/report_request.h"

// -EINVAL and EXIT_CODE_USAGE: there is none of that name, or it cannot show what the request asks for.
int format_choice__make(const struct report_request *request, const char *output, struct fault *fault,
                        const struct format **ret_format);

#endif
