// The tables of a pprof profile (report/text/pprof_fields.h): strings, functions, mappings and types of values, which
// stand before the samples or behind them. All of it is data from strangers: ids may name nothing.
#ifndef HEARTH_REPORT_IMPORTS_PPROF_TABLES_H
#define HEARTH_REPORT_IMPORTS_PPROF_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/byte_reader.h"
#include "store/store_types.h"

#define PPROF_TYPES_MAX 32

struct pprof_function {
    uint64_t id;
    uint64_t name, file; // strings
};

struct pprof_mapping {
    uint64_t id, start, offset;
    uint64_t file; // string
    bool is_kernel;
};

struct pprof_type {
    uint64_t type, unit; // strings
    uint32_t event;      // 0: none of its own
};

struct pprof_tables {
    char **strings;
    size_t string_count, string_capacity;
    struct pprof_function *functions; // sorted by id
    size_t function_count, function_capacity;
    struct pprof_mapping *mappings; // the first is the main binary's
    size_t mapping_count, mapping_capacity;
    struct pprof_type types[PPROF_TYPES_MAX], period_type;
    size_t type_count;
    uint64_t period, time_ns, duration_ns;
};

// -EBADMSG, -ENOMEM: to be released all the same.
int pprof_tables__read(struct pprof_tables *tables, struct byte_reader profile);
void pprof_tables__release(struct pprof_tables *tables);

const char *pprof_tables__text(const struct pprof_tables *tables, uint64_t string); // "" where there is none
bool pprof_tables__text_is(const struct pprof_tables *tables, uint64_t string, const char *word);
const struct pprof_mapping *pprof_tables__mapping(const struct pprof_tables *tables, uint64_t id); // NULL: none
// A message Line. Its texts are the tables'.
void pprof_tables__read_line(const struct pprof_tables *tables, struct byte_reader message,
                             struct store_line *ret_line);

// Rows of a table begin with their id. For qsort() and bsearch().
int pprof_tables__by_id(const void *a, const void *b);
// The one with that id, of rows sorted by it; NULL.
#define PPROF_FIND(rows, count, id)                                                                                    \
    ((__typeof__(rows))((count) ? bsearch(&(uint64_t){id}, (rows), (count), sizeof(*(rows)), pprof_tables__by_id)      \
                                : NULL))

#endif
