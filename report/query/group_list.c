#include "report/query/group_list.h"

#include <stdlib.h>
#include <string.h>

#include "report/profile/group.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/reader/reader_questions.h"

struct reading {
    struct store_reader *reader;
    const struct group *group;
    struct group_list *list;
};

static uint64_t hash_of(const void *owner, uint32_t index)
{
    const struct group_list *list = owner;
    return hash__bytes(list->rows[index].name, strlen(list->rows[index].name));
}

static int add(struct group_list *list, const char *name, uint64_t hash, uint32_t *ret_index)
{
    if (GROW(list->rows, list->capacity, list->count + 1) != 0 || slot_set__reserve(&list->by_name, hash_of, list) != 0)
        return -ENOMEM;
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    list->rows[list->count] = (struct group_row){.name = copy, .since_ns = UINT64_MAX};
    slot_set__put(&list->by_name, hash, list->count);
    *ret_index = list->count++;
    return 0;
}

static int find_or_add(struct group_list *list, const char *name, uint32_t *ret_index)
{
    const struct slot_set *set = &list->by_name;
    uint64_t hash = hash__bytes(name, strlen(name));
    for (uint32_t at = slot_set__first(set, hash); set->slots && set->slots[at]; at = slot_set__next(set, at)) {
        if (strcmp(list->rows[set->slots[at] - 1].name, name) == 0) {
            *ret_index = set->slots[at] - 1;
            return 0;
        }
    }
    return add(list, name, hash, ret_index);
}

static int row_of(const struct reading *reading, uint32_t thread_id, uint32_t *ret_index)
{
    struct group_list *list = reading->list;
    char name[GROUP_NAME_BYTES];
    if (id_map__get(&list->by_thread, thread_id, ret_index))
        return 0;
    const struct store_thread *thread = store_reader__thread(reading->reader, thread_id);
    reading->group->key(store_reader__process(reading->reader, thread->process), thread, name);
    int err = find_or_add(list, name, ret_index);
    return err ? err : id_map__put(&list->by_thread, thread_id, *ret_index);
}

static int take(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    const struct reading *reading = context;
    uint32_t index;
    int err = row_of(reading, value->thread, &index);
    if (err)
        return err;
    struct group_row *group = &reading->list->rows[index];
    group->samples += value->count;
    if (row->interval.start_ns < group->since_ns)
        group->since_ns = row->interval.start_ns;
    if (row->interval.end_ns > group->until_ns)
        group->until_ns = row->interval.end_ns;
    return 0;
}

static int heaviest_first(const void *a, const void *b)
{
    const struct group_row *left = a, *right = b;
    if (left->samples != right->samples)
        return left->samples > right->samples ? -1 : 1;
    return strcmp(left->name, right->name);
}

int group_list__read(struct store_reader *reader, const struct store_query *query, const char *key, struct fault *fault,
                     struct group_list *ret_list)
{
    struct reading reading = {.reader = reader, .list = ret_list};
    int err = group__option(key, &reading.group, fault);
    if (!err)
        err = store_reader__values(reader, query, fault, take, &reading);
    if (err == -ENOMEM)
        return fault__set(fault, err, "out of memory");
    if (!err && ret_list->count)
        qsort(ret_list->rows, ret_list->count, sizeof(*ret_list->rows), heaviest_first);
    return err;
}

void group_list__release(struct group_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        free(list->rows[i].name);
    free(list->rows);
    slot_set__release(&list->by_name);
    id_map__release(&list->by_thread);
    *list = (struct group_list){0};
}
