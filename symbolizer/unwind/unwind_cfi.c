#include "symbolizer/unwind/unwind_cfi.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "store/base/byte_reader.h"
#include "store/base/grow.h"

// A CIE's program is run once for each neighbouring FDE of another CIE; compilers write 5 to 40 bytes.
#define CIE_PROGRAM_BYTES_MAX 1024

struct walk {
    const struct unwind_section *section;
    bool is_eh_frame;
    struct cfi_cie *cies; // by offset, as they come
    size_t cie_count, cie_capacity;
    const struct cfi_cie *last;
};

struct record {
    uint64_t offset;         // of its length
    struct byte_reader body; // behind the CIE pointer
    uint64_t id;             // the CIE pointer
    uint64_t id_offset;      // where that stands
    bool has_64_bit_ids;     // DWARF's 64-bit format
};

static uint64_t offset_in(const struct walk *walk, const uint8_t *at)
{
    return (uint64_t)(at - walk->section->data);
}

// false at the end of the section, at its terminator, and where the length is a lie.
static bool next_record(const struct walk *walk, struct byte_reader *cursor, struct record *ret_record)
{
    struct record record = {.offset = offset_in(walk, cursor->at)};
    if (cursor->at == cursor->end)
        return false;
    uint64_t bytes = byte_reader__fixed(cursor, 4);
    if (bytes == 0xffffffff) {
        bytes = byte_reader__fixed(cursor, 8);
        record.has_64_bit_ids = true;
    }
    if (cursor->failed || bytes == 0 || bytes > (uint64_t)(cursor->end - cursor->at))
        return false;
    record.body = (struct byte_reader){.at = cursor->at, .end = cursor->at + bytes};
    cursor->at += bytes;
    record.id_offset = offset_in(walk, record.body.at);
    // .eh_frame has 4 bytes here in both formats (as binutils and libgcc read it: the 64-bit one only has longer
    // records).
    record.id = record.has_64_bit_ids && !walk->is_eh_frame ? byte_reader__fixed(&record.body, 8)
                                                            : byte_reader__fixed(&record.body, 4);
    *ret_record = record;
    return !record.body.failed;
}

static bool is_cie(const struct walk *walk, const struct record *record)
{
    if (walk->is_eh_frame)
        return record->id == 0;
    return record->id == (record->has_64_bit_ids ? UINT64_MAX : UINT32_MAX);
}

// An address by its encoding. False where the encoding is one that programs for Linux do not use in FDEs (relative to
// the text, the data or the function; indirect).
static bool read_address(const struct walk *walk, struct byte_reader *cursor, uint8_t encoding, uint64_t *ret_address)
{
    uint64_t base = 0, value;
    if ((encoding & 0x70) == DW_EH_PE_pcrel)
        base = walk->section->address + offset_in(walk, cursor->at);
    else if ((encoding & 0x70) != DW_EH_PE_absptr)
        return false;
    switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
        value = byte_reader__fixed(cursor, 8);
        break;
    case DW_EH_PE_udata4:
        value = byte_reader__fixed(cursor, 4);
        break;
    case DW_EH_PE_sdata4:
        value = (uint64_t)(int64_t)(int32_t)byte_reader__fixed(cursor, 4);
        break;
    case DW_EH_PE_udata2:
        value = byte_reader__fixed(cursor, 2);
        break;
    case DW_EH_PE_sdata2:
        value = (uint64_t)(int64_t)(int16_t)byte_reader__fixed(cursor, 2);
        break;
    case DW_EH_PE_uleb128:
        value = byte_reader__uleb(cursor);
        break;
    case DW_EH_PE_sleb128:
        value = (uint64_t)byte_reader__sleb(cursor);
        break;
    default:
        return false;
    }
    *ret_address = base + value;
    return !cursor->failed && !(encoding & DW_EH_PE_indirect);
}

static void skip_personality(struct byte_reader *cursor)
{
    uint8_t encoding = byte_reader__u8(cursor);
    switch (encoding & 0x0f) {
    case DW_EH_PE_udata2:
    case DW_EH_PE_sdata2:
        byte_reader__skip(cursor, 2);
        break;
    case DW_EH_PE_udata4:
    case DW_EH_PE_sdata4:
        byte_reader__skip(cursor, 4);
        break;
    case DW_EH_PE_uleb128:
    case DW_EH_PE_sleb128:
        byte_reader__uleb(cursor);
        break;
    default:
        byte_reader__skip(cursor, 8);
    }
}

// The letters after 'z' say what the augmentation data holds; those behind one that is not known cannot be read.
static void read_augmentation(struct cfi_cie *cie, const char *letters, struct byte_reader data)
{
    for (; *letters; letters++) {
        if (*letters == 'R')
            cie->encoding = byte_reader__u8(&data);
        else if (*letters == 'P')
            skip_personality(&data);
        else if (*letters == 'L')
            byte_reader__u8(&data);
        else if (*letters == 'S')
            cie->is_signal = true;
        else if (*letters != 'B' && *letters != 'G')
            break;
    }
    cie->is_usable = *letters == 0 && !data.failed;
}

static struct cfi_cie read_cie(const struct record *record)
{
    struct cfi_cie cie = {.record = record->offset, .encoding = DW_EH_PE_absptr};
    struct byte_reader body = record->body;
    uint8_t version = byte_reader__u8(&body);
    const char *letters = (const char *)body.at;
    const uint8_t *nul = memchr(body.at, 0, (size_t)(body.end - body.at));
    if (body.failed || !nul || (version != 1 && version != 3 && version != 4))
        return cie;
    body.at = nul + 1;
    uint8_t address_bytes = 8, segment_bytes = 0;
    if (version == 4) {
        address_bytes = byte_reader__u8(&body);
        segment_bytes = byte_reader__u8(&body);
    }
    cie.code_factor = byte_reader__uleb(&body);
    cie.data_factor = byte_reader__sleb(&body);
    cie.return_register = version == 1 ? byte_reader__u8(&body) : byte_reader__uleb(&body);
    cie.is_usable = letters[0] == 0;
    if (letters[0] == 'z') {
        cie.augmented = true;
        uint64_t bytes = byte_reader__uleb(&body);
        struct byte_reader data = {.at = body.at, .end = body.at + bytes};
        byte_reader__skip(&body, bytes);
        if (!body.failed)
            read_augmentation(&cie, letters + 1, data);
    }
    cie.program = body.at;
    cie.program_end = body.end;
    cie.is_usable = cie.is_usable && body.end - body.at <= CIE_PROGRAM_BYTES_MAX && !body.failed &&
                    address_bytes == 8 && segment_bytes == 0;
    return cie;
}

static int add_cie(struct walk *walk, const struct record *record)
{
    if (GROW(walk->cies, walk->cie_capacity, walk->cie_count + 1) != 0)
        return -ENOMEM;
    walk->cies[walk->cie_count++] = read_cie(record);
    return 0;
}

static int compare_record(const void *key, const void *element)
{
    uint64_t record = *(const uint64_t *)key, other = ((const struct cfi_cie *)element)->record;
    return record < other ? -1 : record > other;
}

static const struct cfi_cie *find_cie(struct walk *walk, const struct record *record)
{
    if (walk->is_eh_frame && record->id > record->id_offset)
        return NULL;
    uint64_t wanted = walk->is_eh_frame ? record->id_offset - record->id : record->id;
    if (!walk->last || walk->last->record != wanted)
        walk->last =
            walk->cie_count ? bsearch(&wanted, walk->cies, walk->cie_count, sizeof(*walk->cies), compare_record) : NULL;
    return walk->last;
}

static bool read_fde(struct walk *walk, const struct record *record, struct cfi_fde *ret_fde)
{
    struct cfi_fde fde = {.record = record->offset, .cie = find_cie(walk, record)};
    struct byte_reader body = record->body;
    // The length has the encoding of the address, but is relative to nothing. Where the CIE was not understood, its
    // 'R' may be unknown, and so the place of the function too.
    if (!fde.cie || !read_address(walk, &body, fde.cie->encoding, &fde.address) ||
        !read_address(walk, &body, fde.cie->encoding & 0x0f, &fde.bytes))
        return false;
    if (fde.cie->augmented)
        byte_reader__skip(&body, byte_reader__uleb(&body));
    fde.program = body.at;
    fde.program_end = body.end;
    *ret_fde = fde;
    return !body.failed;
}

int cfi__each_fde(const struct unwind_section *section, bool is_eh_frame, cfi_fde_fn *take, void *context,
                  struct cfi_cie **ret_cies)
{
    struct walk walk = {.section = section, .is_eh_frame = is_eh_frame};
    struct byte_reader start = {.at = section->data, .end = section->data + section->bytes};
    struct byte_reader cursor = start;
    struct record record;
    while (next_record(&walk, &cursor, &record))
        if (is_cie(&walk, &record) && add_cie(&walk, &record) != 0) {
            free(walk.cies);
            return -ENOMEM;
        }
    int err = 0;
    struct cfi_fde fde;
    for (cursor = start; !err && next_record(&walk, &cursor, &record);)
        if (!is_cie(&walk, &record) && read_fde(&walk, &record, &fde))
            err = take(&fde, context);
    if (err)
        free(walk.cies);
    else
        *ret_cies = walk.cies;
    return err;
}
