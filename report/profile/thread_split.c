#include "report/profile/thread_split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"

DEFINE_CLEANUP(struct profile *, profile__free);

int thread_split__keep_root(struct profile *profile, const struct store_process *process,
                            const struct store_thread *thread, uint32_t *ret_label)
{
    char of_thread[GROUP_NAME_BYTES] = STORE_MARK_UNKNOWN, of_process[GROUP_NAME_BYTES] = STORE_MARK_UNKNOWN;
    char of_group[GROUP_NAME_BYTES] = STORE_MARK_UNKNOWN;
    if (process) {
        group_of_threads.root(process, thread, of_thread);
        group_of_processes.root(process, thread, of_process);
        profile__group(profile)->root(process, thread, of_group);
    }
    // A label's file does not tell it from others: the hash does, where a process changed its group.
    return profile__keep_label(profile,
                               &(struct label){.name = of_thread,
                                               .module = of_process,
                                               .file = of_group,
                                               .kind = LABEL_ROOT,
                                               .frame = (uint32_t)hash__bytes(of_group, strlen(of_group))},
                               ret_label);
}

static int keep_labels(const struct profile *by_thread, struct profile *made, uint32_t *labels)
{
    int err = 0;
    for (uint32_t i = 1; !err && i < profile__label_count(by_thread); i++) {
        const struct label *label = profile__label(by_thread, i);
        const struct label root = {.name = label->file, .kind = LABEL_ROOT};
        err = profile__keep_label(made, label->kind == LABEL_ROOT ? &root : label, &labels[i]);
    }
    return err;
}

static int copy_nodes(const struct profile *by_thread, const uint32_t *labels, struct profile *made, uint32_t *places)
{
    int err = profile__reserve(made, profile__node_count(by_thread));
    for (uint32_t node = 1; !err && node < profile__node_count(by_thread); node++) {
        err = profile__child(made, places[profile__parent(by_thread, node)], labels[profile__label_of(by_thread, node)],
                             &places[node]);
        const struct profile_weight *self = profile__self(by_thread, 0, node);
        if (!err)
            profile__count(made, 0, places[node], self->samples, self->value);
    }
    return err;
}

int thread_split__make(const struct profile *by_thread, struct profile **ret_profile, uint32_t **ret_places)
{
    _cleanup_(profile__freep) struct profile *made = NULL;
    _cleanup_free_ uint32_t *labels = calloc(profile__label_count(by_thread), sizeof(*labels));
    _cleanup_free_ uint32_t *places = calloc(profile__node_count(by_thread), sizeof(*places));
    struct profile_options options = *profile__options(by_thread);
    if (!labels || !places)
        return -ENOMEM;
    options.by_thread = false;
    int err = profile__new(&options, &made);
    if (!err)
        err = keep_labels(by_thread, made, labels);
    if (!err)
        err = copy_nodes(by_thread, labels, made, places);
    if (err)
        return err;
    *ret_profile = take_pointer(made);
    *ret_places = take_pointer(places);
    return 0;
}
