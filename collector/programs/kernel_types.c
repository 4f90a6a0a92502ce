#include "collector/programs/kernel_types.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "store/base/crc32c.h"
#include "store/base/hash.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"
#include "store/system/boot_id.h"
#include "store/system/disk_cache.h"
#include "store/system/file_bytes.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

// Raised whenever other types are cut out.
#define VERSION 2

struct kept_types {
    char magic[8];
    uint32_t version;
    uint32_t bytes; // of the BTF behind it
    uint64_t key;   // of the start of the system, and of the object
    uint32_t iterators[ITERATOR_IDS_MAX];
    uint32_t checksum; // of the two
    uint32_t reserved;
};

static const char magic[8] = "hearthKT";

static const struct disk_cache_kind kind = {.holds = "types of the kernel", .suffix = ".types", .mode = 0600};

struct kernel_types {
    struct disk_cache *cache; // NULL: nothing is kept
    struct btf *kernel;
};

int kernel_types__new(const char *folder, struct kernel_types **ret_types)
{
    if (access(KERNEL_BTF, R_OK) != 0)
        return -ENOENT;
    struct kernel_types *types = calloc(1, sizeof(*types));
    if (!types)
        return -ENOMEM;
    if (folder && disk_cache__open(folder, &kind, LIMIT_TYPES_CACHE_BYTES, NULL, &types->cache) != 0)
        types->cache = NULL;
    *ret_types = types;
    return 0;
}

void kernel_types__give_back(struct kernel_types *types)
{
    btf__free(types->kernel);
    types->kernel = NULL;
}

void kernel_types__free(struct kernel_types *types)
{
    if (!types)
        return;
    kernel_types__give_back(types);
    disk_cache__free(types->cache);
    free(types);
}

// --- Cutting out

struct cut {
    const struct btf *from;
    struct btf *to;
    struct id_map wanted; // hashes of names
    struct id_map copies; // number in `from` -> number in `to`
};

// "task_struct___old" is another way to look at task_struct.
static uint64_t hash_name(const char *name)
{
    const char *flavor = strstr(name + (*name != '\0'), "___");
    return hash__text(name, flavor ? (size_t)(flavor - name) : strlen(name));
}

static bool has_name_of_its_own(const struct btf_type *type)
{
    return type->name_off && (btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type));
}

static int want_names(struct cut *cut, const struct btf *own)
{
    int err = 0;
    for (uint32_t id = 1; id < btf__type_cnt(own) && !err; id++) {
        const struct btf_type *type = btf__type_by_id(own, id);
        if (has_name_of_its_own(type))
            err = id_map__put(&cut->wanted, hash_name(btf__name_by_offset(own, type->name_off)), 1);
    }
    return err;
}

static int copy(struct cut *cut, uint32_t id, uint32_t *ret_id);

// The type that was added last, whose parts are looked at next.
static struct btf_type *last_of(struct cut *cut, int id)
{
    return (struct btf_type *)btf__type_by_id(cut->to, (uint32_t)id);
}

static int copy_composite(struct cut *cut, const struct btf_type *type)
{
    uint32_t ignored;
    for (uint16_t i = 0; i < btf_vlen(type); i++) {
        int err = copy(cut, btf_members(type)[i].type, &ignored);
        if (err)
            return err;
    }
    int added = btf__add_type(cut->to, cut->from, type);
    for (uint16_t i = 0; added > 0 && i < btf_vlen(type); i++) {
        uint32_t part = 0;
        id_map__get(&cut->copies, btf_members(type)[i].type, &part);
        btf_members(last_of(cut, added))[i].type = part;
    }
    return added;
}

static int copy_array(struct cut *cut, const struct btf_type *type)
{
    uint32_t element, index;
    int err = copy(cut, btf_array(type)->type, &element);
    if (!err)
        err = copy(cut, btf_array(type)->index_type, &index);
    return err ? err : btf__add_array(cut->to, (int)index, (int)element, btf_array(type)->nelems);
}

static int copy_reference(struct cut *cut, const struct btf_type *type)
{
    uint32_t to = 0;
    int err = btf_is_ptr(type) ? 0 : copy(cut, type->type, &to);
    if (err)
        return err;
    int added = btf__add_type(cut->to, cut->from, type);
    if (added > 0)
        last_of(cut, added)->type = to;
    return added;
}

// Returns the number of the copy; 0: of a kind that no field can have.
static int copy_type(struct cut *cut, const struct btf_type *type)
{
    if (btf_is_composite(type))
        return copy_composite(cut, type);
    if (btf_is_array(type))
        return copy_array(cut, type);
    if (btf_is_ptr(type) || btf_is_mod(type) || btf_is_typedef(type))
        return copy_reference(cut, type);
    if (btf_is_int(type) || btf_is_float(type) || btf_is_any_enum(type) || btf_is_fwd(type))
        return btf__add_type(cut->to, cut->from, type);
    return 0;
}

static int copy(struct cut *cut, uint32_t id, uint32_t *ret_id)
{
    if (id == 0 || id_map__get(&cut->copies, id, ret_id)) {
        *ret_id = id == 0 ? 0 : *ret_id;
        return 0;
    }
    int added = copy_type(cut, btf__type_by_id(cut->from, id));
    if (added < 0)
        return added;
    *ret_id = (uint32_t)added;
    return id_map__put(&cut->copies, id, (uint32_t)added);
}

static int copy_wanted(struct cut *cut)
{
    int err = 0;
    for (uint32_t id = 1; id < btf__type_cnt(cut->from) && !err; id++) {
        const struct btf_type *type = btf__type_by_id(cut->from, id);
        uint32_t ignored;
        if (has_name_of_its_own(type) &&
            id_map__get(&cut->wanted, hash_name(btf__name_by_offset(cut->from, type->name_off)), &ignored))
            err = copy(cut, id, &ignored);
    }
    return err;
}

static int load_kernel(struct kernel_types *types)
{
    if (!types->kernel)
        types->kernel = btf__parse(KERNEL_BTF, NULL);
    return types->kernel ? 0 : -errno;
}

static int cut_out(struct kernel_types *types, const struct btf *own, struct btf *to)
{
    struct cut cut = {.from = types->kernel, .to = to};
    int err = want_names(&cut, own);
    if (!err)
        err = copy_wanted(&cut);
    id_map__release(&cut.wanted);
    id_map__release(&cut.copies);
    return err;
}

static void find_iterators(const struct kernel_types *types, const struct bpf_object *object, uint32_t *ret_iterators)
{
    struct bpf_program *program;
    size_t count = 0;
    char name[64];
    bpf_object__for_each_program(program, object)
    {
        bool is_iterator =
            count < ITERATOR_IDS_MAX && iterator_ids__name(bpf_program__section_name(program), name, sizeof(name)) == 0;
        int id = is_iterator ? btf__find_by_name_kind(types->kernel, name, BTF_KIND_FUNC) : 0;
        if (id > 0)
            ret_iterators[count] = (uint32_t)id;
        count++;
    }
}

// --- The cache

static int key_of(const struct btf *own, uint64_t *ret_key)
{
    uint32_t bytes;
    const void *data = btf__raw_data(own, &bytes);
    uint64_t boot;
    int err = boot_id__hash(&boot);
    if (!err)
        *ret_key = hash__pair(boot, hash__pair(bytes, crc32c(0, data, bytes)));
    return err;
}

static int name_of(const char *object, char *name, size_t bytes)
{
    return (size_t)snprintf(name, bytes, "%s.types", object) < bytes ? 0 : -ENAMETOOLONG;
}

static bool is_right(const struct kept_types *kept, uint64_t key, size_t file_bytes)
{
    return memcmp(kept->magic, magic, sizeof(magic)) == 0 && kept->version == VERSION && kept->key == key &&
           kept->bytes <= LIMIT_TYPES_CACHE_BYTES && file_bytes == sizeof(*kept) + kept->bytes;
}

static uint32_t checksum_of(const uint32_t *iterators, const void *data, size_t bytes)
{
    return crc32c(crc32c(0, iterators, ITERATOR_IDS_MAX * sizeof(*iterators)), data, bytes);
}

static int write_kept(struct kernel_types *types, const char *object, uint64_t key, int to, uint32_t *ret_iterators)
{
    char name[NAME_MAX];
    struct kept_types kept;
    size_t file_bytes;
    _cleanup_fd_ int fd = -1;
    if (!types->cache || name_of(object, name, sizeof(name)) != 0 ||
        disk_cache__read(types->cache, name, &fd, &file_bytes) != 0 ||
        file_bytes__read(fd, 0, &kept, sizeof(kept)) != 0 || !is_right(&kept, key, file_bytes))
        return -ENOENT;
    _cleanup_free_ void *data = malloc(kept.bytes + 1);
    if (!data)
        return -ENOMEM;
    if (file_bytes__read(fd, sizeof(kept), data, kept.bytes) != 0 ||
        checksum_of(kept.iterators, data, kept.bytes) != kept.checksum)
        return -ENOENT;
    memcpy(ret_iterators, kept.iterators, sizeof(kept.iterators));
    return file_bytes__write(to, data, kept.bytes);
}

struct cut_types {
    const void *data;
    uint32_t bytes;
    uint64_t key;
    const uint32_t *iterators;
};

static int write_cut(int fd, const void *context)
{
    const struct cut_types *cut = context;
    struct kept_types kept = {.version = VERSION,
                              .bytes = cut->bytes,
                              .key = cut->key,
                              .checksum = checksum_of(cut->iterators, cut->data, cut->bytes)};
    memcpy(kept.magic, magic, sizeof(magic));
    memcpy(kept.iterators, cut->iterators, sizeof(kept.iterators));
    int err = file_bytes__write(fd, &kept, sizeof(kept));
    return err ? err : file_bytes__write(fd, cut->data, cut->bytes);
}

// Where they cannot be kept, they are cut out again the next time.
static void keep(struct kernel_types *types, const char *object, const struct cut_types *cut)
{
    char name[NAME_MAX];
    if (types->cache && cut->key && cut->bytes <= LIMIT_TYPES_CACHE_BYTES && name_of(object, name, sizeof(name)) == 0)
        (void)disk_cache__save(types->cache, name, write_cut, cut);
}

static int write_new(struct kernel_types *types, const char *name, const struct bpf_object *object,
                     struct cut_types *cut, int to)
{
    struct btf *btf = btf__new_empty();
    if (!btf)
        return -errno;
    int err = cut_out(types, bpf_object__btf(object), btf);
    if (!err)
        cut->data = btf__raw_data(btf, &cut->bytes);
    if (!err)
        err = cut->data ? file_bytes__write(to, cut->data, cut->bytes) : -ENOMEM;
    if (!err)
        keep(types, name, cut);
    btf__free(btf);
    return err;
}

int kernel_types__write(struct kernel_types *types, const char *name, const struct bpf_object *object, int fd,
                        uint32_t ret_iterators[ITERATOR_IDS_MAX])
{
    struct cut_types cut = {.iterators = ret_iterators};
    memset(ret_iterators, 0, ITERATOR_IDS_MAX * sizeof(*ret_iterators));
    if (key_of(bpf_object__btf(object), &cut.key) == 0 && write_kept(types, name, cut.key, fd, ret_iterators) == 0)
        return 0;
    int err = load_kernel(types);
    if (err)
        return err;
    find_iterators(types, object, ret_iterators);
    return write_new(types, name, object, &cut, fd);
}
