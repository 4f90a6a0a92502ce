#include "store/base/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

int option__flag(const char *text, void *target, struct fault *fault)
{
    (void)text, (void)fault;
    *(bool *)target = true;
    return 0;
}

int option__no_flag(const char *text, void *target, struct fault *fault)
{
    (void)text, (void)fault;
    *(bool *)target = false;
    return 0;
}

int option__string(const char *text, void *target, struct fault *fault)
{
    (void)fault;
    *(const char **)target = text;
    return 0;
}

int option__list(const char *text, void *target, struct fault *fault)
{
    struct option_list *list = target;
    const char **grown = realloc(list->values, (list->count + 1) * sizeof(*grown));
    if (!grown)
        return fault__set(fault, -ENOMEM, "out of memory");
    grown[list->count++] = text;
    list->values = grown;
    return 0;
}

int option__u64(const char *text, void *target, struct fault *fault)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || value == 0)
        return fault__set(fault, -EINVAL, "'%s' is not a whole number above 0", text);
    *(uint64_t *)target = value;
    return 0;
}

int option__share(const char *text, void *target, struct fault *fault)
{
    char *end;
    double pct = strtod(text, &end);
    if (end == text || (*end && strcmp(end, "%") != 0) || !(pct > 0 && pct <= 100))
        return fault__set(fault, -EINVAL, "'%s' is no share such as 20%% or 0.5%%, above 0 and at most 100%%", text);
    *(double *)target = pct / 100;
    return 0;
}

int option__bytes(const char *text, void *target, struct fault *fault)
{
    static const char suffixes[] = "KMGT";
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    const char *suffix = *end ? strchr(suffixes, *end) : NULL;
    unsigned shift = suffix ? 10 * (unsigned)(suffix - suffixes + 1) : 0;
    end += suffix != NULL;
    if (errno || end == text || *end || text[0] == '-' || !value || value > UINT64_MAX >> shift)
        return fault__set(fault, -EINVAL, "'%s' is no size such as 500M or 2G", text);
    *(uint64_t *)target = value << shift;
    return 0;
}

int option__seconds_ns(const char *text, void *target, struct fault *fault)
{
    static const struct {
        const char *suffix;
        double ns;
    } units[] = {{"", 1e9}, {"s", 1e9},  {"ms", 1e6},   {"us", 1e3},
                 {"ns", 1}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    for (size_t i = 0; !errno && end != text && i < sizeof(units) / sizeof(units[0]); i++) {
        double ns = value * units[i].ns;
        if (strcmp(end, units[i].suffix) == 0 && isfinite(ns) && ns >= 1 && ns < 9e18) {
            *(uint64_t *)target = (uint64_t)ns;
            return 0;
        }
    }
    return fault__set(fault, -EINVAL, "'%s' is not a time such as 10, 0.5 or 500ms", text);
}

// Levenshtein's distance, for words of at most 31 bytes; longer ones are never near anything.
static unsigned distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    unsigned row[32];
    if (a_length > 31 || b_length > 31)
        return 99;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_length];
}

const char *options__nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    unsigned limit = strlen(word) > 4 ? 3 : 2; // less than a third of the word wrong
    for (; *names; names++) {
        unsigned d = distance(word, *names);
        if (d < limit) {
            limit = d;
            nearest = *names;
        }
    }
    return nearest;
}

static bool is_end(const struct option_row *row)
{
    return !row->letter && !row->name && !row->rows;
}

static bool visit_at(const struct option_row *row, size_t offset, options_visitor_fn *visit, void *context)
{
    for (; !is_end(row); row++) {
        size_t at = offset + row->offset;
        if (row->rows ? visit_at(row->rows, at, visit, context) : visit(row, at, context))
            return true;
    }
    return false;
}

bool options__visit(const struct option_row *rows, options_visitor_fn *visit, void *context)
{
    return visit_at(rows, 0, visit, context);
}

static bool release_list(const struct option_row *row, size_t offset, void *context)
{
    if (row->parse == option__list) {
        struct option_list *list = (struct option_list *)((char *)context + offset);
        free(list->values);
        *list = (struct option_list){0};
    }
    return false;
}

void options__release(const struct option_row *rows, void *values)
{
    options__visit(rows, release_list, values);
}

// Of options that are a string: -1.
static ssize_t bytes_of(const struct option_row *row)
{
    static const struct {
        int (*parse)(const char *text, void *target, struct fault *fault);
        ssize_t bytes;
    } kinds[] = {{option__flag, sizeof(bool)},
                 {option__no_flag, sizeof(bool)},
                 {option__u64, sizeof(uint64_t)},
                 {option__bytes, sizeof(uint64_t)},
                 {option__seconds_ns, sizeof(uint64_t)},
                 {option__share, sizeof(double)},
                 {option__string, -1}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (row->parse == kinds[i].parse)
            return kinds[i].bytes;
    return 0;
}

bool options__differ(const struct option_row *row, size_t offset, const void *values, const void *others)
{
    const char *mine = (const char *)values + offset, *other = (const char *)others + offset;
    ssize_t bytes = bytes_of(row);
    if (bytes >= 0)
        return memcmp(mine, other, (size_t)bytes) != 0;
    const char *text = *(const char *const *)mine, *other_text = *(const char *const *)other;
    return text && other_text ? strcmp(text, other_text) != 0 : text != other_text;
}

struct names {
    const char *names[64]; // ended by NULL
    size_t count;
};

static bool add_name(const struct option_row *row, size_t offset, void *context)
{
    struct names *names = context;
    (void)offset;
    if (row->name && names->count < 63)
        names->names[names->count++] = row->name;
    return false;
}

static int unknown(const struct option_row *rows, const char *word, struct fault *fault)
{
    struct names names = {0};
    options__visit(rows, add_name, &names);
    const char *near = strncmp(word, "--", 2) == 0 ? options__nearest(word + 2, names.names) : NULL;
    if (near)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown option '%s'; did you mean '--%s'?", word,
                               near);
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown option '%s'; -h lists the options", word);
}

// An option looked for by its name or its letter, and where its value goes.
struct found {
    const char *name; // not ended; NULL: by the letter
    size_t name_bytes;
    char letter;
    const struct option_row *row;
    size_t offset;
};

static bool is_meant(const struct option_row *row, size_t offset, void *context)
{
    struct found *found = context;
    found->row = row;
    found->offset = offset;
    if (!found->name)
        return row->letter == found->letter;
    return row->name && strlen(row->name) == found->name_bytes &&
           strncmp(row->name, found->name, found->name_bytes) == 0;
}

static int apply(const struct found *found, void *values, const char *shown, const char *text, struct fault *fault)
{
    struct fault why = {0};
    int err = found->row->parse(text, (char *)values + found->offset, &why);
    if (err)
        return fault__set_code(fault, EXIT_CODE_USAGE, err, "bad value for %s: %s", shown, why.text);
    return 0;
}

static int missing(const struct option_row *row, const char *shown, struct fault *fault)
{
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "%s needs a value: %s %s", shown, shown, row->argument);
}

// One word that begins with "--". Takes the value from the next word where there is no '='; ret_taken says so.
static int parse_long(const struct option_row *rows, void *values, char *word, char *next, struct fault *fault,
                      bool *ret_taken)
{
    struct found found = {.name = word + 2, .name_bytes = strcspn(word + 2, "=")};
    const char *value = found.name[found.name_bytes] == '=' ? found.name + found.name_bytes + 1 : NULL;
    if (!options__visit(rows, is_meant, &found))
        return unknown(rows, word, fault);
    char shown[64];
    snprintf(shown, sizeof(shown), "--%s", found.row->name);
    if (!found.row->argument && value)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "%s takes no value", shown);
    *ret_taken = found.row->argument && !value;
    if (*ret_taken)
        value = next;
    if (found.row->argument && !value)
        return missing(found.row, shown, fault);
    return apply(&found, values, shown, value, fault);
}

// One word of glued short options, the last of which may have a value in the same or in the next word.
static int parse_short(const struct option_row *rows, void *values, char *word, char *next, struct fault *fault,
                       bool *ret_taken)
{
    for (const char *letter = word + 1; *letter; letter++) {
        struct found found = {.letter = *letter};
        if (!options__visit(rows, is_meant, &found))
            return unknown(rows, word, fault);
        char shown[] = {'-', *letter, '\0'};
        if (!found.row->argument) {
            int err = apply(&found, values, shown, NULL, fault);
            if (err)
                return err;
            continue;
        }
        *ret_taken = !letter[1];
        const char *value = letter[1] ? letter + 1 : next;
        return value ? apply(&found, values, shown, value, fault) : missing(found.row, shown, fault);
    }
    return 0;
}

static int unknown_name(const struct option_row *rows, const char *name, struct fault *fault)
{
    struct names names = {0};
    options__visit(rows, add_name, &names);
    const char *near = options__nearest(name, names.names);
    if (near)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown key '%s'; did you mean '%s'?", name, near);
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown key '%s'", name);
}

int options__set(const struct option_row *rows, void *values, const char *name, const char *text, struct fault *fault)
{
    struct found found = {.name = name, .name_bytes = strlen(name)};
    if (!options__visit(rows, is_meant, &found))
        return unknown_name(rows, name, fault);
    if (found.row->argument)
        return apply(&found, values, name, text, fault);
    if (strcmp(text, "no") == 0)
        return 0;
    if (strcmp(text, "yes") != 0)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "bad value for %s: '%s' is neither yes nor no", name,
                               text);
    return apply(&found, values, name, NULL, fault);
}

int options__parse(const struct option_row *rows, void *values, bool stop_at_operand, int argc, char **argv,
                   struct fault *fault, int *ret_operands)
{
    int operands = 0;
    for (int i = 0; i < argc; i++) {
        bool is_option = argv[i][0] == '-' && argv[i][1], ends = strcmp(argv[i], "--") == 0;
        if (ends || (!is_option && stop_at_operand)) {
            for (int j = i + (ends ? 1 : 0); j < argc; j++)
                argv[operands++] = argv[j];
            break;
        }
        if (!is_option) {
            argv[operands++] = argv[i];
            continue;
        }
        bool taken = false;
        char *next = i + 1 < argc ? argv[i + 1] : NULL;
        int err = argv[i][1] == '-' ? parse_long(rows, values, argv[i], next, fault, &taken)
                                    : parse_short(rows, values, argv[i], next, fault, &taken);
        if (err)
            return err;
        i += taken;
    }
    *ret_operands = operands;
    return 0;
}
