#include "symbolizer/jit/jit_dump.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/jit/process_maps.h"

#define DUMP_MAGIC   0x4a695444u // "JiTD" in the machine's order
#define DUMP_VERSION 1u

enum record_kind {
    RECORD_LOAD = 0,
    RECORD_MOVE = 1,
    RECORD_DEBUG_INFO = 2,
    RECORD_CLOSE = 3,
};

struct dump_header {
    uint32_t magic, version, total_bytes, machine, padding, pid;
    uint64_t timestamp, flags;
};

struct record_header {
    uint32_t kind, total_bytes;
    uint64_t timestamp;
};

struct load_record {
    uint32_t pid, tid;
    uint64_t memory, address, bytes, index;
};

struct move_record {
    uint32_t pid, tid;
    uint64_t memory, old_address, new_address, bytes, index;
};

struct wanted { // sorted by address
    uint64_t address;
    uint64_t before; // only records that stand before it in the file count
    struct jit_frame *frame;
    bool has_line; // `next` is of debug information whose load is still to come
    struct jit_frame next;
    uint64_t next_code; // where that load is to be
    bool has_moved;     // the last word on the address was a move, from `old_address`, at `moved_at`
    uint64_t old_address;
    uint64_t moved_at;
};

struct dump {
    FILE *stream;
    struct wanted *wanted;
    size_t count;
    uint64_t position;    // of the record in hand
    uint64_t first_debug; // of debug information whose load is still to come; 0: none
};

int jit_dump__open(pid_t pid, int *ret_fd)
{
    _cleanup_(process_maps__release) struct process_maps maps = {0};
    int err = process_maps__read(pid, &maps);
    if (err)
        return err;
    for (size_t i = 0; i < maps.count; i++) {
        const char *slash = strrchr(maps.mappings[i].path, '/');
        size_t length = slash ? strlen(slash) : 0;
        _cleanup_fd_ int fd = -1;
        if (length < 10 || strncmp(slash, "/jit-", 5) != 0 || strcmp(slash + length - 5, ".dump") != 0 ||
            process_maps__open_itself(pid, &maps.mappings[i], &fd) != 0)
            continue;
        *ret_fd = take_fd(&fd);
        return 0;
    }
    return -ENOENT;
}

static int compare(const void *left, const void *right)
{
    const struct wanted *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static size_t first_at_or_above(const struct dump *dump, uint64_t address)
{
    size_t low = 0, high = dump->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dump->wanted[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool read_bytes(struct dump *dump, void *bytes, size_t length, uint64_t *left)
{
    if (length > *left || fread(bytes, 1, length, dump->stream) != length)
        return false;
    *left -= length;
    return true;
}

// A string up to its NUL, cut to the buffer.
static bool read_string(struct dump *dump, char *text, size_t text_bytes, uint64_t *left)
{
    size_t length = 0;
    while (*left > 0) {
        int byte = getc_unlocked(dump->stream);
        if (byte == EOF)
            return false;
        (*left)--;
        if (byte == 0) {
            text[length] = '\0';
            return true;
        }
        if (length + 1 < text_bytes)
            text[length++] = (char)byte;
    }
    return false;
}

static int skip(struct dump *dump, uint64_t left)
{
    return fseeko(dump->stream, (off_t)left, SEEK_CUR) == 0 ? 0 : -EBADMSG;
}

static int take_load(struct dump *dump, uint64_t left)
{
    struct load_record record;
    char name[LIMIT_NAME_BYTES];
    if (!read_bytes(dump, &record, sizeof(record), &left) || !read_string(dump, name, sizeof(name), &left))
        return -EBADMSG;
    for (size_t i = first_at_or_above(dump, record.address); i < dump->count; i++) {
        struct wanted *wanted = &dump->wanted[i];
        if (wanted->address - record.address >= record.bytes)
            break;
        if (dump->position >= wanted->before)
            continue;
        jit_frame__release(wanted->frame);
        wanted->frame->name = strdup(name);
        if (!wanted->frame->name)
            return -ENOMEM;
        if (wanted->has_line && wanted->next_code == record.address) {
            wanted->frame->file = take_pointer(wanted->next.file);
            wanted->frame->line = wanted->next.line;
        }
        wanted->has_line = wanted->has_moved = false;
    }
    return skip(dump, left);
}

// An address in the new place is looked for in the old one, before the move, in the next reading.
static int take_move(struct dump *dump, uint64_t left)
{
    struct move_record record;
    if (!read_bytes(dump, &record, sizeof(record), &left))
        return -EBADMSG;
    for (size_t i = first_at_or_above(dump, record.new_address); i < dump->count; i++) {
        struct wanted *wanted = &dump->wanted[i];
        if (wanted->address - record.new_address >= record.bytes)
            break;
        if (dump->position >= wanted->before)
            continue;
        wanted->has_moved = true;
        wanted->old_address = record.old_address + (wanted->address - record.new_address);
        wanted->moved_at = dump->position;
    }
    return skip(dump, left);
}

static int give_line(struct dump *dump, uint64_t code, uint64_t start, uint64_t end, const char *file, uint32_t line)
{
    for (size_t i = first_at_or_above(dump, start); i < dump->count && dump->wanted[i].address < end; i++) {
        struct wanted *wanted = &dump->wanted[i];
        if (dump->position >= wanted->before)
            continue;
        free(wanted->next.file);
        wanted->next = (struct jit_frame){.file = strdup(file), .line = line};
        wanted->next_code = code;
        wanted->has_line = true;
        if (!wanted->next.file)
            return -ENOMEM;
    }
    return 0;
}

struct entry {
    uint64_t address;
    uint32_t line, discriminator;
};

// Some entries of V8's are written from memory that was freed: a name with a NUL in its middle, and nonsense from there
// on. Entries climb in address, from the code's start; those of a record where one does not are not used.
static bool entries_are_sound(struct dump *dump, uint64_t code, uint64_t count, uint64_t left, uint64_t *ret_first)
{
    char text[LIMIT_SOURCE_PATH_BYTES];
    struct entry entry;
    uint64_t last = code;
    for (uint64_t i = 0; i < count; i++) {
        if (!read_bytes(dump, &entry, sizeof(entry), &left) || !read_string(dump, text, sizeof(text), &left) ||
            entry.address < last || entry.address - code > LIMIT_JIT_FUNCTION_BYTES)
            return false;
        *ret_first = i == 0 ? entry.address : *ret_first;
        last = entry.address;
    }
    return count > 0;
}

// One entry reaches to the next, the last to the end of the code, which its load will tell. A name of "\xff" is that of
// the entry before.
static int take_entries(struct dump *dump, uint64_t code, uint64_t count, uint64_t shift, uint64_t *left)
{
    char file[LIMIT_SOURCE_PATH_BYTES] = "", text[LIMIT_SOURCE_PATH_BYTES];
    struct entry entry, last = {0};
    for (uint64_t i = 0; i < count; i++) {
        if (!read_bytes(dump, &entry, sizeof(entry), left) || !read_string(dump, text, sizeof(text), left))
            return -EBADMSG;
        entry.address -= shift;
        int err = i > 0 ? give_line(dump, code, last.address, entry.address, file, last.line) : 0;
        if (err)
            return err;
        if (strcmp(text, "\xff") != 0)
            memcpy(file, text, sizeof(file));
        last = entry;
    }
    return give_line(dump, code, last.address, code + LIMIT_JIT_FUNCTION_BYTES, file, last.line);
}

static int take_debug_info(struct dump *dump, uint64_t left)
{
    uint64_t head[2], first = 0; // address of the code, number of entries
    if (!read_bytes(dump, head, sizeof(head), &left))
        return -EBADMSG;
    off_t entries = ftello(dump->stream);
    bool sound = entries_are_sound(dump, head[0], head[1], left, &first);
    if (entries < 0 || fseeko(dump->stream, entries, SEEK_SET) != 0)
        return -EBADMSG;
    // V8 counts from the start of the ELF file that `perf inject` would make of the code, whose header comes first.
    uint64_t shift = first - head[0] >= sizeof(Elf64_Ehdr) ? sizeof(Elf64_Ehdr) : 0;
    int err = sound ? take_entries(dump, head[0], head[1], shift, &left) : 0;
    return err ? err : skip(dump, left);
}

static int take_record(struct dump *dump, const struct record_header *header)
{
    uint64_t left = header->total_bytes - sizeof(*header);
    switch (header->kind) {
    case RECORD_LOAD:
        return take_load(dump, left);
    case RECORD_MOVE:
        return take_move(dump, left);
    case RECORD_DEBUG_INFO:
        return take_debug_info(dump, left);
    default: // unwinding information, and what is not known
        return skip(dump, left);
    }
}

static int read_header(struct dump *dump)
{
    struct dump_header header;
    rewind(dump->stream);
    if (fread(&header, sizeof(header), 1, dump->stream) != 1 || header.magic != DUMP_MAGIC ||
        header.version != DUMP_VERSION || header.total_bytes < sizeof(header))
        return -EBADMSG;
    dump->position = header.total_bytes;
    return 0;
}

static void note_debug(struct dump *dump, uint32_t kind)
{
    if (kind == RECORD_LOAD)
        dump->first_debug = 0;
    else if (kind == RECORD_DEBUG_INFO && !dump->first_debug)
        dump->first_debug = dump->position;
}

// From a record's start; 0: the first.
static int read_records(struct dump *dump, uint64_t from)
{
    dump->first_debug = 0;
    int err = read_header(dump);
    if (err)
        return err;
    dump->position = from > dump->position ? from : dump->position;
    if (fseeko(dump->stream, (off_t)dump->position, SEEK_SET) != 0)
        return -EBADMSG;
    for (struct record_header record; dump->position < LIMIT_JIT_DUMP_BYTES; dump->position += record.total_bytes) {
        if (fread(&record, sizeof(record), 1, dump->stream) != 1 || record.kind == RECORD_CLOSE)
            return 0;
        if (record.total_bytes < sizeof(record))
            return -EBADMSG;
        err = take_record(dump, &record);
        if (err)
            return err;
        note_debug(dump, record.kind);
    }
    return 0;
}

// Gives each wanted address that lies in moved code the address it had before the move; false: no code was moved.
static bool follow_moves(struct dump *dump)
{
    bool any = false;
    for (size_t i = 0; i < dump->count; i++) {
        struct wanted *wanted = &dump->wanted[i];
        if (!wanted->has_moved)
            continue;
        any = true;
        jit_frame__release(wanted->frame);
        wanted->address = wanted->old_address;
        wanted->before = wanted->moved_at;
        wanted->has_moved = false;
    }
    qsort(dump->wanted, dump->count, sizeof(*dump->wanted), compare);
    return any;
}

int jit_dump__find(int fd, const struct jit_search *search, uint64_t *ret_end)
{
    _cleanup_free_ struct wanted *wanted = calloc(search->count + 1, sizeof(*wanted));
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    _cleanup_file_ FILE *stream = own_fd < 0 ? NULL : fdopen(own_fd, "r");
    if (!wanted || !stream)
        return -ENOMEM;
    for (size_t i = 0; i < search->count; i++)
        wanted[i] = (struct wanted){.address = search->addresses[i], .before = UINT64_MAX, .frame = &search->frames[i]};
    qsort(wanted, search->count, sizeof(*wanted), compare);
    struct dump dump = {.stream = stream, .wanted = wanted, .count = search->count};
    int err = read_records(&dump, search->from);
    *ret_end = dump.first_debug ? dump.first_debug : dump.position;
    for (size_t reading = 1; reading < LIMIT_JIT_MOVES && err != -ENOMEM && follow_moves(&dump); reading++)
        err = read_records(&dump, 0);
    for (size_t i = 0; i < search->count; i++)
        free(wanted[i].next.file);
    return err;
}
