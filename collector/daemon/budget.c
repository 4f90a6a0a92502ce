#include "collector/daemon/budget.h"

#include <string.h>

#include "store/base/limits.h"

#define SECOND_NS 1000000000ull

enum { WAIT_LEAST_S = 10, WAIT_MOST_S = 640, WINDOW_LEAST_S = 10, WINDOW_MOST_S = 60 };

void budget__begin(struct budget *budget, uint64_t now_ns)
{
    const struct budget_bounds bounds = budget->bounds;
    *budget = (struct budget){.bounds = bounds, .window_ns = now_ns, .since_ns = now_ns};
}

void budget__bound(struct budget *budget, const struct budget_bounds *bounds)
{
    if (memcmp(&budget->bounds, bounds, sizeof(*bounds)) == 0)
        return;
    budget->bounds = *bounds;
    budget->wait_ns = 0;
    budget->was_lowered = false;
}

// Bytes a minute since the window began; older ones count for less.
static uint64_t add_written(struct budget *budget, const struct budget_load *load)
{
    uint64_t length_ns = load->now_ns - budget->window_ns;
    budget->window_bytes += load->written_bytes;
    if (length_ns > WINDOW_MOST_S * SECOND_NS) {
        budget->window_bytes = (uint64_t)((double)budget->window_bytes * (WINDOW_MOST_S / 2) * 1e9 / (double)length_ns);
        length_ns = WINDOW_MOST_S / 2 * SECOND_NS;
        budget->window_ns = load->now_ns - length_ns;
    }
    if (length_ns < WINDOW_LEAST_S * SECOND_NS)
        length_ns = WINDOW_LEAST_S * SECOND_NS;
    return (uint64_t)((double)budget->window_bytes * 60e9 / (double)length_ns);
}

static bool is_above(uint64_t amount, uint64_t bound)
{
    return bound && amount > bound;
}

static bool has_room(uint64_t amount, uint64_t bound)
{
    return !bound || amount < bound - bound / 4;
}

static void step(struct budget *budget, uint64_t now_ns)
{
    budget->stepped_ns = budget->since_ns = budget->window_ns = now_ns;
    budget->window_bytes = 0;
}

static bool go_up(struct budget *budget, const struct budget_load *load)
{
    budget->since_ns = load->now_ns;
    if (budget->level >= load->level_most || load->now_ns - budget->stepped_ns < LIMIT_BUDGET_STEP_NS)
        return false;
    budget->level++;
    if (budget->wait_ns < WAIT_LEAST_S * SECOND_NS)
        budget->wait_ns = WAIT_LEAST_S * SECOND_NS;
    else if (budget->was_lowered && budget->wait_ns < WAIT_MOST_S * SECOND_NS)
        budget->wait_ns *= 2;
    budget->was_lowered = false;
    step(budget, load->now_ns);
    return true;
}

static bool go_down(struct budget *budget, const struct budget_load *load)
{
    if (!budget->level || load->now_ns - budget->since_ns < budget->wait_ns)
        return false;
    budget->level--;
    budget->was_lowered = true;
    step(budget, load->now_ns);
    return true;
}

bool budget__judge(struct budget *budget, const struct budget_load *load, struct budget_step *ret_step)
{
    uint64_t written = add_written(budget, load);
    *ret_step = (struct budget_step){.reason = BUDGET_MEMORY, .amount = load->memory_bytes};
    if (is_above(load->memory_bytes, budget->bounds.memory_bytes))
        return go_up(budget, load);
    *ret_step = (struct budget_step){.reason = BUDGET_WRITTEN, .amount = written};
    if (is_above(written, budget->bounds.written_bytes_a_min))
        return go_up(budget, load);
    *ret_step = (struct budget_step){.reason = BUDGET_ROOM};
    if (has_room(load->memory_bytes, budget->bounds.memory_bytes) &&
        has_room(written, budget->bounds.written_bytes_a_min))
        return go_down(budget, load);
    budget->since_ns = load->now_ns;
    return false;
}
