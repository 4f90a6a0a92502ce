#include "collector/programs/early_waits.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "collector/programs/iterator.h"

struct early_waits {
    struct loaded *loaded;
    struct bpf_link *link; // of the iterator; kept by the loaded object
};

DEFINE_CLEANUP(struct early_waits *, early_waits__free);

int early_waits__new(struct loader *loader, struct early_waits **ret_early)
{
    struct fault fault = {0};
    _cleanup_(early_waits__freep) struct early_waits *early = calloc(1, sizeof(*early));
    if (!early)
        return -ENOMEM;
    if (loader__open(loader, "early_waits", &fault, &early->loaded) != 0 || loaded__load(early->loaded, &fault) != 0)
        return -ENOTSUP;
    early->link = bpf_program__attach(loaded__program(early->loaded, "early_unwind"));
    int err = early->link ? loaded__keep(early->loaded, early->link) : -ENOTSUP;
    if (err)
        return err;
    *ret_early = take_pointer(early);
    return 0;
}

void early_waits__free(struct early_waits *early)
{
    if (!early)
        return;
    loaded__free(early->loaded);
    free(early);
}

const struct loaded *early_waits__loaded(const struct early_waits *early)
{
    return early->loaded;
}

int early_waits__unwind(struct early_waits *early)
{
    return iterator__run(early->link, 0, NULL, NULL);
}
