#include "report/histograms/time_axis.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define DAY_S 86400

// Of local time from UTC, at that moment; 0 where it is not known.
static int64_t offset_s(int64_t at_s)
{
    time_t at = (time_t)at_s;
    struct tm local = {0};
    return localtime_r(&at, &local) ? local.tm_gmtoff : 0;
}

// The moment at which clocks show this, counted as if they showed UTC.
static int64_t moment_s(int64_t shown_s)
{
    return shown_s - offset_s(shown_s - offset_s(shown_s));
}

static int64_t choose_step_s(double least_s)
{
    static const int64_t steps[] = {1,   2,    5,    10,   15,    30,    60,    120,       300,       600,
                                    900, 1800, 3600, 7200, 10800, 21600, 43200, 1 * DAY_S, 7 * DAY_S, 28 * DAY_S};
    size_t last = sizeof(steps) / sizeof(steps[0]) - 1, i = 0;
    while (i < last && (double)steps[i] < least_s)
        i++;
    int64_t step = steps[i];
    while ((double)step < least_s && step < INT64_MAX / 4)
        step *= 2;
    return step;
}

static void word(int64_t shown_s, int64_t step_s, char ret_words[16])
{
    time_t shown = (time_t)shown_s;
    struct tm parts = {0};
    const char *form = step_s >= DAY_S ? "%m-%d" : step_s >= 60 ? "%H:%M" : "%H:%M:%S";
    if (!gmtime_r(&shown, &parts) || !strftime(ret_words, 16, form, &parts))
        ret_words[0] = '\0';
}

size_t time_axis__ticks(uint64_t since_ns, uint64_t until_ns, double least_gap,
                        struct time_tick ret_ticks[TIME_TICKS_MAX])
{
    double since_s = (double)since_ns / 1e9, length_s = (double)(until_ns - since_ns) / 1e9;
    int64_t step = choose_step_s(fmax(least_gap, 1.0 / (TIME_TICKS_MAX - 1)) * length_s);
    int64_t shown = (int64_t)(since_ns / 1000000000u) + offset_s((int64_t)(since_ns / 1000000000u));
    size_t count = 0;
    shown -= shown % step;
    for (; count < TIME_TICKS_MAX; shown += step) {
        double place = ((double)moment_s(shown) - since_s) / length_s;
        if (place > 1)
            break;
        if (!(place >= 0))
            continue;
        ret_ticks[count].place = place;
        word(shown, step, ret_ticks[count++].words);
    }
    return count;
}
