#include "collector/metrics/metrics_page.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define TRIES    1000
#define PAUSE_NS 1000000

static void *map(int fd, int protection)
{
    void *memory = mmap(NULL, sizeof(struct metrics_shared), protection, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

int metrics_page__new(struct metrics_page *ret_page)
{
    struct metrics_page page = {0};
    _cleanup_fd_ int fd = memfd_create("metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, sizeof(struct metrics_shared)) != 0 ||
        !(page.written = map(fd, PROT_READ | PROT_WRITE)))
        return -errno;
    if (madvise(page.written, sizeof(*page.written), MADV_DONTFORK) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0 ||
        !(page.read = map(fd, PROT_READ))) {
        int err = -errno;
        metrics_page__release(&page);
        return err;
    }
    *ret_page = page;
    return 0;
}

void metrics_page__release(struct metrics_page *page)
{
    if (page->written)
        munmap(page->written, sizeof(*page->written));
    if (page->read)
        munmap((void *)page->read, sizeof(*page->read));
    *page = (struct metrics_page){0};
}

void metrics_page__write(struct metrics_page *page, const struct metrics_totals *totals)
{
    struct metrics_shared *shared = page->written;
    unsigned version = atomic_load_explicit(&shared->version, memory_order_relaxed);
    atomic_store_explicit(&shared->version, version + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    memcpy(&shared->totals, totals, sizeof(*totals));
    atomic_store_explicit(&shared->version, version + 2, memory_order_release);
}

int metrics_page__read(const struct metrics_page *page, struct metrics_totals *ret_totals, unsigned *ret_version)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    const struct metrics_shared *shared = page->read;
    for (int i = 0; i < TRIES; i++) {
        unsigned version = atomic_load_explicit(&shared->version, memory_order_acquire);
        memcpy(ret_totals, (const void *)&shared->totals, sizeof(*ret_totals));
        atomic_thread_fence(memory_order_acquire);
        if (!(version & 1) && version == atomic_load_explicit(&shared->version, memory_order_relaxed)) {
            *ret_version = version;
            return 0;
        }
        nanosleep(&pause, NULL);
    }
    return -EBUSY;
}
