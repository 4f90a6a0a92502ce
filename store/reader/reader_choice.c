// Which threads a query asks for: decided once, before any value is read.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/name_pattern.h"
#include "store/owner.h"
#include "store/reader/reader_insides.h"

static bool contains(const uint32_t *numbers, size_t count, uint32_t wanted)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == wanted)
            return true;
    return count == 0;
}

static bool is_below(const char *cgroup, const char *root)
{
    cgroup += strspn(cgroup, "/");
    root += strspn(root, "/");
    size_t length = strlen(root);
    while (length > 0 && root[length - 1] == '/')
        length--;
    return strncmp(cgroup, root, length) == 0 && (length == 0 || cgroup[length] == '/' || !cgroup[length]);
}

static bool is_of_owner(const struct store_query *query, const char *cgroup)
{
    struct owner owner;
    if (!query->unit && !query->container && !query->pod)
        return true;
    owner__of(cgroup, &owner);
    return (!query->unit || owner__is_unit(&owner, query->unit)) &&
           (!query->container || owner__is_container(&owner, query->container)) &&
           (!query->pod || owner__is_pod(&owner, query->pod));
}

static bool is_asked_for(const struct store_reader *reader, const struct store_query *query,
                         const struct name_pattern *names, const struct store_thread *thread)
{
    const struct store_process *process = store_reader__process(reader, thread->process);
    return contains(query->pids, query->pid_count, process->pid) &&
           contains(query->tids, query->tid_count, thread->tid) && (!query->has_uid || process->uid == query->uid) &&
           (!query->comm || name_pattern__matches(names, thread->comm)) &&
           (!query->cgroup || is_below(process->cgroup, query->cgroup)) && is_of_owner(query, process->cgroup);
}

// Flags by id, 0 to `count`; untouched when the query asks for all.
static int choose(const struct store_reader *reader, const struct store_query *query, uint32_t count,
                  bool (*is_chosen)(const struct store_reader *reader, const struct store_query *query,
                                    const struct name_pattern *names, uint32_t id),
                  uint8_t **ret_flags)
{
    if (!store_query__chooses_threads(query))
        return 0;
    struct name_pattern names;
    int err = query->comm ? name_pattern__parse(query->comm, NULL, &names) : 0;
    if (err)
        return err;
    uint8_t *flags = calloc((size_t)count + 1, 1);
    if (!flags)
        return -ENOMEM;
    for (uint32_t i = 1; i <= count; i++)
        flags[i] = is_chosen(reader, query, &names, i);
    *ret_flags = flags;
    return 0;
}

static bool is_thread_chosen(const struct store_reader *reader, const struct store_query *query,
                             const struct name_pattern *names, uint32_t id)
{
    return is_asked_for(reader, query, names, store_reader__thread(reader, id));
}

static bool is_process_chosen(const struct store_reader *reader, const struct store_query *query,
                              const struct name_pattern *names, uint32_t id)
{
    const struct store_thread leader = {.process = id, .comm = store_reader__process(reader, id)->comm};
    return is_asked_for(reader, query, names, &leader);
}

int reader_choice__threads(const struct store_reader *reader, const struct store_query *query, uint8_t **ret_threads)
{
    return choose(reader, query, store_reader__thread_count(reader), is_thread_chosen, ret_threads);
}

int reader_choice__processes(const struct store_reader *reader, const struct store_query *query,
                             uint8_t **ret_processes)
{
    return choose(reader, query, store_reader__process_count(reader), is_process_chosen, ret_processes);
}
