#include "report/profile/instance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/text/text.h"
#include "store/base/file_name.h"
#include "store/owner.h"

#define EXE_BYTES 3072 // longer paths are cut: a root has room for the other texts behind
#define ID_DIGITS 12   // of a container that engines name by its id

// Engines and login sessions have scopes, whose names are numbers.
static bool names_a_service(const char *unit)
{
    return *unit && !text__ends_with(unit, ".scope");
}

bool instance__is_id(const char *container)
{
    return strlen(container) == ID_DIGITS && strspn(container, "0123456789abcdef") == ID_DIGITS;
}

static const char *service_of(const struct store_process *process, const struct owner *owner)
{
    if (*owner->container && !instance__is_id(owner->container))
        return owner->container;
    if (!*owner->container && names_a_service(owner->unit))
        return owner->unit;
    if (process->exe && *file_name__of(process->exe))
        return file_name__of(process->exe);
    return process->comm && *process->comm ? process->comm : STORE_MARK_UNKNOWN;
}

static void name_instance(const struct store_process *process, const struct store_thread *thread,
                          char ret_name[GROUP_NAME_BYTES])
{
    struct owner owner;
    char service[256], container[256], pod[256], exe[EXE_BYTES];
    owner__of(process->cgroup, &owner);
    size_t service_bytes = safe_text__copy(service_of(process, &owner), service, sizeof(service));
    size_t container_bytes = safe_text__copy(owner.container, container, sizeof(container));
    size_t pod_bytes = safe_text__copy(owner.pod, pod, sizeof(pod));
    size_t exe_bytes = safe_text__copy(process->exe ? process->exe : "", exe, sizeof(exe));
    const char *comm = thread->comm && *thread->comm ? thread->comm : STORE_MARK_UNKNOWN;
    int length = snprintf(ret_name, GROUP_NAME_BYTES, "%zu %zu %zu %zu %s%s%s%s%s", service_bytes, container_bytes,
                          pod_bytes, exe_bytes, service, container, pod, exe, comm);
    (void)length; // cut at the end of the comm
}

const struct group group_of_instances = {"instance", "service instance", name_instance, name_instance};

static int take(const char **text, size_t length_bytes, char ret_part[GROUP_NAME_BYTES])
{
    if (length_bytes >= GROUP_NAME_BYTES || length_bytes > strlen(*text))
        return -EBADMSG;
    memcpy(ret_part, *text, length_bytes);
    ret_part[length_bytes] = '\0';
    *text += length_bytes;
    return 0;
}

int instance__read(const char *root, struct instance *ret_instance)
{
    size_t lengths[4];
    int start = 0;
    if (sscanf(root, "%zu %zu %zu %zu%n", &lengths[0], &lengths[1], &lengths[2], &lengths[3], &start) != 4 || !start ||
        root[start] != ' ')
        return -EBADMSG;
    const char *text = root + start + 1;
    char *parts[] = {ret_instance->service, ret_instance->container, ret_instance->pod, ret_instance->exe};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (take(&text, lengths[i], parts[i]) != 0)
            return -EBADMSG;
    return take(&text, strnlen(text, GROUP_NAME_BYTES - 1), ret_instance->thread);
}
