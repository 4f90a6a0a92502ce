#include "store/values.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const struct store_value *x = a, *y = b;
    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

size_t values__settle(struct store_value *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), compare);
    size_t kept = 0;
    for (size_t i = 1; i < count; i++) {
        if (compare(&values[kept], &values[i]) == 0) {
            values[kept].count += values[i].count;
            values[kept].value = saturated_sum(values[kept].value, values[i].value);
        } else {
            values[++kept] = values[i];
        }
    }
    return kept + 1;
}
