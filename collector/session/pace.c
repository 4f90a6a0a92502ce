#include "collector/session/pace.h"

#include "bpf/wire/wire.h"

#define SECOND_NS 1000000000ull

enum { WAIT_LEAST_S = 10, WAIT_MOST_S = 640 };

static const uint64_t *busy_of(const struct pace_load *load, size_t cpu)
{
    return load->busy_ns + cpu * load->event_count;
}

static uint64_t sum_of(const uint64_t *busy_ns, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += busy_ns[i];
    return sum;
}

double pace__share(const struct pace_load *load, size_t cpu)
{
    return (double)sum_of(busy_of(load, cpu), load->event_count) / (double)load->elapsed_ns;
}

// The event whose programs took most, of those that can be halved once more; `count`: none.
static size_t find_costliest(const struct pace *paces, const uint64_t *busy_ns, const uint32_t *more, size_t count)
{
    size_t costliest = count;
    for (size_t i = 0; i < count; i++)
        if (busy_ns[i] && !paces[i].is_fixed && paces[i].halvings + more[i] < WIRE_HALVINGS_MOST &&
            (costliest == count || busy_ns[i] > busy_ns[costliest]))
            costliest = i;
    return costliest;
}

// How often each event is to be halved, so that one CPU keeps to its share. `more` keeps the most of all CPUs.
static void judge_cpu(const struct pace *paces, const struct pace_load *load, size_t cpu, uint32_t *more)
{
    uint64_t busy_ns[WIRE_EVENTS_MAX], most_ns = (uint64_t)(load->share * (double)load->elapsed_ns);
    uint32_t here[WIRE_EVENTS_MAX] = {0};
    for (size_t i = 0; i < load->event_count; i++)
        busy_ns[i] = busy_of(load, cpu)[i];
    while (sum_of(busy_ns, load->event_count) > most_ns) {
        size_t costliest = find_costliest(paces, busy_ns, here, load->event_count);
        if (costliest == load->event_count)
            break;
        busy_ns[costliest] /= 2;
        here[costliest]++;
    }
    for (size_t i = 0; i < load->event_count; i++)
        more[i] = here[i] > more[i] ? here[i] : more[i];
}

static void lower(struct pace *pace, uint32_t more)
{
    pace->halvings += more;
    pace->below_ns = 0;
    if (!pace->wait_ns)
        pace->wait_ns = WAIT_LEAST_S * SECOND_NS;
    else if (pace->was_raised && pace->wait_ns < WAIT_MOST_S * SECOND_NS)
        pace->wait_ns *= 2;
    pace->was_raised = false;
}

// Whether no CPU would have been above half of its share with twice the hits of the event.
static bool may_double(const struct pace_load *load, size_t event)
{
    double most_ns = load->share * (double)load->elapsed_ns / 2;
    for (size_t cpu = 0; cpu < load->cpu_count; cpu++)
        if ((double)(sum_of(busy_of(load, cpu), load->event_count) + busy_of(load, cpu)[event]) > most_ns)
            return false;
    return true;
}

static void raise_after_wait(struct pace *pace, const struct pace_load *load, size_t event)
{
    pace->below_ns = may_double(load, event) ? pace->below_ns + load->elapsed_ns : 0;
    if (pace->below_ns < pace->wait_ns)
        return;
    pace->halvings--;
    pace->below_ns = 0;
    pace->was_raised = true;
}

size_t pace__judge(struct pace *paces, const struct pace_load *load)
{
    uint32_t more[WIRE_EVENTS_MAX] = {0};
    size_t worst = load->cpu_count;
    for (size_t cpu = 0; cpu < load->cpu_count; cpu++) {
        judge_cpu(paces, load, cpu, more);
        if (pace__share(load, cpu) > (worst == load->cpu_count ? load->share : pace__share(load, worst)))
            worst = cpu;
    }
    for (size_t i = 0; i < load->event_count; i++)
        if (more[i])
            lower(&paces[i], more[i]);
        else if (paces[i].halvings)
            raise_after_wait(&paces[i], load, i);
    return worst;
}
