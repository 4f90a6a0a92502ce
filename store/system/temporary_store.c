#include "store/system/temporary_store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int temporary_store__make(struct temporary_store *store, struct fault *fault)
{
    const char *set = getenv("TMPDIR");
    return temporary_store__make_in(set && *set ? set : "/tmp", store, fault);
}

int temporary_store__make_in(const char *parent, struct temporary_store *store, struct fault *fault)
{
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

static struct temporary_store *volatile watched[TEMPORARY_STORES_WATCHED];

static void forget(const struct temporary_store *store)
{
    for (size_t i = 0; i < TEMPORARY_STORES_WATCHED; i++)
        if (watched[i] == store)
            watched[i] = NULL;
}

// unlink(), rmdir() and raise() may be called here (signal-safety(7)).
static void remove_and_end(int signal)
{
    for (size_t i = 0; i < TEMPORARY_STORES_WATCHED; i++)
        if (watched[i])
            temporary_store__remove(watched[i]);
    raise(signal); // SA_RESETHAND: ends the process now
}

void temporary_store__watch_signals(struct temporary_store *store)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) != 0 || action.sa_handler != SIG_DFL)
            continue;
        action = (struct sigaction){.sa_handler = remove_and_end, .sa_flags = (int)SA_RESETHAND};
        sigaction(signals[i], &action, NULL);
    }
    for (size_t i = 0; i < TEMPORARY_STORES_WATCHED; i++)
        if (!watched[i]) {
            watched[i] = store;
            return;
        }
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
    forget(store);
}
