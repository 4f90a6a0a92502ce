#include "symbolizer/unwind/copy_module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/grow.h"
#include "symbolizer/unwind/unwind_cfi.h"
#include "symbolizer/unwind/unwind_elf.h"
#include "symbolizer/unwind/unwind_go.h"

// libunwind exports it, for tools like this one, but declares it nowhere.
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *table,
                                              unw_proc_info_t *info, int need_unwind_info, void *argument);

enum {
    PAGE_BYTES = 4096,
    PAGE_SLOTS = 1024,         // 4 MiB: the search tables and the hot code of a dozen libraries
    ENTRY_BYTES = 128,         // of code at an entry point without CFI; see unwind_extras.c
    IMAGE_BYTES_MOST = 65536,  // of one CIE and one FDE: programs of some KiB are the longest known
    IMAGE_DISTANCE = 1u << 30, // a table's entries reach 2 GiB
};

struct page {
    uint32_t owner; // 0: none
    uint32_t bytes; // fewer at the file's end
    uint64_t number;
    uint8_t data[PAGE_BYTES];
};

struct copy_pages {
    uint32_t owners;
    struct page slots[PAGE_SLOTS];
};

struct code { // an FDE of the index
    uint64_t start, end;
    struct cfi_fde fde;
};

struct index {
    struct unwind_section section;
    struct cfi_cie *cies;
    struct code *codes; // sorted by start
    size_t count, capacity;
};

struct stack_switch { // a call to another stack
    uint64_t file_offset, bytes;
    struct unwind_rule rule;
};

struct copy_module {
    struct unwind_elf elf;
    bool is_elf;
    struct copy_pages *pages;
    uint32_t owner;
    uint64_t table_address;   // of .eh_frame_hdr; 0: none that can be searched
    uint64_t entries_address; // of its entries
    uint64_t entry_count;
    struct stack_switch switches[16];
    size_t switch_count;
    bool indexed;
    struct index eh_frame, debug_frame;
};

int copy_pages__new(struct copy_pages **ret_pages)
{
    *ret_pages = calloc(1, sizeof(**ret_pages));
    return *ret_pages ? 0 : -ENOMEM;
}

void copy_pages__free(struct copy_pages *pages)
{
    free(pages);
}

static void index__release(struct index *index)
{
    unwind_section__free(&index->section);
    free(index->cies);
    free(index->codes);
}

void copy_module__free(struct copy_module *module)
{
    if (!module)
        return;
    if (module->is_elf)
        unwind_elf__close(&module->elf);
    index__release(&module->eh_frame);
    index__release(&module->debug_frame);
    free(module);
}

// --- Contents

static const struct page *find_page(const struct copy_module *module, uint64_t number)
{
    struct page *page = &module->pages->slots[(number * 31 + module->owner * 127u) % PAGE_SLOTS];
    if (page->owner == module->owner && page->number == number)
        return page;
    ssize_t got = pread(module->elf.fd, page->data, PAGE_BYTES, (off_t)(number * PAGE_BYTES));
    page->owner = module->owner;
    page->number = number;
    page->bytes = got > 0 ? (uint32_t)got : 0;
    return page;
}

static bool read_file(const struct copy_module *module, uint64_t offset, uint8_t *to, size_t bytes)
{
    if (module->elf.fd < 0) {
        if (offset > module->elf.bytes || bytes > module->elf.bytes - offset)
            return false;
        memcpy(to, module->elf.memory + offset, bytes);
        return true;
    }
    while (bytes) {
        const struct page *page = find_page(module, offset / PAGE_BYTES);
        size_t from = offset % PAGE_BYTES, step = PAGE_BYTES - from < bytes ? PAGE_BYTES - from : bytes;
        if (from + step > page->bytes)
            return false;
        memcpy(to, page->data + from, step);
        to += step;
        offset += step;
        bytes -= step;
    }
    return true;
}

bool copy_module__read(struct copy_module *module, uint64_t address, void *to, size_t bytes)
{
    for (size_t i = 0; module->is_elf && i < module->elf.program_header_count; i++) {
        const Elf64_Phdr *header = &module->elf.program_headers[i];
        if (header->p_type != PT_LOAD || address < header->p_vaddr || address - header->p_vaddr >= header->p_filesz)
            continue;
        // The last word of a segment may reach beyond its end; nothing reads there, but words are read whole.
        uint64_t from = address - header->p_vaddr, left = header->p_filesz - from;
        memset(to, 0, bytes);
        return read_file(module, header->p_offset + from, to, left < bytes ? left : bytes);
    }
    return false;
}

bool copy_module__address_of(const struct copy_module *module, uint64_t file_offset, uint64_t *ret_address)
{
    for (size_t i = 0; module->is_elf && i < module->elf.segment_count; i++) {
        const struct unwind_segment *segment = &module->elf.segments[i];
        if (file_offset < segment->file_offset || file_offset - segment->file_offset >= segment->bytes)
            continue;
        *ret_address = segment->address + (file_offset - segment->file_offset);
        return true;
    }
    return false;
}

bool copy_module__is_entry(const struct copy_module *module, uint64_t address)
{
    uint64_t entry = module->is_elf ? module->elf.entry : 0;
    return entry && address >= entry && address < entry + ENTRY_BYTES;
}

static int take_switch(uint64_t file_offset, uint64_t bytes, struct unwind_rule rule, void *context)
{
    struct copy_module *module = context;
    if (module->switch_count < sizeof(module->switches) / sizeof(module->switches[0]))
        module->switches[module->switch_count++] = (struct stack_switch){file_offset, bytes, rule};
    return 0;
}

bool copy_module__switch_rule(const struct copy_module *module, uint64_t address, struct unwind_rule *ret_rule)
{
    uint64_t offset, left;
    if (!module->switch_count || !unwind_elf__offset_of(&module->elf, address, &offset, &left))
        return false;
    for (size_t i = 0; i < module->switch_count; i++) {
        if (offset - module->switches[i].file_offset >= module->switches[i].bytes)
            continue;
        *ret_rule = module->switches[i].rule;
        return true;
    }
    return false;
}

// --- The search table

enum { AS_4_BYTES = 0x03, FROM_HERE_4_BYTES = 0x1b, FROM_TABLE_4_BYTES = 0x3b }; // DW_EH_PE_*

static void find_table(struct copy_module *module)
{
    for (size_t i = 0; i < module->elf.program_header_count; i++) {
        const Elf64_Phdr *header = &module->elf.program_headers[i];
        uint8_t head[12]; // version, encodings of: address of .eh_frame, count, entries; address, count
        uint32_t count;
        if (header->p_type != PT_GNU_EH_FRAME || !copy_module__read(module, header->p_vaddr, head, sizeof(head)))
            continue;
        if (head[0] != 1 || head[1] != FROM_HERE_4_BYTES || head[2] != AS_4_BYTES || head[3] != FROM_TABLE_4_BYTES)
            continue;
        memcpy(&count, head + 8, sizeof(count));
        module->table_address = header->p_vaddr;
        module->entries_address = header->p_vaddr + sizeof(head);
        module->entry_count = count;
    }
}

int copy_module__new(int fd, const void *image, size_t image_bytes, struct copy_pages *pages,
                     struct copy_module **ret_module)
{
    struct copy_module *module = calloc(1, sizeof(*module));
    if (!module)
        return -ENOMEM;
    struct fault ignored = {0};
    module->pages = pages;
    module->owner = ++pages->owners;
    module->is_elf = unwind_elf__open(fd, image, image_bytes, &ignored, &module->elf) == 0;
    if (module->is_elf) {
        find_table(module);
        unwind_go__each_switch(&module->elf, take_switch, module);
    }
    *ret_module = module;
    return 0;
}

static int search(const struct copy_module *module, unw_addr_space_t space, uint64_t ip, uint64_t bias,
                  unw_proc_info_t *ret_info, int need_unwind_info, void *argument)
{
    unw_dyn_info_t table = {.start_ip = 0, .end_ip = UINT64_MAX, .format = UNW_INFO_FORMAT_REMOTE_TABLE};
    table.u.rti.segbase = module->table_address + bias;
    table.u.rti.table_data = module->entries_address + bias;
    table.u.rti.table_len = module->entry_count; // in words, and an entry is a word
    return UNW_OBJ(dwarf_search_unwind_table)(space, ip, &table, ret_info, need_unwind_info, argument);
}

// --- The index

static int take_code(const struct cfi_fde *fde, void *context)
{
    struct index *index = context;
    if (!fde->bytes || !fde->cie->is_usable || fde->address > UINT64_MAX - fde->bytes)
        return 0;
    if (GROW(index->codes, index->capacity, index->count + 1) != 0)
        return -ENOMEM;
    index->codes[index->count++] = (struct code){.start = fde->address, .end = fde->address + fde->bytes, .fde = *fde};
    return 0;
}

static int compare_codes(const void *left, const void *right)
{
    uint64_t a = ((const struct code *)left)->start, b = ((const struct code *)right)->start;
    return (a > b) - (a < b);
}

static void make_index(struct index *index, bool is_eh_frame)
{
    if (index->section.data && cfi__each_fde(&index->section, is_eh_frame, take_code, index, &index->cies) == 0)
        qsort(index->codes, index->count, sizeof(*index->codes), compare_codes);
    else
        index->count = 0;
}

static void make_indexes(struct copy_module *module)
{
    module->indexed = true;
    if (!module->is_elf)
        return;
    if (unwind_elf__section(&module->elf, ".debug_frame", &module->debug_frame.section) == 0)
        make_index(&module->debug_frame, false);
    if (!module->table_address && unwind_elf__eh_frame(&module->elf, &module->eh_frame.section) == 0)
        make_index(&module->eh_frame, true);
}

static const struct code *find_code(const struct index *index, uint64_t address)
{
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->codes[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < index->codes[low - 1].end ? &index->codes[low - 1] : NULL;
}

static void append_sleb(struct buf *buf, int64_t value)
{
    for (bool more = true; more;) {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        more = !((value == 0 && !(byte & 0x40)) || (value == -1 && byte & 0x40));
        buf__append_byte(buf, (uint8_t)(byte | (more ? 0x80 : 0)));
    }
}

// A record begins with its length, which is known at its end; it is padded with DW_CFA_nop.
static size_t begin_record(struct buf *buf)
{
    uint32_t unknown = 0;
    buf__append(buf, &unknown, sizeof(unknown));
    return buf->length_bytes;
}

static void end_record(struct buf *buf, size_t start)
{
    while (buf->length_bytes % 8)
        buf__append_byte(buf, 0);
    uint32_t bytes = (uint32_t)(buf->length_bytes - start);
    if (!buf->failed)
        memcpy(buf->data + start - 4, &bytes, sizeof(bytes));
}

// As .eh_frame has it: version 1, augmentation "zR" or "zRS", addresses as they are.
static void write_cie(struct buf *buf, const struct cfi_cie *cie)
{
    size_t start = begin_record(buf);
    uint32_t id = 0;
    const char *augmentation = cie->is_signal ? "zRS" : "zR";
    buf__append(buf, &id, sizeof(id));
    buf__append_byte(buf, 1);
    buf__append(buf, augmentation, strlen(augmentation) + 1);
    buf__append_varint(buf, cie->code_factor);
    append_sleb(buf, cie->data_factor);
    buf__append_byte(buf, (uint8_t)cie->return_register);
    buf__append_byte(buf, 1); // byte of augmentation data: DW_EH_PE_absptr
    buf__append_byte(buf, 0);
    buf__append(buf, cie->program, (size_t)(cie->program_end - cie->program));
    end_record(buf, start);
}

static void write_fde(struct buf *buf, const struct cfi_fde *fde, uint64_t bias, size_t cie)
{
    size_t start = begin_record(buf);
    uint32_t back = (uint32_t)(start - cie);
    uint64_t address = fde->address + bias;
    buf__append(buf, &back, sizeof(back));
    buf__append(buf, &address, sizeof(address));
    buf__append(buf, &fde->bytes, sizeof(fde->bytes));
    buf__append_byte(buf, 0); // bytes of augmentation data
    buf__append(buf, fde->program, (size_t)(fde->program_end - fde->program));
    end_record(buf, start);
}

static uint64_t place_image(uint64_t ip, uint64_t avoid_start, uint64_t avoid_end)
{
    uint64_t above = (ip & ~(uint64_t)(PAGE_BYTES - 1)) + IMAGE_DISTANCE;
    bool is_free = above + IMAGE_BYTES_MOST <= avoid_start || above >= avoid_end;
    return is_free ? above : above - 2ull * IMAGE_DISTANCE;
}

// The table has one entry, at the image's start: where the code begins and where the FDE is, from the image's start.
static int write_image(const struct code *code, uint64_t bias, struct copy_image *image)
{
    struct buf buf = {.data = image->bytes, .capacity_bytes = image->capacity_bytes};
    int32_t entry[2] = {(int32_t)(code->start + bias - image->start), 0};
    buf__append(&buf, entry, sizeof(entry));
    size_t cie = buf.length_bytes;
    write_cie(&buf, code->fde.cie);
    entry[1] = (int32_t)buf.length_bytes;
    write_fde(&buf, &code->fde, bias, cie);
    buf__append(&buf, (uint32_t[]){0, 0}, 8);
    image->bytes = buf.data;
    image->capacity_bytes = buf.capacity_bytes;
    image->length_bytes = 0;
    if (buf.failed || buf.length_bytes > IMAGE_BYTES_MOST)
        return -ENOMEM;
    memcpy(buf.data, entry, sizeof(entry));
    image->length_bytes = buf.length_bytes;
    return 0;
}

static int search_index(const struct code *code, unw_addr_space_t space, uint64_t ip, const struct copy_image *image,
                        unw_proc_info_t *ret_info, int need_unwind_info, void *argument)
{
    (void)code;
    unw_dyn_info_t table = {.start_ip = 0, .end_ip = UINT64_MAX, .format = UNW_INFO_FORMAT_REMOTE_TABLE};
    table.u.rti.segbase = table.u.rti.table_data = image->start;
    table.u.rti.table_len = 1;
    return UNW_OBJ(dwarf_search_unwind_table)(space, ip, &table, ret_info, need_unwind_info, argument);
}

int copy_module__find(struct copy_module *module, unw_addr_space_t space, uint64_t ip, uint64_t bias,
                      struct copy_image *image, uint64_t avoid_start, uint64_t avoid_end, unw_proc_info_t *ret_info,
                      int need_unwind_info, void *argument)
{
    int err = -UNW_ENOINFO;
    if (module->table_address)
        err = search(module, space, ip, bias, ret_info, need_unwind_info, argument);
    if (err != -UNW_ENOINFO)
        return err;
    if (!module->indexed)
        make_indexes(module);
    const struct code *code = find_code(&module->eh_frame, ip - bias);
    if (!code)
        code = find_code(&module->debug_frame, ip - bias);
    if (!code)
        return -UNW_ENOINFO;
    image->start = place_image(ip, avoid_start, avoid_end);
    if (write_image(code, bias, image) != 0)
        return -UNW_ENOMEM;
    return search_index(code, space, ip, image, ret_info, need_unwind_info, argument);
}
