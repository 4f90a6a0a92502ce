// The rows of a query as text: list (parted by '|', as sqlite3 prints them), column (aligned), csv (RFC 4180), json (an
// array of objects). Control characters in names are escaped in all of them.
#ifndef HEARTH_REPORT_TEXT_SQL_OUTPUT_H
#define HEARTH_REPORT_TEXT_SQL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "store/sql/sql.h"

struct sql_output;

// format NULL: column on a terminal, else list. -EINVAL with a fault for one that is not there.
int sql_output__new(FILE *file, const char *format, struct fault *fault, struct sql_output **ret_output);
void sql_output__free(struct sql_output *output);
void sql_output__set_header(struct sql_output *output, bool has_header);

// The functions and the state that store_sql__run gives its rows to.
struct store_sql_output sql_output__target(struct sql_output *output);

#endif
