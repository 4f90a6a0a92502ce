#include "symbolizer/arch/instruction.h"

#include <string.h>

// Of the instruction sets' opcode maps (Intel's manual, volume 2, appendix A): a bit for each opcode byte, sixteen to a
// row of the manual's tables.
static const uint16_t has_modrm_1[16] = {0x0f0f, 0x0f0f, 0x0f0f, 0x0f0f, 0,      0,      0x0a08, 0,
                                         0xffff, 0,      0,      0,      0x00c3, 0xff0f, 0,      0xc0c0};
static const uint16_t has_no_modrm_2[16] = {0x4be0, 0, 0,      0x00ff, 0,      0, 0, 0x0080,
                                            0xffff, 0, 0x0707, 0,      0xff00, 0, 0, 0};
static const uint16_t has_byte_1[16] = {0x1010, 0x1010, 0x1010, 0x1010, 0,      0, 0x0c00, 0xffff,
                                        0x0009, 0,      0x0100, 0x00ff, 0x2043, 0, 0x08ff, 0}; // an immediate byte
static const uint16_t has_word_1[16] = {
    0x2020, 0x2020, 0x2020, 0x2020, 0,      0, 0x0300, 0,
    0x0002, 0,      0x0200, 0,      0x0080, 0, 0x0300, 0}; // one of 4 bytes, or of 2 behind the prefix 66
static const uint16_t has_byte_2[16] = {0, 0, 0, 0, 0, 0, 0, 0x000f, 0, 0, 0x1010, 0x0400, 0x0074, 0, 0, 0};
// Behind an AVX prefix the kernel looks at the opcode byte alone. The opcodes that it takes for a branch, a return or a
// popf:
static const uint16_t is_mistaken[16] = {0, 0, 0, 0, 0, 0, 0, 0xffff, 0, 0x2401, 0, 0, 0x0c0c, 0, 0x0f00, 0x8000};
// And what some kernel refuses (good_insns_64).
static const uint16_t is_refused[16] = {0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xffff, 0,      0xf0c7, 0,
                                        0x0004, 0,      0,      0,      0xf030, 0x0070, 0xf0f0, 0x0c12};

static bool has(const uint16_t rows[16], uint8_t opcode)
{
    return rows[opcode >> 4] >> (opcode & 15) & 1;
}

struct instruction {
    uint8_t map, opcode; // map 1: one byte; 2: behind 0f; 3: 0f 38; 4: 0f 3a
    bool is_vector;      // VEX or EVEX
    bool has_66, has_67, is_wide;
    size_t at; // behind the opcode
};

// The prefixes and the opcode. Every read is of a byte that is there: `code` ends in zeroes.
static bool read_opcode(const uint8_t *code, struct instruction *ret)
{
    static const char prefixes[] = "\x66\x67\xf2\xf3\x2e\x36\x3e\x26\x64\x65\xf0";
    struct instruction found = {.map = 1};
    size_t at = 0;
    while (at < 11 && memchr(prefixes, code[at], sizeof(prefixes) - 1)) {
        found.has_66 = found.has_66 || code[at] == 0x66;
        found.has_67 = found.has_67 || code[at] == 0x67;
        at++;
    }
    if ((code[at] & 0xf0) == 0x40)
        found.is_wide = code[at++] & 8;
    if (code[at] == 0xc5) {
        found.is_vector = true;
        found.map = 2;
        at += 2;
    } else if (code[at] == 0xc4 || code[at] == 0x62) {
        found.is_vector = true;
        found.map = (code[at + 1] & (code[at] == 0x62 ? 7 : 31)) + 1;
        at += code[at] == 0x62 ? 4 : 3;
    } else if (code[at] == 0x0f) {
        found.map = code[at + 1] == 0x38 ? 3 : code[at + 1] == 0x3a ? 4 : 2;
        at += found.map == 2 ? 1 : 2;
    }
    found.opcode = code[at];
    found.at = at + 1;
    *ret = found;
    return found.map >= 1;
}

// ModRM, SIB and displacement.
static size_t address_bytes(const uint8_t *at)
{
    uint8_t mode = at[0] >> 6, base = at[0] & 7;
    size_t bytes = 1;
    if (mode == 3)
        return bytes;
    if (base == 4) {
        base = at[1] & 7;
        bytes++;
    } else if (mode == 0 && base == 5) {
        return bytes + 4; // relative to rip
    }
    return bytes + (mode == 1 ? 1 : mode == 2 || base == 5 ? 4 : 0);
}

static bool has_modrm(const struct instruction *instruction)
{
    if (instruction->map == 1)
        return has(has_modrm_1, instruction->opcode);
    if (instruction->is_vector)
        return instruction->map != 2 || instruction->opcode != 0x77; // vzeroupper
    return instruction->map != 2 || !has(has_no_modrm_2, instruction->opcode);
}

static size_t immediate_bytes_1(const struct instruction *instruction, uint8_t modrm)
{
    size_t word_bytes = instruction->has_66 && !instruction->is_wide ? 2 : 4;
    uint8_t opcode = instruction->opcode;
    if ((opcode & 0xf8) == 0xb8)
        return instruction->is_wide ? 8 : word_bytes;
    if ((opcode & 0xfc) == 0xa0)
        return instruction->has_67 ? 4 : 8;
    if (opcode == 0xc2 || opcode == 0xca)
        return 2;
    if (opcode == 0xc8)
        return 3;                         // enter
    if (opcode == 0xf6 || opcode == 0xf7) // only test has one
        return modrm >> 3 & 6 ? 0 : opcode == 0xf6 ? 1 : word_bytes;
    if (opcode == 0xe8 || opcode == 0xe9)
        return 4;
    return has(has_byte_1, opcode) ? 1 : has(has_word_1, opcode) ? word_bytes : 0;
}

static size_t immediate_bytes(const struct instruction *instruction, uint8_t modrm)
{
    if (instruction->map == 1)
        return immediate_bytes_1(instruction, modrm);
    if (instruction->map == 2 && !instruction->is_vector && (instruction->opcode & 0xf0) == 0x80)
        return 4; // conditional jumps
    return instruction->map == 4 || (instruction->map == 2 && has(has_byte_2, instruction->opcode));
}

// A copy with zeroes behind, so that nothing reads past the end.
#define PADDED_BYTES (INSTRUCTION_BYTES_MAX + 17)

static void pad(const uint8_t *code, size_t available, uint8_t ret_code[PADDED_BYTES])
{
    memset(ret_code, 0, PADDED_BYTES);
    memcpy(ret_code, code, available < INSTRUCTION_BYTES_MAX ? available : INSTRUCTION_BYTES_MAX);
}

static size_t length(const uint8_t code[PADDED_BYTES], size_t available, struct instruction *ret)
{
    if (!read_opcode(code, ret))
        return 0;
    uint8_t modrm = code[ret->at];
    size_t bytes = ret->at + (has_modrm(ret) ? address_bytes(code + ret->at) : 0) + immediate_bytes(ret, modrm);
    return bytes <= available && bytes <= INSTRUCTION_BYTES_MAX ? bytes : 0;
}

size_t instruction__bytes(const uint8_t *code, size_t available)
{
    uint8_t padded[PADDED_BYTES];
    struct instruction instruction;
    pad(code, available, padded);
    return length(padded, available, &instruction);
}

bool instruction__is_probeable(const uint8_t *code, size_t available)
{
    uint8_t padded[PADDED_BYTES];
    struct instruction instruction;
    pad(code, available, padded);
    return !read_opcode(padded, &instruction) || !instruction.is_vector ||
           !(has(is_mistaken, instruction.opcode) || has(is_refused, instruction.opcode));
}

// Vector instructions that write a general register, or may.
static bool writes_general_register(const struct instruction *instruction)
{
    uint8_t opcode = instruction->opcode;
    switch (instruction->map) {
    case 2:
        return opcode == 0x2c || opcode == 0x2d || opcode == 0x50 || opcode == 0x78 || opcode == 0x79 ||
               opcode == 0x7e || opcode == 0x93 || opcode == 0xc5 || opcode == 0xd7;
    case 3:
        return opcode >= 0xf0; // BMI
    case 4:
        return (opcode >= 0x14 && opcode <= 0x17) || opcode == 0xf0 || (opcode >= 0x60 && opcode <= 0x63);
    default:
        return true;
    }
}

size_t instruction__vector_bytes(const uint8_t *code, size_t available)
{
    uint8_t padded[PADDED_BYTES];
    struct instruction instruction;
    pad(code, available, padded);
    size_t bytes = length(padded, available, &instruction);
    return bytes && instruction.is_vector && !writes_general_register(&instruction) ? bytes : 0;
}

size_t instruction__entry_skip(const uint8_t *code, size_t bytes)
{
    static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    const uint8_t *next = code + sizeof(endbr64);
    size_t skipped = 0;
    if (bytes < 2 * sizeof(endbr64) || memcmp(code, endbr64, sizeof(endbr64)) != 0) {
        while (!instruction__is_probeable(code + skipped, bytes - skipped)) {
            size_t more = instruction__vector_bytes(code + skipped, bytes - skipped);
            if (!more)
                return 0;
            skipped += more;
        }
        return skipped;
    }
    // Kernel: arch/x86/kernel/uprobes.c, push_setup_xol_ops and branch_setup_xol_ops.
    bool is_push = (next[0] & 0xf8) == 0x50 || (next[0] == 0x41 && (next[1] & 0xf8) == 0x50);
    bool is_nop = next[0] == 0x90 || (next[0] == 0x66 && next[1] == 0x90) || (next[0] == 0x0f && next[1] == 0x1f) ||
                  (next[0] == 0x66 && next[1] == 0x0f && next[2] == 0x1f);
    return is_push || is_nop ? sizeof(endbr64) : 0;
}
