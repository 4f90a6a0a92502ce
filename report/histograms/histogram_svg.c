// Histograms as a drawing: a bar for each power of two, its range on the left, its count on the right.
#include <inttypes.h>
#include <stdlib.h>

#include "report/histograms/histogram_pictures.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

#define WIDTH       930u
#define MARGIN      12u
#define BAR_LEFT    220u
#define BAR_WIDTH   560u
#define LEAST_WIDTH 1.5 // of a bar: a few outliers among thousands are in sight
#define ROW_HEIGHT  20u
#define HEAD_HEIGHT 60u

static unsigned height_of(const struct histogram *histogram)
{
    struct histogram_powers powers = histogram__powers(histogram);
    return HEAD_HEIGHT + (powers.last >= powers.first ? (unsigned)(powers.last - powers.first) + 1 : 0) * ROW_HEIGHT +
           MARGIN;
}

static void put_row(const struct histogram_scale *scale, const struct histogram_powers *powers, int power, unsigned top,
                    FILE *file)
{
    char range[HISTOGRAM_RANGE_BYTES];
    uint64_t count = powers->counts[HISTOGRAM_POWERS + power];
    histogram__word_range(scale, power, range);
    double width = (double)count / (double)powers->most * BAR_WIDTH;
    if (count && width < LEAST_WIDTH)
        width = LEAST_WIDTH;
    fprintf(file,
            "<text x=\"%u\" y=\"%u\" text-anchor=\"end\">%s</text><rect x=\"%u\" y=\"%u\" width=\"%.1f\" height=\"%u\" "
            "fill=\"hsl(27,80%%,68%%)\"/>",
            BAR_LEFT - 8, top + 14, range, BAR_LEFT, top + 1, width, ROW_HEIGHT - 3);
    fprintf(file, "<text x=\"%.1f\" y=\"%u\">%" PRIu64 "</text>\n", BAR_LEFT + width + 6, top + 14, count);
}

static void put_facts(const struct histogram *histogram, FILE *file)
{
    _cleanup_free_ char *facts = NULL;
    size_t bytes;
    FILE *words = open_memstream(&facts, &bytes);
    if (!words)
        return;
    histogram__put_facts(histogram, words);
    if (fclose(words) == 0)
        text__put_markup(file, facts);
}

static void put_histogram(const struct histogram *histogram, unsigned top, FILE *file)
{
    struct histogram_scale scale = histogram__scale(histogram);
    struct histogram_powers powers = histogram__powers(histogram);
    fprintf(file, "<text x=\"%u\" y=\"%u\" font-size=\"15\" font-weight=\"bold\">", MARGIN, top + 24);
    text__put_markup(file, histogram->probe);
    fputs(*histogram->by ? ", " : "", file);
    text__put_markup(file, histogram->by);
    fputs(" (", file);
    text__put_markup(file, scale.shown);
    fprintf(file, ")</text>\n<text x=\"%u\" y=\"%u\" fill=\"#6b665e\">", MARGIN, top + 44);
    put_facts(histogram, file);
    fputs("</text>\n", file);
    for (int power = powers.first; power <= powers.last; power++)
        put_row(&scale, &powers, power, top + HEAD_HEIGHT + (unsigned)(power - powers.first) * ROW_HEIGHT, file);
}

void histogram_list__put_svg(const struct histogram_list *list, FILE *file)
{
    unsigned height = MARGIN, top = 0;
    for (size_t i = 0; i < list->count; i++)
        height += height_of(list->items[i]);
    fprintf(
        file,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" "
        "font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"12\" fill=\"#1d1a16\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fbfaf8\"/>\n",
        WIDTH, height, WIDTH, height);
    for (size_t i = 0; i < list->count; i++) {
        put_histogram(list->items[i], top, file);
        top += height_of(list->items[i]);
    }
    fputs("</svg>\n", file);
}
