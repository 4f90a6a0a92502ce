#include "report/query/incident.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/reader/reader.h"
#include "store/reader/reader_incidents.h"
#include "store/reader/reader_questions.h"

#define SECOND_NS 1000000000ull
#define HOUR_NS   (3600 * SECOND_NS)

DEFINE_CLEANUP(struct store_reader *, store_reader__free);

struct search {
    const char *store;
    uint64_t number;
    struct incident *found;
};

static int take(const struct store_incident *row, void *context)
{
    struct search *search = context;
    struct incident *found = search->found;
    if (row->id != search->number)
        return 0;
    found->range = (struct incident_range){row->start_ns, row->end_ns + 60 * SECOND_NS};
    int length = snprintf(found->recording, sizeof(found->recording), "%s/incidents/%s", search->store, row->file);
    bool is_name = *row->file && !strchr(row->file, '/') && length < (int)sizeof(found->recording);
    if (!is_name || access(found->recording, R_OK) != 0)
        *found->recording = '\0';
    return 1;
}

int incident__find(const char *store, uint64_t number, struct fault *fault, struct incident *ret_incident)
{
    _cleanup_(store_reader__freep) struct store_reader *reader = NULL;
    struct search search = {store, number, ret_incident};
    int err = store_reader__open(store, fault, &reader);
    if (!err)
        err = store_reader__incidents(reader, fault, take, &search);
    if (err < 0)
        return err;
    return err ? 0
               : fault__set_code(fault, EXIT_CODE_USAGE, -ENOENT,
                                 "no incident %" PRIu64 " in '%s'; see `hearth list incidents`", number, store);
}

static int has_interval(const struct store_interval_row *row, void *context)
{
    (void)row, (void)context;
    return 1;
}

int incident__before(const char *store, const struct incident *incident, struct fault *fault,
                     struct incident_range *ret_range, bool *ret_is_day_before)
{
    _cleanup_(store_reader__freep) struct store_reader *reader = NULL;
    uint64_t start_ns = incident->range.since_ns, middle_ns = start_ns - 24 * HOUR_NS;
    struct store_query query = {.since_ns = middle_ns - HOUR_NS / 2, .until_ns = middle_ns + HOUR_NS / 2};
    int err = store_reader__open(store, fault, &reader);
    if (!err)
        err = store_reader__intervals(reader, &query, fault, has_interval, NULL);
    if (err < 0)
        return err;
    *ret_is_day_before = err > 0;
    *ret_range = err > 0 ? (struct incident_range){query.since_ns, query.until_ns}
                         : (struct incident_range){start_ns - HOUR_NS, start_ns};
    return 0;
}
