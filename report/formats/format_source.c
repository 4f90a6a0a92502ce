// The source of one function, each line with its samples: those taken in the line itself, and with all that it calls.
//
//   serve, /src/serve.c: 30 samples itself, 38 in all (57.7 % and 73.1 %)
//     SELF%   TOTAL%   LINE
//                         5  int serve(int fd)
//                         6  {
//    57.69%   73.08%      7      while (wait_for(fd))
//
// A function of one name may stand in several files: each has a table.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/text/source_text.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/file_name.h"
#include "store/base/limits.h"

#define CONTEXT   5u // lines shown around one that has samples
#define TAB       8u
#define TEXT_ROOM 400u // characters of a line

// A line that has samples. Those without a file are together the first.
struct spot {
    const char *file;
    uint32_t line, label;
    uint64_t self, total;
};

struct spots {
    struct spot *items; // by file and line; item 0 stands for all that is not the function
    uint32_t count;
    struct layout_sum function;
};

static void spots__release(struct spots *spots)
{
    free(spots->items);
}

// "serve (serve.c:7)", as the profile names it by line, less what is behind the function's name.
static size_t name_length(const struct label *label)
{
    const char *base = file_name__of(label->file);
    size_t length = strlen(label->name);
    char behind[512];
    int size = !*label->file       ? 0
               : label->line_first ? snprintf(behind, sizeof(behind), " (%s:%" PRIu32 ")", base, label->line_first)
                                   : snprintf(behind, sizeof(behind), " (%s)", base);
    if (size <= 0 || (size_t)size >= sizeof(behind) || (size_t)size >= length ||
        strcmp(label->name + length - (size_t)size, behind) != 0)
        return length;
    return length - (size_t)size;
}

static bool is_of(const struct label *label, const char *function)
{
    return label->kind != LABEL_ROOT && name_length(label) == strlen(function) &&
           strncmp(label->name, function, strlen(function)) == 0;
}

static int by_place(const void *left, const void *right)
{
    const struct spot *a = left, *b = right;
    int order = strcmp(a->file, b->file);
    return order ? order : a->line < b->line ? -1 : a->line > b->line;
}

// The labels of the function, by place: those of one line, inlined and not, are one spot. `map` tells each label's
// spot.
static int find_spots(const struct picture *picture, const char *function, uint32_t *map, struct spots *spots)
{
    uint32_t label_count = profile__label_count(picture->profile), found = 0;
    spots->items = calloc((size_t)label_count + 1, sizeof(*spots->items));
    if (!spots->items)
        return -ENOMEM;
    spots->items[0].file = "";
    for (uint32_t i = 0; i < label_count; i++) {
        const struct label *label = profile__label(picture->profile, i);
        if (is_of(label, function))
            spots->items[++found] = (struct spot){.file = label->file, .line = label->line_first, .label = i};
    }
    qsort(spots->items + 1, found, sizeof(*spots->items), by_place);
    uint32_t last = 0;
    for (uint32_t i = 1; i <= found; i++) {
        struct spot spot = spots->items[i];
        if (!last || by_place(&spots->items[last], &spot) != 0)
            spots->items[++last] = spot;
        map[spot.label] = last;
    }
    spots->count = last + 1;
    return 0;
}

// The sums of a layout whose labels are numbers below `count`.
static int sum_as(struct layout *layout, const uint32_t *labels, uint32_t count, bool is_one,
                  struct layout_sum **ret_sums)
{
    for (uint32_t i = 0; i < layout->count; i++)
        layout->rows[i].label = is_one ? labels[i] > 0 : labels[i];
    return layout__sum(layout, count, ret_sums);
}

static int weigh(const struct picture *picture, const uint32_t *map, struct spots *spots)
{
    _cleanup_(layout__release) struct layout layout = {0};
    _cleanup_free_ struct layout_sum *by_spot = NULL, *by_function = NULL;
    int err = layout__make(picture->profile, 0, picture->measure, LAYOUT_BY_NAME, &layout);
    if (err)
        return err;
    _cleanup_free_ uint32_t *labels = calloc(layout.count, sizeof(*labels));
    if (!labels)
        return -ENOMEM;
    for (uint32_t i = 0; i < layout.count; i++)
        labels[i] = map[layout.rows[i].label];
    err = sum_as(&layout, labels, spots->count, false, &by_spot);
    if (!err)
        err = sum_as(&layout, labels, 2, true, &by_function);
    if (err)
        return err;
    for (uint32_t i = 0; i < spots->count; i++) {
        spots->items[i].self = by_spot[i].self;
        spots->items[i].total = by_spot[i].total;
    }
    spots->function = by_function[1];
    return 0;
}

static double percent(const struct picture *picture, uint64_t part)
{
    uint64_t whole = format__weight(picture, &picture->total);
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

// Clean, its tabs as blanks, and not longer than a screen takes.
static void put_text(const char *line, FILE *file)
{
    _cleanup_(buf__release) struct buf spread = {0};
    _cleanup_(buf__release) struct buf clean = {0};
    size_t column = 0;
    for (; *line && *line != '\r' && column < TEXT_ROOM; line++)
        do
            buf__append_byte(&spread, *line == '\t' ? ' ' : (uint8_t)*line);
        while (++column % TAB && *line == '\t');
    buf__append_byte(&spread, '\0');
    if (spread.failed)
        return;
    safe_text__append(&clean, (const char *)spread.data);
    fputs(clean.length_bytes ? "  " : "", file);
    fwrite(clean.data, 1, clean.failed ? 0 : clean.length_bytes, file);
}

static void put_line(const struct picture *picture, const struct spot *spot, uint32_t line, const char *text,
                     FILE *file)
{
    if (spot)
        fprintf(file, "%7.2f%% %7.2f%%", percent(picture, spot->self), percent(picture, spot->total));
    else
        fprintf(file, "%17s", "");
    if (line)
        fprintf(file, " %7" PRIu32, line);
    else
        fprintf(file, " %7s", "?");
    if (text)
        put_text(text, file);
    fputc('\n', file);
}

// The spots of one file, and the lines around them.
static void put_lines(const struct picture *picture, const struct spot *spots, uint32_t count,
                      const struct source_text *text, FILE *file)
{
    uint32_t shown = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t line = spots[i].line, first = line > CONTEXT ? line - CONTEXT : 1;
        uint32_t until =
            i + 1 < count && spots[i + 1].line - line <= 2 * CONTEXT + 1 ? spots[i + 1].line - 1 : line + CONTEXT;
        if (i && first > shown + 1 && text->count)
            fprintf(file, "%25s\n", "...");
        for (uint32_t at = first > shown ? first : shown + 1; at < line; at++)
            if (source_text__line(text, at))
                put_line(picture, NULL, at, source_text__line(text, at), file);
        put_line(picture, &spots[i], line, source_text__line(text, line), file);
        for (shown = line; line && shown < until && source_text__line(text, shown + 1); shown++)
            put_line(picture, NULL, shown + 1, source_text__line(text, shown + 1), file);
    }
}

static void put_file(const struct picture *picture, const struct spot *spots, uint32_t count, FILE *file)
{
    _cleanup_(source_text__release) struct source_text text = {0};
    struct fault fault = {0};
    const char *path = spots[0].file;
    fprintf(file, "\n%s\n", *path ? path : "[no source is known]");
    if (*path && picture->annotation->reads_sources &&
        source_text__open(picture->annotation->folder, path, &text, &fault) != 0)
        safe_text__print(file, "%s", fault.text);
    else if (*path && !picture->annotation->reads_sources)
        fputs("its text is not shown: no folder of sources was given (--source DIR)\n", file);
    if (text.count && text.changed_ns > picture->until_ns)
        fputs("the file was changed after the recording: lines may be of another version\n", file);
    else if (text.count && spots[count - 1].line > text.count)
        fputs("the file has fewer lines than were recorded: it is of another version\n", file);
    fprintf(file, "%8s %8s %7s\n", "SELF%", "TOTAL%", "LINE");
    put_lines(picture, spots, count, &text, file);
}

static void put_function(const struct picture *picture, const struct spots *spots, const char *function, FILE *file)
{
    char self[FORMAT_AMOUNT_BYTES], total[FORMAT_AMOUNT_BYTES];
    format__amount(picture, spots->function.self, self);
    format__amount(picture, spots->function.total, total);
    fprintf(file, "%s: %s itself, %s with what it calls (%.2f%% and %.2f%%)\n", function, self, total,
            percent(picture, spots->function.self), percent(picture, spots->function.total));
    for (uint32_t i = 1, end; i < spots->count; i = end) {
        for (end = i + 1; end < spots->count && strcmp(spots->items[end].file, spots->items[i].file) == 0; end++)
            ;
        put_file(picture, &spots->items[i], end - i, file);
    }
}

static int write_source(const struct picture *picture, FILE *file, struct fault *fault)
{
    if (!picture->annotation->function)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "source is of one function: `-f source FUNCTION`");
    _cleanup_(spots__release) struct spots spots = {0};
    _cleanup_free_ char *function = safe_text__dup(picture->annotation->function);
    _cleanup_free_ uint32_t *map = calloc(profile__label_count(picture->profile), sizeof(*map));
    int err = function && map ? find_spots(picture, function, map, &spots) : -ENOMEM;
    if (!err && spots.count == 1)
        return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA,
                               "there is no function '%s' in that range; `hearth report -f top` names them", function);
    if (!err)
        err = weigh(picture, map, &spots);
    if (err)
        return err;
    format__put_head(picture, file);
    put_function(picture, &spots, function, file);
    format__put_losses(picture, file);
    return 0;
}

const struct format format_source = {
    .name = "source",
    .suffixes = (const char *const[]){".source", ".source.txt", NULL},
    .summary = "the source of one function, with the samples of each line: -f source FUNCTION",
    .by_line = true,
    .shows_losses = true,
    .write = write_source,
};
