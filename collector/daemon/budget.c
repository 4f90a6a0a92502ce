#include "collector/daemon/budget.h"

#include <stddef.h>
#include <string.h>

#include "store/base/limits.h"

#define SECOND_NS 1000000000ull

enum { WAIT_LEAST_S = 10, WAIT_MOST_S = 640 };

struct span {
    uint64_t least_ns, most_ns;
};
static const struct span cpu_span = {120 * SECOND_NS, 300 * SECOND_NS};
static const struct span written_span = {10 * SECOND_NS, 60 * SECOND_NS};

void budget__begin(struct budget *budget, uint64_t now_ns)
{
    const struct budget_bounds bounds = budget->bounds;
    *budget = (struct budget){.bounds = bounds, .cpu.since_ns = now_ns, .written.since_ns = now_ns, .since_ns = now_ns};
}

void budget__bound(struct budget *budget, const struct budget_bounds *bounds)
{
    if (memcmp(&budget->bounds, bounds, sizeof(*bounds)) == 0)
        return;
    budget->bounds = *bounds;
    budget->wait_ns = 0;
    budget->was_lowered = false;
}

// The amount a second since the window began; what is older than the span counts for less.
static double add(struct budget_window *window, uint64_t now_ns, uint64_t amount, const struct span *span)
{
    uint64_t length_ns = now_ns - window->since_ns;
    window->amount += amount;
    if (length_ns > span->most_ns) {
        window->amount = (uint64_t)((double)window->amount * ((double)span->most_ns / 2) / (double)length_ns);
        length_ns = span->most_ns / 2;
        window->since_ns = now_ns - length_ns;
    }
    if (length_ns < span->least_ns)
        length_ns = span->least_ns;
    return (double)window->amount * 1e9 / (double)length_ns;
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
    budget->stepped_ns = budget->since_ns = now_ns;
    budget->cpu = budget->written = (struct budget_window){.since_ns = now_ns};
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
    const struct budget_bounds *bounds = &budget->bounds;
    double cpu_ns_a_s = add(&budget->cpu, load->now_ns, load->cpu_ns, &cpu_span);
    const struct budget_use {
        enum budget_reason reason;
        uint64_t amount, bound;
    } uses[] = {
        {BUDGET_CPU, load->cpu_count ? (uint64_t)(cpu_ns_a_s / 1000 / load->cpu_count) : 0, bounds->cpu_ppm},
        {BUDGET_MEMORY, load->memory_bytes, bounds->memory_bytes},
        {BUDGET_WRITTEN, (uint64_t)(60 * add(&budget->written, load->now_ns, load->written_bytes, &written_span)),
         bounds->written_bytes_a_min},
    };
    bool has_all_room = true;
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        *ret_step = (struct budget_step){.reason = uses[i].reason, .amount = uses[i].amount};
        if (is_above(uses[i].amount, uses[i].bound))
            return go_up(budget, load);
        has_all_room = has_all_room && has_room(uses[i].amount, uses[i].bound);
    }
    *ret_step = (struct budget_step){.reason = BUDGET_ROOM};
    if (has_all_room)
        return go_down(budget, load);
    budget->since_ns = load->now_ns;
    return false;
}
