#include "collector/pace.h"

#include "bpf/wire.h"

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

// The event that takes most, of those that can be halved once more; event_count: none.
static size_t find_dearest(const struct pace *paces, const uint64_t *busy_ns, const uint32_t *more, size_t count)
{
    size_t dearest = count;
    for (size_t i = 0; i < count; i++)
        if (busy_ns[i] && !paces[i].is_fixed && paces[i].halvings + more[i] < WIRE_HALVINGS_MOST &&
            (dearest == count || busy_ns[i] > busy_ns[dearest]))
            dearest = i;
    return dearest;
}

// How often each event is to be halved for the sake of one CPU; kept where it is more than for others.
static void judge_cpu(const struct pace *paces, const struct pace_load *load, size_t cpu, uint32_t *more)
{
    uint64_t busy_ns[WIRE_EVENTS_MAX], most_ns = (uint64_t)(load->share * (double)load->elapsed_ns);
    uint32_t here[WIRE_EVENTS_MAX] = {0};
    for (size_t i = 0; i < load->event_count; i++)
        busy_ns[i] = busy_of(load, cpu)[i];
    while (sum_of(busy_ns, load->event_count) > most_ns) {
        size_t dearest = find_dearest(paces, busy_ns, here, load->event_count);
        if (dearest == load->event_count)
            break;
        busy_ns[dearest] /= 2;
        here[dearest]++;
    }
    for (size_t i = 0; i < load->event_count; i++)
        more[i] = here[i] > more[i] ? here[i] : more[i];
}

static void lower(struct pace *pace, uint32_t more)
{
    pace->halvings += more;
    pace->calm_ns = 0;
    if (!pace->wait_ns)
        pace->wait_ns = WAIT_LEAST_S * SECOND_NS;
    else if (pace->was_raised && pace->wait_ns < WAIT_MOST_S * SECOND_NS)
        pace->wait_ns *= 2;
    pace->was_raised = false;
}

static bool has_room(const struct pace_load *load, size_t event)
{
    double most_ns = load->share * (double)load->elapsed_ns / 2;
    for (size_t cpu = 0; cpu < load->cpu_count; cpu++)
        if ((double)(sum_of(busy_of(load, cpu), load->event_count) + busy_of(load, cpu)[event]) > most_ns)
            return false;
    return true;
}

static void raise_where_calm(struct pace *pace, const struct pace_load *load, size_t event)
{
    pace->calm_ns = has_room(load, event) ? pace->calm_ns + load->elapsed_ns : 0;
    if (pace->calm_ns < pace->wait_ns)
        return;
    pace->halvings--;
    pace->calm_ns = 0;
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
            raise_where_calm(&paces[i], load, i);
    return worst;
}
