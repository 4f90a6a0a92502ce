#include "collector/keep/temporary_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int temporary_store__make(struct temporary_store *store, struct fault *fault)
{
    const char *set = getenv("TMPDIR"), *parent = set && *set ? set : "/tmp";
    size_t bytes = sizeof(store->folder), length = (size_t)snprintf(store->folder, bytes, "%s/hearth-XXXXXX", parent);
    int err = length + sizeof("/recording.db-journal") > bytes ? -ENAMETOOLONG : mkdtemp(store->folder) ? 0 : -errno;
    if (err) {
        store->folder[0] = '\0';
        return fault__set(fault, err, "cannot create a folder in '%s': %s; set TMPDIR", parent, strerror(-err));
    }
    memcpy(store->path, store->folder, length);
    memcpy(store->path + length, "/recording.db", sizeof("/recording.db"));
    return 0;
}

void temporary_store__keep(struct temporary_store *store)
{
    store->folder[0] = '\0';
}

void temporary_store__remove(struct temporary_store *store)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ""};
    if (!store->folder[0])
        return;
    size_t length = strlen(store->path);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        memcpy(store->path + length, suffixes[i], strlen(suffixes[i]) + 1);
        unlink(store->path);
    }
    rmdir(store->folder);
    store->folder[0] = '\0';
}
