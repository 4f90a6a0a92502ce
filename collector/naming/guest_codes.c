#include "collector/naming/guest_codes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/naming/guest_text.h"
#include "store/base/buf.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"

// The kernel side's table of numbers is emptied before it is full; contents still in use are told again.
#define FORGET_IDS_AT (WIRE_GUEST_CODES_MAX / 4 * 3)

struct guest_codes {
    struct ring_buffer *notes; // NULL: none
    int ids_fd;
    struct guest_code **owned;
    size_t count, capacity;
    struct guest_code **by_id; // LIMIT_GUEST_IDS; the kernel gives memory for what is used
    struct id_map by_contents; // hash of a code -> its place in `owned`
    struct id_map files;       // hash of a path -> its number
    uint32_t file_count;
    uint64_t bytes, refused;
    uint32_t ids_told; // since the kernel side's table was emptied
};

static int on_note(void *context, void *data, size_t bytes)
{
    guest_codes__take(context, data, bytes);
    return 0;
}

int guest_codes__new(int notes_fd, int ids_fd, struct guest_codes **ret_codes)
{
    _cleanup_(guest_codes__freep) struct guest_codes *codes = calloc(1, sizeof(*codes));
    if (!codes)
        return -ENOMEM;
    codes->ids_fd = ids_fd;
    codes->by_id = calloc(LIMIT_GUEST_IDS, sizeof(*codes->by_id));
    if (!codes->by_id)
        return -ENOMEM;
    if (notes_fd >= 0 && !(codes->notes = ring_buffer__new(notes_fd, on_note, codes, NULL)))
        return -errno;
    *ret_codes = take_pointer(codes);
    return 0;
}

void guest_codes__free(struct guest_codes *codes)
{
    if (!codes)
        return;
    ring_buffer__free(codes->notes);
    for (size_t i = 0; i < codes->count; i++)
        free(codes->owned[i]);
    free(codes->owned);
    free(codes->by_id);
    id_map__release(&codes->by_contents);
    id_map__release(&codes->files);
    free(codes);
}

int guest_codes__fd(const struct guest_codes *codes)
{
    return ring_buffer__epoll_fd(codes->notes);
}

// --- Notes

static uint32_t number_of_file(struct guest_codes *codes, const char *file)
{
    uint64_t key = hash__bytes(file, strlen(file));
    uint32_t number;
    if (id_map__get(&codes->files, key, &number))
        return number;
    return id_map__put(&codes->files, key, codes->file_count + 1) == 0 ? ++codes->file_count : 0;
}

static uint64_t identity_of(const char *name, uint32_t first_line)
{
    return hash__pair(hash__bytes(name, strlen(name)), first_line) >> 26;
}

// CPython's own trampoline for __init__.
static bool is_hidden(const char *file)
{
    return strcmp(file, "<shim>") == 0;
}

// One piece: the code, its table, its two texts.
static struct guest_code *make(struct guest_codes *codes, const struct wire_guest_note *note, uint32_t table_bytes)
{
    char name[GUEST_NAME_BYTES], file[GUEST_TEXT_BYTES];
    guest_text__copy(note->file, note->file_bytes, note->file_width, file);
    guest_text__name(note, file, name);
    size_t name_bytes = strlen(name) + 1, file_bytes = strlen(file) + 1;
    size_t bytes = sizeof(struct guest_code) + table_bytes + name_bytes + file_bytes;
    if (codes->bytes + bytes > LIMIT_GUEST_CODE_BYTES)
        return NULL;
    struct guest_code *code = calloc(1, bytes);
    if (!code)
        return NULL;
    uint8_t *table = (uint8_t *)(code + 1);
    char *texts = (char *)table + table_bytes;
    memcpy(table, note->table, table_bytes);
    memcpy(texts, name, name_bytes);
    memcpy(texts + name_bytes, file, file_bytes);
    *code = (struct guest_code){.kind = note->kind,
                                .version = note->version,
                                .first_line = note->first_line,
                                .table_bytes = table_bytes,
                                .file_number = number_of_file(codes, file),
                                .is_hidden = is_hidden(file),
                                .identity = identity_of(name, note->first_line),
                                .name = texts,
                                .file = texts + name_bytes,
                                .table = table};
    codes->bytes += bytes;
    return code;
}

static struct guest_code *intern(struct guest_codes *codes, const struct wire_guest_note *note, size_t bytes)
{
    uint32_t table_bytes = (uint32_t)(bytes - offsetof(struct wire_guest_note, table)), index;
    uint64_t key = hash__pair(hash__pair(note->kind, note->version), hash__pair(note->first_line, note->table_length));
    key = hash__pair(key, hash__bytes(note->name, sizeof(note->name) + sizeof(note->file)));
    key = hash__pair(key, hash__bytes(note->table, table_bytes));
    if (id_map__get(&codes->by_contents, key, &index))
        return codes->owned[index];
    if (GROW(codes->owned, codes->capacity, codes->count + 1) != 0)
        return NULL;
    struct guest_code *code = make(codes, note, table_bytes);
    if (!code || id_map__put(&codes->by_contents, key, (uint32_t)codes->count) != 0) {
        free(code);
        return NULL;
    }
    codes->owned[codes->count++] = code;
    return code;
}

// Only the kernel side writes notes; what it copied into them is a stranger's.
static bool is_sound(const struct wire_guest_note *note, size_t bytes)
{
    return bytes >= offsetof(struct wire_guest_note, table) && bytes <= sizeof(*note) &&
           note->name_bytes <= sizeof(note->name) && note->file_bytes <= sizeof(note->file);
}

void guest_codes__take(struct guest_codes *codes, const struct wire_guest_note *note, size_t bytes)
{
    size_t head = offsetof(struct wire_guest_note, table);
    if (!is_sound(note, bytes) || note->table_bytes > bytes - head) // the ring rounds lengths up
        return;
    codes->ids_told++;
    struct guest_code *code = note->id < LIMIT_GUEST_IDS ? intern(codes, note, head + note->table_bytes) : NULL;
    if (code)
        __atomic_store_n(&codes->by_id[note->id], code, __ATOMIC_RELEASE);
    else
        codes->refused++;
}

// The numbers go on, so that those in frames and caches keep their meaning.
static void forget_ids(struct guest_codes *codes)
{
    uint64_t key[2];
    while (bpf_map_get_next_key(codes->ids_fd, NULL, key) == 0 && bpf_map_delete_elem(codes->ids_fd, key) == 0)
        ;
    codes->ids_told = 0;
}

void guest_codes__read(struct guest_codes *codes)
{
    ring_buffer__consume(codes->notes);
    if (codes->ids_told >= FORGET_IDS_AT)
        forget_ids(codes);
}

const struct guest_code *guest_codes__find(const struct guest_codes *codes, uint32_t id)
{
    return id < LIMIT_GUEST_IDS ? __atomic_load_n(&codes->by_id[id], __ATOMIC_ACQUIRE) : NULL;
}

uint64_t guest_codes__refused(const struct guest_codes *codes)
{
    return codes->refused;
}
