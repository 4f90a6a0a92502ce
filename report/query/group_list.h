// The samples of a range by a key of --group-by (report/profile/group.h): a row for each unit, container, user...
#ifndef HEARTH_REPORT_QUERY_GROUP_LIST_H
#define HEARTH_REPORT_QUERY_GROUP_LIST_H

#include <stdint.h>

#include "store/base/fault.h"
#include "store/base/id_map.h"
#include "store/base/slot_set.h"
#include "store/reader/reader.h"

struct group_row {
    char *name;
    uint64_t samples;
    uint64_t since_ns, until_ns; // of the intervals that have them
};

struct group_list {
    struct group_row *rows; // the heaviest first
    uint32_t count, capacity;
    struct slot_set by_name;
    struct id_map by_thread;
};

// Reads all values of the range once. The list starts zeroed, and is to be released after an error too.
int group_list__read(struct store_reader *reader, const struct store_query *query, const char *key, struct fault *fault,
                     struct group_list *ret_list);
void group_list__release(struct group_list *list);

#endif
