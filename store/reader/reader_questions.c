#include "store/reader/reader_questions.h"

#include "store/reader/reader_walk.h"

DEFINE_CLEANUP(struct reader_walk *, reader_walk__free);

int store_reader__values(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                         int (*row)(const struct store_interval_row *interval, const struct store_value *value,
                                    void *context),
                         void *context)
{
    _cleanup_(reader_walk__freep) struct reader_walk *walk = NULL;
    int err = reader_walk__new(reader, query, 0, fault, &walk);
    while (!err) {
        const struct store_interval_row *interval;
        const struct store_value *values;
        size_t count = 1;
        err = reader_walk__next(walk, fault, &interval);
        if (err || !interval)
            return err;
        while (!err && count) {
            err = reader_walk__values(walk, fault, &values, &count);
            for (size_t i = 0; !err && i < count; i++)
                err = row(interval, &values[i], context);
        }
    }
    return err;
}

int store_reader__intervals(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                            int (*row)(const struct store_interval_row *interval, void *context), void *context)
{
    _cleanup_(reader_walk__freep) struct reader_walk *walk = NULL;
    int err = reader_walk__new(reader, query, 0, fault, &walk);
    while (!err) {
        const struct store_interval_row *interval;
        err = reader_walk__next(walk, fault, &interval);
        if (err || !interval)
            return err;
        err = row(interval, context);
    }
    return err;
}

int store_reader__totals(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                         int (*row)(const struct store_interval_row *interval, const struct store_total *total,
                                    void *context),
                         void *context)
{
    _cleanup_(reader_walk__freep) struct reader_walk *walk = NULL;
    int err = reader_walk__new(reader, query, 0, fault, &walk);
    while (!err) {
        const struct store_interval_row *interval;
        bool has = true;
        err = reader_walk__next(walk, fault, &interval);
        if (err || !interval)
            return err;
        while (!err && has) {
            struct reader_sum sum = {0};
            err = reader_walk__total(walk, fault, &sum, &has);
            struct store_total total = {.event = sum.event, .samples = sum.samples, .value = sum.value};
            if (!err && has)
                err = row(interval, &total, context);
        }
    }
    return err;
}

int store_reader__process_totals(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                                 int (*row)(const struct store_interval_row *interval,
                                            const struct store_process_total *total, void *context),
                                 void *context)
{
    _cleanup_(reader_walk__freep) struct reader_walk *walk = NULL;
    _cleanup_free_ uint8_t *chosen = NULL;
    int err = reader_choice__processes(reader, query, &chosen);
    if (!err)
        err = reader_walk__new(reader, query, 0, fault, &walk);
    while (!err) {
        const struct store_interval_row *interval;
        bool has = true;
        err = reader_walk__next(walk, fault, &interval);
        if (err || !interval)
            return err;
        while (!err && has) {
            struct reader_sum sum = {0};
            err = reader_walk__process_total(walk, fault, &sum, &has);
            struct store_process_total total = {sum.event, sum.process, sum.samples, sum.value};
            if (!err && has && (!chosen || chosen[sum.process]))
                err = row(interval, &total, context);
        }
    }
    return err;
}

int store_reader__histograms(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                             int (*row)(const struct store_interval_row *interval,
                                        const struct store_histogram *histogram, void *context),
                             void *context)
{
    _cleanup_(reader_walk__freep) struct reader_walk *walk = NULL;
    int err = reader_walk__new(reader, query, 0, fault, &walk);
    while (!err) {
        const struct store_interval_row *interval;
        const struct store_histogram *histogram = NULL;
        err = reader_walk__next(walk, fault, &interval);
        if (err || !interval)
            return err;
        do {
            err = reader_walk__histogram(walk, fault, &histogram);
            if (!err && histogram)
                err = row(interval, histogram, context);
        } while (!err && histogram);
    }
    return err;
}
