#include "report/profile/loss_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"

static const struct {
    const char *name, *meaning;
} meanings[] = {
#define LOSS(id, name, meaning) {name, meaning},
#include "bpf/wire/losses.def"
#undef LOSS
};

static int add(struct loss_list *list, const struct store_loss *loss)
{
    _cleanup_free_ char *clean = safe_text__dup(loss->name);
    if (!clean)
        return -ENOMEM;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->sums[i].name, clean) == 0) {
            list->sums[i].count += loss->count;
            return 0;
        }
    if (RESIZE(list->sums, list->count + 1) != 0)
        return -ENOMEM;
    list->sums[list->count++] = (struct loss_sum){take_pointer(clean), loss->count};
    return 0;
}

int loss_list__add(struct loss_list *list, const struct store_interval *interval)
{
    for (size_t i = 0; i < interval->loss_count; i++) {
        int err = interval->losses[i].count ? add(list, &interval->losses[i]) : 0;
        if (err)
            return err;
    }
    list->own_cpu_ns += interval->own_cpu_ns;
    list->own_bpf_ns += interval->own_bpf_ns;
    list->interval_count++;
    return 0;
}

void loss_list__release(struct loss_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->sums[i].name);
    free(list->sums);
    *list = (struct loss_list){0};
}

void loss_list__print(const struct loss_list *list, char *ret_text, size_t size)
{
    size_t used = 0;
    *ret_text = '\0';
    for (size_t i = 0; i < list->count; i++) {
        char one[128];
        int length =
            snprintf(one, sizeof(one), "%s%.80s %" PRIu64, i ? ", " : "", list->sums[i].name, list->sums[i].count);
        if (used + (size_t)length + sizeof("...") > size) {
            snprintf(ret_text + used, size - used, "...");
            return;
        }
        memcpy(ret_text + used, one, (size_t)length + 1);
        used += (size_t)length;
    }
}

uint64_t loss_list__count(const struct loss_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->sums[i].name, name) == 0)
            return list->sums[i].count;
    return 0;
}

const char *loss_list__meaning(const char *name)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (strcmp(meanings[i].name, name) == 0)
            return meanings[i].meaning;
    return "";
}
