#include "collector/keep/losses.h"

static const char *const names[] = {
#define LOSS(name, text, meaning) text,
#include "bpf/wire/losses.def"
#undef LOSS
};

size_t losses__list(const struct losses *losses, struct store_loss ret_rows[WIRE_LOSS_COUNT])
{
    size_t count = 0;
    for (size_t loss = 0; loss < WIRE_LOSS_COUNT; loss++) {
        uint64_t lost = losses->tally.losses[loss] + losses->here[loss] - losses->told[loss];
        if (lost)
            ret_rows[count++] = (struct store_loss){.name = names[loss], .count = lost};
    }
    return count;
}

void losses__tell(struct losses *losses)
{
    for (size_t loss = 0; loss < WIRE_LOSS_COUNT; loss++)
        losses->told[loss] = losses->tally.losses[loss] + losses->here[loss];
}

uint64_t losses__samples(const struct losses *losses)
{
    return losses->told[WIRE_LOSS_COUNTS_FULL] + losses->told[WIRE_LOSS_NESTED] +
           losses->told[WIRE_LOSS_PROCESSES_FULL] + losses->told[WIRE_LOSS_UNACCOUNTED] +
           losses->here[WIRE_LOSS_NOT_STORED]; // which may be because the store cannot be told
}

uint64_t losses__unaccounted(const struct losses *losses, uint64_t arrived)
{
    uint64_t emitted = losses->tally.emitted;
    uint64_t known = arrived + losses->tally.losses[WIRE_LOSS_COUNTS_FULL] + losses->tally.losses[WIRE_LOSS_NESTED] +
                     losses->here[WIRE_LOSS_PROCESSES_FULL];
    return emitted > known ? emitted - known : known - emitted;
}
