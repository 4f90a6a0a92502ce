#include "report/histograms/histogram_panel.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/text/text.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

#define LEFT         54.0
#define RIGHT        12.0
#define TOP          136.0
#define PLOT_HEIGHT  136.0
#define BOTTOM       (TOP + PLOT_HEIGHT)
#define FIRST_LABEL  86.0 // of the percentiles
#define LABEL_HEIGHT 14.0
#define TICK_GAP     54.0 // pixels between the labels of the axis
#define LEAST_HEIGHT 2.0  // of a bar: a few outliers among thousands are in sight
#define CHARACTER    7.2  // pixels, of the widest text that is cut
#define SIDE_ROOM    22u  // characters of a side's name

const char histogram_panel_style[] =
    ".page{fill:#fbfaf8}text{fill:#1f1d1a;font:12px system-ui,\"Segoe UI\",\"Noto Sans\",\"DejaVu Sans\",sans-serif}"
    "text.head{font-size:14px;font-weight:600}text.faint{fill:#6b665e}text.label{stroke:#fbfaf8;stroke-width:3px;paint-"
    "order:stroke}.line{stroke:#d9d5cd;stroke-width:1}"
    ".bar{fill:#d9722b}.over{fill-opacity:.6}.was{fill:#3f78b5;fill-opacity:.6}"
    ".mark{stroke:#1f1d1a;stroke-width:1}.mark-was{stroke:#2a5f9e;stroke-width:1;stroke-dasharray:4 3}\n"
    "@media (prefers-color-scheme:dark){.page{fill:#171615}text{fill:#ebe7e0}text.faint{fill:#a29b90}"
    "text.label{stroke:#171615}.line{stroke:#3a3733}.bar{fill:#e0803a}.was{fill:#6ea3da}.mark{stroke:#ebe7e0}.mark-was{"
    "stroke:#8dbbe9}}\n";

// The labels of percentiles stand below each other, so that near ones do not cover each other's.
static double label_y(size_t i)
{
    return FIRST_LABEL + (double)i * LABEL_HEIGHT;
}

static double x_of(const struct histogram_panel *panel, double value)
{
    return LEFT + value_axis__place(panel->axis, value) * (panel->width - LEFT - RIGHT);
}

static void put_cut(const char *text, size_t room, FILE *file)
{
    _cleanup_(buf__release) struct buf cut = {0};
    text__append_cut(&cut, text, room);
    buf__append_byte(&cut, '\0');
    text__put_markup(file, cut.failed ? "" : (const char *)cut.data);
}

static void put_head(const struct histogram_panel *panel, FILE *file)
{
    const struct histogram *any = histogram_pair__any(panel->pair);
    _cleanup_(buf__release) struct buf words = {0};
    buf__append_string(&words, any->probe);
    buf__append_string(&words, *any->by ? ", " : "");
    buf__append_string(&words, any->by);
    buf__append_byte(&words, '\0');
    fprintf(file, "<text class=\"head\" x=\"12\" y=\"20\">");
    put_cut(words.failed ? "" : (const char *)words.data, (size_t)((panel->width - 24) / (CHARACTER + 0.8)), file);
    fputs("</text>\n", file);
}

static void put_count(const struct histogram *histogram, FILE *file)
{
    char count[TEXT_AMOUNT_BYTES];
    text__amount(histogram ? histogram->count : 0, "count", count);
    fprintf(file, "%s values", count);
}

// The words are the histogram's own: numbers, units and signs that are markup's.
static void put_extent(const struct histogram *histogram, FILE *file)
{
    _cleanup_free_ char *text = NULL;
    size_t bytes;
    FILE *words = open_memstream(&text, &bytes);
    if (!words)
        return;
    histogram_pair__put_extent(histogram, words);
    if (fclose(words) == 0)
        text__put_markup(file, text);
}

static void put_facts(const struct histogram_panel *panel, FILE *file)
{
    const struct histogram *now = panel->pair->now;
    fputs("<text class=\"faint\" x=\"12\" y=\"38\">", file);
    put_count(now, file);
    fputs(", ", file);
    put_extent(now, file);
    fputs("</text>\n", file);
    if (now->unmatched || now->lost) {
        fputs("<text class=\"faint\" x=\"12\" y=\"54\">", file);
        histogram_pair__put_missing(now, "", file);
        fputs("</text>\n", file);
    }
}

static void put_side(const char *name, const char *bar, unsigned y, const struct histogram *histogram, FILE *file)
{
    fprintf(file, "<rect class=\"%s\" x=\"12\" y=\"%u\" width=\"10\" height=\"10\"/><text x=\"28\" y=\"%u\">", bar,
            y - 9, y);
    put_cut(name, SIDE_ROOM, file);
    fputs(": ", file);
    put_count(histogram, file);
    if (histogram)
        histogram_pair__put_missing(histogram, ", ", file);
    fputs("</text>\n", file);
}

// The greatest bar's height: a count, or of a difference a share.
static double height_of(const struct histogram_panel *panel, const struct histogram *histogram, uint32_t bucket)
{
    double count = (double)histogram->counts[bucket];
    return panel->is_difference ? count / fmax((double)histogram->count, 1) : count;
}

static double most_of(const struct histogram_panel *panel)
{
    const struct histogram *both[] = {panel->pair->now, panel->pair->before};
    double most = 0;
    for (size_t i = 0; i < 2; i++)
        for (uint32_t bucket = 0; both[i] && bucket < BUCKETS_TOTAL; bucket++)
            most = fmax(most, height_of(panel, both[i], bucket));
    return most > 0 ? most : 1;
}

// Round counts, or shares, at most four above 0.
static void put_levels(const struct histogram_panel *panel, double most, FILE *file)
{
    double rough = most / 3, power = pow(10, floor(log10(rough))), step = power;
    const double factors[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 4 && step < rough; i++)
        step = power * factors[i];
    if (!panel->is_difference)
        step = fmax(step, 1);
    for (int i = 0; i * step <= most * 1.0001 && i <= 4; i++) {
        double y = BOTTOM - i * step / most * PLOT_HEIGHT;
        char words[TEXT_AMOUNT_BYTES];
        text__amount((wide)(i * step), "count", words);
        if (panel->is_difference)
            snprintf(words, sizeof(words), "%.3g%%", 100 * i * step);
        fprintf(file,
                "<line class=\"line\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text class=\"faint\" text-anchor=\"end\" x=\"%.0f\" y=\"%.1f\">%s</text>\n",
                LEFT, panel->width - RIGHT, y, y, LEFT - 6, y + 4, words);
    }
}

static void put_ticks(const struct histogram_panel *panel, FILE *file)
{
    struct value_tick ticks[VALUE_TICKS_MAX];
    double room = panel->width - LEFT - RIGHT;
    size_t count = value_axis__ticks(panel->axis, TICK_GAP / room, ticks);
    for (size_t i = 0; i < count; i++) {
        double x = LEFT + ticks[i].place * room;
        fprintf(file,
                "<line class=\"line\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.0f\"/>"
                "<text class=\"faint\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.0f\">%s</text>\n",
                x, x, BOTTOM, BOTTOM + 5, fmin(x, panel->width - 22.0), BOTTOM + 18, ticks[i].words);
    }
}

void histogram_panel__put_bucket(const char *unit, uint32_t bucket, FILE *file)
{
    char low[TEXT_AMOUNT_BYTES], high[TEXT_AMOUNT_BYTES];
    text__amount(bucket__least(bucket), unit, low);
    text__amount(bucket__greatest(bucket) + 1, unit, high);
    fprintf(file, "[%s, %s)", low, high);
}

static void put_bars(const struct histogram_panel *panel, const struct histogram *histogram, const char *look,
                     double most, FILE *file)
{
    for (uint32_t rank = 0; histogram && rank < BUCKETS_TOTAL; rank++) {
        uint32_t bucket = bucket__at_rank(rank);
        if (!histogram->counts[bucket])
            continue;
        double left = x_of(panel, (double)bucket__least(bucket));
        double wide_px = x_of(panel, (double)bucket__greatest(bucket) + 1) - left;
        double height = fmax(height_of(panel, histogram, bucket) / most * PLOT_HEIGHT, LEAST_HEIGHT);
        char count[TEXT_AMOUNT_BYTES];
        text__amount(histogram->counts[bucket], "count", count);
        fprintf(file, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>", look, left,
                BOTTOM - height, wide_px > 5 ? wide_px - 1 : fmax(wide_px, 1), height);
        histogram_panel__put_bucket(histogram->unit, bucket, file);
        fprintf(file, ": %s</title></rect>\n", count);
    }
}

static void put_mark(const struct histogram_panel *panel, const struct histogram *histogram, size_t i, const char *look,
                     FILE *file)
{
    if (!histogram || !histogram->count)
        return;
    double x = x_of(panel, (double)histogram__percentile(histogram, histogram_percentiles[i].share));
    fprintf(file, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.0f\"/>\n", look, x, x, label_y(i) - 10,
            BOTTOM);
}

static void word_percentile(const struct histogram *histogram, size_t i, char ret_amount[TEXT_AMOUNT_BYTES])
{
    snprintf(ret_amount, TEXT_AMOUNT_BYTES, "none");
    if (histogram && histogram->count)
        text__amount(histogram__percentile(histogram, histogram_percentiles[i].share), histogram->unit, ret_amount);
}

static void put_label(const struct histogram_panel *panel, size_t i, FILE *file)
{
    const struct histogram_pair *pair = panel->pair;
    const struct histogram *marked = pair->now && pair->now->count ? pair->now : pair->before;
    char amount[TEXT_AMOUNT_BYTES], was[TEXT_AMOUNT_BYTES];
    double x = x_of(panel, (double)histogram__percentile(marked, histogram_percentiles[i].share));
    bool is_left = x > panel->width * 0.55;
    word_percentile(pair->now, i, amount);
    word_percentile(pair->before, i, was);
    fprintf(file, "<text class=\"label\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.0f\">%s %s%s%s</text>\n",
            is_left ? "end" : "start", is_left ? x - 4 : x + 4, label_y(i), histogram_percentiles[i].text, amount,
            panel->is_difference ? ", before " : "", panel->is_difference ? was : "");
}

static bool has_values(const struct histogram *histogram)
{
    return histogram && histogram->count;
}

static void put_percentiles(const struct histogram_panel *panel, FILE *file)
{
    if (!has_values(panel->pair->now) && !has_values(panel->pair->before))
        return;
    for (size_t i = 0; i < HISTOGRAM_PERCENTILES; i++) {
        put_mark(panel, panel->pair->before, i, "mark-was", file);
        put_mark(panel, panel->pair->now, i, "mark", file);
    }
    for (size_t i = 0; i < HISTOGRAM_PERCENTILES; i++)
        put_label(panel, i, file);
}

void histogram_panel__put(const struct histogram_panel *panel, FILE *file)
{
    double most = most_of(panel);
    put_head(panel, file);
    if (panel->is_difference) {
        put_side(panel->name, "bar over", 38, panel->pair->now, file);
        put_side(panel->before_name, "was", 56, panel->pair->before, file);
    } else {
        put_facts(panel, file);
    }
    put_levels(panel, most, file);
    put_ticks(panel, file);
    put_bars(panel, panel->pair->before, "was", most, file);
    put_bars(panel, panel->pair->now, panel->is_difference ? "bar over" : "bar", most, file);
    put_percentiles(panel, file);
}
