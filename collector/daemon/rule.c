#include "collector/daemon/rule.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/daemon/side_words.h"
#include "store/base/options.h"

static const char *const whos[RULE_WHO_COUNT] = {"unit", "comm", "cgroup", "container", "pid", "user"};

static int refuse(struct fault *fault, const char *text, const char *why)
{
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "when = %s: %s", text, why);
}

// The next word of *at, which goes on behind it; "": there is none, or it is too long.
static void take_word(const char **at, char word[LIMIT_RULE_NAME_BYTES])
{
    *at += strspn(*at, " \t");
    size_t length = strcspn(*at, " \t");
    snprintf(word, LIMIT_RULE_NAME_BYTES, "%.*s", length < LIMIT_RULE_NAME_BYTES ? (int)length : 0, *at);
    *at += length;
}

static bool take(const char **at, const char *expected)
{
    const char *before = *at;
    char word[LIMIT_RULE_NAME_BYTES];
    take_word(at, word);
    if (strcmp(word, expected) == 0)
        return true;
    *at = before;
    return false;
}

static int find_user(const char *name, uint32_t *ret_uid)
{
    const struct passwd *user = getpwnam(name);
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    if (!user && (*end || number > UINT32_MAX))
        return -EINVAL;
    *ret_uid = user ? user->pw_uid : (uint32_t)number;
    return 0;
}

static int parse_whom(struct rule *rule, const char **at, struct fault *fault)
{
    char word[LIMIT_RULE_NAME_BYTES];
    take_word(at, word);
    for (rule->who = 0; rule->who < RULE_WHO_COUNT && strcmp(whos[rule->who], word) != 0;)
        rule->who++;
    take_word(at, rule->name);
    if (rule->who == RULE_WHO_COUNT || !*rule->name)
        return refuse(fault, rule->text, "cpu of whom? Of unit, comm, cgroup, container, pid or user NAME");
    char *end;
    if (rule->who == RULE_PID) {
        rule->id = (uint32_t)strtoul(rule->name, &end, 10);
        if (*end || !rule->id)
            return refuse(fault, rule->text, "the pid is no number");
    }
    if (rule->who == RULE_USER && find_user(rule->name, &rule->id) != 0)
        return refuse(fault, rule->text, "there is no such user");
    return 0;
}

static int parse_subject(struct rule *rule, const char *begin, const char **at, struct fault *fault)
{
    if (take(at, "cpu") && take(at, "of")) {
        rule->kind = RULE_CPU;
        return parse_whom(rule, at, fault);
    }
    *at = begin;
    if (take(at, "p99") && take(at, "of")) {
        rule->kind = RULE_P99;
        take_word(at, rule->name);
        return 0;
    }
    *at = begin;
    take_word(at, rule->name);
    rule->kind = RULE_PRESSURE;
    bool is_resource =
        strcmp(rule->name, "memory") == 0 || strcmp(rule->name, "cpu") == 0 || strcmp(rule->name, "io") == 0;
    if (is_resource && take(at, "pressure"))
        return 0;
    return refuse(fault, rule->text,
                  "no such condition; there are 'cpu of unit NAME', 'p99 of HIST' and 'memory pressure'");
}

static int parse_bound(struct rule *rule, const char **at, struct fault *fault)
{
    char word[LIMIT_RULE_NAME_BYTES], *end;
    uint64_t ns;
    if (!take(at, ">"))
        return refuse(fault, rule->text, "'>' is missing");
    take_word(at, word);
    if (rule->kind == RULE_P99) {
        if (option__seconds_ns(word, &ns, NULL) != 0)
            return refuse(fault, rule->text, "behind '>' stands no time such as 20ms");
        rule->above = (double)ns;
    } else {
        rule->above = strtod(word, &end);
        if (end == word || strcmp(end, "%") != 0 || !(rule->above >= 0 && rule->above < 1e9))
            return refuse(fault, rule->text, "behind '>' stands no share such as 150%");
    }
    if (!take(at, "for"))
        return 0;
    take_word(at, word);
    return option__seconds_ns(word, &rule->hold_ns, NULL) == 0
               ? 0
               : refuse(fault, rule->text, "behind 'for' stands no time such as 30s");
}

static int parse_words(struct rule *rule, const char *words, struct fault *fault)
{
    const char *argv[LIMIT_SIDE_WORDS];
    size_t used = 0;
    for (words += strspn(words, " \t"); *words; words += strspn(words, " \t")) {
        size_t length = strcspn(words, " \t");
        if (rule->word_count >= LIMIT_SIDE_WORDS - 2 || used + length + 1 > sizeof(rule->words))
            return refuse(fault, rule->text, "it has too many words");
        memcpy(rule->words + used, words, length);
        rule->words[used + length] = '\0';
        argv[rule->word_count++] = rule->words + used;
        used += length + 1;
        words += length;
    }
    return side_words__check((int)rule->word_count, argv, fault);
}

int rule__parse(const char *text, struct rule *ret_rule, struct fault *fault)
{
    struct rule rule = {0};
    char condition[LIMIT_RULE_BYTES];
    const char *colon = strstr(text, ": "), *at = condition;
    if (strlen(text) >= sizeof(rule.text))
        return refuse(fault, text, "it is too long");
    snprintf(rule.text, sizeof(rule.text), "%s", text);
    snprintf(condition, sizeof(condition), "%.*s", colon ? (int)(colon - text) : (int)sizeof(condition), text);
    int err = parse_subject(&rule, condition, &at, fault);
    if (!err)
        err = parse_bound(&rule, &at, fault);
    if (!err && at[strspn(at, " \t")])
        err = refuse(fault, text, "only 'for TIME' and ': WORDS' may follow");
    if (!err)
        err = parse_words(&rule, colon ? colon + 2 : RULE_WORDS, fault);
    if (!err)
        *ret_rule = rule;
    return err;
}

bool rule__judge(struct rule *rule, double value, uint64_t start_ns, uint64_t end_ns)
{
    if (value <= rule->above) {
        rule->since_ns = 0;
        return false;
    }
    if (!rule->since_ns)
        rule->since_ns = start_ns;
    bool is_due = end_ns - rule->since_ns >= rule->hold_ns;
    if (!is_due || (rule->fired_ns && end_ns - rule->fired_ns < LIMIT_RULE_PAUSE_NS))
        return false;
    rule->fired_ns = end_ns;
    return true;
}
