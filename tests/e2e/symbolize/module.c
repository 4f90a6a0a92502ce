/* What a kernel module has of its own: code in more than one section, each at an address of its own. */
#include "tests/e2e/symbolize/chain.c"

__attribute__((noinline, section(".init.text"))) void begin(int value)
{
    sink = value;
    __asm__ volatile(".globl init_marker\ninit_marker:\n nop"); /* line 7 */
    sink = value + 1;
}
