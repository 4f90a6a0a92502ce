#include "symbolizer/naming/kernel_naming.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "store/base/limits.h"
#include "symbolizer/kernel/kernel_cache.h"
#include "symbolizer/kernel/kernel_image.h"
#include "symbolizer/kernel/kernel_modules.h"
#include "symbolizer/kernel/kernel_symbols.h"

#define NAME_BYTES 1024 // kallsyms has 512 at most (KSYM_NAME_LEN since 6.1), and a module's name of 55

struct kernel_naming {
    const char *root;
    char *cache_dir; // NULL: nothing is kept
    struct kernel_symbols *symbols;
    struct kernel_symbols *late; // of modules and BPF programs, read later than `symbols`; NULL: not yet
    bool is_from_cache;          // `symbols` may be wrong where not kernel_symbols__is_lasting()
    int failure;
    int64_t read_at_s;
    struct kernel_image image; // fd -1: none
    struct kernel_modules *modules;
};

int kernel_naming__new(const char *root, const char *cache_dir, struct kernel_naming **ret_naming)
{
    struct kernel_naming *naming = calloc(1, sizeof(*naming));
    if (!naming)
        return -ENOMEM;
    naming->root = root ? root : "";
    naming->image.fd = -1;
    if (cache_dir && !root)
        naming->cache_dir = strdup(cache_dir); // without memory, nothing is kept
    *ret_naming = naming;
    return 0;
}

void kernel_naming__free(struct kernel_naming *naming)
{
    if (!naming)
        return;
    kernel_symbols__free(naming->symbols);
    kernel_symbols__free(naming->late);
    kernel_modules__free(naming->modules);
    fd__close(&naming->image.fd);
    free(naming->cache_dir);
    free(naming);
}

static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int open_kallsyms(const struct kernel_naming *naming, FILE **ret_stream)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/proc/kallsyms", naming->root);
    FILE *stream = fopen(path, "re");
    if (!stream)
        return -errno;
    *ret_stream = stream;
    return 0;
}

static int read_kallsyms(const struct kernel_naming *naming, struct kernel_symbols **ret_symbols)
{
    _cleanup_file_ FILE *stream = NULL;
    int err = open_kallsyms(naming, &stream);
    if (!err)
        err = kernel_symbols__read(stream, ret_symbols);
    if (!err && naming->cache_dir)
        kernel_cache__save(naming->cache_dir, *ret_symbols);
    return err;
}

static int read_modules(struct kernel_naming *naming)
{
    struct kernel_modules *modules;
    naming->read_at_s = now_s();
    int err = kernel_modules__new(naming->root, &modules);
    if (err)
        return err;
    kernel_modules__free(naming->modules);
    naming->modules = modules;
    return 0;
}

static int read_symbols(struct kernel_naming *naming)
{
    naming->is_from_cache = naming->cache_dir && kernel_cache__load(naming->cache_dir, &naming->symbols) == 0;
    int err = naming->is_from_cache ? 0 : read_kallsyms(naming, &naming->symbols);
    return err ? err : read_modules(naming);
}

// On failure the symbols that were read before stay.
static void read_late_symbols(struct kernel_naming *naming)
{
    struct kernel_symbols *late;
    _cleanup_file_ FILE *stream = NULL;
    if (open_kallsyms(naming, &stream) == 0 && kernel_symbols__read_late(stream, naming->symbols, &late) == 0) {
        kernel_symbols__free(naming->late);
        naming->late = late;
    }
    read_modules(naming);
}

static int find_name(const struct kernel_naming *naming, uint64_t address, char *out, size_t out_bytes)
{
    bool is_late = naming->late && !kernel_symbols__is_own(naming->symbols, address);
    return kernel_symbols__find(is_late ? naming->late : naming->symbols, address, out, out_bytes);
}

int kernel_naming__load(struct kernel_naming *naming, struct fault *fault)
{
    if (!naming->symbols && !naming->failure) {
        naming->failure = read_symbols(naming);
        if (!naming->failure && kernel_symbols__text(naming->symbols) != 0 &&
            kernel_image__open(naming->root, &naming->image) != 0)
            naming->image.fd = -1;
    }
    if (naming->failure == -EACCES)
        return fault__set_code(fault, EXIT_CODE_LACKS, -EACCES,
                               "cannot name kernel functions by '/proc/kallsyms', the kernel hides its addresses; run "
                               "as root, with kernel.kptr_restrict below 2");
    if (naming->failure)
        return fault__set(fault, naming->failure, "cannot read '/proc/kallsyms': %s", strerror(-naming->failure));
    return 0;
}

struct part {                           // of a batch: the addresses of one debug file
    const struct kernel_module *module; // NULL: of the kernel itself
    size_t *places;
    uint64_t *offsets;
    size_t count;
    bool *answered; // of the whole batch
    symbol_chain_fn *take;
    void *context;
};

// A function of a module is "NAME [MODULE]", as kallsyms has it.
static void take_chain(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct part *part = context;
    struct symbol shown[LIMIT_CHAIN];
    _cleanup_free_ char *names = NULL;
    if (length == 0 || !chain[length - 1].function || chain[length - 1].line == 0)
        return; // kallsyms knows as much
    memcpy(shown, chain, length * sizeof(*shown));
    if (part->module && !(names = malloc(length * NAME_BYTES)))
        return;
    for (size_t i = 0; names && i < length; i++) {
        char *name = names + i * NAME_BYTES;
        snprintf(name, NAME_BYTES, "%s [%s]", chain[i].function ? chain[i].function : "??", part->module->name);
        shown[i].function = name;
    }
    part->answered[part->places[index]] = true;
    part->take(part->places[index], shown, length, part->context);
}

static void resolve_part(struct file_naming *files, int fd, const uint8_t *build_id, size_t build_id_bytes,
                         struct part *part)
{
    // No path: its debug information is in the file itself.
    struct symbol_file file = {
        .fd = fd, .root_fd = -1, .path = "", .identity = {.build_id_bytes = build_id_bytes}, .is_patient = true};
    memcpy(file.identity.build_id, build_id, build_id_bytes);
    if (part->count > 0)
        file_naming__resolve(files, &file, part->offsets, part->count, take_chain, part);
}

// The kernel may have been moved when it started (KASLR): by as much as its first code was.
static void resolve_by_image(struct kernel_naming *naming, struct file_naming *files, const uint64_t *addresses,
                             size_t count, struct part part)
{
    const struct kernel_image *image = &naming->image;
    uint64_t text = kernel_symbols__text(naming->symbols);
    for (size_t i = 0; i < count; i++) {
        if (addresses[i] < text || addresses[i] - text >= image->text_bytes)
            continue;
        part.places[part.count] = i;
        part.offsets[part.count++] = addresses[i] - text + image->text_file_offset;
    }
    resolve_part(files, image->fd, image->build_id, image->build_id_bytes, &part);
}

struct module_address {
    const struct kernel_module *module;
    uint64_t offset;
    size_t place;
};

static int compare(const void *left, const void *right)
{
    const struct module_address *a = left, *b = right;
    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

// "nf_hook_slow [nf_tables]": the module's name, cut out of it.
static char *module_in(char *name)
{
    char *open = strrchr(name, '['), *close = open ? strchr(open, ']') : NULL;
    if (!close)
        return NULL;
    *close = '\0';
    return open + 1;
}

static size_t find_module_addresses(struct kernel_naming *naming, const uint64_t *addresses, size_t count,
                                    const bool *answered, struct module_address *found)
{
    char name[NAME_BYTES];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        struct module_address *row = &found[used];
        if (answered[i] || find_name(naming, addresses[i], name, sizeof(name)) != 0)
            continue;
        const char *module = module_in(name);
        row->place = i;
        used += module && kernel_modules__find(naming->modules, module, addresses[i], &row->module, &row->offset) == 0;
    }
    qsort(found, used, sizeof(*found), compare);
    return used;
}

static void resolve_by_modules(struct kernel_naming *naming, struct file_naming *files, const uint64_t *addresses,
                               size_t count, struct part part)
{
    _cleanup_free_ struct module_address *found = calloc(count + 1, sizeof(*found));
    size_t used = found ? find_module_addresses(naming, addresses, count, part.answered, found) : 0;
    for (size_t i = 0, next; i < used; i = next) {
        part.module = found[i].module;
        part.count = 0;
        for (next = i; next < used && found[next].module == part.module; next++) {
            part.places[part.count] = found[next].place;
            part.offsets[part.count++] = found[next].offset;
        }
        resolve_part(files, part.module->fd, part.module->build_id, part.module->build_id_bytes, &part);
    }
}

// Modules and BPF programs come and go: reads their symbols again for addresses that may be theirs, unless they are
// younger than LIMIT_KALLSYMS_AGE_S (a reading takes some 15 ms).
static void refresh(struct kernel_naming *naming, const uint64_t *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (kernel_symbols__is_lasting(naming->symbols, addresses[i]))
            continue;
        if ((naming->is_from_cache && !naming->late) || now_s() - naming->read_at_s >= LIMIT_KALLSYMS_AGE_S)
            read_late_symbols(naming);
        return;
    }
}

int kernel_naming__resolve(struct kernel_naming *naming, struct file_naming *files, const uint64_t *addresses,
                           size_t count, symbol_chain_fn *take, void *context)
{
    char name[NAME_BYTES];
    _cleanup_free_ bool *answered = calloc(count + 1, sizeof(*answered));
    _cleanup_free_ size_t *places = calloc(count + 1, sizeof(*places));
    _cleanup_free_ uint64_t *offsets = calloc(count + 1, sizeof(*offsets));
    if (!answered || !places || !offsets)
        return -ENOMEM;
    struct part part = {.places = places, .offsets = offsets, .answered = answered, .take = take, .context = context};
    refresh(naming, addresses, count);
    if (naming->image.fd >= 0)
        resolve_by_image(naming, files, addresses, count, part);
    resolve_by_modules(naming, files, addresses, count, part);
    for (size_t i = 0; i < count; i++) {
        struct symbol symbol = {.function = name, .file = ""};
        if (answered[i])
            continue;
        size_t length = find_name(naming, addresses[i], name, sizeof(name)) == 0;
        take(i, &symbol, length, context);
    }
    return 0;
}

int kernel_naming__address_of(const struct kernel_naming *naming, const char *function, uint64_t *ret_address)
{
    return kernel_symbols__address_of(naming->symbols, function, ret_address);
}
