#include "store/day_file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct store_tier_row tiers[STORE_TIER_COUNT] = {
#define TIER(NAME, word_, seconds_, hours_, folds_)                                                                    \
    [STORE_TIER_##NAME] = {.word = (word_), .seconds = (seconds_), .hours = (hours_), .folds = (folds_)},
#include "store/tiers.def"
#undef TIER
};

const struct store_tier_row *store_tier__row(enum store_tier tier)
{
    return &tiers[tier];
}

void day_file__name(const struct day_file *file, char ret_name[DAY_FILE_NAME_BYTES])
{
    struct tm date = {0};
    time_t seconds = (time_t)file->day * 86400;
    gmtime_r(&seconds, &date);
    snprintf(ret_name, DAY_FILE_NAME_BYTES, "%04d-%02d-%02d.%.8s.%u.db%s", date.tm_year + 1900, date.tm_mon + 1,
             date.tm_mday, tiers[file->tier].word, file->number, file->is_damaged ? DAY_FILE_DAMAGED : "");
}

static bool find_tier(const char *word, enum store_tier *ret_tier)
{
    for (unsigned i = 0; i < STORE_TIER_COUNT; i++)
        if (strcmp(tiers[i].word, word) == 0) {
            *ret_tier = i;
            return true;
        }
    return false;
}

// A name is good if it is the one that its parts make.
bool day_file__parse(const char *name, struct day_file *ret_file)
{
    struct tm date = {0};
    struct day_file file = {0};
    char word[9], again[DAY_FILE_NAME_BYTES];
    size_t length = strlen(name), suffix = strlen(DAY_FILE_DAMAGED);
    if (sscanf(name, "%4d-%2d-%2d.%8[a-z0-9].%9u.db", &date.tm_year, &date.tm_mon, &date.tm_mday, word, &file.number) !=
            5 ||
        !find_tier(word, &file.tier))
        return false;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    time_t seconds = timegm(&date);
    if (seconds < 0)
        return false;
    file.day = (uint32_t)(seconds / 86400);
    file.is_damaged = length > suffix && strcmp(name + length - suffix, DAY_FILE_DAMAGED) == 0;
    day_file__name(&file, again);
    if (strcmp(name, again) != 0)
        return false;
    *ret_file = file;
    return true;
}
