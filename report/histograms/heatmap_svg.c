#include "report/histograms/heatmap_svg.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/histograms/histogram_panel.h"
#include "report/histograms/time_axis.h"
#include "report/histograms/value_axis.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/histogram.h"

#define WIDTH          1200.0
#define LEFT           64.0
#define RIGHT          16.0
#define TOP            74.0
#define PLOT_HEIGHT    380.0
#define BOTTOM         (TOP + PLOT_HEIGHT)
#define HEIGHT         (BOTTOM + 60)
#define LEGEND_Y       (BOTTOM + 46)
#define VALUE_GAP      24.0 // pixels between the labels of an axis
#define TIME_GAP       76.0
#define CHARACTER      7.2 // pixels, of the widest text
#define SHADES         16u
#define LEGEND_COUNTS  5u
#define SECOND_NS      1000000000u
#define CELL_TIME_SIZE 32

struct canvas {
    const struct heatmap *heatmap;
    FILE *file;
    struct value_axis axis;
    struct histogram whole; // all columns
    uint64_t *counts;       // by column and rank
    uint64_t most;
    uint32_t most_column, most_rank, used, covered; // columns that hold values; that were recorded
};

static uint64_t count_at(const struct canvas *canvas, uint32_t column, uint32_t rank)
{
    return canvas->counts[(size_t)column * BUCKETS_TOTAL + rank];
}

static double x_of(const struct canvas *canvas, uint32_t column)
{
    return LEFT + (double)column / canvas->heatmap->columns.count * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct canvas *canvas, double value)
{
    return BOTTOM - value_axis__place(&canvas->axis, value) * PLOT_HEIGHT;
}

static void add_column(struct canvas *canvas, uint32_t column)
{
    bool is_used = false;
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        uint64_t count = count_at(canvas, column, rank);
        if (!count)
            continue;
        is_used = true;
        histogram__add_bucket(&canvas->whole, bucket__at_rank(rank), count, 0);
        if (count > canvas->most) {
            canvas->most = count;
            canvas->most_column = column;
            canvas->most_rank = rank;
        }
    }
    canvas->used += is_used;
    canvas->covered += canvas->heatmap->columns.covered_ns[column] > 0;
}

// Local time; with the day where the columns are of several.
static void word_column(const struct canvas *canvas, uint32_t column, char ret_words[CELL_TIME_SIZE])
{
    const struct columns *columns = &canvas->heatmap->columns;
    time_t since = (time_t)(columns->since_ns / SECOND_NS), until = (time_t)(columns->until_ns / SECOND_NS);
    time_t at = (time_t)((columns->since_ns + (uint64_t)(column * columns->step_ns)) / SECOND_NS);
    struct tm first = {0}, last = {0}, shown = {0};
    bool is_known = localtime_r(&since, &first) && localtime_r(&until, &last) && localtime_r(&at, &shown);
    bool is_day = first.tm_yday == last.tm_yday && first.tm_year == last.tm_year;
    if (!is_known || !strftime(ret_words, CELL_TIME_SIZE, is_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &shown))
        snprintf(ret_words, CELL_TIME_SIZE, "@%lld", (long long)at);
}

static void put_count(uint64_t count, FILE *file)
{
    char words[TEXT_AMOUNT_BYTES];
    text__amount(count, "count", words);
    fputs(words, file);
}

// "1,204 values, sum 3.20 s, p50 at most 1.05 ms, p99 at most 16.0 ms"
static void put_sums(const struct canvas *canvas, FILE *file)
{
    const char *unit = canvas->heatmap->unit;
    char sum[TEXT_AMOUNT_BYTES];
    text__amount(canvas->heatmap->sum, unit, sum);
    put_count(canvas->whole.count, file);
    fprintf(file, " values, sum %s", sum);
    for (size_t i = 0; i < HEATMAP_LINES && canvas->whole.count; i++) {
        char value[TEXT_AMOUNT_BYTES];
        text__amount(histogram__percentile(&canvas->whole, heatmap_lines[i].share), unit, value);
        fprintf(file, ", %s at most %s", heatmap_lines[i].name, value);
    }
}

// The picture in words.
static void put_description(const struct canvas *canvas, const struct heatmap_drawing *drawing)
{
    const struct columns *columns = &canvas->heatmap->columns;
    FILE *file = canvas->file;
    char length[TEXT_AMOUNT_BYTES], at[CELL_TIME_SIZE];
    text__amount((wide)columns->step_ns, "ns", length);
    word_column(canvas, canvas->most_column, at);
    fputs("<desc id=\"hearth-desc\">", file);
    text__put_markup(file, drawing->range);
    fputs(": ", file);
    put_sums(canvas, file);
    fprintf(file, ". %" PRIu32 " columns of %s: %" PRIu32 " hold values, %" PRIu32 " were not recorded.",
            columns->count, length, canvas->used, columns->count - canvas->covered);
    if (canvas->most) {
        fputs(" The most in one place: ", file);
        put_count(canvas->most, file);
        fprintf(file, ", at %s in ", at);
        histogram_panel__put_bucket(canvas->heatmap->unit, bucket__at_rank(canvas->most_rank), file);
        fputs(".", file);
    }
    if (*drawing->losses) {
        fputs(" Lost: ", file);
        text__put_markup(file, drawing->losses);
        fputs(".", file);
    }
    fputs("</desc>\n", file);
}

static double strength_of(uint32_t shade)
{
    return fmax((double)shade / SHADES, 0.1);
}

static uint32_t shade_of(const struct canvas *canvas, uint64_t count)
{
    return (uint32_t)fmax(ceil(SHADES * sqrt((double)count / (double)canvas->most)), 1);
}

// The colours of the page's heat map (serve_lanes.js).
static void put_style(FILE *file)
{
    fprintf(file,
            "<style>%s.halo{fill:none;stroke:#fbfaf8;stroke-width:3.5;stroke-opacity:.8}"
            ".p50,.p99{fill:none;stroke:#1f1d1a;stroke-width:1.5}.p99{stroke-dasharray:5 3}.warning{fill:#7a4a00}"
            ".hatch{stroke:#b5afa3}\n",
            histogram_panel_style);
    for (uint32_t i = 1; i <= SHADES; i++) {
        double strong = strength_of(i);
        fprintf(file, ".s%" PRIu32 "{fill:hsl(%.0f,88%%,%.0f%%)}", i, 38 - 30 * strong, 92 - 54 * strong);
    }
    fputs("\n@media "
          "(prefers-color-scheme:dark){.halo{stroke:#171615}.p50,.p99{stroke:#ebe7e0}.warning{fill:#ffd486}.hatch{"
          "stroke:#5f5a53}\n",
          file);
    for (uint32_t i = 1; i <= SHADES; i++) {
        double strong = strength_of(i);
        fprintf(file, ".s%" PRIu32 "{fill:hsl(%.0f,85%%,%.0f%%)}", i, 28 + 20 * strong, 14 + 56 * strong);
    }
    fputs("}\n</style>\n", file);
}

static void put_head(const struct canvas *canvas, const struct heatmap_drawing *drawing)
{
    FILE *file = canvas->file;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
            "role=\"img\" aria-labelledby=\"hearth-title hearth-desc\">\n<title id=\"hearth-title\">",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    text__put_markup(file, drawing->title);
    fputs(" over time: ", file);
    put_sums(canvas, file);
    fputs("</title>\n", file);
    put_description(canvas, drawing);
    put_style(file);
    fputs("<defs><pattern id=\"hearth-gap\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
          "patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M3.5 0V7\"/></pattern></defs>\n"
          "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n<text class=\"head\" x=\"12\" y=\"20\">",
          file);
    text__put_markup(file, drawing->title);
    fputs("</text>\n<text class=\"faint\" x=\"12\" y=\"38\">", file);
    text__put_markup(file, drawing->range);
    fputs(": ", file);
    put_sums(canvas, file);
    fputs("</text>\n", file);
    if (*drawing->losses) {
        fputs("<text class=\"warning\" x=\"12\" y=\"56\">lost: ", file);
        text__put_markup(file, drawing->losses);
        fputs("</text>\n", file);
    }
}

static void put_gap(const struct canvas *canvas, uint32_t first, uint32_t end)
{
    char since[CELL_TIME_SIZE], until[CELL_TIME_SIZE];
    word_column(canvas, first, since);
    word_column(canvas, end, until);
    fprintf(canvas->file,
            "<rect class=\"gap\" fill=\"url(#hearth-gap)\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\">"
            "<title>not recorded: %s to %s</title></rect>\n",
            x_of(canvas, first), TOP, x_of(canvas, end) - x_of(canvas, first), PLOT_HEIGHT, since, until);
}

static void put_gaps(const struct canvas *canvas)
{
    const struct columns *columns = &canvas->heatmap->columns;
    for (uint32_t i = 0, end; i < columns->count; i = end + 1) {
        for (end = i; end < columns->count && !(columns->covered_ns[end] > 0);)
            end++;
        if (end > i)
            put_gap(canvas, i, end);
    }
}

static void put_axes(const struct canvas *canvas)
{
    const struct columns *columns = &canvas->heatmap->columns;
    struct value_tick values[VALUE_TICKS_MAX];
    struct time_tick times[TIME_TICKS_MAX];
    double room = WIDTH - LEFT - RIGHT;
    size_t count = value_axis__ticks(&canvas->axis, VALUE_GAP / PLOT_HEIGHT, values);
    for (size_t i = 0; i < count; i++) {
        double y = BOTTOM - values[i].place * PLOT_HEIGHT;
        fprintf(canvas->file,
                "<path class=\"line\" d=\"M%.0f %.1fH%.0f\"/>"
                "<text class=\"faint\" text-anchor=\"end\" x=\"%.0f\" y=\"%.1f\">%s</text>\n",
                LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4, values[i].words);
    }
    count = time_axis__ticks(columns->since_ns, columns->until_ns, TIME_GAP / room, times);
    for (size_t i = 0; i < count; i++) {
        double x = LEFT + times[i].place * room;
        fprintf(canvas->file,
                "<path class=\"line\" d=\"M%.1f %.0fV%.0f\"/>"
                "<text class=\"faint\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.0f\">%s</text>\n",
                x, BOTTOM, BOTTOM + 5, fmin(x, WIDTH - 32), BOTTOM + 18, times[i].words);
    }
}

static void put_cell(const struct canvas *canvas, uint32_t column, uint32_t rank, const char *when)
{
    uint64_t count = count_at(canvas, column, rank);
    uint32_t bucket = bucket__at_rank(rank);
    double left = x_of(canvas, column), top = y_of(canvas, (double)bucket__greatest(bucket) + 1);
    fprintf(canvas->file,
            "<rect class=\"s%" PRIu32 "\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s, ",
            shade_of(canvas, count), left, top, x_of(canvas, column + 1) - left,
            y_of(canvas, (double)bucket__least(bucket)) - top, when);
    histogram_panel__put_bucket(canvas->heatmap->unit, bucket, canvas->file);
    fputs(": ", canvas->file);
    put_count(count, canvas->file);
    fputs("</title></rect>\n", canvas->file);
}

// Without smoothed edges: no seams between columns.
static void put_cells(const struct canvas *canvas)
{
    fputs("<g shape-rendering=\"crispEdges\">\n", canvas->file);
    for (uint32_t column = 0; column < canvas->heatmap->columns.count; column++) {
        char when[CELL_TIME_SIZE];
        word_column(canvas, column, when);
        for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++)
            if (count_at(canvas, column, rank))
                put_cell(canvas, column, rank, when);
    }
    fputs("</g>\n", canvas->file);
}

static void put_line(const struct canvas *canvas, const struct heatmap_line *line, const char *look)
{
    bool is_drawn = false;
    fprintf(canvas->file, "<path class=\"%s\" d=\"", look);
    for (uint32_t i = 0; i < canvas->heatmap->columns.count; i++) {
        double value;
        bool has_value = heatmap__percentile(canvas->heatmap, i, line->share, &value);
        if (has_value && is_drawn)
            fprintf(canvas->file, "V%.1f", y_of(canvas, value));
        else if (has_value)
            fprintf(canvas->file, "M%.1f %.1f", x_of(canvas, i), y_of(canvas, value));
        if (has_value)
            fprintf(canvas->file, "H%.1f", x_of(canvas, i + 1));
        is_drawn = has_value;
    }
    fputs("\"/>\n", canvas->file);
}

static double put_swatch(const struct canvas *canvas, double x, uint64_t count)
{
    char words[TEXT_AMOUNT_BYTES];
    text__amount(count, "count", words);
    fprintf(canvas->file,
            "<rect class=\"s%" PRIu32 "\" x=\"%.0f\" y=\"%.0f\" width=\"14\" height=\"12\"/>"
            "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
            shade_of(canvas, count), x, LEGEND_Y - 10, x + 19, LEGEND_Y, words);
    return x + 19 + CHARACTER * (double)strlen(words) + 12;
}

// Counts at even steps of the colour, with at most two digits that are not 0, and the most itself.
static double put_counts(const struct canvas *canvas, double x)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i <= LEGEND_COUNTS; i++) {
        double count = fmax((double)canvas->most * i * i / (LEGEND_COUNTS * LEGEND_COUNTS), 1);
        double power = pow(10, floor(log10(count)) - 1);
        uint64_t shown = i == LEGEND_COUNTS ? canvas->most : (uint64_t)(round(count / power) * power);
        if (shown > last && shown <= canvas->most)
            x = put_swatch(canvas, x, shown);
        last = shown > last ? shown : last;
    }
    return x;
}

static void put_legend(const struct canvas *canvas)
{
    fprintf(canvas->file, "<text class=\"faint\" x=\"%.0f\" y=\"%.0f\">values in one place</text>\n", LEFT, LEGEND_Y);
    double x = LEFT + 19 * CHARACTER;
    if (canvas->most)
        x = put_counts(canvas, x);
    for (size_t i = 0; i < HEATMAP_LINES; i++, x += 28 + 4 * CHARACTER + 12)
        fprintf(canvas->file, "<path class=\"%s\" d=\"M%.0f %.0fh22\"/><text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
                heatmap_lines[i].name, x, LEGEND_Y - 4, x + 28, LEGEND_Y, heatmap_lines[i].name);
    if (canvas->covered < canvas->heatmap->columns.count)
        fprintf(canvas->file,
                "<rect fill=\"url(#hearth-gap)\" x=\"%.0f\" y=\"%.0f\" width=\"14\" height=\"12\"/>"
                "<text x=\"%.0f\" y=\"%.0f\">not recorded</text>\n",
                x, LEGEND_Y - 10, x + 19, LEGEND_Y);
}

int heatmap_svg__put(const struct heatmap_drawing *drawing, FILE *file)
{
    _cleanup_free_ uint64_t *counts = NULL;
    int err = heatmap__whole_counts(drawing->heatmap, &counts);
    if (err)
        return err;
    struct canvas canvas = {
        .heatmap = drawing->heatmap,
        .file = file,
        .axis = value_axis__new(drawing->heatmap->unit),
        .counts = counts,
    };
    for (uint32_t i = 0; i < drawing->heatmap->columns.count; i++)
        add_column(&canvas, i);
    value_axis__hold_all(&canvas.axis, &canvas.whole);
    value_axis__finish(&canvas.axis);
    put_head(&canvas, drawing);
    put_gaps(&canvas);
    put_axes(&canvas);
    put_cells(&canvas);
    for (size_t i = 0; i < HEATMAP_LINES; i++) {
        put_line(&canvas, &heatmap_lines[i], "halo");
        put_line(&canvas, &heatmap_lines[i], heatmap_lines[i].name);
    }
    put_legend(&canvas);
    fputs("</svg>\n", file);
    return 0;
}
