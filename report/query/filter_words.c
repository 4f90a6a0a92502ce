#include "report/query/filter_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "report/text/text.h"
#include "store/base/bucket.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/safe_text.h"

#define IDS_SHOWN 8u // of a long list; a title is one line

void filter_words__buckets(const struct store_query *query, const char *unit, char ret_text[FILTER_WORDS_BUCKETS_BYTES])
{
    char low[TEXT_AMOUNT_BYTES], high[TEXT_AMOUNT_BYTES];
    bool has_low = query->has_buckets && bucket__rank(query->bucket_first) > 0;
    bool has_high = query->has_buckets && query->bucket_last != BUCKET_COUNT - 1;
    *ret_text = '\0';
    if (has_low)
        text__amount(bucket__least(query->bucket_first), unit, low);
    if (has_high)
        text__amount(bucket__greatest(query->bucket_last) + 1, unit, high);
    if (has_low && has_high)
        snprintf(ret_text, FILTER_WORDS_BUCKETS_BYTES, "%s to %s", low, high);
    else if (has_low)
        snprintf(ret_text, FILTER_WORDS_BUCKETS_BYTES, "%s and above", low);
    else if (has_high)
        snprintf(ret_text, FILTER_WORDS_BUCKETS_BYTES, "all below %s", high);
}

static void add_word(struct buf *words, const char *lead, const char *word)
{
    if (!word || !*word)
        return;
    buf__append_string(words, words->length_bytes ? ", " : "");
    buf__append_string(words, lead);
    safe_text__append(words, word);
}

static void add_ids(struct buf *words, const char *lead, const uint32_t *ids, size_t count)
{
    char word[IDS_SHOWN * 11 + 32];
    size_t used = 0;
    for (size_t i = 0; i < count && i < IDS_SHOWN; i++)
        used += (size_t)snprintf(word + used, sizeof(word) - used, "%s%" PRIu32, i ? "," : "", ids[i]);
    if (count > IDS_SHOWN)
        snprintf(word + used, sizeof(word) - used, " and %zu more", count - IDS_SHOWN);
    if (count)
        add_word(words, lead, word);
}

int filter_words__make(const struct report_request *request, const struct store_query *query, const char *unit,
                       char **ret_words)
{
    _cleanup_(buf__release) struct buf words = {0};
    char uid[16] = "", buckets[FILTER_WORDS_BUCKETS_BYTES], group[32] = "";
    if (request->has_uid)
        snprintf(uid, sizeof(uid), "%" PRIu32, request->uid);
    if (request->group)
        snprintf(group, sizeof(group), "by %s", request->group->words);
    filter_words__buckets(query, unit, buckets);
    add_word(&words, "only comm ", request->comm);
    add_ids(&words, "only pid ", request->pids, request->pid_count);
    add_ids(&words, "only tid ", request->tids, request->tid_count);
    add_word(&words, "only uid ", uid);
    add_word(&words, "only cgroup ", request->cgroup);
    add_word(&words, "only unit ", request->unit);
    add_word(&words, "only container ", request->container);
    add_word(&words, "only pod ", request->pod);
    add_word(&words, "only values of ", buckets);
    add_word(&words, "", group);
    add_word(&words, "", request->lines ? "by line" : NULL);
    add_word(&words, "", request->no_inline ? "without inlined functions" : NULL);
    add_word(&words, "only stacks with ", request->stacks.focus);
    add_word(&words, "no stacks with ", request->stacks.ignore);
    add_word(&words, "without functions ", request->stacks.hide);
    add_word(&words, "collapsed ", collapse__words(request->collapse));
    buf__append_byte(&words, '\0');
    if (words.failed)
        return -ENOMEM;
    *ret_words = (char *)words.data;
    words = (struct buf){0};
    return 0;
}
