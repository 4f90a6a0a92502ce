#include "report/formats/format.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "report/text/text.h"
#include "store/base/cleanup.h"

bool format__has_buckets(const struct format *format)
{
    return format->subject == FORMAT_HISTOGRAMS || format->subject == FORMAT_HEATMAP;
}

unsigned format__side(const struct picture *picture)
{
    return picture->before ? 1 : 0;
}

uint64_t format__weight(const struct picture *picture, const struct profile_weight *weight)
{
    return picture->measure == LAYOUT_SAMPLES ? weight->samples : weight->value;
}

void format__time(uint64_t wall_ns, char ret_text[FORMAT_TIME_BYTES])
{
    time_t seconds = (time_t)(wall_ns / 1000000000u);
    struct tm day;
    if (!localtime_r(&seconds, &day) || !strftime(ret_text, FORMAT_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &day))
        snprintf(ret_text, FORMAT_TIME_BYTES, "@%" PRIu64, wall_ns / 1000000000u);
}

// "45.2 s", "16 min 40 s", "3 h 5 min", "2 d 4 h".
static void put_span(uint64_t ns, char ret_text[TEXT_AMOUNT_BYTES])
{
    static const struct {
        uint64_t least_s, large_s, small_s;
        const char *large, *small;
    } spans[] = {{172800, 86400, 3600, "d", "h"}, {7200, 3600, 60, "h", "min"}, {120, 60, 1, "min", "s"}};
    uint64_t seconds = ns / 1000000000u;
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
        if (seconds >= spans[i].least_s) {
            snprintf(ret_text, TEXT_AMOUNT_BYTES, "%" PRIu64 " %s %" PRIu64 " %s", seconds / spans[i].large_s,
                     spans[i].large, seconds % spans[i].large_s / spans[i].small_s, spans[i].small);
            return;
        }
    text__amount(ns, "ns", ret_text);
}

void format__span(uint64_t since_ns, uint64_t until_ns, char ret_text[FORMAT_RANGE_BYTES])
{
    char since[FORMAT_TIME_BYTES], until[FORMAT_TIME_BYTES], length[TEXT_AMOUNT_BYTES];
    format__time(since_ns, since);
    format__time(until_ns, until);
    put_span(until_ns - since_ns, length);
    bool same_day = strncmp(since, until, strlen("2026-11-21 ")) == 0;
    time_t end = (time_t)(until_ns / 1000000000u);
    struct tm day = {0};
    const char *zone = localtime_r(&end, &day) && day.tm_zone ? day.tm_zone : "";
    snprintf(ret_text, FORMAT_RANGE_BYTES, "%s to %s %.10s (%s)", since,
             same_day ? until + strlen("2026-11-21 ") : until, zone, length);
}

void format__range(const struct picture *picture, char ret_text[FORMAT_RANGE_BYTES])
{
    format__span(picture->since_ns, picture->until_ns, ret_text);
}

void format__amount(const struct picture *picture, uint64_t amount, char ret_text[FORMAT_AMOUNT_BYTES])
{
    char number[TEXT_AMOUNT_BYTES];
    text__amount(amount, picture->unit, number);
    bool scaled = strcmp(picture->unit, "ns") == 0 || strcmp(picture->unit, "bytes") == 0; // names its unit itself
    snprintf(ret_text, FORMAT_AMOUNT_BYTES, "%s%s%.24s", number, scaled ? "" : " ", scaled ? "" : picture->unit);
}

void format__put_head(const struct picture *picture, FILE *file)
{
    char range[FORMAT_RANGE_BYTES], amount[FORMAT_AMOUNT_BYTES];
    format__range(picture, range);
    format__amount(picture, format__weight(picture, &picture->total), amount);
    fprintf(file, "%s, %s: %s\n\n", picture->title, range, amount);
}

void format__put_losses(const struct picture *picture, FILE *file)
{
    for (size_t i = 0; i < picture->losses->count; i++) {
        const struct loss_sum *sum = &picture->losses->sums[i];
        const char *meaning = loss_list__meaning(sum->name);
        fprintf(file, "%slost: %s %" PRIu64 "%s%s%s\n", i ? "" : "\n", sum->name, sum->count, *meaning ? " (" : "",
                meaning, *meaning ? ")" : "");
    }
}

#define HEAD_ROWS     9u // of a terminal, for the lines around a table: title, heading, losses, the next prompt
#define ROWS_LEAST    5u
#define COLUMNS_LEAST 20u

struct format_room format__room(const struct picture *picture)
{
    struct format_room room = {UINT32_MAX, UINT32_MAX};
    struct winsize size;
    if (strcmp(picture->output, "-") != 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_row ||
        !size.ws_col)
        return room;
    room.rows = size.ws_row > HEAD_ROWS + ROWS_LEAST ? size.ws_row - HEAD_ROWS : ROWS_LEAST;
    room.columns = size.ws_col;
    return room;
}

void format__put_function(const struct label *label, uint32_t columns, int used, FILE *file)
{
    _cleanup_(buf__release) struct buf words = {0};
    _cleanup_(buf__release) struct buf cut = {0};
    uint32_t taken = used > 0 ? (uint32_t)used : 0;
    buf__append_string(&words, label->name);
    buf__append_string(&words, label->kind == LABEL_ROOT ? " [no stack]" : label->inlined ? " [inlined]" : "");
    if (*label->module) {
        buf__append_string(&words, "  (");
        buf__append_string(&words, label->module);
        buf__append_string(&words, ")");
    }
    buf__append_byte(&words, '\0');
    if (!words.failed)
        text__append_cut(&cut, (const char *)words.data,
                         columns > taken + COLUMNS_LEAST ? columns - taken : COLUMNS_LEAST);
    buf__append_byte(&cut, '\n');
    fwrite(cut.data, 1, cut.length_bytes, file);
}

void format__put_more(uint32_t count, FILE *file)
{
    char number[TEXT_AMOUNT_BYTES];
    text__amount(count, "functions", number);
    if (count)
        fprintf(file, "... %s more functions: a pipe, or a file by -o, gets all\n", number);
}
