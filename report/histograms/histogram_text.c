#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/histograms/histogram_pairs.h"
#include "report/histograms/histogram_rows.h"
#include "report/histograms/histogram_view.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

#define BAR_CHARACTERS   40
#define RANGE_CHARACTERS 22 // at least

static void put_facts(const struct histogram *histogram, FILE *file)
{
    fprintf(file, "count %" PRIu64 ", ", histogram->count);
    histogram_pair__put_extent(histogram, file);
    for (size_t i = 0; histogram->count && i < HISTOGRAM_PERCENTILES; i++) {
        char amount[TEXT_AMOUNT_BYTES];
        text__amount(histogram__percentile(histogram, histogram_percentiles[i].share), histogram->unit, amount);
        fprintf(file, ", %s <= %s", histogram_percentiles[i].text, amount);
    }
    histogram_pair__put_missing(histogram, ", ", file);
}

// The rows of one text, with all that they are made of.
struct table {
    const char *unit;
    struct histogram_scale scale;
    struct histogram_rows now, before;
    double now_count, before_count, most; // most: the greatest share of a row
    int first, last, width;
};

static int width_of_ranges(const struct table *table)
{
    size_t width = RANGE_CHARACTERS;
    for (int row = table->first; row <= table->last; row++) {
        char range[HISTOGRAM_RANGE_BYTES];
        histogram_rows__word(table->unit, &table->scale, row, range);
        width = strlen(range) > width ? strlen(range) : width;
    }
    return (int)width;
}

static double share(uint64_t count, double of)
{
    return of > 0 ? (double)count / of : 0;
}

static int bar_of(const struct table *table, double part)
{
    return (int)fmin(ceil(part / table->most * BAR_CHARACTERS - 1e-12), BAR_CHARACTERS);
}

static struct table make_table(const struct histogram_pair *pair)
{
    static const struct histogram none = {.unit = (char *)""};
    const struct histogram *now = pair->now ? pair->now : &none, *before = pair->before ? pair->before : &none;
    struct table table = {
        .unit = histogram_pair__any(pair)->unit,
        .scale = histogram_scale__of(now->count ? now : histogram_pair__any(pair)),
        .now = histogram_rows__of(now),
        .before = histogram_rows__of(before),
        .now_count = (double)now->count,
        .before_count = (double)before->count,
    };
    table.first = table.now.first < table.before.first ? table.now.first : table.before.first;
    table.last = table.now.last > table.before.last ? table.now.last : table.before.last;
    table.most = fmax(share(table.now.most, table.now_count), share(table.before.most, table.before_count));
    table.width = width_of_ranges(&table);
    return table;
}

static void put_repeated(char character, int times, FILE *file)
{
    while (times-- > 0)
        putc(character, file);
}

static void put_rows(const struct table *table, bool is_difference, FILE *file)
{
    for (int row = table->first; row <= table->last; row++) {
        char range[HISTOGRAM_RANGE_BYTES];
        uint64_t now = table->now.counts[HISTOGRAM_ROWS + row], before = table->before.counts[HISTOGRAM_ROWS + row];
        int bar = bar_of(table, share(now, table->now_count));
        int bar_before = bar_of(table, share(before, table->before_count));
        int both = is_difference && bar_before < bar ? bar_before : bar;
        histogram_rows__word(table->unit, &table->scale, row, range);
        fprintf(file, "%-*s ", table->width, range);
        if (is_difference)
            fprintf(file, "%10" PRIu64 " ", before);
        fprintf(file, "%10" PRIu64 " |", now);
        put_repeated('@', both, file);
        if (is_difference) {
            put_repeated('+', bar - both, file);
            put_repeated('-', bar_before - both, file);
            both = bar > bar_before ? bar : bar_before;
        }
        fprintf(file, "%*s|\n", BAR_CHARACTERS - both, "");
    }
}

static void put_side(const char *name, const struct histogram *histogram, FILE *file)
{
    fprintf(file, "%s: ", name);
    if (histogram)
        put_facts(histogram, file);
    else
        fputs("nothing", file);
    putc('\n', file);
}

static void put_pair(const struct histogram_view *view, const struct histogram_pair *pair, FILE *file)
{
    const struct histogram *any = histogram_pair__any(pair);
    struct table table = make_table(pair);
    fprintf(file, "%s%s%s (%s)\n", any->probe, *any->by ? ", " : "", any->by, table.scale.shown);
    if (view->before) {
        put_side(view->before_name, pair->before, file);
        put_side(view->name, pair->now, file);
        fprintf(file, "\n%*s %10s %10s  shares: @ both, + more after, - more before\n", -table.width, "", "BEFORE",
                "AFTER");
    } else {
        put_facts(any, file);
        fputs("\n\n", file);
    }
    put_rows(&table, view->before != NULL, file);
}

int histogram_view__put_text(const struct histogram_view *view, FILE *file)
{
    _cleanup_(histogram_pairs__release) struct histogram_pairs pairs = {0};
    int err = histogram_pairs__make(view->list, view->before, &pairs);
    for (size_t i = 0; i < pairs.count; i++) {
        fputs(i ? "\n" : "", file);
        put_pair(view, &pairs.items[i], file);
    }
    return err;
}
