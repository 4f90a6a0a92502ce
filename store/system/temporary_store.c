#include "store/system/temporary_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BEGINNING "hearth-tmp-"

#define MODE      0700
#define KEPT_MODE 01700 // no sweep takes it

// A younger folder may not be locked yet.
enum { SWEPT_AGE_S = 60 };

// Stays in the parent's mount: any user may mount a FUSE file system that never answers on a folder of such a name.
static int open_folder(int parent_fd, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV};
    return (int)syscall(SYS_openat2, parent_fd, name, &how, sizeof(how));
}

int temporary_store__make(struct temporary_store *store, struct fault *fault)
{
    const char *set = getenv("TMPDIR");
    return temporary_store__make_in(set && *set ? set : "/tmp", store, fault);
}

int temporary_store__make_in(const char *parent, struct temporary_store *store, struct fault *fault)
{
    size_t bytes = sizeof(store->folder),
           length = (size_t)snprintf(store->folder, bytes, "%s/" BEGINNING "XXXXXX", parent);
    temporary_store__sweep(parent);
    int err = length + sizeof("/recording.db-journal") > bytes ? -ENAMETOOLONG : mkdtemp(store->folder) ? 0 : -errno;
    if (err) {
        store->folder[0] = '\0';
        return fault__set(fault, err, "cannot create a folder in '%s': %s; set TMPDIR", parent, strerror(-err));
    }
    memcpy(store->path, store->folder, length);
    memcpy(store->path + length, "/recording.db", sizeof("/recording.db"));
    store->lock_fd = open(store->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (store->lock_fd < 0 || flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0)
        chmod(store->folder, KEPT_MODE);
    return 0;
}

static bool is_left_behind(int folder)
{
    struct stat status;
    return fstat(folder, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 07777) == MODE &&
           time(NULL) - status.st_mtime > SWEPT_AGE_S && flock(folder, LOCK_EX | LOCK_NB) == 0;
}

static void sweep_folder(int parent_fd, const char *name)
{
    static const char *const files[] = {"recording.db-wal", "recording.db-shm", "recording.db-journal", "recording.db"};
    int folder = open_folder(parent_fd, name);
    if (folder < 0)
        return;
    if (is_left_behind(folder)) {
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
            unlinkat(folder, files[i], 0);
        unlinkat(parent_fd, name, AT_REMOVEDIR);
    }
    close(folder);
}

void temporary_store__sweep(const char *parent)
{
    DIR *folder = opendir(parent);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (strncmp(entry->d_name, BEGINNING, strlen(BEGINNING)) == 0)
            sweep_folder(dirfd(folder), entry->d_name);
    if (folder)
        closedir(folder);
}

// flock() belongs to the open file, which forked processes have too.
static void leave(struct temporary_store *store)
{
    if (store->lock_fd >= 0) {
        flock(store->lock_fd, LOCK_UN);
        close(store->lock_fd);
    }
    store->folder[0] = '\0';
}

void temporary_store__keep(struct temporary_store *store)
{
    if (!store->folder[0])
        return;
    chmod(store->folder, KEPT_MODE);
    leave(store);
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
    leave(store);
    forget(store);
}
