#include "symbolizer/unwind/unwind_cfa.h"

#include <dwarf.h>

#include "bpf/arch/registers.h"
#include "store/base/byte_reader.h"

#define REMEMBERED_MAX 16 // DW_CFA_remember_state: compilers nest one or two

struct run {
    const struct cfi_cie *cie;
    const struct cfa_state *start; // for DW_CFA_restore; NULL in a CIE's own program
    struct cfa_state state;
    struct cfa_state remembered[REMEMBERED_MAX];
    size_t remembered_count;
    uint64_t function; // address
    uint64_t distance;
    struct byte_reader at;
    bool failed;
};

// Expressions: those that compilers and assemblers really write, known by their shape.

static bool is_breg(struct byte_reader *expression, unsigned reg, int64_t *ret_offset)
{
    if (byte_reader__u8(expression) != DW_OP_breg0 + reg)
        return false;
    *ret_offset = byte_reader__sleb(expression);
    return !expression->failed;
}

static bool is_just_breg(struct byte_reader expression, unsigned reg, int64_t *ret_offset)
{
    return is_breg(&expression, reg, ret_offset) && expression.at == expression.end;
}

// bregSP o; bregIP 0; lit15; and; litT; ge; lit3; shl; plus: sp + o, and 8 more behind the push of a PLT entry.
static bool is_plt(struct byte_reader expression, int64_t *ret_offset, int *ret_threshold)
{
    int64_t zero;
    if (!is_breg(&expression, REGISTER_SP, ret_offset) || !is_breg(&expression, REGISTER_IP, &zero) || zero != 0 ||
        expression.end - expression.at != 7)
        return false;
    const uint8_t *code = expression.at;
    *ret_threshold = code[2] - DW_OP_lit0;
    return code[0] == DW_OP_lit15 && code[1] == DW_OP_and && code[2] >= DW_OP_lit0 && code[2] <= DW_OP_lit15 &&
           code[3] == DW_OP_ge && code[4] == DW_OP_lit3 && code[5] == DW_OP_shl && code[6] == DW_OP_plus;
}

// bregN o; deref; and perhaps plus_uconst 8.
static bool is_deref(struct byte_reader expression, unsigned reg, int64_t *ret_offset, uint64_t *ret_more)
{
    *ret_more = 0;
    if (!is_breg(&expression, reg, ret_offset) || byte_reader__u8(&expression) != DW_OP_deref)
        return false;
    if (expression.at < expression.end) {
        if (byte_reader__u8(&expression) != DW_OP_plus_uconst)
            return false;
        *ret_more = byte_reader__uleb(&expression);
    }
    return !expression.failed && expression.at == expression.end;
}

static struct unwind_rule unsupported(void)
{
    return (struct unwind_rule){.kind = UNWIND_UNSUPPORTED};
}

static bool is_at_sp(const struct cfa_place *place, int64_t offset)
{
    int64_t found;
    return place->how == CFA_EXPRESSION && is_just_breg(place->expression, REGISTER_SP, &found) && found == offset;
}

static bool is_signal_frame(const struct cfa_state *state, int64_t *ret_offset)
{
    uint64_t more;
    return is_deref(state->cfa_expression, REGISTER_SP, ret_offset, &more) && more == 0 &&
           *ret_offset < INT32_MAX - 64 && is_at_sp(&state->ip, *ret_offset + SIGNAL_FRAME_IP) &&
           is_at_sp(&state->bp, *ret_offset + SIGNAL_FRAME_BP) && is_at_sp(&state->bx, *ret_offset + SIGNAL_FRAME_BX);
}

static enum unwind_kind kind_of_expression(const struct cfa_state *state, int64_t *ret_offset)
{
    uint64_t more;
    if (is_deref(state->cfa_expression, REGISTER_SP, ret_offset, &more))
        return more == 0 ? UNWIND_SP_DEREF : more == 8 ? UNWIND_SP_DEREF_8 : UNWIND_UNSUPPORTED;
    if (is_deref(state->cfa_expression, REGISTER_BP, ret_offset, &more) && more == 0)
        return UNWIND_BP_DEREF;
    return UNWIND_UNSUPPORTED;
}

static enum unwind_kind kind_of_register(uint64_t reg)
{
    return reg == REGISTER_SP   ? UNWIND_SP
           : reg == REGISTER_BP ? UNWIND_BP
           : reg == REGISTER_BX ? UNWIND_BX
                                : UNWIND_UNSUPPORTED;
}

static void pack_bp(const struct cfa_place *bp, struct unwind_rule *rule)
{
    int64_t offset = 0;
    enum unwind_bp how = UNWIND_BP_LOST;
    if (bp->how == CFA_UNSPECIFIED || bp->how == CFA_SAME) {
        how = UNWIND_BP_SAME;
    } else if (bp->how == CFA_AT_CFA) {
        how = UNWIND_BP_AT_CFA;
        offset = bp->offset;
    } else if (bp->how == CFA_EXPRESSION && is_just_breg(bp->expression, REGISTER_BP, &offset)) {
        how = UNWIND_BP_AT_BP;
    }
    if (offset < INT16_MIN || offset > INT16_MAX || how == UNWIND_BP_LOST) {
        how = UNWIND_BP_LOST;
        offset = 0;
    }
    rule->bp_offset = (int16_t)offset;
    rule->kind |= (uint8_t)(how << 4);
}

static int8_t pack_bx(const struct cfa_place *bx)
{
    if (bx->how == CFA_UNSPECIFIED || bx->how == CFA_SAME)
        return UNWIND_BX_SAME;
    if (bx->how == CFA_AT_CFA && bx->offset % 8 == 0 && bx->offset < 0 && bx->offset / 8 > UNWIND_BX_LOST)
        return (int8_t)(bx->offset / 8);
    return UNWIND_BX_LOST;
}

static struct unwind_rule pack_plt(const struct cfa_state *state, int64_t offset, int threshold)
{
    if (state->bp.how > CFA_SAME || state->bx.how > CFA_SAME || offset < 0 || offset > INT32_MAX)
        return unsupported();
    return (struct unwind_rule){.kind = UNWIND_PLT, .cfa_offset = (int32_t)offset, .bp_offset = (int16_t)threshold};
}

static struct unwind_rule pack(const struct cfa_state *state, bool is_signal)
{
    int64_t offset = state->cfa_offset;
    int threshold;
    if (state->ip.how == CFA_UNDEFINED)
        return (struct unwind_rule){.kind = UNWIND_END};
    if (is_signal && state->cfa_is_expression && is_signal_frame(state, &offset))
        return (struct unwind_rule){.kind = UNWIND_SIGNAL, .cfa_offset = (int32_t)offset};
    if (is_signal || state->ip.how != CFA_AT_CFA || state->ip.offset != -8)
        return unsupported();
    if (state->cfa_is_expression && is_plt(state->cfa_expression, &offset, &threshold))
        return pack_plt(state, offset, threshold);
    enum unwind_kind kind =
        state->cfa_is_expression ? kind_of_expression(state, &offset) : kind_of_register(state->cfa_register);
    if (kind == UNWIND_UNSUPPORTED || offset < INT32_MIN || offset > INT32_MAX)
        return unsupported();
    struct unwind_rule rule = {.kind = (uint8_t)kind, .cfa_offset = (int32_t)offset, .bx_slot = pack_bx(&state->bx)};
    pack_bp(&state->bp, &rule);
    return rule;
}

static struct cfa_place *place_of(struct run *run, struct cfa_state *state, uint64_t reg)
{
    if (reg == run->cie->return_register)
        return &state->ip;
    return reg == REGISTER_BP ? &state->bp : reg == REGISTER_BX ? &state->bx : NULL;
}

static void set_place(struct run *run, uint64_t reg, struct cfa_place value)
{
    struct cfa_place *place = place_of(run, &run->state, reg);
    if (place)
        *place = value;
}

static void restore_place(struct run *run, uint64_t reg)
{
    struct cfa_place *place = place_of(run, &run->state, reg);
    if (!run->start) {
        run->failed = true;
    } else if (place) {
        struct cfa_state start = *run->start;
        *place = *place_of(run, &start, reg);
    }
}

static void set_at_cfa(struct run *run, uint64_t reg, uint64_t factored)
{
    set_place(run, reg,
              (struct cfa_place){.how = CFA_AT_CFA, .offset = (int64_t)(factored * (uint64_t)run->cie->data_factor)});
}

static void set_cfa(struct run *run, uint64_t reg, uint64_t offset)
{
    run->state.cfa_register = reg;
    run->state.cfa_offset = (int64_t)offset;
    run->state.cfa_is_expression = false;
}

static struct byte_reader read_block(struct run *run)
{
    uint64_t bytes = byte_reader__uleb(&run->at);
    struct byte_reader block = {.at = run->at.at};
    byte_reader__skip(&run->at, bytes);
    block.end = run->at.failed ? block.at : run->at.at;
    return block;
}

static void set_cfa_expression(struct run *run)
{
    run->state.cfa_is_expression = true;
    run->state.cfa_expression = read_block(run);
}

static void remember_state(struct run *run)
{
    if (run->remembered_count == REMEMBERED_MAX)
        run->failed = true;
    else
        run->remembered[run->remembered_count++] = run->state;
}

static void restore_state(struct run *run)
{
    if (run->remembered_count == 0)
        run->failed = true;
    else
        run->state = run->remembered[--run->remembered_count];
}

// Everything but the advances. An unknown instruction fails: its operands cannot be skipped.
static void run_instruction(struct run *run, uint8_t opcode)
{
    struct byte_reader *at = &run->at;
    uint64_t factor = (uint64_t)run->cie->data_factor, reg;
    switch (opcode) {
    case DW_CFA_nop:
        break;
    case DW_CFA_offset_extended:
        reg = byte_reader__uleb(at);
        set_at_cfa(run, reg, byte_reader__uleb(at));
        break;
    case DW_CFA_offset_extended_sf:
        reg = byte_reader__uleb(at);
        set_at_cfa(run, reg, (uint64_t)byte_reader__sleb(at));
        break;
    case DW_CFA_GNU_negative_offset_extended:
        reg = byte_reader__uleb(at);
        set_at_cfa(run, reg, 0 - byte_reader__uleb(at));
        break;
    case DW_CFA_restore_extended:
        restore_place(run, byte_reader__uleb(at));
        break;
    case DW_CFA_undefined:
        set_place(run, byte_reader__uleb(at), (struct cfa_place){.how = CFA_UNDEFINED});
        break;
    case DW_CFA_same_value:
        set_place(run, byte_reader__uleb(at), (struct cfa_place){.how = CFA_SAME});
        break;
    case DW_CFA_register:
    case DW_CFA_val_offset:
        reg = byte_reader__uleb(at);
        byte_reader__uleb(at);
        set_place(run, reg, (struct cfa_place){.how = CFA_OTHER});
        break;
    case DW_CFA_val_offset_sf:
        reg = byte_reader__uleb(at);
        byte_reader__sleb(at);
        set_place(run, reg, (struct cfa_place){.how = CFA_OTHER});
        break;
    case DW_CFA_val_expression:
        reg = byte_reader__uleb(at);
        read_block(run);
        set_place(run, reg, (struct cfa_place){.how = CFA_OTHER});
        break;
    case DW_CFA_expression:
        reg = byte_reader__uleb(at);
        set_place(run, reg, (struct cfa_place){.how = CFA_EXPRESSION, .expression = read_block(run)});
        break;
    case DW_CFA_remember_state:
        remember_state(run);
        break;
    case DW_CFA_restore_state:
        restore_state(run);
        break;
    case DW_CFA_def_cfa:
        reg = byte_reader__uleb(at);
        set_cfa(run, reg, byte_reader__uleb(at));
        break;
    case DW_CFA_def_cfa_sf:
        reg = byte_reader__uleb(at);
        set_cfa(run, reg, (uint64_t)byte_reader__sleb(at) * factor);
        break;
    case DW_CFA_def_cfa_register:
        set_cfa(run, byte_reader__uleb(at), (uint64_t)run->state.cfa_offset);
        break;
    case DW_CFA_def_cfa_offset:
        set_cfa(run, run->state.cfa_register, byte_reader__uleb(at));
        break;
    case DW_CFA_def_cfa_offset_sf:
        set_cfa(run, run->state.cfa_register, (uint64_t)byte_reader__sleb(at) * factor);
        break;
    case DW_CFA_def_cfa_expression:
        set_cfa_expression(run);
        break;
    case DW_CFA_GNU_args_size:
        byte_reader__uleb(at);
        break;
    default:
        run->failed = true;
    }
}

// DW_CFA_set_loc: compilers do not write it, and its encoding is the CIE's; only absolute addresses are
// read.
static uint64_t distance_to(struct run *run, uint64_t address)
{
    if (run->cie->encoding != DW_EH_PE_absptr || address < run->function + run->distance)
        run->failed = true;
    return run->failed ? 0 : address - run->function - run->distance;
}

// Runs up to the next advance; false at the end of the program.
static bool run_to_advance(struct run *run, uint64_t *ret_bytes)
{
    uint64_t factor = run->cie->code_factor;
    while (run->at.at < run->at.end && !run->failed && !run->at.failed) {
        uint8_t opcode = *run->at.at++;
        uint8_t low = opcode & 0x3f;
        switch (opcode & 0xc0) {
        case DW_CFA_advance_loc:
            *ret_bytes = low * factor;
            return true;
        case DW_CFA_offset:
            set_at_cfa(run, low, byte_reader__uleb(&run->at));
            continue;
        case DW_CFA_restore:
            restore_place(run, low);
            continue;
        }
        switch (opcode) {
        case DW_CFA_advance_loc1:
            *ret_bytes = byte_reader__u8(&run->at) * factor;
            return true;
        case DW_CFA_advance_loc2:
            *ret_bytes = byte_reader__fixed(&run->at, 2) * factor;
            return true;
        case DW_CFA_advance_loc4:
            *ret_bytes = byte_reader__fixed(&run->at, 4) * factor;
            return true;
        case DW_CFA_set_loc:
            *ret_bytes = distance_to(run, byte_reader__fixed(&run->at, 8));
            return true;
        default:
            run_instruction(run, opcode);
        }
    }
    return false;
}

bool cfa__start(const struct cfi_cie *cie, struct cfa_state *ret_state)
{
    struct run run = {.cie = cie, .at = {.at = cie->program, .end = cie->program_end}};
    uint64_t bytes;
    if (!cie->is_usable || run_to_advance(&run, &bytes) || run.failed || run.at.failed)
        return false;
    *ret_state = run.state;
    return true;
}

bool cfa__run(const struct cfi_fde *fde, const struct cfa_state *start, cfa_row_fn *take, void *context)
{
    struct run run;
    run.cie = fde->cie;
    run.start = start;
    run.state = *start;
    run.remembered_count = 0;
    run.function = fde->address;
    run.distance = 0;
    run.at = (struct byte_reader){.at = fde->program, .end = fde->program_end};
    run.failed = false;
    uint64_t bytes;
    while (run_to_advance(&run, &bytes) && !run.at.failed && !run.failed) {
        if (bytes == 0)
            continue;
        if (!take(run.distance, pack(&run.state, fde->cie->is_signal), context))
            return false;
        if (bytes >= fde->bytes - run.distance)
            return true;
        run.distance += bytes;
    }
    if (run.failed || run.at.failed)
        return false;
    return take(run.distance, pack(&run.state, fde->cie->is_signal), context);
}
