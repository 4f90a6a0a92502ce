#include "symbolizer/worker/worker_budget.h"

#include <errno.h>

void worker_budget__init(struct worker_budget *budget)
{
    *budget = (struct worker_budget){.count = 0};
    pthread_mutex_init(&budget->lock, NULL);
}

// Takes off the CPU time that came back since at_us.
static void settle(struct spender *spender, uint64_t now_us)
{
    uint64_t back_us = now_us > spender->at_us ? (now_us - spender->at_us) / LIMIT_OWNER_REST : 0;
    spender->spent_us = spender->spent_us > back_us ? spender->spent_us - back_us : 0;
    spender->at_us = now_us;
}

// Owners beyond the table share its last row.
static struct spender *find(struct worker_budget *budget, uint64_t owner, bool is_rows, uint64_t now_us)
{
    struct spender *found = NULL;
    for (size_t i = 0; i < budget->count; i++) {
        struct spender *spender = &budget->spenders[i];
        settle(spender, now_us);
        if (spender->owner == owner && spender->is_rows == is_rows)
            return spender;
        if (!spender->spent_us)
            found = spender; // all came back: its row is free
    }
    if (!found && budget->count < LIMIT_OWNERS)
        found = &budget->spenders[budget->count++];
    if (!found)
        return &budget->spenders[LIMIT_OWNERS - 1];
    *found = (struct spender){.owner = owner, .is_rows = is_rows, .at_us = now_us};
    return found;
}

static uint64_t most_us(uint64_t owner)
{
    return (owner == 0 ? LIMIT_ROOT_CPU_S : LIMIT_OWNER_CPU_S) * UINT64_C(1000000);
}

int worker_budget__check(struct worker_budget *budget, uint64_t owner, bool is_rows, uint64_t now_us)
{
    pthread_mutex_lock(&budget->lock);
    bool is_spent = find(budget, owner, is_rows, now_us)->spent_us >= most_us(owner);
    pthread_mutex_unlock(&budget->lock);
    return is_spent ? -EDQUOT : 0;
}

void worker_budget__charge(struct worker_budget *budget, uint64_t owner, bool is_rows, uint64_t now_us, uint64_t cpu_us,
                           bool has_failed)
{
    uint64_t most = most_us(owner) + LIMIT_OWNER_DEBT_S * UINT64_C(1000000);
    pthread_mutex_lock(&budget->lock);
    struct spender *spender = find(budget, owner, is_rows, now_us);
    spender->spent_us += has_failed ? cpu_us * LIMIT_OWNER_FAILED : cpu_us;
    spender->spent_us = spender->spent_us < most ? spender->spent_us : most;
    pthread_mutex_unlock(&budget->lock);
}
