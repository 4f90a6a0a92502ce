#include "collector/probes/probe_cost.h"

#include "store/base/cleanup.h"
#include "store/base/fault.h"

static void append_each(struct buf *line, const struct probe_cost *cost)
{
    const struct trap_cost *trap = &cost->trap;
    double trap_us = trap->ns / 1e3, dear_us = trap->dear_ns / 1e3, program_us = cost->program_ns / 1e3;
    const char *programs = cost->is_call || cost->is_pair ? "programs" : "program";
    if (!trap->ns)
        buf__append_format(line, "about %.2f us each (in hearth's programs alone)", program_us);
    else if (!trap->dear_places)
        buf__append_format(line, "about %.2f us each (trap %.2f, %s %.2f)", trap_us + program_us, trap_us, programs,
                           program_us);
    else
        buf__append_format(line, "%.2f to %.2f us each (trap %.2f at %u of %u places, %.2f at %u, %s %.2f)",
                           trap_us + program_us, dear_us + program_us, trap_us, trap->places - trap->dear_places,
                           trap->places, dear_us, trap->dear_places, programs, program_us);
}

void probe_cost__append(const struct probe_cost *cost, struct buf *line)
{
    const char *counted = cost->is_pair ? "pairs" : cost->is_call ? "calls" : "hits";
    buf__append_format(line, "%s: %llu %s, ", cost->spelled, (unsigned long long)cost->hits, counted);
    if (cost->passed_over)
        buf__append_format(line, "and some %llu passed over, ", (unsigned long long)cost->passed_over);
    append_each(line, cost);
}

void probe_cost__say(const struct probe_cost *cost)
{
    _cleanup_(buf__release) struct buf line = {0};
    probe_cost__append(cost, &line);
    buf__append_byte(&line, '\0');
    if (!line.failed)
        fault__warn("%s", (const char *)line.data);
}
