#include "report/text/time_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// systemd's: a month is 30.44 days, a year 365.25.
static const struct {
    const char *name;
    double seconds;
} units[] = {
    {"us", 1e-6},        {"usec", 1e-6},  {"ms", 1e-3},       {"msec", 1e-3},      {"s", 1},       {"sec", 1},
    {"second", 1},       {"seconds", 1},  {"m", 60},          {"min", 60},         {"minute", 60}, {"minutes", 60},
    {"h", 3600},         {"hr", 3600},    {"hour", 3600},     {"hours", 3600},     {"d", 86400},   {"day", 86400},
    {"days", 86400},     {"w", 604800},   {"week", 604800},   {"weeks", 604800},   {"M", 2629800}, {"month", 2629800},
    {"months", 2629800}, {"y", 31557600}, {"year", 31557600}, {"years", 31557600}, {"", 1},
};

static void skip_spaces(const char **at)
{
    while (isspace((unsigned char)**at))
        ++*at;
}

static bool parse_unit(const char **at, double *ret_seconds)
{
    size_t length = 0;
    while (isalpha((unsigned char)(*at)[length]))
        length++;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == length && strncmp(units[i].name, *at, length) == 0) {
            *at += length;
            *ret_seconds = units[i].seconds;
            return true;
        }
    return false;
}

// "1h", "1h 30min", "90": at least one number. Leaves *at behind what it took; "ago" is no unit.
static bool parse_span(const char **at, double *ret_seconds)
{
    double sum = 0;
    bool any = false;
    for (skip_spaces(at); isdigit((unsigned char)**at) || **at == '.'; skip_spaces(at)) {
        char *end;
        double number = strtod(*at, &end), unit;
        if (end == *at)
            return false;
        *at = end;
        skip_spaces(at);
        if (strncmp(*at, "ago", 3) == 0)
            unit = 1;
        else if (!parse_unit(at, &unit))
            return false;
        sum += number * unit;
        any = true;
    }
    *ret_seconds = sum;
    return any;
}

static bool parse_relative(const char *text, double now, double *ret_seconds)
{
    double sign = *text == '-' ? -1 : 1, span;
    bool is_signed = *text == '-' || *text == '+';
    text += is_signed;
    if (!parse_span(&text, &span))
        return false;
    bool ago = strcmp(text, "ago") == 0;
    if ((!ago && *text) || (ago && is_signed) || (!ago && !is_signed))
        return false;
    *ret_seconds = now + (ago ? -span : sign * span);
    return true;
}

static bool parse_digits(const char **at, unsigned least, unsigned most, int *ret_number)
{
    unsigned count = 0;
    int number = 0;
    for (; count < most && isdigit((unsigned char)**at); count++)
        number = number * 10 + (*(*at)++ - '0');
    *ret_number = number;
    return count >= least;
}

static bool parse_date(const char **at, struct tm *day)
{
    const char *from = *at;
    int year, month, date;
    if (!parse_digits(&from, 4, 4, &year) || *from++ != '-' || !parse_digits(&from, 1, 2, &month) || *from++ != '-' ||
        !parse_digits(&from, 1, 2, &date) || month < 1 || month > 12 || date < 1 || date > 31)
        return false;
    day->tm_year = year - 1900;
    day->tm_mon = month - 1;
    day->tm_mday = date;
    *at = from;
    return true;
}

static bool parse_clock(const char **at, struct tm *day, double *fraction)
{
    const char *from = *at;
    int hour, minute, second = 0;
    if (!parse_digits(&from, 1, 2, &hour) || *from++ != ':' || !parse_digits(&from, 2, 2, &minute))
        return false;
    if (*from == ':' && (from++, !parse_digits(&from, 2, 2, &second)))
        return false;
    if (*from == '.') {
        char *end;
        *fraction = strtod(from, &end);
        from = end;
    }
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    day->tm_hour = hour;
    day->tm_min = minute;
    day->tm_sec = second;
    *at = from;
    return true;
}

// "", "Z", "UTC", "+02:00", "+0200".
static bool parse_zone(const char *text, bool *ret_local, int *ret_east_s)
{
    int hours, minutes = 0, sign = *text == '-' ? -1 : 1;
    *ret_east_s = 0;
    *ret_local = !*text;
    if (!*text || strcmp(text, "Z") == 0 || strcmp(text, "UTC") == 0 || strcmp(text, "GMT") == 0)
        return true;
    if (*text != '+' && *text != '-')
        return false;
    text++;
    if (!parse_digits(&text, 2, 2, &hours))
        return false;
    text += *text == ':';
    if (*text && !parse_digits(&text, 2, 2, &minutes))
        return false;
    *ret_east_s = sign * (hours * 3600 + minutes * 60);
    return !*text && hours <= 14 && minutes < 60;
}

static bool parse_day_word(const char *text, struct tm *day)
{
    static const struct {
        const char *word;
        int days;
    } words[] = {{"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i].word) == 0) {
            day->tm_mday += words[i].days;
            return true;
        }
    return false;
}

static bool parse_calendar(const char *text, time_t now, double *ret_seconds)
{
    struct tm day;
    double fraction = 0;
    bool local = true;
    int east_s = 0, date = 0;
    if (!localtime_r(&now, &day))
        return false;
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1;
    if (!parse_day_word(text, &day)) {
        bool dated = parse_date(&text, &day), apart = *text == 'T' || isspace((unsigned char)*text);
        text += dated && *text == 'T';
        date = dated ? day.tm_mday : 0;
        skip_spaces(&text);
        bool clocked = (!dated || apart) && parse_clock(&text, &day, &fraction);
        skip_spaces(&text);
        if ((!dated && !clocked) || !parse_zone(text, &local, &east_s))
            return false;
    }
    time_t seconds = local ? mktime(&day) : timegm(&day);
    if (seconds == (time_t)-1 || (date && day.tm_mday != date)) // "2026-02-30" would be in March
        return false;
    *ret_seconds = (double)(seconds - east_s) + fraction;
    return true;
}

// ".5" as 500,000,000 ns. Through a double, one in some would be a nanosecond short: an interval that ends at the time
// that is asked for would then be in the range that begins there.
static const char *parse_fraction(const char *text, uint64_t *ret_ns)
{
    uint64_t unit_ns = 1000000000u;
    for (*ret_ns = 0, text++; isdigit((unsigned char)*text); text++) {
        unit_ns /= 10;
        *ret_ns += (uint64_t)(*text - '0') * unit_ns;
    }
    return unit_ns < 1000000000u ? text : NULL;
}

static bool parse_unix(const char *text, uint64_t *ret_ns)
{
    char *digits_end;
    uint64_t fraction_ns = 0;
    if (*text != '@' || !isdigit((unsigned char)text[1]))
        return false;
    errno = 0;
    unsigned long long seconds = strtoull(text + 1, &digits_end, 10);
    const char *end = *digits_end == '.' ? parse_fraction(digits_end, &fraction_ns) : digits_end;
    if (errno || !end || *end || seconds > UINT64_MAX / 1000000000u - 1)
        return false;
    *ret_ns = seconds * 1000000000u + fraction_ns;
    return true;
}

int time_text__parse(const char *text, uint64_t now_ns, struct fault *fault, uint64_t *ret_ns)
{
    // Whole seconds go through doubles here: exact up to 2^53, and times of day are given in seconds.
    time_t now = (time_t)(now_ns / 1000000000u);
    double seconds;
    uint64_t ns = now_ns;
    while (isspace((unsigned char)*text))
        text++;
    bool good = strcmp(text, "now") == 0 || parse_unix(text, &ns);
    if (!good && (parse_relative(text, (double)now_ns / 1e9, &seconds) || parse_calendar(text, now, &seconds))) {
        good = isfinite(seconds) && seconds >= 0 && seconds < 9e9;
        ns = good ? (uint64_t)llround(seconds * 1e6) * 1000 : 0;
    }
    if (!good)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "'%s' is not a time such as -1h, 12:30, yesterday, 2026-11-21 12:30 or @1795264200",
                               text);
    *ret_ns = ns ? ns : 1;
    return 0;
}
