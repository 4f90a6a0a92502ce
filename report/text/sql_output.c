#include "report/text/sql_output.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/text/text.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

#define ROWS_MEASURED 500 // that decide the widths of aligned columns; later rows may be out of line

struct sql_format {
    const char *name;
    bool has_header; // unless asked otherwise
    void (*head)(struct sql_output *output);
    void (*row)(struct sql_output *output, const struct store_sql_cell *cells);
    void (*tail)(struct sql_output *output);
};

struct sql_output {
    FILE *file;
    const struct sql_format *format;
    bool has_header;
    int columns;
    size_t rows;
    struct buf names; // clean, each with its NUL
    struct buf clean; // scratch: one cell
    // Of aligned columns:
    struct buf waiting; // cells, each a letter (n number, t text) and a clean text with its NUL
    size_t *widths;
    bool has_widths;
};

DEFINE_CLEANUP(struct sql_output *, sql_output__free);

static const char *clean(struct sql_output *output, const char *text)
{
    buf__clear(&output->clean);
    safe_text__append(&output->clean, text ? text : "");
    buf__append_byte(&output->clean, '\0');
    return output->clean.failed ? "" : (const char *)output->clean.data;
}

static const char *next_text(const char *text)
{
    return text + strlen(text) + 1;
}

static void put_names(struct sql_output *output, char separator, void (*put)(FILE *file, const char *text))
{
    const char *name = (const char *)output->names.data;
    for (int i = 0; i < output->columns; i++, name = next_text(name)) {
        if (i > 0)
            putc(separator, output->file);
        put(output->file, name);
    }
    putc('\n', output->file);
}

static void put_plain(FILE *file, const char *text)
{
    fputs(text, file);
}

static void list_head(struct sql_output *output)
{
    if (output->has_header)
        put_names(output, '|', put_plain);
}

static void list_row(struct sql_output *output, const struct store_sql_cell *cells)
{
    for (int i = 0; i < output->columns; i++) {
        if (i > 0)
            putc('|', output->file);
        fputs(clean(output, cells[i].text), output->file);
    }
    putc('\n', output->file);
}

static void put_csv(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"") && *text) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

static void csv_head(struct sql_output *output)
{
    if (output->has_header)
        put_names(output, ',', put_csv);
}

static void csv_row(struct sql_output *output, const struct store_sql_cell *cells)
{
    for (int i = 0; i < output->columns; i++) {
        if (i > 0)
            putc(',', output->file);
        if (cells[i].text) // NULL: nothing at all; an empty text: ""
            put_csv(output->file, clean(output, cells[i].text));
    }
    putc('\n', output->file);
}

static void json_head(struct sql_output *output)
{
    putc('[', output->file);
}

static void json_row(struct sql_output *output, const struct store_sql_cell *cells)
{
    const char *name = (const char *)output->names.data;
    fputs(output->rows ? ",\n {" : "\n {", output->file);
    for (int i = 0; i < output->columns; i++, name = next_text(name)) {
        if (i > 0)
            fputs(", ", output->file);
        text__put_json(output->file, name);
        fputs(": ", output->file);
        if (!cells[i].text)
            fputs("null", output->file);
        else if (cells[i].is_number && !strpbrk(cells[i].text, "InN")) // no infinity in JSON
            fputs(cells[i].text, output->file);
        else
            text__put_json(output->file, clean(output, cells[i].text));
    }
    putc('}', output->file);
}

static void json_tail(struct sql_output *output)
{
    fputs(output->rows ? "\n]\n" : "]\n", output->file);
}

static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; width++)
        safe_text__next(&text);
    return width;
}

static void put_aligned(struct sql_output *output, int column, bool is_number, const char *text)
{
    size_t width = width_of(text), wanted = output->widths[column], pad = wanted > width ? wanted - width : 0;
    bool is_last = column + 1 == output->columns;
    if (is_number)
        fprintf(output->file, "%*s%s", (int)pad, "", text);
    else
        fprintf(output->file, "%s%*s", text, is_last ? 0 : (int)pad, "");
    fputs(is_last ? "\n" : "  ", output->file);
}

static void measure(struct sql_output *output)
{
    const char *cell = (const char *)output->waiting.data, *end = cell + output->waiting.length_bytes;
    for (int column = 0; cell < end; cell = next_text(cell), column = (column + 1) % output->columns) {
        size_t width = width_of(cell + 1);
        if (width > output->widths[column])
            output->widths[column] = width;
    }
}

static void put_rule(struct sql_output *output)
{
    for (int i = 0; i < output->columns; i++) {
        for (size_t j = 0; j < output->widths[i]; j++)
            putc('-', output->file);
        fputs(i + 1 == output->columns ? "\n" : "  ", output->file);
    }
}

static void put_waiting(struct sql_output *output)
{
    if (!output->has_widths)
        measure(output);
    const char *name = (const char *)output->names.data;
    for (int i = 0; i < output->columns && !output->has_widths && output->has_header; i++, name = next_text(name))
        put_aligned(output, i, false, name);
    if (!output->has_widths && output->has_header)
        put_rule(output);
    output->has_widths = true;
    const char *cell = (const char *)output->waiting.data, *end = cell + output->waiting.length_bytes;
    for (int column = 0; cell < end; cell = next_text(cell), column = (column + 1) % output->columns)
        put_aligned(output, column, *cell == 'n', cell + 1);
    buf__clear(&output->waiting);
}

static void column_head(struct sql_output *output)
{
    const char *name = (const char *)output->names.data;
    for (int i = 0; i < output->columns; i++, name = next_text(name))
        output->widths[i] = output->has_header ? width_of(name) : 0;
    output->has_widths = false;
}

static void column_row(struct sql_output *output, const struct store_sql_cell *cells)
{
    for (int i = 0; i < output->columns; i++) {
        buf__append_byte(&output->waiting, cells[i].is_number ? 'n' : 't');
        safe_text__append(&output->waiting, cells[i].text ? cells[i].text : "");
        buf__append_byte(&output->waiting, '\0');
    }
    if (output->rows % ROWS_MEASURED == ROWS_MEASURED - 1 && !output->waiting.failed)
        put_waiting(output);
}

static void column_tail(struct sql_output *output)
{
    if (!output->waiting.failed && (output->rows || output->has_header))
        put_waiting(output);
}

static void no_tail(struct sql_output *output)
{
    (void)output;
}

static const struct sql_format formats[] = {
    {"list", false, list_head, list_row, no_tail},
    {"column", true, column_head, column_row, column_tail},
    {"csv", true, csv_head, csv_row, no_tail},
    {"json", true, json_head, json_row, json_tail},
};

int sql_output__new(FILE *file, const char *format, struct fault *fault, struct sql_output **ret_output)
{
    const char *wanted = format ? format : isatty(fileno(file)) ? "column" : "list";
    const struct sql_format *found = NULL;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strcmp(formats[i].name, wanted) == 0)
            found = &formats[i];
    if (!found)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "unknown format '%s'; there are list, column, csv and json", format);
    _cleanup_(sql_output__freep) struct sql_output *output = calloc(1, sizeof(*output));
    if (!output)
        return fault__set(fault, -ENOMEM, "out of memory");
    output->file = file;
    output->format = found;
    output->has_header = found->has_header;
    *ret_output = take_pointer(output);
    return 0;
}

void sql_output__free(struct sql_output *output)
{
    if (!output)
        return;
    buf__release(&output->names);
    buf__release(&output->clean);
    buf__release(&output->waiting);
    free(output->widths);
    free(output);
}

void sql_output__set_header(struct sql_output *output, bool has_header)
{
    output->has_header = has_header;
}

static int give_head(int columns, const char *const *names, void *context)
{
    struct sql_output *output = context;
    size_t *widths = calloc((size_t)columns, sizeof(*widths));
    if (!widths)
        return -ENOMEM;
    free(output->widths);
    output->widths = widths;
    output->columns = columns;
    output->rows = 0;
    buf__clear(&output->names);
    for (int i = 0; i < columns; i++) {
        safe_text__append(&output->names, names[i] ? names[i] : "");
        buf__append_byte(&output->names, '\0');
    }
    if (output->names.failed)
        return -ENOMEM;
    output->format->head(output);
    return 0;
}

static int give_row(int columns, const struct store_sql_cell *cells, void *context)
{
    struct sql_output *output = context;
    (void)columns;
    output->format->row(output, cells);
    output->rows++;
    return ferror(output->file) ? -EIO : 0; // nobody reads any more
}

static int give_tail(void *context)
{
    struct sql_output *output = context;
    output->format->tail(output);
    return output->waiting.failed ? -ENOMEM : 0;
}

struct store_sql_output sql_output__target(struct sql_output *output)
{
    return (struct store_sql_output){.head = give_head, .row = give_row, .tail = give_tail, .context = output};
}
