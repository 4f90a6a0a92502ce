// The kernel makes whoever changes the outer map wait for an RCU period, 8 to 16 ms, although the change is there at
// once. So installers, threads of their own, do that, each with all that is waiting; who published looks whether it is
// there.
#include "collector/unwinding/unwind_tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "collector/programs/shared_array.h"
#include "store/base/hash.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"

// Rules that every file may fall back to, at fixed numbers.
enum { RULE_GAP = 0, RULE_UNSUPPORTED = 1, FIRST_RULE = 2 };

// As much as is copied to the kernel by one call: it stays in a processor's second cache.
enum { BLOCKS_AT_ONCE = 64 };

// Installers begin at different times, so that one of them is free within a few ms.
enum { INSTALLERS = 3, INSTALLED_AT_ONCE = 64 };

// How long a table that was published may take to be there, at most: an RCU period or two of a busy machine.
#define SETTLE_MS 500

struct install_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t numbers[INSTALLED_AT_ONCE];
    int fds[INSTALLED_AT_ONCE];
    uint32_t count;
    bool ends;
};

struct unwind_tables {
    int outer_fd;
    struct unwind_rule *rule_list;   // shared with the kernel side, by number
    uint32_t *uses;                  // shared with the kernel side: set when a table is looked at
    uint32_t bytes[WIRE_TABLES_MAX]; // by number; 0: free
    uint32_t hand;                   // of the clock
    uint32_t next;                   // where to look for a free number
    uint64_t bytes_all, bytes_max;
    size_t count;
    struct id_map rules; // bits of a rule -> its number
    uint32_t rule_count;
    unwind_evict_fn *evict;
    void *context;
    struct install_queue queue;
    pthread_t installers[INSTALLERS];
    size_t installer_count;
    uint32_t unsettled[INSTALLED_AT_ONCE];
    size_t unsettled_count;
};

static uint64_t bits_of(struct unwind_rule rule)
{
    uint64_t bits;
    memcpy(&bits, &rule, sizeof(bits));
    return bits;
}

static int put_rule(struct unwind_tables *tables, struct unwind_rule rule)
{
    tables->rule_list[tables->rule_count] = rule; // before any table that leads to it is installed
    int err = id_map__put(&tables->rules, bits_of(rule), tables->rule_count);
    if (!err)
        tables->rule_count++;
    return err;
}

// Takes all that waits; false when there is nothing more to come.
static bool take_queue(struct install_queue *queue, uint32_t *numbers, int *fds, uint32_t *ret_count)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->count && !queue->ends)
        pthread_cond_wait(&queue->changed, &queue->lock);
    memcpy(numbers, queue->numbers, queue->count * sizeof(*numbers));
    memcpy(fds, queue->fds, queue->count * sizeof(*fds));
    *ret_count = queue->count;
    queue->count = 0;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return *ret_count > 0;
}

static void *install(void *context)
{
    struct unwind_tables *tables = context;
    uint32_t numbers[INSTALLED_AT_ONCE], count;
    int fds[INSTALLED_AT_ONCE];
    prctl(PR_SET_NAME, "hearth-install"); // waits for grace periods of RCU, and does little else
    while (take_queue(&tables->queue, numbers, fds, &count)) {
        uint32_t done = count;
        // Batches of maps of maps came with 5.16; one by one each waits.
        if (bpf_map_update_batch(tables->outer_fd, numbers, fds, &done, NULL) != 0)
            for (uint32_t i = 0; i < count; i++)
                bpf_map_update_elem(tables->outer_fd, &numbers[i], &fds[i], BPF_ANY);
        for (uint32_t i = 0; i < count; i++)
            close(fds[i]);
    }
    return NULL;
}

static int start_installers(struct unwind_tables *tables)
{
    for (; tables->installer_count < INSTALLERS; tables->installer_count++) {
        int err = pthread_create(&tables->installers[tables->installer_count], NULL, install, tables);
        if (err)
            return -err;
    }
    return 0;
}

static void stop_installers(struct unwind_tables *tables)
{
    pthread_mutex_lock(&tables->queue.lock);
    tables->queue.ends = true;
    pthread_cond_broadcast(&tables->queue.changed);
    pthread_mutex_unlock(&tables->queue.lock);
    for (size_t i = 0; i < tables->installer_count; i++)
        pthread_join(tables->installers[i], NULL);
}

static void enqueue(struct unwind_tables *tables, uint32_t number, int fd)
{
    struct install_queue *queue = &tables->queue;
    if (tables->unsettled_count == INSTALLED_AT_ONCE)
        unwind_tables__settle(tables);
    tables->unsettled[tables->unsettled_count++] = number;
    pthread_mutex_lock(&queue->lock);
    while (queue->count == INSTALLED_AT_ONCE)
        pthread_cond_wait(&queue->changed, &queue->lock);
    queue->numbers[queue->count] = number;
    queue->fds[queue->count++] = fd;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void unwind_tables__settle(struct unwind_tables *tables)
{
    const struct timespec moment = {.tv_nsec = 200 * 1000};
    for (size_t i = 0, turns = SETTLE_MS * 5; i < tables->unsettled_count && turns; turns--) {
        uint32_t id;
        if (bpf_map_lookup_elem(tables->outer_fd, &tables->unsettled[i], &id) == 0)
            i++;
        else
            nanosleep(&moment, NULL);
    }
    tables->unsettled_count = 0;
}

enum { USES_BYTES = WIRE_TABLES_MAX * sizeof(uint32_t), RULES_BYTES = WIRE_RULES_MAX * sizeof(struct unwind_rule) };

static int set_up(struct unwind_tables *tables, const struct loader *loader)
{
    tables->outer_fd = loader__map_fd(loader, "unwind_tables");
    void *uses = NULL, *rules = NULL;
    int err = shared_array__map(loader__map_fd(loader, "unwind_uses"), USES_BYTES, &uses);
    tables->uses = uses;
    if (!err)
        err = shared_array__map(loader__map_fd(loader, "unwind_rules"), RULES_BYTES, &rules);
    tables->rule_list = rules;
    if (!err)
        err = put_rule(tables, (struct unwind_rule){.kind = UNWIND_GAP});
    if (!err)
        err = put_rule(tables, (struct unwind_rule){.kind = UNWIND_UNSUPPORTED});
    return err ? err : start_installers(tables);
}

int unwind_tables__new(const struct loader *loader, uint64_t bytes_max, unwind_evict_fn *evict, void *context,
                       struct unwind_tables **ret_tables)
{
    _cleanup_(unwind_tables__freep) struct unwind_tables *tables = calloc(1, sizeof(*tables));
    if (!tables)
        return -ENOMEM;
    pthread_mutex_init(&tables->queue.lock, NULL);
    pthread_cond_init(&tables->queue.changed, NULL);
    tables->bytes_max = bytes_max ? bytes_max : LIMIT_UNWIND_TABLE_BYTES;
    tables->evict = evict;
    tables->context = context;
    tables->hand = tables->next = 1;
    int err = set_up(tables, loader);
    if (err)
        return err;
    *ret_tables = take_pointer(tables);
    return 0;
}

void unwind_tables__free(struct unwind_tables *tables)
{
    if (!tables)
        return;
    stop_installers(tables);
    pthread_cond_destroy(&tables->queue.changed);
    pthread_mutex_destroy(&tables->queue.lock);
    shared_array__unmap(tables->uses, USES_BYTES);
    shared_array__unmap(tables->rule_list, RULES_BYTES);
    id_map__release(&tables->rules);
    free(tables);
}

uint64_t unwind_tables__bytes(const struct unwind_tables *tables)
{
    return tables->bytes_all;
}

size_t unwind_tables__count(const struct unwind_tables *tables)
{
    return tables->count;
}

// In this order nobody is ever led to another binary's rows: new look-ups stop, then the table goes and with the call
// that removes it the kernel waits for the programs that still run (maybe_wait_bpf_programs, since 4.20), then its
// number is free.
static void remove_table(struct unwind_tables *tables, uint32_t number)
{
    tables->evict(number, tables->context);
    bpf_map_delete_elem(tables->outer_fd, &number);
    tables->bytes_all -= tables->bytes[number];
    tables->bytes[number] = 0;
    tables->count--;
}

static uint32_t after(uint32_t number)
{
    return number + 1 < WIRE_TABLES_MAX ? number + 1 : 1;
}

// The clock algorithm: a table that was used since `hand` passed it last stays for another round.
static void evict_one(struct unwind_tables *tables)
{
    unwind_tables__settle(tables); // nothing that goes may still be on its way
    for (uint32_t turn = 0; turn < 2 * WIRE_TABLES_MAX; turn++) {
        uint32_t number = tables->hand;
        tables->hand = after(number);
        if (!tables->bytes[number])
            continue;
        if (!__atomic_exchange_n(&tables->uses[number], 0, __ATOMIC_RELAXED)) {
            remove_table(tables, number);
            return;
        }
    }
}

static int make_room(struct unwind_tables *tables, uint64_t bytes)
{
    if (bytes > tables->bytes_max)
        return -E2BIG;
    while (tables->count && (tables->bytes_all + bytes > tables->bytes_max || tables->count == WIRE_TABLES_MAX - 1))
        evict_one(tables);
    return 0;
}

static uint16_t number_of_rule(struct unwind_tables *tables, struct unwind_rule rule)
{
    uint32_t number;
    if (id_map__get(&tables->rules, bits_of(rule), &number))
        return (uint16_t)number;
    // Past the bound, a rule that cannot be told is one that is not supported.
    if (tables->rule_count == WIRE_RULES_MAX || put_rule(tables, rule) != 0)
        return RULE_UNSUPPORTED;
    return (uint16_t)(tables->rule_count - 1);
}

static int put_blocks(int fd, uint32_t first, uint32_t count, const uint32_t *words)
{
    uint32_t keys[BLOCKS_AT_ONCE];
    for (uint32_t i = 0; i < count; i++)
        keys[i] = first + i;
    return bpf_map_update_batch(fd, keys, words, &count, NULL);
}

// Copied by the kernel, not written into mapped pages of the array: each page would cost a fault, and to unmap them an
// interrupt on every other CPU.
static int fill_map(const struct unwind_table *table, const uint16_t *numbers, uint32_t blocks, int fd)
{
    _cleanup_free_ uint32_t *words = malloc(BLOCKS_AT_ONCE * UNWIND_BLOCK_BYTES);
    int err = words ? 0 : -ENOMEM;
    for (uint32_t first = 0, count; first < blocks && !err; first += count) {
        count = blocks - first < BLOCKS_AT_ONCE ? blocks - first : BLOCKS_AT_ONCE;
        unwind_table__renumber(table, numbers, (size_t)first * UNWIND_BLOCK_WORDS, (size_t)count * UNWIND_BLOCK_WORDS,
                               words);
        err = put_blocks(fd, first, count, words);
    }
    return err;
}

static int fill(struct unwind_tables *tables, const struct unwind_table *table, uint32_t blocks, int fd)
{
    _cleanup_free_ uint16_t *numbers = malloc(table->rule_count * sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    for (size_t i = 0; i < table->rule_count; i++)
        numbers[i] = number_of_rule(tables, table->rules[i]);
    return fill_map(table, numbers, blocks, fd);
}

static int make_map(struct unwind_tables *tables, const struct unwind_table *table, uint32_t blocks, int *ret_fd)
{
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
    _cleanup_fd_ int fd =
        bpf_map_create(BPF_MAP_TYPE_ARRAY, "unwind_table", sizeof(uint32_t), UNWIND_BLOCK_BYTES, blocks, &options);
    if (fd < 0)
        return -errno;
    int err = fill(tables, table, blocks, fd);
    if (!err)
        *ret_fd = take_fd(&fd);
    return err;
}

static uint32_t free_number(struct unwind_tables *tables)
{
    uint32_t number = tables->next;
    while (tables->bytes[number])
        number = after(number);
    tables->next = after(number);
    return number;
}

int unwind_tables__publish(struct unwind_tables *tables, const struct unwind_table *table, uint32_t *ret_number)
{
    uint32_t blocks = (uint32_t)((table->word_count + UNWIND_BLOCK_WORDS - 1) / UNWIND_BLOCK_WORDS);
    uint64_t bytes = (uint64_t)blocks * UNWIND_BLOCK_BYTES;
    int err = make_room(tables, bytes);
    if (err)
        return err;
    _cleanup_fd_ int fd = -1;
    err = make_map(tables, table, blocks, &fd);
    if (err)
        return err;
    uint32_t number = free_number(tables);
    enqueue(tables, number, take_fd(&fd));
    __atomic_store_n(&tables->uses[number], 1, __ATOMIC_RELAXED);
    tables->bytes[number] = (uint32_t)bytes;
    tables->bytes_all += bytes;
    tables->count++;
    *ret_number = number;
    return 0;
}
