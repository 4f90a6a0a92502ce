#include "symbolizer/jit/jit_frame.h"

#include <stdlib.h>

void jit_frame__release(struct jit_frame *frame)
{
    free(frame->name);
    free(frame->file);
    *frame = (struct jit_frame){0};
}
