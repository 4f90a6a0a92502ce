#include "collector/probe_cost.h"

void probe_cost__say(const struct probe_cost *cost, FILE *file)
{
    double trap_us = cost->trap_ns / 1e3, program_us = cost->program_ns / 1e3;
    fprintf(file, "hearth: %s: %llu %s", cost->spelled, (unsigned long long)cost->hits,
            cost->is_call ? "calls" : "hits");
    if (cost->passed_over)
        fprintf(file, ", and some %llu passed over", (unsigned long long)cost->passed_over);
    fprintf(file, ", about %.2f us each (", trap_us + program_us);
    if (cost->trap_ns)
        fprintf(file, "trap %.2f, %s %.2f)\n", trap_us, cost->is_call ? "programs" : "program", program_us);
    else
        fprintf(file, "in hearth's programs alone)\n");
}
