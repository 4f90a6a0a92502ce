#include "collector/probe_cost.h"

void probe_cost__say(const struct probe_cost *cost, FILE *file)
{
    const struct trap_cost *trap = &cost->trap;
    double trap_us = trap->ns / 1e3, dear_us = trap->dear_ns / 1e3, program_us = cost->program_ns / 1e3;
    const char *programs = cost->is_call || cost->is_pair ? "programs" : "program";
    fprintf(file, "hearth: %s: %llu %s", cost->spelled, (unsigned long long)cost->hits,
            cost->is_pair   ? "pairs"
            : cost->is_call ? "calls"
                            : "hits");
    if (cost->passed_over)
        fprintf(file, ", and some %llu passed over", (unsigned long long)cost->passed_over);
    if (!trap->ns)
        fprintf(file, ", about %.2f us each (in hearth's programs alone)\n", program_us);
    else if (!trap->dear_places)
        fprintf(file, ", about %.2f us each (trap %.2f, %s %.2f)\n", trap_us + program_us, trap_us, programs,
                program_us);
    else
        fprintf(file, ", %.2f to %.2f us each (trap %.2f at %u of %u places, %.2f at %u, %s %.2f)\n",
                trap_us + program_us, dear_us + program_us, trap_us, trap->places - trap->dear_places, trap->places,
                dear_us, trap->dear_places, programs, program_us);
}
